package records

import (
	"context"
	"slices"
	"time"

	"dropslot/gateway"
)

// elsewhere is true of a text t that belongs to another submission than $1.
const elsewhere = "EXISTS (SELECT 1 FROM submissions o WHERE o.id = t.submission AND o.id <> $1)"

// textsOf gives the texts that go with a submission: those whose pictures or
// words it holds, those that its links answered, and, with the last submission
// of its sender, what the sender wrote until then.
func (x *tx) textsOf(s gateway.Submission) ([]gateway.TextID, error) {
	found, err := all(x, scanText[gateway.TextID], `SELECT t.id FROM texts t WHERE t.submission = $1 AND t.submission <> ''
		UNION SELECT t.id FROM links l JOIN texts t ON t.link = l.id AND t.link <> '' WHERE l.submission = $1 AND NOT `+elsewhere+`
		UNION SELECT t.id FROM notes n JOIN texts t ON t.id = n.text WHERE n.submission = $1 AND NOT `+elsewhere, string(s.ID))
	if err != nil || s.Sender.IsZero() {
		return found, err
	}
	_, others, err := first(x, scanInt, "SELECT 1 FROM submissions WHERE office = $1 AND sender = $2 AND id <> $3 LIMIT 1",
		string(s.Office), s.Sender[:], string(s.ID))
	if err != nil || others {
		return found, err
	}
	until := slices.MaxFunc([]time.Time{s.HandledAt, s.FinishedAt, s.LastPageAt, s.OpenedAt}, time.Time.Compare)
	loose, err := all(x, scanText[gateway.TextID], "SELECT t.id FROM texts t WHERE t.office = $2 AND t.sender = $3 AND t.received_at <= $4 AND NOT "+elsewhere,
		string(s.ID), string(s.Office), s.Sender[:], ms(until))
	slices.Sort(loose)
	return slices.Compact(slices.Sorted(slices.Values(append(found, loose...)))), err
}

// dropTexts takes texts with their words and pictures. One that is given up, or
// whose content still lies at Twilio, leaves a row that tells nothing of anybody:
// the operator must still see that it lies there.
func (x *tx) dropTexts(ids []gateway.TextID) error {
	for part := range slices.Chunk(ids, idsAtOnce) {
		in, args := " IN ("+placeholders(1, len(part))+")", texts(part)
		for _, statement := range []string{
			"DELETE FROM notes WHERE text" + in,
			"DELETE FROM refused_pictures WHERE text" + in,
			"DELETE FROM outgoing WHERE step = 'done' AND text <> '' AND text" + in,
			"UPDATE outgoing SET text = '' WHERE text <> '' AND text" + in,
			"DELETE FROM texts WHERE step = 'done' AND id" + in,
			`UPDATE texts SET sender = ` + noBytes + `, phone = ` + noBytes + `, submission = '', language = '', link = '',
				media = CASE media WHEN 'pending' THEN 'not-kept' ELSE media END,
				words = CASE words WHEN 'pending' THEN 'not-kept' ELSE words END WHERE id` + in,
		} {
			if _, err := x.exec(statement, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// noBytes is an empty value of the type BYTES, in both databases.
const noBytes = "SUBSTR(sender, 1, 0)"

// dropSendings takes texts of ours. Their words at Twilio are erased by their
// SID, whoever they went to.
func (x *tx) dropSendings(ids []gateway.SendingID) error {
	for part := range slices.Chunk(ids, idsAtOnce) {
		in, args := " IN ("+placeholders(1, len(part))+")", texts(part)
		for _, statement := range []string{
			"DELETE FROM outgoing WHERE step = 'done' AND sending <> '' AND sending" + in,
			"UPDATE outgoing SET sending = '' WHERE sending <> '' AND sending" + in,
			"DELETE FROM sendings WHERE id" + in,
		} {
			if _, err := x.exec(statement, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropLinks takes links and the sendings that carried them.
func (x *tx) dropLinks(ids []gateway.LinkID) error {
	for part := range slices.Chunk(ids, idsAtOnce) {
		in, args := " IN ("+placeholders(1, len(part))+")", texts(part)
		sent, err := all(x, scanText[gateway.SendingID], "SELECT id FROM sendings WHERE link <> '' AND link"+in, args...)
		if err != nil {
			return err
		}
		if err := x.dropSendings(sent); err != nil {
			return err
		}
		for _, of := range ofLink {
			if _, err := x.exec("DELETE FROM "+of.table+" WHERE "+of.column+in, args...); err != nil {
				return err
			}
		}
		if _, err := x.exec("DELETE FROM links WHERE id"+in, args...); err != nil {
			return err
		}
	}
	return nil
}

// nothingLeft is true of a sender b of whom nothing is left.
const nothingLeft = `NOT EXISTS (SELECT 1 FROM submissions s WHERE s.office = b.office AND s.sender = b.sender)
	AND NOT EXISTS (SELECT 1 FROM links l WHERE l.office = b.office AND l.sender = b.sender)
	AND NOT EXISTS (SELECT 1 FROM texts t WHERE t.office = b.office AND t.sender = b.sender)
	AND NOT EXISTS (SELECT 1 FROM sendings s WHERE s.office = b.office AND s.sender = b.sender)`

// forget takes the sender's row once nothing else is left of them. Who texted
// STOP is remembered, by the keyed hash of their number and nothing else:
// otherwise the next request would text them again.
func (x *tx) forget(s gateway.Submission, links []gateway.LinkID) error {
	if s.Sender.IsZero() {
		return nil
	}
	standing, err := x.lockSender(s.Office, s.Sender)
	if err != nil {
		return err
	}
	if standing.Submission == s.ID {
		standing.Submission = ""
	}
	if slices.Contains(links, standing.Link) {
		standing.Link = ""
	}
	if err := x.updateSender(s.Office, s.Sender, standing); err != nil {
		return err
	}
	const which = "b.office = $1 AND b.sender = $2"
	if _, err := x.exec("DELETE FROM clients AS b WHERE "+which+" AND "+nothingLeft, string(s.Office), s.Sender[:]); err != nil {
		return err
	}
	return x.forgetSenders(which, string(s.Office), s.Sender[:])
}

// forgetSenders forgets those of the senders b of whom nothing is left.
func (x *tx) forgetSenders(which string, args ...any) error {
	_, err := x.exec("DELETE FROM senders AS b WHERE "+which+" AND b.opted_out_at = 0 AND "+nothingLeft, args...)
	if err != nil {
		return err
	}
	_, err = x.exec(`UPDATE senders AS b SET language = '', hour_start = 0, day_start = 0, hour_count = 0, day_count = 0,
		last_answer_at = 0, last_picture_answer_at = 0, link = '', submission = '', last_words = 0, same_words = 0
		WHERE `+which+" AND b.opted_out_at > 0 AND "+nothingLeft, args...)
	return err
}

// ofNobody is true of a row b of links or sendings whose submission there is not.
const ofNobody = "NOT EXISTS (SELECT 1 FROM submissions o WHERE o.id = b.submission)"

// EraseOldRows erases rows that brought nothing; see the port. What belongs to
// a submission goes with it.
func (s *Store) EraseOldRows(ctx context.Context, t gateway.Terms, limit int) (int, error) {
	return write(ctx, s, "erase old rows", "", func(x *tx) (int, error) {
		before := ms(t.Now.Add(-t.Rows))
		written, err := all(x, scanText[gateway.TextID], `SELECT b.id FROM texts b WHERE b.received_at < $1 AND b.due_at = 0
			AND (b.step = 'done' OR LENGTH(b.phone) > 0 OR b.submission <> '' OR b.link <> '')
			AND `+ofNobody+` AND NOT EXISTS (SELECT 1 FROM links l JOIN submissions o ON o.id = l.submission WHERE l.id = b.link)
			AND NOT EXISTS (SELECT 1 FROM notes n JOIN submissions o ON o.id = n.submission WHERE n.text = b.id)
			ORDER BY b.received_at LIMIT $2`, before, limit)
		if err != nil {
			return 0, err
		}
		links, err := all(x, scanText[gateway.LinkID], "SELECT b.id FROM links b WHERE b.issued_at < $1 AND "+ofNobody+" ORDER BY b.id LIMIT $2", before, limit)
		if err != nil {
			return 0, err
		}
		sent, err := all(x, scanText[gateway.SendingID], "SELECT b.id FROM sendings b WHERE b.created_at < $1 AND "+ofNobody+" ORDER BY b.id LIMIT $2", before, limit)
		if err != nil {
			return 0, err
		}
		for _, drop := range []func() error{
			func() error { return x.dropTexts(written) },
			func() error { return x.dropLinks(links) },
			func() error { return x.dropSendings(sent) },
			func() error { return x.forgetSenders("b.last_answer_at < $1", before) },
		} {
			if err := drop(); err != nil {
				return 0, err
			}
		}
		if _, err := x.exec("DELETE FROM clients AS b WHERE " + nothingLeft); err != nil {
			return 0, err
		}
		for _, statement := range []string{
			"DELETE FROM outgoing WHERE step = 'done' AND learned_at < $1",
			"DELETE FROM budgets WHERE begins < $1",
			"UPDATE emergencies SET reason = SUBSTR(reason, 1, 0) WHERE LENGTH(reason) > 0 AND opened_at < $1",
		} {
			if _, err := x.exec(statement, before); err != nil {
				return 0, err
			}
		}
		return len(written) + len(links) + len(sent), nil
	})
}
