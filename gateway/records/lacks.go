package records

import (
	"context"
	"slices"
	"time"

	"dropslot/gateway"
)

func scanLack(r scanner) (l gateway.Lack, err error) {
	return l, r.Scan(&l.Ask, (*string)(&l.Reason), at(&l.At))
}

const putLack = `INSERT INTO lacks (submission, ask, reason, at) VALUES ($1, $2, $3, $4)
	ON CONFLICT (submission, ask) DO UPDATE SET reason = excluded.reason, at = excluded.at`

// SaveLack notes or takes back what the client does not have; see the port.
func (s *Store) SaveLack(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, said gateway.LackSaid, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "save lack", "", func(x *tx) (struct{}, error) {
		submission, l, err := x.lockSession(link, id)
		if err != nil {
			return struct{}{}, err
		}
		if code := sessionEnded(submission, l, said.At); code != "" {
			return struct{}{}, refuse(code)
		}
		if said.Reason == gateway.LackNone {
			_, err = x.exec("DELETE FROM lacks WHERE submission = $1 AND ask = $2", string(id), said.Ask)
		} else {
			_, err = x.exec(putLack, string(id), said.Ask, string(said.Reason), ms(said.At))
		}
		if err != nil {
			return struct{}{}, err
		}
		if said.Reason == gateway.LackRemind {
			if err := x.remindMe(submission, said); err != nil {
				return struct{}{}, err
			}
		}
		if err := x.countLacks(submission, said.At); err != nil {
			return struct{}{}, err
		}
		if !submission.Reached() || submission.Stage == gateway.StageWaiting {
			if err := x.answered(submission, said.At); err != nil {
				return struct{}{}, err
			}
		}
		if err := x.keepAwake(l, said.IdleAt); err != nil {
			return struct{}{}, err
		}
		if err := x.changed(submission.Office); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// notLacked takes back that a paper is missing: a page says that it is here.
func (x *tx) notLacked(s gateway.Submission, ask string, at time.Time) error {
	n, err := x.exec("DELETE FROM lacks WHERE submission = $1 AND ask = $2", string(s.ID), ask)
	if err != nil || n == 0 {
		return err
	}
	return x.countLacks(s, at)
}

// countLacks keeps the submission's count, and its place in the inbox: it
// arrives with the first word, and leaves when neither word nor page is left.
func (x *tx) countLacks(s gateway.Submission, at time.Time) error {
	n, _, err := first(x, scanInt, "SELECT COUNT(*) FROM lacks WHERE submission = $1", string(s.ID))
	if err != nil {
		return err
	}
	arrived := s.ArrivedAt
	switch {
	case n == 0 && s.Pages == 0:
		arrived = time.Time{}
	case arrived.IsZero():
		arrived = at
	}
	_, err = x.exec("UPDATE submissions SET lacks = $2, arrived_at = $3, news_at = $4 WHERE id = $1", string(s.ID), n, ms(arrived), ms(at))
	return err
}

// remindMe stores the one reminder of a submission, and of a sender as long as
// it waits. One that was dropped, since the client took it back, is none.
func (x *tx) remindMe(s gateway.Submission, said gateway.LackSaid) error {
	out, err := x.optedOut(s.Office, s.Sender)
	switch {
	case err != nil:
		return err
	case out:
		return refuse(gateway.CodeOptedOut)
	}
	n, _, err := first(x, scanInt, `SELECT COUNT(*) FROM sendings WHERE occasion = $2 AND state <> $3
		AND (submission = $1 OR office = $4 AND sender = $5 AND attempted_at = 0)`,
		string(s.ID), string(gateway.OccasionRemindMe), string(gateway.DeliveryDropped), string(s.Office), s.Sender[:])
	if err != nil || n > 0 {
		return err
	}
	return x.queueSending(said.Reminder, said.Jobs, nil)
}

// remindsInVain tells whether a sending reminds of what nobody wants to be
// reminded of any more: the client took it back, or a caseworker is done.
func (x *tx) remindsInVain(id gateway.SendingID) (bool, error) {
	n, _, err := first(x, scanInt, `SELECT COUNT(*) FROM sendings s WHERE s.id = $1 AND s.occasion = $2 AND NOT EXISTS (
		SELECT 1 FROM lacks k JOIN submissions b ON b.id = k.submission
		WHERE b.office = s.office AND b.sender = s.sender AND k.reason = 'remind' AND b.handled = 0)`,
		string(id), string(gateway.OccasionRemindMe))
	return n > 0, err
}

// putLacks puts back what a manifest told.
func (x *tx) putLacks(s gateway.Submission) error {
	for _, l := range s.Lacks {
		if _, err := x.exec(putLack, string(s.ID), l.Ask, string(l.Reason), ms(l.At)); err != nil {
			return err
		}
	}
	return nil
}

// LabelPage sets a page's label; see the port.
func (s *Store) LabelPage(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, key gateway.PageKey, label string, act gateway.Act, audit ...gateway.AuditEntry) error {
	return s.arrange(ctx, "label page", link, id, act, audit, func(x *tx, submission gateway.Submission) error {
		n, err := x.exec("UPDATE pages SET label = $3 WHERE submission = $1 AND page_key = $2 AND removed_at = 0",
			string(id), string(key), label)
		if err == nil && n == 0 {
			err = notFound()
		}
		if err != nil {
			return err
		}
		return x.notLacked(submission, label, act.At)
	})
}

// OrderPages puts the pages in order; see the port.
func (s *Store) OrderPages(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, keys []gateway.PageKey, act gateway.Act, audit ...gateway.AuditEntry) error {
	return s.arrange(ctx, "order pages", link, id, act, audit, func(x *tx, _ gateway.Submission) error {
		there, err := all(x, scanText[gateway.PageKey], "SELECT page_key FROM pages WHERE submission = $1 AND removed_at = 0 "+inOrder, string(id))
		if err != nil {
			return err
		}
		wish, _, err := wishOf(x, link)
		if err != nil {
			return err
		}
		order := slices.Clone(keys)
		for _, key := range keys {
			if !slices.Contains(there, key) {
				return notFound()
			}
		}
		for _, key := range there {
			if !slices.Contains(keys, key) {
				order = append(order, key)
			}
		}
		if wish.Page != "" { // the others are not this person's to order
			order = append(order[len(keys):], keys...)
		}
		for place, key := range order {
			_, err := x.exec("UPDATE pages SET place = $3 WHERE submission = $1 AND page_key = $2", string(id), string(key), place+1)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// arrange changes pages of a session that lives.
func (s *Store) arrange(ctx context.Context, what string, link gateway.LinkID, id gateway.SubmissionID, act gateway.Act, audit []gateway.AuditEntry, change func(*tx, gateway.Submission) error) error {
	_, err := write(ctx, s, what, "", func(x *tx) (struct{}, error) {
		submission, l, err := x.lockSession(link, id)
		if err != nil {
			return struct{}{}, err
		}
		if code := sessionEnded(submission, l, act.At); code != "" {
			return struct{}{}, refuse(code)
		}
		if err := change(x, submission); err != nil {
			return struct{}{}, err
		}
		if err := x.keepAwake(l, act.IdleAt); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}
