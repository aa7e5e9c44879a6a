package records

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"dropslot/gateway"
)

// objectsAtOnce bounds one list of an IN: a client may have many things.
const objectsAtOnce = 200

// houseActions concern every office.
var houseActions = []gateway.Action{
	gateway.ActionStarted, gateway.ActionStopped, gateway.ActionConfigChanged, gateway.ActionHeadLost, gateway.ActionAuditVerified,
}

// statement is a WHERE under construction, with its arguments.
type statement struct {
	text strings.Builder
	args []any
}

func (q *statement) arg(value any) string {
	q.args = append(q.args, value)
	return "$" + strconv.Itoa(len(q.args))
}

func (q *statement) write(parts ...string) {
	for _, p := range parts {
		q.text.WriteString(p)
	}
}

func listArgs[S ~string](q *statement, values []S) string {
	names := make([]string, 0, max(1, len(values)))
	for _, v := range values {
		names = append(names, q.arg(string(v)))
	}
	if len(names) == 0 {
		return "NULL"
	}
	return strings.Join(names, ", ")
}

// AuditRows gives rows of the audit trail, newest first. Each query walks the
// one index that narrows most, in order.
func (s *Store) AuditRows(ctx context.Context, q gateway.AuditQuery, before gateway.AuditCursor, limit int) ([]gateway.AuditRow, error) {
	return read(ctx, s, "read the audit trail", func(v view) ([]gateway.AuditRow, error) {
		var rows []gateway.AuditRow
		rare, err := isRare(v, q)
		if err != nil {
			return nil, err
		}
		statements := auditStatements(q, before, limit, rare)
		for _, st := range statements {
			more, err := all(v, scanAuditRow, st.text.String(), st.args...)
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
		if len(statements) > 1 {
			slices.SortFunc(rows, newerAudit)
		}
		return rows[:min(len(rows), limit)], nil
	})
}

// fewRows is how many rows of a kind are few.
const fewRows = 1000

// isRare tells whether a person is asked for together with what was done so
// seldom that its rows are fewer than the person's may be.
func isRare(v view, q gateway.AuditQuery) (bool, error) {
	if q.Actor == "" || q.Action == "" || q.Action == gateway.ActionLinkIssued {
		return false, nil
	}
	n, _, err := first(v, scanInt, "SELECT COUNT(*) FROM (SELECT 1 FROM audit WHERE action <> 'link.issued' AND action = $1 LIMIT $2) few",
		string(q.Action), fewRows)
	return n < fewRows, err
}

func auditStatements(q gateway.AuditQuery, before gateway.AuditCursor, limit int, rare bool) []*statement {
	var made []*statement
	for _, walk := range auditWalks(q, rare) {
		st := &statement{}
		st.write("SELECT chain, seq, at, actor, action, object, office, origin, outcome, reason FROM audit WHERE ")
		walk(st)
		st.residual(q, before)
		st.write(" ORDER BY at DESC, chain DESC, seq DESC LIMIT ", st.arg(limit))
		made = append(made, st)
	}
	return made
}

// auditWalks chooses the index: things first, then what was refused, who did
// it and what, or what first if it is rare, and else each office by itself and then what has no office.
func auditWalks(q gateway.AuditQuery, rare bool) (walks []func(*statement)) {
	one := func(walk func(*statement)) []func(*statement) { return []func(*statement){walk} }
	switch {
	case q.Objects != nil:
		for some := range slices.Chunk(q.Objects, objectsAtOnce) {
			walks = append(walks, func(st *statement) { st.write("object <> '' AND object IN (", listArgs(st, some), ")") })
		}
		return walks
	case q.Outcome != "" && q.Outcome != gateway.OutcomeDone:
		return one(func(st *statement) { st.write("outcome <> 'done'") })
	case q.Actor != "" && q.Actor != gateway.ActorClient && !rare:
		return one(func(st *statement) { st.write("actor <> 'client' AND actor = ", st.arg(q.Actor)) })
	case q.Action != "" && q.Action != gateway.ActionLinkIssued:
		return one(func(st *statement) { st.write("action <> 'link.issued' AND action = ", st.arg(string(q.Action))) })
	}
	for _, office := range append(slices.Compact(slices.Sorted(slices.Values(q.Offices))), "") {
		walks = append(walks, func(st *statement) { st.write("office = ", st.arg(string(office))) })
	}
	return walks
}

// residual writes everything that was asked for, whatever the walk.
func (q *statement) residual(a gateway.AuditQuery, before gateway.AuditCursor) {
	end := int64(math.MaxInt64)
	if !before.At.IsZero() {
		end = ms(before.At)
	}
	q.write(" AND (at, chain, seq) < (", q.arg(end), ", ", q.arg(before.Chain), ", ", q.arg(before.Seq), ")")
	if !a.From.IsZero() {
		q.write(" AND at >= ", q.arg(ms(a.From)))
	}
	if !a.To.IsZero() {
		q.write(" AND at < ", q.arg(ms(a.To)))
	}
	// Within a CASE no condition tempts an index, nor lets Postgres believe that
	// hardly a row is left, so that it would sort all instead of walking.
	q.write(" AND CASE WHEN (office IN (", listArgs(q, a.Offices), ")")
	switch {
	case len(a.Offices) == 0: // who looks into no office sees nothing
	case a.Whole:
		q.write(" OR office = ''")
	default:
		people := make([]string, 0, len(a.People))
		for _, id := range a.People {
			people = append(people, gateway.ActorStaff(id))
		}
		q.write(" OR office = '' AND (actor IN (", listArgs(q, people), ") OR object IN (", listArgs(q, people), ")",
			" OR action IN (", listArgs(q, houseActions), ") OR actor = 'unknown' AND object = '')")
	}
	q.write(")")
	for _, is := range [][2]string{{"actor", a.Actor}, {"action", string(a.Action)}, {"outcome", string(a.Outcome)}} {
		if is[1] != "" {
			q.write(" AND ", is[0], " = ", q.arg(is[1]))
		}
	}
	q.write(" THEN 1 ELSE 0 END > 0")
}

func scanAuditRow(r scanner) (row gateway.AuditRow, err error) {
	err = r.Scan(&row.Chain, &row.Seq, at(&row.At), &row.Actor, (*string)(&row.Action), &row.Object, (*string)(&row.Office),
		&row.From, (*string)(&row.Outcome), &row.Reason)
	return row, err
}

func newerAudit(a, b gateway.AuditRow) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Chain, a.Chain), cmp.Compare(b.Seq, a.Seq))
}

// clientMost bounds how many submissions, and how many texts, are taken for one client's.
const clientMost = 200

// ClientObjects gives the names that a client's things have in the trail, and
// the phones that they came from.
func (s *Store) ClientObjects(ctx context.Context, offices []gateway.OfficeID, reference string, phones map[gateway.OfficeID]gateway.PhoneIndex) ([]string, []gateway.PhoneIndex, error) {
	type found struct {
		objects []string
		senders []gateway.PhoneIndex
	}
	f, err := read(ctx, s, "find what is a client's", func(v view) (f found, err error) {
		f.objects = []string{}
		for _, office := range slices.Compact(slices.Sorted(slices.Values(offices))) {
			submissions, err := clientSubmissions(v, office, reference, phones[office])
			if err != nil {
				return f, err
			}
			for _, id := range submissions {
				more, err := all(v, scanText[string], selectObjects, id, string(office))
				if err != nil {
					return f, err
				}
				f.objects = append(f.objects, more...)
				sender, _, err := first(v, scanIndex, "SELECT sender FROM submissions WHERE id = $1", id)
				if err != nil {
					return f, err
				}
				if !sender.IsZero() && !slices.Contains(f.senders, sender) {
					f.senders = append(f.senders, sender)
				}
			}
			if sender := phones[office]; !sender.IsZero() {
				texts, err := all(v, scanText[string], selectTexts, string(office), sender[:], clientMost)
				if err != nil {
					return f, err
				}
				f.objects = append(f.objects, texts...)
			}
		}
		slices.Sort(f.objects)
		f.objects = slices.Compact(f.objects)
		return f, nil
	})
	return f.objects, f.senders, err
}

func scanIndex(r scanner) (x gateway.PhoneIndex, err error) { return x, r.Scan(fixed(x[:])) }

func clientSubmissions(v view, office gateway.OfficeID, reference string, sender gateway.PhoneIndex) ([]string, error) {
	switch {
	case reference != "":
		return all(v, scanText[string], "SELECT id FROM submissions WHERE office = $1 AND reference = $2 LIMIT $3", string(office), reference, clientMost)
	case sender.IsZero():
		return nil, nil
	}
	// The newest link may lead to a submission that nobody has opened yet.
	return all(v, scanText[string], `SELECT submission FROM senders WHERE office = $1 AND sender = $2 AND submission <> ''
		UNION SELECT id FROM submissions WHERE office = $1 AND sender = $2 LIMIT $3`, string(office), sender[:], clientMost)
}

// selectObjects names the things of one submission ($1) of an office ($2). A
// picture that was texted has Twilio's name for its page's key.
const selectObjects = `SELECT 'submission:' || CAST($1 AS TEXT)
	UNION SELECT 'page:' || id FROM pages WHERE submission = $1 AND office = $2
	UNION SELECT 'media:' || page_key FROM pages WHERE submission = $1 AND office = $2 AND text <> ''
	UNION SELECT 'link:' || id FROM links WHERE submission = $1 AND office = $2
	UNION SELECT 'sending:' || id FROM sendings WHERE submission = $1 AND office = $2
	UNION SELECT 'text:' || id FROM texts WHERE submission = $1 AND office = $2 AND media_count > 0
	UNION SELECT 'message:' || message_sid FROM texts WHERE submission = $1 AND office = $2 AND media_count > 0`

// selectTexts names a phone's newest texts: STOP and START belong to no submission.
const selectTexts = `SELECT 'text:' || id FROM texts WHERE office = $1 AND sender = $2 ORDER BY received_at DESC LIMIT $3`

// selectActions jumps from one action to the next along the index.
const selectActions = `WITH RECURSIVE found(action) AS (
	SELECT MIN(action) FROM audit WHERE action <> 'link.issued'
	UNION ALL
	SELECT (SELECT MIN(a.action) FROM audit a WHERE a.action <> 'link.issued' AND a.action > found.action) FROM found WHERE found.action IS NOT NULL
) SELECT action FROM found WHERE action IS NOT NULL`

// AuditActions gives the actions that the trail tells of, and the webhook's.
func (s *Store) AuditActions(ctx context.Context) ([]gateway.Action, error) {
	return read(ctx, s, "list the trail's actions", func(v view) ([]gateway.Action, error) {
		actions, err := all(v, scanText[gateway.Action], selectActions)
		actions = append(actions, gateway.ActionLinkIssued)
		slices.Sort(actions)
		return actions, err
	})
}
