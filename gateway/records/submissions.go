package records

import (
	"context"
	"slices"

	"dropslot/gateway"
)

// openedColumns are those that a submission begins with.
const openedColumns = `id, office, number, sender, phone, language, state, unfinished, opened_at,
	arrived_at, last_page_at, finished_at, pages, bytes, sealed_name, handled_at, handled_by, handled_as, handled_note,
	lacks, origin, staff, revision`

const submissionColumns = openedColumns + `, stage, assigned, turn_at, news_at, sealed_case, case_index, merged_into`

func submissionFields(s *gateway.Submission) []any {
	return []any{
		(*string)(&s.ID), (*string)(&s.Office), (*string)(&s.Number), fixed(s.Sender[:]), (*[]byte)(&s.Phone),
		&s.Language, (*string)(&s.State), flag(&s.Unfinished), at(&s.OpenedAt), at(&s.ArrivedAt), at(&s.LastPageAt),
		at(&s.FinishedAt), &s.Pages, &s.Bytes, &s.SealedName, at(&s.HandledAt), (*string)(&s.HandledBy),
		(*string)(&s.HandledAs), &s.HandledNote, &s.LackCount, (*string)(&s.Origin), (*string)(&s.Staff), &s.Revision,
		(*string)(&s.Stage), (*string)(&s.Assigned), at(&s.TurnAt), at(&s.LastWordAt), &s.SealedCase, maybe(s.CaseIndex[:]),
		(*string)(&s.MergedInto),
	}
}

func scanSubmission(r scanner) (s gateway.Submission, err error) {
	err = r.Scan(submissionFields(&s)...)
	if len(s.SealedName) == 0 {
		s.SealedName = nil
	}
	return s, err
}

// lockSubmission holds a submission's row against every other writer and
// gives it. Pages, caps and the end of a submission are decided under it.
func (x *tx) lockSubmission(id gateway.SubmissionID) (gateway.Submission, error) {
	return only(first(x, scanSubmission, "UPDATE submissions SET state = state WHERE id = $1 RETURNING "+submissionColumns, string(id)))
}

var insertSubmission = insertInto("submissions", openedColumns+", handled, archived_at, reference")

func submissionArgs(s gateway.Submission) []any {
	return []any{
		string(s.ID), string(s.Office), string(s.Number), unlessZero(s.Sender[:], s.Sender.IsZero()), solid(s.Phone),
		s.Language, string(s.State), bit(s.Unfinished), ms(s.OpenedAt), ms(s.ArrivedAt), ms(s.LastPageAt),
		ms(s.FinishedAt), s.Pages, s.Bytes, solid(s.SealedName), ms(s.HandledAt), string(s.HandledBy),
		string(s.HandledAs), s.HandledNote, s.LackCount, string(s.Origin), string(s.Staff), s.Revision, bit(s.State == gateway.SubmissionHandled), int64(0),
		s.ID.Reference(),
	}
}

// insertSubmission opens the submission of a claimed link, or joins the one
// that is there, and gives its state; its row is locked either way.
func (x *tx) insertSubmission(l gateway.Link) (gateway.SubmissionState, error) {
	opened := gateway.Submission{
		ID: l.Submission, Office: l.Office, Number: l.Number, Sender: l.Sender, Phone: l.Phone,
		Language: l.Language, State: gateway.SubmissionOpen, OpenedAt: l.ClaimedAt,
	}
	if l.Origin.AtCounter() {
		made, err := only(counterOf(x, l.ID))
		if err != nil {
			return "", err
		}
		opened.Origin, opened.Staff, opened.SealedName = l.Origin, made.Staff, made.SealedName
	}
	state, _, err := first(x, scanText[gateway.SubmissionState],
		insertSubmission+" ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING state",
		submissionArgs(opened)...)
	return state, err
}

// Session finds the link that this browser claimed for the submission, the
// newest if there are several, whether its time is over or not.
func (s *Store) Session(ctx context.Context, id gateway.SubmissionID, browser gateway.BrowserHash) (gateway.Session, error) {
	if browser.IsZero() {
		return gateway.Session{}, notFound()
	}
	return snapshot(ctx, s, "find session", func(v view) (session gateway.Session, err error) {
		session.Link, err = only(first(v, scanLink, "SELECT "+linkColumns+` FROM links
			WHERE submission = $1 AND browser = $2 AND state IN ('claimed', 'closed')
			ORDER BY claimed_at DESC, id DESC LIMIT 1`, string(id), browser[:]))
		if err != nil {
			return session, err
		}
		session.Submission, session.Pages, err = withPages(only(submissionByID(v, id)))(v, sentHere)
		if err != nil {
			return session, err
		}
		if session.Wish, _, err = wishOf(v, session.Link.ID); session.Wish.Page != "" {
			session.Pages = slices.DeleteFunc(session.Pages, func(p gateway.Page) bool { return p.Link != session.Link.ID })
		}
		return session, err
	})
}

func submissionByID(q queryer, id gateway.SubmissionID) (gateway.Submission, bool, error) {
	return first(q, scanSubmission, "SELECT "+submissionColumns+" FROM submissions WHERE id = $1", string(id))
}

// inOrder is the client's order of pages, or that of their arrival.
const inOrder = "ORDER BY CASE WHEN place = 0 THEN 1 ELSE 0 END, place, received_at, id"

// Caseworkers move pages. Who sent them, and the vault, still find them here.
const (
	placedHere = "submission = $1"
	sentHere   = "(submission = $1 AND home = '' OR home = $1)"
)

// withPages adds to a submission that was found the pages that count, those
// that are placed there or those that were sent there, and what the client
// does not have.
func withPages(found gateway.Submission, err error) func(queryer, string) (gateway.Submission, []gateway.Page, error) {
	return func(q queryer, which string) (gateway.Submission, []gateway.Page, error) {
		if err != nil {
			return found, nil, err
		}
		pages, err := all(q, scanPage, "SELECT "+pageColumns+` FROM pages
			WHERE `+which+` AND removed_at = 0 `+inOrder, string(found.ID))
		if err == nil && found.LackCount > 0 {
			found.Lacks, err = all(q, scanLack, "SELECT ask, reason, at FROM lacks WHERE submission = $1 ORDER BY at, ask", string(found.ID))
		}
		return found, pages, err
	}
}

// FinishSubmission ends the session at the client's word; see the port. A
// submission that the clock has ended meanwhile is CodeLinkExpired.
func (s *Store) FinishSubmission(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, f gateway.Finish, audit ...gateway.AuditEntry) (gateway.Submission, error) {
	return write(ctx, s, "finish submission", "", func(x *tx) (gateway.Submission, error) {
		submission, l, err := x.lockSession(link, id)
		if err != nil {
			return submission, err
		}
		switch {
		case submission.State != gateway.SubmissionOpen && (submission.Unfinished || submission.State == gateway.SubmissionEmpty):
			return submission, refuse(gateway.CodeLinkExpired)
		case submission.State != gateway.SubmissionOpen:
			return submission, nil
		case l.State != gateway.LinkClaimed:
			return submission, refuse(gateway.CodeLinkClosed)
		case !submission.Reached():
			return submission, refuse(gateway.CodeNoPages)
		}
		if f.Receipt.Count, err = x.countSent(submission, l); err != nil {
			return submission, err
		}
		return x.finish(submission, f, audit)
	})
}

func (x *tx) finish(s gateway.Submission, f gateway.Finish, audit []gateway.AuditEntry) (gateway.Submission, error) {
	name := f.SealedName
	if name == nil { // a caseworker may have given one
		name = s.SealedName
	}
	finished, _, err := first(x, scanSubmission, `UPDATE submissions SET state = 'received', finished_at = $2, sealed_name = $3, archived_at = 0
		WHERE id = $1 RETURNING `+submissionColumns, string(s.ID), ms(f.At), solid(name))
	if err != nil {
		return finished, err
	}
	if _, err := x.exec("UPDATE links SET state = 'closed' WHERE submission = $1 AND state = 'claimed'", string(s.ID)); err != nil {
		return finished, err
	}
	if err := x.receipt(finished, f); err != nil {
		return finished, err
	}
	if err := x.changed(finished.Office); err != nil {
		return finished, err
	}
	return finished, x.append(audit...)
}

// receipt stores the text that tells the client which pages arrived.
func (x *tx) receipt(s gateway.Submission, f gateway.Finish) error {
	if s.Sender.IsZero() || f.Receipt.Count == 0 {
		return nil
	}
	out, err := x.optedOut(s.Office, s.Sender)
	if err != nil || out {
		return err
	}
	if _, err := x.insertSending(f.Receipt); err != nil {
		return err
	}
	return x.enqueue(f.Jobs...)
}

// optedOut tells whether nothing may be sent, without a lock.
func (x *tx) optedOut(office gateway.OfficeID, sender gateway.PhoneIndex) (bool, error) {
	at, found, err := first(x, scanInt, "SELECT opted_out_at FROM senders WHERE office = $1 AND sender = $2", string(office), sender[:])
	return found && at != 0, err
}

// lockSession locks a submission and reads the link through which somebody
// acts on it. CodeNotFound if the link leads elsewhere.
func (x *tx) lockSession(link gateway.LinkID, id gateway.SubmissionID) (gateway.Submission, gateway.Link, error) {
	submission, err := x.lockSubmission(id)
	if err != nil {
		return submission, gateway.Link{}, err
	}
	l, err := only(linkByID(x, link))
	if err == nil && l.Submission != id {
		err = notFound()
	}
	return submission, l, err
}
