package records

import (
	"cmp"
	"context"
	"slices"

	"dropslot/gateway"
)

// newestFirst orders submissions of several offices.
func newestFirst(a, b gateway.Submission) int {
	return cmp.Or(b.OpenedAt.Compare(a.OpenedAt), compareText(b.ID, a.ID))
}

// FindCase finds submissions by their case number; see the port.
func (s *Store) FindCase(ctx context.Context, indexes map[gateway.OfficeID]gateway.CaseIndex, limit int) ([]gateway.Submission, error) {
	return read(ctx, s, "find a case", func(v view) ([]gateway.Submission, error) {
		return perOffice(officeKeys(indexes), limit, newestFirst, func(office gateway.OfficeID) ([]gateway.Submission, error) {
			index := indexes[office]
			if index.IsZero() {
				return nil, nil
			}
			return all(v, scanSubmission, "SELECT "+submissionColumns+` FROM submissions WHERE id IN (
					SELECT CASE WHEN merged_into = '' THEN id ELSE merged_into END FROM submissions
					WHERE office = $1 AND case_index = $2 AND case_index IS NOT NULL) ORDER BY opened_at DESC, id DESC LIMIT $3`,
				string(office), index[:], limit)
		})
	})
}

func officeKeys[V any](m map[gateway.OfficeID]V) []gateway.OfficeID {
	keys := make([]gateway.OfficeID, 0, len(m))
	for office := range m {
		keys = append(keys, office)
	}
	return keys
}

// FindReference finds submissions by their reference; see the port.
func (s *Store) FindReference(ctx context.Context, offices []gateway.OfficeID, reference string, limit int) ([]gateway.Submission, error) {
	return read(ctx, s, "find a reference", func(v view) ([]gateway.Submission, error) {
		return perOffice(offices, limit, newestFirst, func(office gateway.OfficeID) ([]gateway.Submission, error) {
			return all(v, scanSubmission, "SELECT "+submissionColumns+` FROM submissions
				WHERE office = $1 AND reference = $2 AND reference <> '' ORDER BY opened_at DESC, id DESC LIMIT $3`,
				string(office), reference, limit)
		})
	})
}

// FindClient tells where something is known of a phone; see the port.
func (s *Store) FindClient(ctx context.Context, indexes map[gateway.OfficeID]gateway.PhoneIndex) ([]gateway.OfficeID, error) {
	return read(ctx, s, "find a client", func(v view) ([]gateway.OfficeID, error) {
		var known []gateway.OfficeID
		for _, office := range slices.Sorted(slices.Values(officeKeys(indexes))) {
			sender := indexes[office]
			_, found, err := first(v, scanInt, knownSender, string(office), sender[:])
			if err != nil {
				return nil, err
			}
			if found && !sender.IsZero() {
				known = append(known, office)
			}
		}
		return known, nil
	})
}

// threadMost bounds what is shown of one kind.
const threadMost = 200

// Thread gives all of one phone at one office; see the port. An index belongs
// to one office, so that no two of them are found.
func (s *Store) Thread(ctx context.Context, offices []gateway.OfficeID, sender gateway.PhoneIndex, viewer gateway.StaffID) (gateway.ThreadRows, error) {
	return snapshot(ctx, s, "show a thread", func(v view) (t gateway.ThreadRows, err error) {
		t.Sender = sender
		for _, office := range offices {
			_, found, err := first(v, scanInt, knownSender, string(office), sender[:])
			if err != nil {
				return t, err
			}
			if found && !sender.IsZero() {
				t.Office = office
				return t, (&threadReader{v, &t, viewer}).read()
			}
		}
		return t, notFound()
	})
}

type threadReader struct {
	v      view
	t      *gateway.ThreadRows
	viewer gateway.StaffID
}

func (r *threadReader) read() error {
	for _, part := range []func() error{r.submissions, r.texts, r.sendings, r.links, r.pages, r.taken, r.words} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (r *threadReader) key(more ...any) []any {
	return append([]any{string(r.t.Office), r.t.Sender[:], threadMost}, more...)
}

func (r *threadReader) submissions() (err error) {
	r.t.Submissions, err = all(r.v, scanEntry, "SELECT "+qualified("b", submissionColumns)+`, c.sealed_name, COALESCE(k.at, 0),
		(SELECT COUNT(*) FROM notes n WHERE n.submission = b.id)
		FROM submissions b LEFT JOIN looks k ON k.staff = $4 AND k.submission = b.id
		LEFT JOIN clients c ON c.office = b.office AND c.sender = b.sender
		WHERE b.office = $1 AND b.sender = $2 ORDER BY b.opened_at DESC, b.id DESC LIMIT $3`, r.key(string(r.viewer))...)
	if len(r.t.Submissions) > 0 {
		r.t.Phone = r.t.Submissions[0].Submission.Phone
	}
	return err
}

func (r *threadReader) texts() (err error) {
	var phone gateway.SealedPhone
	r.t.Texts, err = all(r.v, func(row scanner) (t gateway.ThreadText, err error) {
		var step gateway.Step
		err = row.Scan((*string)(&t.ID), (*string)(&t.Submission), at(&t.ReceivedAt), &t.MediaCount, &t.Kept, at(&t.ErasedAt),
			(*string)(&step), (*string)(&t.Link), (*string)(&t.Occasion), (*string)(&t.AnswerState), &t.AnswerError, at(&t.AnswerAt),
			(*[]byte)(&phone))
		t.Dead = step == gateway.StepDead
		return t, err
	}, `SELECT id, submission, received_at, media_count, kept, erased_at, step, link, occasion, answer_state, answer_error, answer_at, phone
		FROM texts WHERE office = $1 AND sender = $2 ORDER BY received_at DESC, id DESC LIMIT $3`, r.key()...)
	if len(r.t.Phone) == 0 {
		r.t.Phone = phone
	}
	return err
}

func (r *threadReader) sendings() (err error) {
	r.t.Sendings, err = all(r.v, scanSending, "SELECT "+sendingColumns+` FROM sendings
		WHERE office = $1 AND sender = $2 ORDER BY created_at DESC, id DESC LIMIT $3`, r.key()...)
	if len(r.t.Phone) == 0 && len(r.t.Sendings) > 0 {
		r.t.Phone = r.t.Sendings[0].Phone
	}
	return err
}

// links gives those that went out with the texts and sendings.
func (r *threadReader) links() (err error) {
	var ids []any
	for _, t := range r.t.Texts {
		if t.Link != "" {
			ids = append(ids, string(t.Link))
		}
	}
	for _, s := range r.t.Sendings {
		if s.Link != "" {
			ids = append(ids, string(s.Link))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	r.t.Links, err = all(r.v, scanLink, "SELECT "+linkColumns+" FROM links WHERE id IN ("+placeholders(1, len(ids))+") ORDER BY issued_at DESC, id DESC", ids...)
	return err
}

// places gives the submissions where things of this client are now.
func (r *threadReader) places() []any {
	var ids []any
	for _, e := range r.t.Submissions {
		id := cmp.Or(e.Submission.MergedInto, e.Submission.ID)
		if !slices.Contains(ids, any(string(id))) {
			ids = append(ids, string(id))
		}
	}
	return ids
}

func (r *threadReader) pages() (err error) {
	places := r.places()
	if len(places) == 0 {
		return nil
	}
	in := "IN (" + placeholders(1, len(places)) + ")"
	each, err := all(r.v, scanPage, "SELECT "+pageColumns+" FROM pages WHERE removed_at = 0 AND submission "+in+
		" "+inOrder, places...)
	if err != nil {
		return err
	}
	counts := map[gateway.SubmissionID]int{}
	r.t.Places = make(map[gateway.PageID]int, len(each))
	for _, p := range each {
		counts[p.Submission]++
		r.t.Places[p.ID] = counts[p.Submission]
		r.came(p)
	}
	if r.t.Again, err = againIn(r.v, "submission "+in, places...); err != nil {
		return err
	}
	r.t.Looks, err = all(r.v, func(row scanner) (l gateway.ThreadLook, err error) {
		return l, row.Scan((*string)(&l.Submission), (*string)(&l.Staff), at(&l.First), at(&l.Last))
	}, "SELECT submission, staff, first_at, at FROM looks WHERE submission "+in+" ORDER BY first_at, staff", places...)
	if err != nil {
		return err
	}
	r.t.Remarks, err = all(r.v, scanRemark, selectRemarks+"submission "+in+" ORDER BY at DESC, id DESC", places...)
	return err
}

// came adds a page to what came with it.
func (r *threadReader) came(p gateway.Page) {
	i := slices.IndexFunc(r.t.Pages, func(t gateway.ThreadPages) bool {
		return t.Submission == p.Submission && t.Link == p.Link && t.Text == p.Text
	})
	if i < 0 {
		i = len(r.t.Pages)
		r.t.Pages = append(r.t.Pages, gateway.ThreadPages{Submission: p.Submission, Link: p.Link, Text: p.Text, First: p.ReceivedAt})
	}
	t := &r.t.Pages[i]
	t.Pages = append(t.Pages, p.ID)
	if p.ReceivedAt.Before(t.First) {
		t.First = p.ReceivedAt
	}
	if p.ReceivedAt.After(t.Last) {
		t.Last = p.ReceivedAt
	}
}

func (r *threadReader) words() (err error) {
	r.t.Notes, err = all(r.v, func(row scanner) (n gateway.Note, err error) {
		return n, row.Scan((*string)(&n.Text), at(&n.At), &n.Sealed)
	}, "SELECT text, at, sealed FROM notes WHERE office = $1 AND sender = $2 ORDER BY at DESC, text LIMIT $3", r.key()...)
	if err != nil {
		return err
	}
	if r.t.SealedName, _, err = first(r.v, scanBytes, clientName, string(r.t.Office), r.t.Sender[:]); err != nil {
		return err
	}
	out, _, err := first(r.v, scanInt, "SELECT opted_out_at FROM senders WHERE office = $1 AND sender = $2", string(r.t.Office), r.t.Sender[:])
	r.t.OptedOutAt = timeOf(out)
	return err
}

// againIn gives the page that was asked for once more, by the links that
// brought pages of which the condition holds.
func againIn(q queryer, pages string, args ...any) (map[gateway.LinkID]gateway.Wish, error) {
	type asked struct {
		link gateway.LinkID
		wish gateway.Wish
	}
	rows, err := all(q, func(r scanner) (a asked, err error) {
		return a, r.Scan((*string)(&a.link), (*string)(&a.wish.Page), (*string)(&a.wish.Reason))
	}, "SELECT link, page, reason FROM wishes WHERE page <> '' AND link IN (SELECT link FROM pages WHERE removed_at = 0 AND "+pages+")", args...)
	again := make(map[gateway.LinkID]gateway.Wish, len(rows))
	for _, a := range rows {
		again[a.link] = a.wish
	}
	return again, err
}
