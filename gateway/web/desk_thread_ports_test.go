package web

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"dropslot/gateway"
)

type lookKey struct {
	staff gateway.StaffID
	about gateway.SubmissionID
}

// plainSealer seals nothing: what tests look for is readable.
type plainSealer struct{ gateway.Sealer }

func (plainSealer) Seal(_ gateway.OfficeID, dst io.Writer) (io.WriteCloser, error) {
	return plainWriter{dst}, nil
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

type deskChanges struct{ h *deskHouse }

func (deskChanges) Count(context.Context, []gateway.OfficeID) (int64, error) { return 7, nil }

func (c deskChanges) Listen([]gateway.OfficeID, int64) (<-chan struct{}, func()) {
	return c.h.changed, func() {}
}

type threadRecords struct{ deskRecords }

func (r threadRecords) Look(_ context.Context, staff gateway.StaffID, id gateway.SubmissionID, at time.Time) error {
	r.h.looks[lookKey{staff, id}] = at
	return nil
}

func (r threadRecords) Beside(_ context.Context, s gateway.Submission) (gateway.Beside, error) {
	b := gateway.Beside{SealedName: r.h.names[s.Sender]}
	for _, m := range r.h.remarks {
		if m.Submission == s.ID {
			b.Remarks = append(b.Remarks, m)
		}
	}
	for _, other := range r.h.subs {
		if other.MergedInto == s.ID {
			b.Home = append(b.Home, other)
		}
		if other.Sender == s.Sender && other.ID != s.ID && other.MergedInto == "" {
			b.Others = append(b.Others, other)
		}
	}
	return b, nil
}

func (r threadRecords) ChangeSubmission(_ context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, change gateway.SubmissionChange, audit ...gateway.AuditEntry) error {
	s, err := r.find(offices, id)
	if err != nil {
		return err
	}
	if change.Stage != nil {
		s.Stage = *change.Stage
	}
	if change.Assigned != nil {
		s.Assigned = *change.Assigned
	}
	if change.Case != nil {
		s.SealedCase, s.CaseIndex = change.Case.Sealed, change.Case.Index
	}
	return deskAudit{r.h}.Append(context.Background(), audit...)
}

func (r threadRecords) AddRemark(_ context.Context, offices []gateway.OfficeID, m gateway.Remark, audit ...gateway.AuditEntry) error {
	if _, err := r.find(offices, m.Submission); err != nil {
		return err
	}
	r.h.remarks = append(r.h.remarks, m)
	return deskAudit{r.h}.Append(context.Background(), audit...)
}

func (r threadRecords) NameClient(_ context.Context, _ []gateway.OfficeID, name gateway.ClientName, audit ...gateway.AuditEntry) error {
	r.h.names[name.Sender] = name.Sealed
	return deskAudit{r.h}.Append(context.Background(), audit...)
}

func (r threadRecords) Merge(_ context.Context, offices []gateway.OfficeID, from, into gateway.SubmissionID, audit ...gateway.AuditEntry) error {
	a, err := r.find(offices, from)
	if err != nil {
		return err
	}
	b, err := r.find(offices, into)
	if err != nil {
		return err
	}
	if a.Sender != b.Sender {
		return gateway.NewError(gateway.CodeNotMergeable, nil)
	}
	a.MergedInto = into
	return deskAudit{r.h}.Append(context.Background(), audit...)
}

func (r threadRecords) MovePage(_ context.Context, offices []gateway.OfficeID, id gateway.PageID, to gateway.SubmissionID, audit ...gateway.AuditEntry) error {
	if _, err := r.find(offices, to); err != nil {
		return err
	}
	for i := range r.h.pages {
		if r.h.pages[i].ID == id {
			r.h.pages[i].Submission = to
		}
	}
	return deskAudit{r.h}.Append(context.Background(), audit...)
}

func (r threadRecords) FindCase(_ context.Context, indexes map[gateway.OfficeID]gateway.CaseIndex, _ int) ([]gateway.Submission, error) {
	var found []gateway.Submission
	for _, s := range r.h.subs {
		if index := indexes[s.Office]; !index.IsZero() && s.CaseIndex == index {
			found = append(found, s)
		}
	}
	return found, nil
}

func (r threadRecords) FindReference(_ context.Context, offices []gateway.OfficeID, reference string, _ int) ([]gateway.Submission, error) {
	var found []gateway.Submission
	for _, s := range r.h.subs {
		if slices.Contains(offices, s.Office) && s.ID.Reference() == reference {
			found = append(found, s)
		}
	}
	return found, nil
}

func (r threadRecords) FindClient(_ context.Context, indexes map[gateway.OfficeID]gateway.PhoneIndex) ([]gateway.OfficeID, error) {
	var known []gateway.OfficeID
	for _, office := range slices.Sorted(maps.Keys(indexes)) {
		if slices.ContainsFunc(r.h.subs, func(s gateway.Submission) bool { return s.Office == office && s.Sender == indexes[office] }) {
			known = append(known, office)
		}
	}
	return known, nil
}

func (r threadRecords) Thread(_ context.Context, offices []gateway.OfficeID, sender gateway.PhoneIndex, _ gateway.StaffID) (gateway.ThreadRows, error) {
	rows := gateway.ThreadRows{Sender: sender, SealedName: r.h.names[sender]}
	for _, s := range r.h.subs {
		if s.Sender == sender && slices.Contains(offices, s.Office) {
			rows.Office, rows.Phone = s.Office, s.Phone
			rows.Submissions = append(rows.Submissions, gateway.InboxEntry{Submission: s})
		}
	}
	if rows.Office == "" {
		return rows, gateway.NewError(gateway.CodeNotFound, nil)
	}
	r.h.thread(&rows)
	return rows, nil
}

func (r threadRecords) ListStaff(context.Context) ([]gateway.Staff, error) {
	return slices.SortedFunc(maps.Values(r.h.staff), func(a, b gateway.Staff) int { return slices.Compare([]byte(a.Login), []byte(b.Login)) }), nil
}
