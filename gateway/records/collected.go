package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

// textedTogether is how long the pages of a sender's link and the pictures
// that they text make one submission.
const textedTogether = 24 * time.Hour

func (x *tx) workByID(id gateway.TextID) (gateway.TextWork, error) {
	return only(first(x, scanWork, "SELECT "+workColumns+" FROM texts WHERE id = $1", string(id)))
}

// PlaceText chooses where a text's pictures belong; see the port.
func (s *Store) PlaceText(ctx context.Context, id gateway.TextID, fresh gateway.SubmissionID, now time.Time) (gateway.Submission, error) {
	return write(ctx, s, "place text", "", func(x *tx) (gateway.Submission, error) {
		t, err := x.workByID(id)
		if err != nil {
			return gateway.Submission{}, err
		}
		standing, err := x.lockSender(t.Office, t.Sender)
		if err != nil {
			return gateway.Submission{}, err
		}
		if t.Submission == "" {
			t.Submission = standing.Submission
		}
		place := t.Submission
		if place != "" {
			there, err := x.lockSubmission(place)
			switch {
			case err == nil && takesTexted(there, now):
				return there, x.moveText(t.ID, place)
			case err == nil:
				place = fresh
			case !gateway.Is(err, gateway.CodeNotFound):
				return there, err
			}
		} else {
			place = fresh
		}
		return x.openTexted(t, standing, place, now)
	})
}

// takesTexted tells whether texted pictures may join a submission.
func takesTexted(s gateway.Submission, now time.Time) bool {
	switch s.State {
	case gateway.SubmissionOpen:
		return true
	case gateway.SubmissionHandled:
		return false
	}
	return now.Before(s.FinishedAt.Add(textedTogether))
}

func (x *tx) moveText(id gateway.TextID, to gateway.SubmissionID) error {
	_, err := x.exec("UPDATE texts SET submission = $2 WHERE id = $1 AND submission <> $2", string(id), string(to))
	return err
}

// openTexted makes the submission of texted pictures. It holds no page yet and
// so stands in no list; a link of the sender that nobody opened leads there too.
func (x *tx) openTexted(t gateway.TextWork, standing gateway.Standing, place gateway.SubmissionID, now time.Time) (gateway.Submission, error) {
	language := standing.Language
	submission := gateway.Submission{
		ID: place, Office: t.Office, Number: t.Number, Sender: t.Sender, Phone: t.Phone, Language: language,
		State: gateway.SubmissionEmpty, OpenedAt: timeOf(ms(t.ReceivedAt)), FinishedAt: timeOf(ms(now)),
	}
	if _, err := x.exec(insertSubmission, submissionArgs(submission)...); err != nil {
		return submission, err
	}
	if err := x.moveText(t.ID, place); err != nil {
		return submission, err
	}
	if place == t.Submission {
		return submission, nil
	}
	_, err := x.exec("UPDATE links SET submission = $2 WHERE id = $1 AND state = 'issued'", string(standing.Link), string(place))
	if err != nil {
		return submission, err
	}
	_, err = x.exec("UPDATE senders SET submission = $3 WHERE office = $1 AND sender = $2", string(t.Office), t.Sender[:], string(place))
	return submission, err
}

// SaveCollected stores what came with a text; see the port.
func (s *Store) SaveCollected(ctx context.Context, c gateway.Collected, l gateway.Limits, jobs []gateway.Job, audit ...gateway.AuditEntry) ([]gateway.BlobName, error) {
	return write(ctx, s, "save what a text held", "", func(x *tx) (unused []gateway.BlobName, err error) {
		t, err := x.workByID(c.Text)
		if err != nil {
			return nil, err
		}
		if c.Media && t.Media == gateway.MediaPending {
			if unused, err = x.addTexted(t, c, l); err != nil {
				return nil, err
			}
		} else {
			for _, p := range c.Pages { // another worker was faster
				unused = append(unused, p.Blob)
			}
		}
		if c.Note != nil {
			if err := x.addNote(t, c); err != nil {
				return nil, err
			}
		}
		_, err = x.exec("UPDATE texts SET step = 'erase', due_at = $2, tries = 0, fault = '' WHERE id = $1 AND step = 'collect'",
			string(t.ID), ms(c.At))
		if err != nil {
			return nil, err
		}
		if err := x.enqueue(jobs...); err != nil {
			return nil, err
		}
		return unused, x.append(audit...)
	})
}

func (x *tx) addNote(t gateway.TextWork, c gateway.Collected) error {
	_, err := x.exec(`INSERT INTO notes (text, office, submission, at, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (text) DO NOTHING`, string(t.ID), string(t.Office), string(c.Submission), ms(t.ReceivedAt), c.Note)
	if err != nil {
		return err
	}
	_, err = x.exec("UPDATE texts SET words = 'sealed' WHERE id = $1", string(t.ID))
	return err
}

// addTexted adds the pages to the submission and notes on the text what became
// of its pictures. Pages that came with an earlier try count as kept.
func (x *tx) addTexted(t gateway.TextWork, c gateway.Collected, l gateway.Limits) (unused []gateway.BlobName, err error) {
	refused := c.Refused
	if len(c.Pages) > 0 {
		submission, err := x.lockSubmission(c.Submission)
		if err != nil {
			return nil, err
		}
		pages, bytes := submission.Pages, submission.Bytes
		for _, p := range c.Pages {
			_, there, err := pageByKey(x, c.Submission, p.Key)
			switch {
			case err != nil:
				return nil, err
			case there:
				unused = append(unused, p.Blob)
				continue
			case pages >= l.LinkPages || bytes+p.PlainBytes > l.LinkBytes:
				unused = append(unused, p.Blob)
				refused++
				continue
			}
			if _, err := x.exec(insertPage, pageArgs(p)...); err != nil {
				return nil, err
			}
			pages, bytes = pages+1, bytes+p.PlainBytes
		}
		if err := x.growTexted(submission, pages, bytes, c.At); err != nil {
			return nil, err
		}
	}
	kept, _, err := first(x, scanInt, "SELECT COUNT(*) FROM pages WHERE submission = $1 AND text = $2", string(c.Submission), string(t.ID))
	if err != nil {
		return nil, err
	}
	media := gateway.MediaSealed
	switch {
	case kept == 0:
		media = gateway.MediaNotKept
	case refused > 0:
		media = gateway.MediaPartly
	}
	_, err = x.exec("UPDATE texts SET media = $2, kept = $3, refused = $4, told_at = 0 WHERE id = $1", string(t.ID), string(media), kept, refused)
	return unused, err
}

// growTexted counts new pages. A submission that had ended is archived anew,
// and one that was handled comes back: something arrived.
func (x *tx) growTexted(s gateway.Submission, pages int, bytes int64, at time.Time) error {
	if pages == s.Pages {
		return nil
	}
	arrived, state := s.ArrivedAt, s.State
	if s.Pages == 0 {
		arrived = at
	}
	if state != gateway.SubmissionOpen {
		state = gateway.SubmissionReceived
	}
	_, err := x.exec(`UPDATE submissions SET pages = $2, bytes = $3, arrived_at = $4, last_page_at = $5, state = $6,
		handled = 0, archived_at = 0, texted_till = $7 WHERE id = $1`,
		string(s.ID), pages, bytes, ms(arrived), ms(at), string(state), ms(at.Add(textedTogether)))
	return err
}
