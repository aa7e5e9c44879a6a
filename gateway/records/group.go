package records

import (
	"cmp"
	"errors"
	"slices"

	"dropslot/gateway"
)

// receiving is a text on its way into the records.
type receiving struct {
	text   gateway.Text
	decide func(gateway.Standing) (gateway.TextOutcome, error)
	result received
}

func (r *receiving) alone(x *tx) (err error) {
	r.result, err = x.receive(r.text, r.decide)
	return err
}

// errNotTogether is why texts are received one by one after all.
var errNotTogether = errors.New("these texts cannot share their statements")

// leadingTexts counts the texts before the first other write.
func leadingTexts(ops []*op) int {
	n := slices.IndexFunc(ops, func(o *op) bool { return o.text == nil })
	if n < 0 {
		return len(ops)
	}
	return n
}

// runTogether receives texts with statements that they share: a crowd costs
// hardly more than one. If anything is out of the ordinary with any of them
// (it came before, its decision fails), done is false and nothing is
// written: each is then run by itself, and fails by itself.
func (w *writer) runTogether(x *tx, ops []*op) (done bool, err error) {
	if _, err := x.exec(savepoint); err != nil {
		return false, err
	}
	before := x.chain
	err = x.receiveTogether(ops)
	if err == nil {
		_, err = x.exec(releaseSavepoint)
		return err == nil, err
	}
	if w.dialect.transient(err) {
		return false, err
	}
	x.chain = before
	return false, x.undo()
}

func (x *tx) receiveTogether(ops []*op) (err error) {
	x.failed = nil
	defer func() {
		if recover() != nil { // comes up again when its text is run by itself
			err = errNotTogether
		}
	}()
	senders, err := x.lockSenders(ops)
	if err != nil {
		return err
	}
	g := group{senders: senders}
	if err := g.decide(ops); err != nil {
		return err
	}
	stored, err := x.execMany(insertTexts, g.texts)
	if err != nil {
		return err
	}
	if int(stored) != len(ops) {
		return errNotTogether // one of them came before
	}
	if err := x.writeGroup(&g); err != nil {
		return err
	}
	for _, o := range ops {
		o.err, o.panicked = nil, nil
	}
	return x.failed
}

// group is what several texts write, as the values of rows.
type group struct {
	senders    map[string]*groupSender // by their lock
	texts      []any
	links      []any
	superseded []any
	audit      []gateway.AuditEntry
}

// groupSender is a sender whose row is locked.
type groupSender struct {
	office   gateway.OfficeID
	index    gateway.PhoneIndex
	stored   gateway.Standing
	standing gateway.Standing // after the texts that were decided
}

// decide decides text by text: the second of one sender sees what the first left.
func (g *group) decide(ops []*op) error {
	type message struct{ account, sid string }
	seen := make(map[message]bool, len(ops))
	for _, o := range ops {
		t := &o.text.text
		name := message{t.AccountSID, t.MessageSID}
		if seen[name] {
			return errNotTogether
		}
		seen[name] = true
		sender := g.senders[o.lock]
		var standing gateway.Standing
		if sender != nil {
			standing = sender.standing
		}
		outcome, err := o.text.decide(standing)
		if err != nil {
			return errNotTogether
		}
		g.texts = appendText(g.texts, t, &outcome)
		if outcome.Link != nil {
			g.links = appendLink(g.links, outcome.Link)
			if standing.Link != "" {
				g.superseded = append(g.superseded, string(standing.Link))
			}
		}
		if sender != nil {
			sender.standing = outcome.Decision.Standing
		}
		g.audit = append(g.audit, outcome.Audit...)
		o.text.result = received{outcome: outcome}
	}
	return nil
}

// writeGroup stores what the texts led to. A link may be superseded by a later
// text of the same group: links are stored first.
func (x *tx) writeGroup(g *group) error {
	if _, err := x.execMany(insertLinks, g.links); err != nil {
		return err
	}
	if _, err := x.execMany(supersedeLinks, g.superseded); err != nil {
		return err
	}
	var changed []any
	for _, s := range g.senders {
		if s.standing != s.stored {
			changed = append(changed, string(s.office), s.index[:])
			changed = appendStanding(changed, &s.standing)
		}
	}
	if _, err := x.execMany(updateSenders, changed); err != nil {
		return err
	}
	return x.append(g.audit...)
}

// lockSenders locks the texts' senders, in order, and gives their standings.
func (x *tx) lockSenders(ops []*op) (map[string]*groupSender, error) {
	senders := make(map[string]*groupSender, len(ops))
	locks := make([]*op, 0, len(ops))
	for _, o := range ops {
		if o.lock != "" && senders[o.lock] == nil {
			senders[o.lock] = &groupSender{office: o.text.text.Office, index: o.text.text.Sender}
			locks = append(locks, o)
		}
	}
	slices.SortFunc(locks, func(a, b *op) int { return cmp.Compare(a.lock, b.lock) })
	values := make([]any, 0, 2*len(locks))
	for _, o := range locks {
		values = append(values, string(o.text.text.Office), o.text.text.Sender[:])
	}
	for len(values) > 0 {
		statement, now, later := x.lockMany.next(values)
		locked, err := all(x, scanGroupSender, statement, now...)
		if err != nil {
			return nil, x.fail(err)
		}
		for i := range locked {
			senders[senderLock(locked[i].office, locked[i].index)] = &locked[i]
		}
		values = later
	}
	return senders, nil
}

func scanGroupSender(r scanner) (s groupSender, err error) {
	into := append([]any{(*string)(&s.office), fixed(s.index[:])}, standingFields(&s.stored)...)
	err = r.Scan(into...)
	s.standing = s.stored
	return s, err
}
