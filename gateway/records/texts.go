package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

const insertText = `INSERT INTO texts (id, account_sid, message_sid, office, number, sender, phone, received_at,
	media_count, media, reason, occasion, language, link)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
	ON CONFLICT (account_sid, message_sid) DO NOTHING`

// What a text's row says of its pictures.
const (
	mediaNone    = "none"
	mediaNotKept = "not-kept"
)

type received struct {
	outcome gateway.TextOutcome
	earlier *gateway.EarlierText
}

// ReceiveText stores an inbound text exactly once; see the port.
func (s *Store) ReceiveText(ctx context.Context, t gateway.Text, decide func(gateway.Standing) (gateway.TextOutcome, error)) (gateway.TextOutcome, *gateway.EarlierText, error) {
	r, err := write(ctx, s, "receive text", senderLock(t.Office, t.Sender), func(x *tx) (received, error) {
		return x.receive(t, decide)
	})
	return r.outcome, r.earlier, err
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
	stored, err := x.insertText(t, outcome)
	if err != nil {
		return r, err
	}
	if !stored {
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

func (x *tx) insertText(t gateway.Text, o gateway.TextOutcome) (stored bool, err error) {
	var link gateway.LinkID
	if o.Link != nil {
		link = o.Link.ID
	}
	media := mediaNone
	if t.MediaCount > 0 {
		media = mediaNotKept
	}
	n, err := x.exec(insertText, string(t.ID), t.AccountSID, t.MessageSID, string(t.Office), string(t.Number),
		unlessZero(t.Sender[:], t.Sender.IsZero()), solid(t.Phone), ms(t.ReceivedAt), t.MediaCount, media,
		string(o.Decision.Reason), string(o.Decision.Occasion), o.Decision.Language, string(link))
	return n == 1, err
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
		if d.Text != "" {
			return struct{}{}, x.deliver(d, answerDelivery, string(d.Text))
		}
		return struct{}{}, x.deliver(d, sendingDelivery, string(d.Sending))
	})
	return err
}

// deliveryTable is where the state of a kind of text of ours stands.
type deliveryTable struct{ lock, move string }

// The SID is learned with the first word that has one, whatever its state:
// callbacks arrive in any order.
var (
	answerDelivery = deliveryTable{
		lock: `UPDATE texts SET answer_sid = CASE WHEN answer_sid = '' THEN $2 ELSE answer_sid END
			WHERE id = $1 RETURNING answer_state`,
		move: `UPDATE texts SET answer_state = $2, answer_error = $3, answer_at = $4 WHERE id = $1`,
	}
	sendingDelivery = deliveryTable{
		lock: `UPDATE sendings SET sid = CASE WHEN sid = '' THEN $2 ELSE sid END WHERE id = $1 RETURNING state`,
		move: `UPDATE sendings SET state = $2, error_code = $3, updated_at = $4 WHERE id = $1`,
	}
)

func (x *tx) deliver(d gateway.Delivery, table deliveryTable, id string) error {
	state, found, err := first(x, scanText[gateway.DeliveryState], table.lock, id, d.SID)
	if err != nil {
		return err
	}
	if !found {
		return notFound()
	}
	if state != "" && d.State.Rank() <= state.Rank() {
		return nil
	}
	_, err = x.exec(table.move, id, string(d.State), d.ErrorCode, ms(d.At))
	return err
}
