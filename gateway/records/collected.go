package records

import (
	"cmp"
	"context"
	"slices"
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
		// A burst may name what was handled since: where its first text went,
		// the sender's standing tells.
		for _, place := range []gateway.SubmissionID{t.Submission, standing.Submission} {
			if place == "" {
				continue
			}
			there, err := x.lockSubmission(place)
			if err == nil && there.MergedInto != "" {
				place = there.MergedInto
				there, err = x.lockSubmission(place)
			}
			switch {
			case gateway.Is(err, gateway.CodeNotFound): // of a link that nobody opened
				return x.openTexted(t, standing, place, now)
			case err != nil:
				return there, err
			case takesTexted(there, now):
				return there, x.moveText(t.ID, place)
			}
		}
		return x.openTexted(t, standing, fresh, now)
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
	// Who opens the link while the pictures are being fetched joins them.
	_, err := x.exec("UPDATE submissions SET texted_till = $2 WHERE id = $1", string(place), ms(now.Add(textedTogether)))
	if err != nil {
		return submission, err
	}
	if err := x.moveText(t.ID, place); err != nil {
		return submission, err
	}
	if place == t.Submission {
		return submission, nil
	}
	_, err = x.exec("UPDATE links SET submission = $2 WHERE id = $1 AND state = 'issued'", string(standing.Link), string(place))
	if err != nil {
		return submission, err
	}
	_, err = x.exec("UPDATE senders SET submission = $3 WHERE office = $1 AND sender = $2", string(t.Office), t.Sender[:], string(place))
	return submission, err
}

// SavePicture stores a picture of a text; see the port.
func (s *Store) SavePicture(ctx context.Context, p gateway.Page, refused gateway.Code, l gateway.Limits, audit func(gateway.Code) gateway.AuditEntry) (bool, error) {
	return write(ctx, s, "save picture", "", func(x *tx) (stored bool, err error) {
		submission, err := x.lockSubmission(p.Submission)
		if err != nil {
			return false, err
		}
		if submission.MergedInto != "" { // while the picture was on its way
			p.Home, p.Submission = p.Submission, submission.MergedInto
			if submission, err = x.lockSubmission(p.Submission); err != nil {
				return false, err
			}
		}
		decided, err := x.pictureDecided(p)
		if err != nil || decided {
			return false, err
		}
		switch {
		case refused != "":
		case submission.Pages >= l.LinkPages:
			refused = gateway.CodeTooManyPages
		case submission.Bytes+p.PlainBytes > l.LinkBytes:
			refused = gateway.CodeLinkFull
		}
		if refused != "" {
			_, err = x.exec("INSERT INTO refused_pictures (text, sid) VALUES ($1, $2)", string(p.Text), string(p.Key))
		} else {
			err = x.addTexted(submission, p)
		}
		if err != nil {
			return false, err
		}
		return refused == "", x.append(audit(refused))
	})
}

// pictureDecided tells whether a picture is a page or refused already. The
// text's row is locked: two workers have it when a lease ran out, and may have
// placed it differently.
func (x *tx) pictureDecided(p gateway.Page) (bool, error) {
	if n, err := x.exec("UPDATE texts SET step = step WHERE id = $1", string(p.Text)); err != nil || n == 0 {
		return false, cmp.Or(err, notFound())
	}
	decided, err := decidedPictures(x, p.Text)
	if err != nil || slices.Contains(decided, string(p.Key)) {
		return true, err
	}
	// A reindex brings a page back, and cannot tell with which text it came.
	n, err := x.exec("UPDATE pages SET text = $3 WHERE submission = $1 AND page_key = $2", string(p.Submission), string(p.Key), string(p.Text))
	return n > 0, err
}

func (x *tx) addTexted(s gateway.Submission, p gateway.Page) error {
	if _, err := x.exec(insertPage, pageArgs(p)...); err != nil {
		return err
	}
	if _, err := x.exec("UPDATE texts SET kept = kept + 1 WHERE id = $1", string(p.Text)); err != nil {
		return err
	}
	return x.growTexted(s, p)
}

// SaveNote stores what a client wrote with a text; see the port.
func (s *Store) SaveNote(ctx context.Context, id gateway.TextID, sealed []byte) error {
	_, err := write(ctx, s, "save note", "", func(x *tx) (struct{}, error) {
		t, err := x.workByID(id)
		if err != nil {
			return struct{}{}, err
		}
		_, err = x.exec(`INSERT INTO notes (text, office, sender, submission, at, sealed) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (text) DO NOTHING`, string(t.ID), string(t.Office), t.Sender[:], string(t.Submission), ms(t.ReceivedAt), sealed)
		if err != nil {
			return struct{}{}, err
		}
		if _, err = x.exec("UPDATE texts SET words = 'sealed' WHERE id = $1", string(t.ID)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.heard(t)
	})
	return err
}

// FinishCollecting moves a text on to be erased; see the port.
func (s *Store) FinishCollecting(ctx context.Context, t gateway.TextWork, missing int, at time.Time, jobs []gateway.Job) error {
	_, err := write(ctx, s, "finish collecting", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(`UPDATE texts SET step = 'erase', due_at = $3, tries = 0, fault = '' WHERE id = $1 AND due_at = $2`,
			string(t.ID), ms(t.Lease), ms(at))
		if err != nil || n == 0 {
			return struct{}{}, err
		}
		_, err = x.exec(`UPDATE texts SET told_at = 0,
			refused = $2 + (SELECT COUNT(*) FROM refused_pictures r WHERE r.text = texts.id),
			kept = (SELECT COUNT(*) FROM pages p WHERE p.text = texts.id AND p.text <> '') WHERE id = $1 AND media = 'pending'`,
			string(t.ID), missing)
		if err != nil {
			return struct{}{}, err
		}
		_, err = x.exec(`UPDATE texts SET media = CASE WHEN kept = 0 THEN 'not-kept' WHEN refused > 0 THEN 'partly' ELSE 'sealed' END
			WHERE id = $1 AND media = 'pending'`, string(t.ID))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.enqueue(jobs...)
	})
	return err
}

// growTexted counts a new page. A submission that had ended is archived anew,
// and one that was handled comes back: something arrived.
func (x *tx) growTexted(s gateway.Submission, p gateway.Page) error {
	arrived, state := s.ArrivedAt, s.State
	if arrived.IsZero() {
		arrived = p.ReceivedAt
	}
	if state != gateway.SubmissionOpen {
		state = gateway.SubmissionReceived
	}
	stage := s.Stage
	if s.State == gateway.SubmissionHandled {
		stage = gateway.StageNew
	}
	_, err := x.exec(`UPDATE submissions SET pages = $2, bytes = $3, arrived_at = $4, last_page_at = $5, state = $6,
		handled = 0, archived_at = 0, texted_till = $7, stage = $8 WHERE id = $1`,
		string(s.ID), s.Pages+1, s.Bytes+p.PlainBytes, ms(arrived), ms(p.ReceivedAt), string(state), ms(p.ReceivedAt.Add(textedTogether)),
		string(stage))
	if err != nil {
		return err
	}
	if p.Home != "" {
		if err := x.revise(p.Home); err != nil {
			return err
		}
	}
	if s.ArrivedAt.IsZero() || s.Stage == gateway.StageWaiting {
		if err := x.answered(s, p.ReceivedAt); err != nil {
			return err
		}
	}
	return x.changed(s.Office)
}
