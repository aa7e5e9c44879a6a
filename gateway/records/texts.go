package records

import (
	"context"
	"fmt"
	"time"

	"dropslot/gateway"
)

var insertTexts = insertMany("texts", `id, account_sid, message_sid, office, number, sender, phone, received_at,
	media_count, reason, occasion, language, link, submission, media, words, step, due_at`,
	" ON CONFLICT (account_sid, message_sid) DO NOTHING")

type received struct {
	outcome gateway.TextOutcome
	earlier *gateway.EarlierText
}

// ReceiveText stores an inbound text exactly once; see the port.
func (s *Store) ReceiveText(ctx context.Context, t gateway.Text, decide func(gateway.Standing) (gateway.TextOutcome, error)) (gateway.TextOutcome, *gateway.EarlierText, error) {
	r := &receiving{text: t, decide: decide}
	err := s.writer.hand(ctx, &op{what: "receive text", lock: senderLock(t.Office, t.Sender), run: r.alone, text: r})
	if err != nil {
		return gateway.TextOutcome{}, nil, err
	}
	return r.result.outcome, r.result.earlier, nil
}

func (x *tx) receive(t gateway.Text, decide func(gateway.Standing) (gateway.TextOutcome, error)) (r received, err error) {
	var standing gateway.Standing
	if !t.Sender.IsZero() {
		if standing, err = x.lockSender(t.Office, t.Sender); err != nil {
			return r, err
		}
	}
	outcome, err := decide(standing)
	if err != nil {
		return r, passed{err}
	}
	stored, err := x.execMany(insertTexts, appendText(nil, &t, &outcome))
	if err != nil {
		return r, err
	}
	if stored == 0 {
		// Nothing but the lock on the sender was written: there is nothing to undo.
		r.earlier, err = x.earlierText(t.AccountSID, t.MessageSID)
		return r, err
	}
	if outcome.Link != nil {
		if err := x.issue(*outcome.Link, standing.Link); err != nil {
			return r, err
		}
	}
	if !t.Sender.IsZero() && outcome.Decision.Standing != standing {
		if err := x.updateSender(t.Office, t.Sender, outcome.Decision.Standing); err != nil {
			return r, err
		}
	}
	r.outcome = outcome
	return r, x.append(outcome.Audit...)
}

// appendText appends the values of a text's row.
func appendText(row []any, t *gateway.Text, o *gateway.TextOutcome) []any {
	var link gateway.LinkID
	if o.Link != nil {
		link = o.Link.ID
	}
	return append(row, string(t.ID), t.AccountSID, t.MessageSID, string(t.Office), string(t.Number),
		unlessZero(t.Sender[:], t.Sender.IsZero()), solid(t.Phone), ms(t.ReceivedAt), t.MediaCount,
		string(o.Decision.Reason), string(o.Decision.Occasion), o.Decision.Language, string(link), string(o.Submission),
		string(o.Keeping.Media), string(o.Keeping.Words), string(o.Keeping.Step), ms(t.ReceivedAt))
}

func (x *tx) earlierText(accountSID, messageSID string) (*gateway.EarlierText, error) {
	var link gateway.LinkID
	earlier, found, err := first(x, func(r scanner) (e gateway.EarlierText, err error) {
		err = r.Scan((*string)(&e.ID), at(&e.ReceivedAt), (*string)(&e.Occasion), &e.Language, (*string)(&link))
		return e, err
	}, `SELECT id, received_at, occasion, language, link FROM texts
		WHERE account_sid = $1 AND message_sid = $2`, accountSID, messageSID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, refuse(gateway.CodeUnavailable) // erased between two statements
	}
	if link == "" {
		return &earlier, nil
	}
	l, found, err := linkByID(x, link)
	if found {
		earlier.Link = &l
	}
	return &earlier, err
}

// ForgetAnswer takes back an answer that never left; see the port.
func (s *Store) ForgetAnswer(ctx context.Context, link gateway.Link) error {
	_, err := write(ctx, s, "forget answer", senderLock(link.Office, link.Sender), func(x *tx) (struct{}, error) {
		standing, err := x.lockSender(link.Office, link.Sender)
		if err != nil || standing.Link != link.ID || standing.HourCount == 0 {
			return struct{}{}, err
		}
		standing.LastAnswerAt, standing.LastPictureAnswerAt = time.Time{}, time.Time{}
		standing.HourCount--
		standing.DayCount--
		return struct{}{}, x.updateSender(link.Office, link.Sender, standing)
	})
	return err
}

// RecallAnswer counts a forgotten answer after all; see the port.
func (s *Store) RecallAnswer(ctx context.Context, link gateway.Link, pictures bool, at time.Time) error {
	_, err := write(ctx, s, "recall answer", senderLock(link.Office, link.Sender), func(x *tx) (struct{}, error) {
		standing, err := x.lockSender(link.Office, link.Sender)
		if err != nil || standing.Link != link.ID || !standing.LastAnswerAt.IsZero() {
			return struct{}{}, err
		}
		standing.LastAnswerAt = at
		if pictures {
			standing.LastPictureAnswerAt = at
		}
		standing.HourCount++
		standing.DayCount++
		return struct{}{}, x.updateSender(link.Office, link.Sender, standing)
	})
	return err
}

// SaveDelivery notes what became of a text of ours, an answer or a sending.
func (s *Store) SaveDelivery(ctx context.Context, d gateway.Delivery) error {
	_, err := write(ctx, s, "save delivery", "", func(x *tx) (struct{}, error) {
		switch {
		case d.Text != "":
			return struct{}{}, x.deliver(d, answerDelivery, string(d.Text))
		case d.Sending != "":
			return struct{}{}, x.deliver(d, sendingDelivery, string(d.Sending))
		}
		return struct{}{}, x.deliverBySID(d)
	})
	return err
}

// learnOutgoing notes that Twilio holds a text of ours, whose words are to be
// erased: soon after its delivery, or a while later if nothing tells of that.
const learnOutgoing = `INSERT INTO outgoing (sid, office, number, text, sending, learned_at, step, due_at)
	SELECT $2, office, number, %s, $3, 'erase', $4 FROM %s WHERE id = $1
	ON CONFLICT (sid) DO UPDATE SET due_at = CASE
		WHEN outgoing.step = 'erase' AND outgoing.due_at > excluded.due_at THEN excluded.due_at ELSE outgoing.due_at END`

// learnStop remembers a STOP that Twilio knows of and Dropslot did not.
const learnStop = "UPDATE senders SET opted_out_at = $3 WHERE office = $1 AND sender = $2 AND opted_out_at = 0"

// deliveryPatience is how long Twilio may take to tell that a text arrived
// before its words are erased all the same: some carriers never tell.
const deliveryPatience = 15 * time.Minute

// deliveryTable is where the state of a kind of text of ours stands.
type deliveryTable struct{ whose, lock, move, learn string }

// The SID is learned with the first word that has one, whatever its state:
// callbacks arrive in any order.
var (
	answerDelivery = deliveryTable{
		whose: "SELECT office, sender FROM texts WHERE id = $1",
		lock: `UPDATE texts SET answer_sid = CASE WHEN answer_sid = '' THEN $2 ELSE answer_sid END
			WHERE id = $1 RETURNING answer_state`,
		move:  `UPDATE texts SET answer_state = $2, answer_error = $3, answer_at = $4 WHERE id = $1`,
		learn: fmt.Sprintf(learnOutgoing, "id, ''", "texts"),
	}
	sendingDelivery = deliveryTable{
		whose: "SELECT office, sender FROM sendings WHERE id = $1",
		lock:  `UPDATE sendings SET sid = CASE WHEN sid = '' THEN $2 ELSE sid END WHERE id = $1 RETURNING state`,
		move:  `UPDATE sendings SET state = $2, error_code = $3, updated_at = $4 WHERE id = $1`,
		learn: fmt.Sprintf(learnOutgoing, "'', id", "sendings"),
	}
)

// deliverBySID is for a callback that names the message alone, as a messaging
// service's does.
func (x *tx) deliverBySID(d gateway.Delivery) error {
	if d.SID == "" {
		return notFound()
	}
	known, err := only(first(x, func(r scanner) (k gateway.Delivery, err error) {
		return k, r.Scan((*string)(&k.Text), (*string)(&k.Sending))
	}, "SELECT text, sending FROM outgoing WHERE sid = $1", d.SID))
	switch {
	case err != nil:
		return err
	case known.Text != "":
		return x.deliver(d, answerDelivery, string(known.Text))
	}
	return x.deliver(d, sendingDelivery, string(known.Sending))
}

func (x *tx) deliver(d gateway.Delivery, table deliveryTable, id string) error {
	if d.ErrorCode == gateway.TwilioOptedOut {
		if err := x.stop(table, id, d.At); err != nil {
			return err
		}
	}
	state, found, err := first(x, scanText[gateway.DeliveryState], table.lock, id, d.SID)
	if err != nil {
		return err
	}
	if !found {
		return notFound()
	}
	if d.SID != "" {
		due := d.At.Add(deliveryPatience)
		if d.State == gateway.DeliveryDelivered || d.State == gateway.DeliveryFailed {
			due = d.At
		}
		if _, err := x.exec(table.learn, id, d.SID, ms(d.At), ms(due)); err != nil {
			return err
		}
	}
	if state != "" && d.State.Rank() <= state.Rank() {
		return nil
	}
	_, err = x.exec(table.move, id, string(d.State), d.ErrorCode, ms(d.At))
	return err
}

// stop locks the sender before deliver locks its text: that is the order of
// every other write.
func (x *tx) stop(table deliveryTable, id string, now time.Time) error {
	type whose struct{ office, sender any }
	w, err := only(first(x, func(r scanner) (w whose, err error) { return w, r.Scan(&w.office, &w.sender) }, table.whose, id))
	if err == nil {
		_, err = x.exec(learnStop, w.office, w.sender, ms(now))
	}
	return err
}
