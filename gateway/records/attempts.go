package records

import (
	"cmp"
	"context"
	"time"

	"dropslot/gateway"
)

// Sending gives a sending and the link that it carries; see the port.
func (s *Store) Sending(ctx context.Context, id gateway.SendingID) (gateway.Sending, gateway.Link, error) {
	type found struct {
		sending gateway.Sending
		link    gateway.Link
	}
	f, err := snapshot(ctx, s, "find sending", func(v view) (f found, err error) {
		f.sending, err = only(first(v, scanSending, "SELECT "+sendingColumns+" FROM sendings WHERE id = $1", string(id)))
		if err != nil || f.sending.Link == "" {
			return f, err
		}
		f.link, err = only(linkByID(v, f.sending.Link))
		return f, err
	})
	return f.sending, f.link, err
}

func scanSending(r scanner) (s gateway.Sending, err error) {
	err = r.Scan(sendingFields(&s)...)
	return s, err
}

// AttemptSending notes that a sending is being handed over; see the port. The
// sender's row is locked: a STOP comes before it or after it.
func (s *Store) AttemptSending(ctx context.Context, id gateway.SendingID, at time.Time) error {
	_, err := write(ctx, s, "attempt sending", "", func(x *tx) (struct{}, error) {
		out, err := only(first(x, scanSending, "SELECT "+sendingColumns+" FROM sendings WHERE id = $1", string(id)))
		if err != nil {
			return struct{}{}, err
		}
		standing, err := x.lockSender(out.Office, out.Sender)
		if err != nil {
			return struct{}{}, err
		}
		if standing.OptedOut() {
			return struct{}{}, refuse(gateway.CodeOptedOut)
		}
		if out.Occasion == gateway.OccasionReminder {
			if wanted, err := x.reminds(out.Link, standing); err != nil {
				return struct{}{}, err
			} else if !wanted {
				return struct{}{}, refuse(gateway.CodeUnwanted)
			}
		}
		if vain, err := x.remindsInVain(id); err != nil {
			return struct{}{}, err
		} else if vain {
			return struct{}{}, refuse(gateway.CodeUnwanted)
		}
		n, err := x.exec("UPDATE sendings SET attempted_at = $2, updated_at = $2 WHERE id = $1 AND attempted_at = 0 AND state = 'sending'", string(id), ms(at))
		if err == nil && n == 0 {
			err = refuse(gateway.CodeSendTwice)
		}
		return struct{}{}, err
	})
	return err
}

// ReleaseSending takes an attempt back that Twilio did not take.
func (s *Store) ReleaseSending(ctx context.Context, id gateway.SendingID) error {
	_, err := write(ctx, s, "release sending", "", func(x *tx) (struct{}, error) {
		_, err := x.exec("UPDATE sendings SET attempted_at = 0 WHERE id = $1 AND state = 'sending'", string(id))
		return struct{}{}, err
	})
	return err
}

// LinkSending chooses the link that a sending carries; see the port.
func (s *Store) LinkSending(ctx context.Context, id gateway.SendingID, fresh gateway.Link, keeps func(gateway.Link) bool, audit ...gateway.AuditEntry) (gateway.Link, error) {
	return write(ctx, s, "link a sending", "", func(x *tx) (gateway.Link, error) {
		standing, err := x.lockSender(fresh.Office, fresh.Sender)
		if err != nil {
			return fresh, err
		}
		if standing.OptedOut() {
			return fresh, refuse(gateway.CodeOptedOut)
		}
		if vain, err := x.remindsInVain(id); err != nil || vain {
			return fresh, cmp.Or(err, refuse(gateway.CodeUnwanted))
		}
		link, found, err := linkByID(x, standing.Link)
		if err != nil {
			return fresh, err
		}
		if !found || !keeps(link) {
			if link, err = x.issueTo(standing, fresh); err != nil {
				return fresh, err
			}
			if err := x.append(audit...); err != nil {
				return fresh, err
			}
		}
		// Who asked to be reminded is reminded once.
		_, err = x.exec(`UPDATE links SET reminded_at = $2 WHERE id = $1 AND reminded_at = 0
			AND EXISTS (SELECT 1 FROM sendings s WHERE s.id = $3 AND s.occasion = $4)`,
			string(link.ID), ms(fresh.IssuedAt), string(id), string(gateway.OccasionRemindMe))
		if err != nil {
			return fresh, err
		}
		n, err := x.exec("UPDATE sendings SET link = $2 WHERE id = $1 AND attempted_at = 0", string(id), string(link.ID))
		if err == nil && n == 0 {
			err = refuse(gateway.CodeSendTwice)
		}
		return link, err
	})
}

// issueTo stores a link, remembers it as the sender's newest and gives it. All
// that a sender sends belongs together: it leads where the newest link before
// it leads, if that takes more.
func (x *tx) issueTo(standing gateway.Standing, l gateway.Link) (gateway.Link, error) {
	if standing.Submission != "" {
		ended, _, err := first(x, scanInt, `SELECT COUNT(*) FROM submissions WHERE id = $1 AND state <> 'open'
			AND (handled <> 0 OR texted_till <= $2)`, string(standing.Submission), ms(l.IssuedAt))
		if err != nil {
			return l, err
		}
		if ended == 0 {
			l.Submission = standing.Submission
		}
	}
	if err := x.issue(l, standing.Link); err != nil {
		return l, err
	}
	standing.Link, standing.Submission = l.ID, l.Submission
	return l, x.updateSender(l.Office, l.Sender, standing)
}

func (x *tx) queueSending(out gateway.Sending, jobs []gateway.Job, audit []gateway.AuditEntry) error {
	if _, err := x.insertSending(out); err != nil {
		return err
	}
	if err := x.enqueue(jobs...); err != nil {
		return err
	}
	return x.append(audit...)
}

// Unclaimed gives links that nobody opened and nobody was reminded of. Their
// identifiers begin with the time, so that no index of its own is needed.
func (s *Store) Unclaimed(ctx context.Context, from, to time.Time, limit int) ([]gateway.Link, error) {
	low, err := gateway.FirstID(from)
	if err != nil {
		return nil, err
	}
	high, err := gateway.FirstID(to)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, "list unclaimed links", func(v view) ([]gateway.Link, error) {
		return all(v, scanLink, "SELECT "+linkColumns+` FROM links WHERE id >= $1 AND id < $2
			AND state = 'issued' AND reminded_at = 0 AND expires_at > $3 ORDER BY id LIMIT $4`, low, high, ms(to), limit)
	})
}

// RemindLink stores the one reminder of a link; see the port.
func (s *Store) RemindLink(ctx context.Context, id gateway.LinkID, out gateway.Sending, jobs []gateway.Job, audit ...gateway.AuditEntry) (bool, error) {
	return write(ctx, s, "remind of a link", "", func(x *tx) (bool, error) {
		standing, err := x.lockSender(out.Office, out.Sender)
		if err != nil || standing.OptedOut() {
			return false, err
		}
		if wanted, err := x.reminds(id, standing); err != nil || !wanted {
			return false, err
		}
		n, err := x.exec("UPDATE links SET reminded_at = $2 WHERE id = $1 AND state = 'issued' AND reminded_at = 0", string(id), ms(out.CreatedAt))
		if err != nil || n == 0 {
			return false, err
		}
		return true, x.queueSending(out, jobs, audit)
	})
}

// reminds tells whether a link may be reminded of: it is the sender's newest,
// nobody opened it, and no pictures came instead.
func (x *tx) reminds(id gateway.LinkID, standing gateway.Standing) (bool, error) {
	if standing.Link != id {
		return false, nil
	}
	l, found, err := linkByID(x, id)
	if err != nil || !found || l.State != gateway.LinkIssued {
		return false, err
	}
	there, found, err := submissionByID(x, l.Submission)
	return !found || there.Pages == 0, err
}

// IssueAgain stores a new link in place of one that works no more; see the port.
func (s *Store) IssueAgain(ctx context.Context, old gateway.LinkID, l gateway.Link, out gateway.Sending, limits gateway.Limits, jobs []gateway.Job, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "issue again", "", func(x *tx) (struct{}, error) {
		standing, err := x.lockSender(l.Office, l.Sender)
		if err != nil {
			return struct{}{}, err
		}
		if standing.OptedOut() {
			return struct{}{}, refuse(gateway.CodeOptedOut)
		}
		type before struct{ count, at, canceled int64 }
		had, err := only(first(x, func(r scanner) (b before, err error) { return b, r.Scan(&b.count, &b.at, &b.canceled) },
			"UPDATE links SET again_count = again_count WHERE id = $1 RETURNING again_count, again_at, canceled_at", string(old)))
		switch {
		case err != nil:
			return struct{}{}, err
		case had.canceled != 0: // since the person's page was made
			return struct{}{}, refuse(gateway.CodeLinkCanceled)
		case had.count >= int64(limits.AgainPerLink):
			return struct{}{}, refuse(gateway.CodeAgainOften)
		case had.at != 0 && l.IssuedAt.Before(timeOf(had.at).Add(limits.AgainPause)):
			return struct{}{}, refuse(gateway.CodeAgainSoon)
		}
		_, err = x.exec("UPDATE links SET again_count = again_count + 1, again_at = $2 WHERE id = $1", string(old), ms(l.IssuedAt))
		if err != nil {
			return struct{}{}, err
		}
		counted, ok := standing.Count(limits, l.IssuedAt)
		if !ok {
			return struct{}{}, refuse(gateway.CodeAgainOften)
		}
		issued, err := x.issueTo(counted, l)
		if err != nil {
			return struct{}{}, err
		}
		if err := x.copyWish(old, issued.ID); err != nil {
			return struct{}{}, err
		}
		sending := out
		sending.Submission = issued.Submission
		return struct{}{}, x.queueSending(sending, jobs, audit)
	})
	return err
}
