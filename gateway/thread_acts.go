package gateway

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	remarkRunes = 2000
	caseRunes   = 60
)

func submissionObject(id SubmissionID) string { return "submission:" + string(id) }

// find gives a submission that the person may change.
func (f *Threads) find(ctx context.Context, who Actor, action Action, id SubmissionID) (Submission, error) {
	s, _, err := f.Records.Submission(ctx, who.Staff.OfficesWith(RightChange), id)
	if err != nil {
		return s, denied(ctx, f.Audit, who.entry(f.Now(), action, submissionObject(id), ""), err)
	}
	return s, nil
}

// change does one change of a submission: its audit row is written with it, or
// nothing is.
func (f *Threads) change(ctx context.Context, who Actor, s Submission, action Action, reason string, change SubmissionChange) error {
	entry := who.entry(f.Now(), action, submissionObject(s.ID), s.Office)
	entry.Reason = reason
	return denied(ctx, f.Audit, entry, f.Records.ChangeSubmission(ctx, who.Staff.OfficesWith(RightChange), s.ID, change, entry))
}

// SetStage says whose turn it is.
func (f *Threads) SetStage(ctx context.Context, who Actor, id SubmissionID, stage Stage) error {
	if !stage.Settable() {
		return NewError(CodeBadRequest, nil)
	}
	s, err := f.find(ctx, who, ActionStageSet, id)
	if err != nil {
		return err
	}
	return f.change(ctx, who, s, ActionStageSet, string(stage), SubmissionChange{Stage: &stage})
}

// Assign gives a submission to somebody who works for its office, or to nobody.
func (f *Threads) Assign(ctx context.Context, who Actor, id SubmissionID, to StaffID) error {
	s, err := f.find(ctx, who, ActionAssigned, id)
	if err != nil {
		return err
	}
	if to != "" {
		colleagues, err := f.colleagues(ctx, s.Office)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(colleagues, func(c Staff) bool { return c.ID == to }) {
			return NewError(CodeBadRequest, nil)
		}
	}
	return f.change(ctx, who, s, ActionAssigned, string(to), SubmissionChange{Assigned: &to})
}

// SetCase says which case the papers belong to; empty takes it back.
func (f *Threads) SetCase(ctx context.Context, who Actor, id SubmissionID, number string) error {
	s, err := f.find(ctx, who, ActionCaseSet, id)
	if err != nil {
		return err
	}
	number = cleanWords(strings.Join(strings.Fields(number), " "), caseRunes)
	sealed := SealedCase{Index: f.Blind.Case(s.Office, number)}
	if number != "" && sealed.Index.IsZero() {
		return NewError(CodeBadRequest, nil) // nothing of it could be found again
	}
	if number != "" {
		if sealed.Sealed, err = sealBytes(f.Sealer, s.Office, []byte(number)); err != nil {
			return err
		}
	}
	return f.change(ctx, who, s, ActionCaseSet, "", SubmissionChange{Case: &sealed})
}

// AddRemark adds a note by staff. Its identifier comes with the form, so that
// one that is sent twice is one note.
func (f *Threads) AddRemark(ctx context.Context, who Actor, about SubmissionID, id RemarkID, words string) error {
	words = cleanWords(strings.TrimSpace(words), remarkRunes)
	if words == "" {
		return NewError(CodeBadRequest, nil)
	}
	s, err := f.find(ctx, who, ActionRemarked, about)
	if err != nil {
		return err
	}
	sealed, err := sealBytes(f.Sealer, s.Office, []byte(words))
	if err != nil {
		return err
	}
	entry := who.entry(f.Now(), ActionRemarked, submissionObject(s.ID), s.Office)
	r := Remark{ID: id, Submission: s.ID, Staff: who.Staff.ID, At: f.Now(), Sealed: sealed}
	return denied(ctx, f.Audit, entry, f.Records.AddRemark(ctx, who.Staff.OfficesWith(RightChange), r, entry))
}

// cleanWords bounds what a caseworker wrote, and takes out what no note holds.
func cleanWords(words string, most int) string {
	words = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ReplaceAll(words, "\r\n", "\n"))
	if runes := []rune(words); len(runes) > most {
		words = string(runes[:most])
	}
	return words
}

// NameClient says what staff call a phone; empty takes it back.
func (f *Threads) NameClient(ctx context.Context, who Actor, id ClientID, name string) error {
	sender, ok := f.Blind.Sender(id)
	if !ok {
		return NewError(CodeNotFound, nil)
	}
	entry := who.entry(f.Now(), ActionClientNamed, "client:"+string(id), "")
	rows, err := f.Records.Thread(ctx, who.Staff.OfficesWith(RightChange), sender, who.Staff.ID)
	if err != nil {
		return denied(ctx, f.Audit, entry, err)
	}
	entry.Office = rows.Office
	sealed, err := Name{First: name}.seal(f.Sealer, rows.Office)
	if err != nil {
		return err
	}
	return f.Records.NameClient(ctx, who.Staff.OfficesWith(RightChange), ClientName{
		Office: rows.Office, Sender: sender, Sealed: sealed, By: who.Staff.ID, At: f.Now(),
	}, entry)
}

// Merge puts a submission into another one, which holds everything afterwards.
func (f *Threads) Merge(ctx context.Context, who Actor, id, into SubmissionID) error {
	from, err := f.find(ctx, who, ActionMerged, id)
	if err != nil {
		return err
	}
	entry := who.entry(f.Now(), ActionMerged, submissionObject(from.ID), from.Office)
	entry.Reason = "into " + submissionObject(into)
	return denied(ctx, f.Audit, entry, f.Records.Merge(ctx, who.Staff.OfficesWith(RightChange), from.ID, into, entry))
}

// MovePage puts a page into another submission of its office.
func (f *Threads) MovePage(ctx context.Context, who Actor, id PageID, to SubmissionID) error {
	offices := who.Staff.OfficesWith(RightChange)
	entry := who.entry(f.Now(), ActionPageMoved, "page:"+string(id), "")
	page, err := f.Records.Page(ctx, offices, id)
	if err != nil {
		return denied(ctx, f.Audit, entry, err)
	}
	entry.Office = page.Office
	entry.Reason = "from " + submissionObject(page.Submission) + " to " + submissionObject(to)
	return denied(ctx, f.Audit, entry, f.Records.MovePage(ctx, offices, page.ID, to, entry))
}

// Target finds the one other submission of an office that a reference names, or
// CodeNotMergeable: of several, nobody knows which is meant.
func (f *Threads) Target(ctx context.Context, who Actor, beside SubmissionID, typed string) (SubmissionID, error) {
	s, err := f.find(ctx, who, ActionSearched, beside)
	if err != nil {
		return "", err
	}
	reference, ok := parseReference(typed)
	if !ok {
		return "", NewError(CodeNotMergeable, nil)
	}
	found, err := f.Records.FindReference(ctx, []OfficeID{s.Office}, reference, 2)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", NewError(CodeNotMergeable, nil)
	}
	return cmp.Or(found[0].MergedInto, found[0].ID), nil
}
