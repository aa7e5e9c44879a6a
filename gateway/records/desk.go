package records

import (
	"context"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

// only turns "no row" into CodeNotFound.
func only[T any](row T, found bool, err error) (T, error) {
	if err == nil && !found {
		err = notFound()
	}
	return row, err
}

// inOffices gives the list of an IN for the offices of a person, from $2 on,
// and withOffices the arguments: what $1 stands for, then the offices. Who
// works for no office finds nothing: no office has an empty key.
func inOffices(offices []gateway.OfficeID) string {
	return placeholders(2, max(1, len(offices)))
}

func withOffices(offices []gateway.OfficeID, id string) []any {
	args := []any{id}
	for _, office := range offices {
		args = append(args, string(office))
	}
	if len(offices) == 0 {
		args = append(args, "")
	}
	return args
}

func compareText[S ~string](a, b S) int { return strings.Compare(string(a), string(b)) }

// perOffice asks for the first rows of each office by itself, so that each
// query walks one index from its place, and merges them.
func perOffice[T any](offices []gateway.OfficeID, limit int, order func(a, b T) int, query func(gateway.OfficeID) ([]T, error)) ([]T, error) {
	return merged(slices.Compact(slices.Sorted(slices.Values(offices))), limit, order, query)
}

// merged is perOffice for any lists that are in order, no two of them the same.
func merged[L, T any](lists []L, limit int, order func(a, b T) int, query func(L) ([]T, error)) ([]T, error) {
	var rows []T
	for _, list := range lists {
		more, err := query(list)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	if len(lists) > 1 {
		slices.SortFunc(rows, order)
	}
	return rows[:min(len(rows), max(limit, 0))], nil
}

// Submission gives one with its pages that count, in the client's order.
func (s *Store) Submission(ctx context.Context, offices []gateway.OfficeID, id gateway.SubmissionID) (gateway.Submission, []gateway.Page, error) {
	type found struct {
		submission gateway.Submission
		pages      []gateway.Page
	}
	f, err := snapshot(ctx, s, "find submission", func(v view) (f found, err error) {
		f.submission, f.pages, err = withPages(only(first(v, scanSubmission,
			"SELECT "+submissionColumns+" FROM submissions WHERE id = $1 AND office IN ("+inOffices(offices)+")",
			withOffices(offices, string(id))...)))(v, placedHere)
		return f, err
	})
	return f.submission, f.pages, err
}

// correspondenceMost bounds what is shown of a talkative client.
const correspondenceMost = 200

// selectNotes gives the notes of a submission, and what the sender wrote that
// would be seen nowhere else: before anything of theirs was at the desk, to a
// link that brought no page, or after a caseworker was done.
const selectNotes = `SELECT n.text, n.at, n.sealed FROM notes n WHERE n.submission = $1
	OR n.office = $2 AND n.sender = $3 AND NOT EXISTS (SELECT 1 FROM submissions s
		WHERE s.id = n.submission AND s.arrived_at > 0 AND (s.handled = 0 OR n.at <= s.handled_at))
	ORDER BY n.at, n.text LIMIT $4`

// Correspondence gives what was texted around a submission.
func (s *Store) Correspondence(ctx context.Context, about gateway.Submission) (gateway.Correspondence, error) {
	// What came from no phone, and from the counter, is nobody's.
	sender := unlessZero(about.Sender[:], about.Sender.IsZero())
	return snapshot(ctx, s, "list correspondence", func(v view) (c gateway.Correspondence, err error) {
		c.Notes, err = all(v, func(r scanner) (n gateway.Note, err error) {
			return n, r.Scan((*string)(&n.Text), at(&n.At), &n.Sealed)
		}, selectNotes, string(about.ID), string(about.Office), sender, correspondenceMost)
		if err != nil {
			return c, err
		}
		c.Sendings, err = all(v, scanSending, "SELECT "+sendingColumns+` FROM sendings
			WHERE submission = $1 ORDER BY created_at, id LIMIT $2`, string(about.ID), correspondenceMost)
		if err != nil {
			return c, err
		}
		out, _, err := first(v, scanInt, "SELECT opted_out_at FROM senders WHERE office = $1 AND sender = $2",
			string(about.Office), sender)
		c.OptedOutAt = timeOf(out)
		return c, err
	})
}

// Page gives one page that counts.
func (s *Store) Page(ctx context.Context, offices []gateway.OfficeID, id gateway.PageID) (gateway.Page, error) {
	return read(ctx, s, "find page", func(v view) (gateway.Page, error) {
		return only(first(v, scanPage,
			"SELECT "+pageColumns+" FROM pages WHERE id = $1 AND removed_at = 0 AND office IN ("+inOffices(offices)+")",
			withOffices(offices, string(id))...))
	})
}

// HandleSubmission marks a submission done; see the port.
func (s *Store) HandleSubmission(ctx context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, by gateway.StaffID, as gateway.HandledAs, note string, at time.Time, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "handle submission", "", func(x *tx) (struct{}, error) {
		state, err := only(first(x, scanText[gateway.SubmissionState],
			"UPDATE submissions SET state = state WHERE id = $1 AND office IN ("+inOffices(offices)+") RETURNING state",
			withOffices(offices, string(id))...))
		switch {
		case err != nil || state == gateway.SubmissionHandled:
			return struct{}{}, err
		case state == gateway.SubmissionOpen:
			return struct{}{}, refuse(gateway.CodeForbidden)
		}
		_, err = x.exec(`UPDATE submissions SET state = 'handled', handled = 1, handled_at = $2, handled_by = $3,
			handled_as = $4, handled_note = $5 WHERE id = $1`, string(id), ms(at), string(by), string(as), note)
		if err != nil {
			return struct{}{}, err
		}
		if err := x.revise(id); err != nil {
			return struct{}{}, err
		}
		if err := x.changedOf(id); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}
