package records

import (
	"context"

	"dropslot/gateway"
)

// idsAtOnce bounds the list of an IN.
const idsAtOnce = 200

// texts gives identifiers as arguments.
func texts[S ~string](ids []S) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = string(id)
	}
	return args
}

// ofSubmission are the tables whose rows go with the submission that the
// column names. Rows of texts, links, sendings, and what hangs on these, go by
// their own rules below. A test knows every table: a new one needs a line
// here, or there with its reason.
var ofSubmission = []struct{ table, column string }{
	{"pages", "submission"},
	{"lacks", "submission"},
	{"taken_back", "submission"},
	{"remarks", "submission"},
	{"looks", "submission"},
	{"deliveries", "submission"},
	{"erasure_warnings", "submission"},
	{"holds", "submission"}, // of an erased one, at most a released one
}

// ofLink are the tables whose rows go with a link.
var ofLink = []struct{ table, column string }{
	{"counters", "link"},
	{"wishes", "link"},
}

// EraseDue erases the rows of a submission; see the port. The sender's row is
// locked before the submission's, as everywhere.
func (s *Store) EraseDue(ctx context.Context, d gateway.Due, t gateway.Terms, audit gateway.AuditEntry) (bool, error) {
	return write(ctx, s, "erase submission", "", func(x *tx) (bool, error) {
		if _, known := t.Offices[d.Office]; !known {
			return false, nil
		}
		submission, found, err := x.lockErasable(d.ID)
		if err != nil || !found {
			return false, err
		}
		_, over, err := first(x, scanInt, "SELECT 1 FROM submissions b WHERE "+overIn+" AND b.id = $6",
			append(overArgs(d.Office, t), string(d.ID))...)
		if err != nil || !over {
			return false, err
		}
		return true, x.erase(submission, d.Why, t, audit)
	})
}

// EraseAnew erases what a restored backup brought back; see the port.
func (s *Store) EraseAnew(ctx context.Context, stone gateway.Tombstone, t gateway.Terms, audit gateway.AuditEntry) (bool, error) {
	return write(ctx, s, "erase submission anew", "", func(x *tx) (bool, error) {
		submission, found, err := x.lockErasable(stone.Submission)
		if err != nil {
			return false, err
		}
		if !found {
			return false, x.bury(stone)
		}
		return true, x.erase(submission, stone.Why, t, audit)
	})
}

func (x *tx) lockErasable(id gateway.SubmissionID) (gateway.Submission, bool, error) {
	submission, found, err := submissionByID(x, id)
	if err != nil || !found {
		return submission, false, err
	}
	if !submission.Sender.IsZero() {
		if _, err := x.lockSender(submission.Office, submission.Sender); err != nil {
			return submission, false, err
		}
	}
	submission, err = x.lockSubmission(id)
	if gateway.Is(err, gateway.CodeNotFound) {
		return submission, false, nil
	}
	return submission, err == nil, err
}

// bury leaves the tombstone. One that is there is opened again: the vault is
// to be emptied once more.
func (x *tx) bury(t gateway.Tombstone) error {
	_, err := x.exec(`INSERT INTO tombstones (submission, office, why, at, emptied_at) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (submission) DO UPDATE SET emptied_at = 0`, string(t.Submission), string(t.Office), string(t.Why), ms(t.At))
	return err
}

// erase takes every row of a submission. Nobody may be adding to it: it is
// locked, and ended. CodeForbidden if it is held, or needed elsewhere.
func (x *tx) erase(s gateway.Submission, why gateway.ErasureReason, t gateway.Terms, audit gateway.AuditEntry) error {
	_, kept, err := first(x, scanInt, "SELECT 1 FROM submissions b WHERE b.id = $1 AND ("+neededIn+" OR "+heldIn+")", string(s.ID))
	if err == nil && kept {
		err = refuse(gateway.CodeForbidden)
	}
	if err != nil {
		return err
	}
	if err := x.eraseMerged(s, why, t, audit); err != nil {
		return err
	}
	if err := x.moveLinks(s, t); err != nil {
		return err
	}
	links, err := all(x, scanText[gateway.LinkID], "SELECT id FROM links WHERE submission = $1", string(s.ID))
	if err != nil {
		return err
	}
	written, err := x.textsOf(s)
	if err != nil {
		return err
	}
	for _, of := range ofSubmission {
		if _, err := x.exec("DELETE FROM "+of.table+" WHERE "+of.column+" = $1", string(s.ID)); err != nil {
			return err
		}
	}
	sent, err := all(x, scanText[gateway.SendingID], "SELECT id FROM sendings WHERE submission = $1", string(s.ID))
	if err != nil {
		return err
	}
	for _, drop := range []func() error{
		func() error { return x.dropTexts(written) },
		func() error { return x.dropSendings(sent) },
		func() error { return x.dropLinks(links) },
	} {
		if err := drop(); err != nil {
			return err
		}
	}
	if _, err := x.exec("DELETE FROM submissions WHERE id = $1", string(s.ID)); err != nil {
		return err
	}
	if err := x.forget(s, links); err != nil {
		return err
	}
	if err := x.bury(gateway.Tombstone{Submission: s.ID, Office: s.Office, Why: why, At: t.Now}); err != nil {
		return err
	}
	return x.append(audit)
}

// eraseMerged takes with a submission those that were merged into it. A page
// that a caseworker moved there goes back, as one that is removed, to where its
// object lies, and the sweep erases that.
func (x *tx) eraseMerged(s gateway.Submission, why gateway.ErasureReason, t gateway.Terms, audit gateway.AuditEntry) error {
	away, err := all(x, scanPage, "SELECT "+pageColumns+" FROM pages WHERE submission = $1 AND home <> '' "+inOrder, string(s.ID))
	if err != nil {
		return err
	}
	for _, p := range away {
		if err := x.placePage(p, p.Home); err != nil {
			return err
		}
		if _, err := x.exec("UPDATE pages SET removed_at = $2 WHERE id = $1 AND removed_at = 0", string(p.ID), ms(t.Now)); err != nil {
			return err
		}
	}
	merged, err := all(x, scanText[gateway.SubmissionID], "SELECT id FROM submissions WHERE merged_into = $1 AND merged_into <> '' ORDER BY id", string(s.ID))
	if err != nil {
		return err
	}
	for _, id := range merged {
		submission, found, err := x.lockErasable(id)
		if err != nil || !found {
			return err
		}
		audit.Object = "submission:" + string(id)
		if err := x.erase(submission, why, t, audit); err != nil {
			return err
		}
	}
	return nil
}

// moveLinks leads links that somebody may still open to a submission of their
// own: the one that they name was ended long ago, and an opened link would have
// moved to a fresh one all the same.
func (x *tx) moveLinks(s gateway.Submission, t gateway.Terms) error {
	const unopened = " WHERE submission = $1 AND state = 'issued' AND issued_at > $2"
	known := ms(t.Now.Add(-t.LinkKnown))
	_, some, err := first(x, scanInt, "SELECT 1 FROM links"+unopened+" LIMIT 1", string(s.ID), known)
	if err != nil || !some {
		return err
	}
	fresh, err := gateway.NewID(x.trail.now(), x.trail.random)
	if err != nil {
		return err
	}
	if _, err := x.exec("UPDATE sendings SET submission = $3 WHERE link IN (SELECT id FROM links"+unopened+")", string(s.ID), known, fresh); err != nil {
		return err
	}
	_, err = x.exec("UPDATE senders SET submission = $3 WHERE submission = $1 AND link IN (SELECT id FROM links"+unopened+")", string(s.ID), known, fresh)
	if err != nil {
		return err
	}
	_, err = x.exec("UPDATE links SET submission = $3"+unopened, string(s.ID), known, fresh)
	return err
}
