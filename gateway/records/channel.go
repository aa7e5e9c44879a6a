package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

const workColumns = `id, account_sid, message_sid, office, number, sender, phone, received_at, media_count,
	submission, media, words, step, tries, fault, refused,
	CASE WHEN taken_on_at > 0 THEN taken_on_at ELSE received_at END, due_at`

func scanWork(r scanner) (w gateway.TextWork, err error) {
	err = r.Scan((*string)(&w.ID), &w.AccountSID, &w.MessageSID, (*string)(&w.Office), (*string)(&w.Number),
		fixed(w.Sender[:]), (*[]byte)(&w.Phone), at(&w.ReceivedAt), &w.MediaCount, (*string)(&w.Submission),
		(*string)(&w.Media), (*string)(&w.Words), (*string)(&w.Step), &w.Tries, (*string)(&w.Fault), &w.Refused, at(&w.TakenOnAt), at(&w.Lease))
	return w, err
}

// ClaimTexts takes texts on for the length of a lease; see the port. due_at is
// compared again under the row's lock, so that of two processes that saw a row
// due one takes it.
func (s *Store) ClaimTexts(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]gateway.TextWork, error) {
	return write(ctx, s, "claim texts", "", func(x *tx) ([]gateway.TextWork, error) {
		return all(x, scanWork, `UPDATE texts SET due_at = $2
			WHERE due_at > 0 AND due_at <= $1 AND id IN
			(SELECT id FROM texts WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at, id LIMIT $3 `+s.dialect.skipLocked()+`)
			RETURNING `+workColumns, ms(now), ms(now.Add(lease)), limit)
	})
}

// TextPictures gives a text's pictures that are decided; see the port.
func (s *Store) TextPictures(ctx context.Context, id gateway.TextID) ([]string, error) {
	return read(ctx, s, "list pictures of a text", func(v view) ([]string, error) { return decidedPictures(v, id) })
}

func decidedPictures(q queryer, id gateway.TextID) ([]string, error) {
	return all(q, scanText[string], `SELECT page_key FROM pages WHERE text = $1 AND text <> ''
		UNION SELECT sid FROM refused_pictures WHERE text = $1`, string(id))
}

// PostponeText puts a text off or gives it up; see the port.
func (s *Store) PostponeText(ctx context.Context, t gateway.TextWork, p gateway.Postponed, jobs []gateway.Job, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "postpone text", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE texts SET step = $3, due_at = $4, tries = $5, fault = $6 WHERE id = $1 AND due_at = $2",
			string(t.ID), ms(t.Lease), string(p.Step), ms(p.DueAt), p.Tries, string(p.Fault))
		if err != nil || n == 0 {
			return struct{}{}, err
		}
		if err := x.enqueue(jobs...); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// CollectAgain sends a text back; see the port.
func (s *Store) CollectAgain(ctx context.Context, t gateway.TextWork, now time.Time) error {
	_, err := write(ctx, s, "collect again", "", func(x *tx) (struct{}, error) {
		_, err := x.exec(`UPDATE texts SET step = 'collect', media = 'pending', due_at = $3, tries = 0, fault = ''
			WHERE id = $1 AND due_at = $2`, string(t.ID), ms(t.Lease), ms(now))
		return struct{}{}, err
	})
	return err
}

// FinishText notes that nothing of a text lies at Twilio any more.
func (s *Store) FinishText(ctx context.Context, t gateway.TextWork, at time.Time, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "finish text", "", func(x *tx) (struct{}, error) {
		_, err := x.exec("UPDATE texts SET step = 'done', due_at = 0, tries = 0, fault = '', erased_at = $3 WHERE id = $1 AND due_at = $2",
			string(t.ID), ms(t.Lease), ms(at))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// ClaimOutgoing takes texts of ours on; see the port.
func (s *Store) ClaimOutgoing(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]gateway.OutgoingWork, error) {
	return write(ctx, s, "claim outgoing texts", "", func(x *tx) ([]gateway.OutgoingWork, error) {
		return all(x, func(r scanner) (w gateway.OutgoingWork, err error) {
			return w, r.Scan(&w.SID, (*string)(&w.Office), (*string)(&w.Number), at(&w.TakenOnAt), at(&w.Lease), &w.Tries)
		}, `UPDATE outgoing SET due_at = $2
			WHERE due_at > 0 AND due_at <= $1 AND sid IN
			(SELECT sid FROM outgoing WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at, sid LIMIT $3 `+s.dialect.skipLocked()+`)
			RETURNING sid, office, number, CASE WHEN taken_on_at > 0 THEN taken_on_at ELSE learned_at END, due_at, tries`,
			ms(now), ms(now.Add(lease)), limit)
	})
}

// PostponeOutgoing puts a text of ours off or gives it up; see the port.
func (s *Store) PostponeOutgoing(ctx context.Context, w gateway.OutgoingWork, p gateway.Postponed, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "postpone outgoing text", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE outgoing SET step = $3, due_at = $4, tries = $5, fault = $6 WHERE sid = $1 AND due_at = $2",
			w.SID, ms(w.Lease), string(p.Step), ms(p.DueAt), p.Tries, string(p.Fault))
		if err != nil || n == 0 {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// FinishOutgoing notes that the words of a text of ours are gone.
func (s *Store) FinishOutgoing(ctx context.Context, w gateway.OutgoingWork, at time.Time, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "finish outgoing text", "", func(x *tx) (struct{}, error) {
		_, err := x.exec("UPDATE outgoing SET step = 'done', due_at = 0, tries = 0, fault = '', erased_at = $3 WHERE sid = $1 AND due_at = $2",
			w.SID, ms(w.Lease), ms(at))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}
