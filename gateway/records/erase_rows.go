package records

import (
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
	return x.forgetSender(s.Office, s.Sender[:])
}

// forgetSender forgets a sender of whom nothing is left. The row is locked by
// a statement of its own: what came until then is seen by those that delete.
func (x *tx) forgetSender(office gateway.OfficeID, sender []byte) error {
	const which = " WHERE b.office = $1 AND b.sender = $2 AND " + nothingLeft
	for _, statement := range []string{
		"UPDATE senders AS b SET language = b.language WHERE b.office = $1 AND b.sender = $2",
		"DELETE FROM clients AS b" + which,
		"DELETE FROM senders AS b" + which + " AND b.opted_out_at = 0",
		`UPDATE senders AS b SET language = '', hour_start = 0, day_start = 0, hour_count = 0, day_count = 0,
			last_answer_at = 0, last_picture_answer_at = 0, link = '', submission = '', last_words = 0, same_words = 0` +
			which + " AND b.opted_out_at > 0",
	} {
		if _, err := x.exec(statement, string(office), sender); err != nil {
			return err
		}
	}
	return nil
}
