package gateway

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Threads is the flow of what caseworkers say of submissions and clients, and
// of a client's thread: all submissions and texts of one phone at one office.
type Threads struct {
	Directory Directory
	Records   ThreadRecords
	Audit     AuditTrail
	Sealer    Sealer
	Opener    Opener
	Opened    *Opened
	Phones    PhoneBook
	Blind     Blind
	Now       func() time.Time
}

// Panel is what stands beside a submission's pages.
type Panel struct {
	Client     ClientID // empty if no phone belongs to it
	ClientName string   // what staff call the phone
	Case       string
	OtherCases []string // that papers had which were merged into these
	Colleagues []Staff  // who may be asked to take it on
	Remarks    []RemarkView
	Others     []Submission // of the same phone, newest first
	Merged     []Submission // that were merged into this one
}

// RemarkView is a note by staff, opened.
type RemarkView struct {
	Staff      StaffID
	Submission SubmissionID
	At         time.Time
	Words      string // empty if they cannot be opened
}

// Panel gives what stands beside a submission that the person was shown, and
// notes that they look at it: what came before is not new to them any more.
func (f *Threads) Panel(ctx context.Context, who Actor, s Submission, at time.Time) (Panel, error) {
	if who.Staff.ID != "" {
		if err := f.Records.Look(ctx, who.Staff.ID, s.ID, at); err != nil {
			return Panel{}, err
		}
	}
	beside, err := f.Records.Beside(ctx, s)
	if err != nil {
		return Panel{}, err
	}
	panel := Panel{Case: f.open(s.Office, s.SealedCase), Others: beside.Others, Merged: beside.Home}
	for _, home := range beside.Home {
		number := f.open(s.Office, home.SealedCase)
		if number != "" && number != panel.Case && !slices.Contains(panel.OtherCases, number) {
			panel.OtherCases = append(panel.OtherCases, number)
		}
	}
	if !s.Sender.IsZero() {
		panel.Client, panel.ClientName = f.Blind.Client(s.Sender), f.name(s.Office, beside.SealedName)
	}
	for _, r := range beside.Remarks {
		panel.Remarks = append(panel.Remarks, f.remark(s.Office, r))
	}
	panel.Colleagues, err = f.colleagues(ctx, s.Office)
	return panel, err
}

// colleagues gives the accounts that work for an office.
func (f *Threads) colleagues(ctx context.Context, office OfficeID) ([]Staff, error) {
	all, err := f.Records.ListStaff(ctx)
	return slices.DeleteFunc(all, func(s Staff) bool { return !s.Can(RightPapers, office) }), err
}

func (f *Threads) open(office OfficeID, sealed []byte) string {
	plain, err := f.Opened.open(f.Opener, office, sealed)
	if err != nil {
		return ""
	}
	return string(plain)
}

func (f *Threads) name(office OfficeID, sealed []byte) string {
	return parseName([]byte(f.open(office, sealed))).Whole()
}

func (f *Threads) remark(office OfficeID, r Remark) RemarkView {
	return RemarkView{Staff: r.Staff, Submission: r.Submission, At: r.At, Words: f.open(office, r.Sealed)}
}

// Thread is all of one phone at one office.
type Thread struct {
	ThreadRows
	ID       ClientID
	Office   Office
	LastFour string
	Name     string
	Rows     []InboxRow // the submissions, newest first; not those that were merged
	Said     []NoteView
	Remarks  []RemarkView
	Now      time.Time
}

// Client gives a client's thread.
func (f *Threads) Client(ctx context.Context, who Actor, id ClientID) (Thread, error) {
	object := "client:" + string(id)
	sender, ok := f.Blind.Sender(id)
	if !ok {
		return Thread{}, NewError(CodeNotFound, nil)
	}
	rows, err := f.Records.Thread(ctx, who.Staff.OfficesWith(RightPapers), sender, who.Staff.ID)
	if err != nil {
		return Thread{}, denied(ctx, f.Audit, who.entry(f.Now(), ActionClientViewed, object, ""), err)
	}
	if err := f.Audit.Append(ctx, who.look(f.Now(), ActionClientViewed, object, rows.Office)); err != nil {
		return Thread{}, err
	}
	t := Thread{ThreadRows: rows, ID: id, Office: f.Directory.Offices[rows.Office], Name: f.name(rows.Office, rows.SealedName), Now: f.Now()}
	if phone, err := f.Phones.Open(rows.Phone); err == nil {
		t.LastFour = phone.LastFour()
	}
	for _, e := range rows.Submissions {
		if e.Submission.MergedInto == "" {
			row := f.row(e.Submission)
			row.Words, row.Unread = e.Words, e.Submission.NewsAt().After(e.LookedAt)
			if row.Name.Whole() == "" {
				row.Name = Name{First: t.Name}
			}
			row.Overdue, row.LastFour = t.Office.IsOverdue(e.Submission, t.Now), t.LastFour
			t.Rows = append(t.Rows, row)
		}
	}
	for _, n := range rows.Notes {
		t.Said = append(t.Said, NoteView{At: n.At, Words: f.open(rows.Office, n.Sealed)})
	}
	for _, r := range rows.Remarks {
		t.Remarks = append(t.Remarks, f.remark(rows.Office, r))
	}
	return t, nil
}

func (f *Threads) row(s Submission) InboxRow {
	return InboxRow{
		Submission: s, Office: f.Directory.Offices[s.Office],
		Name: parseName([]byte(f.open(s.Office, s.SealedName))), Case: f.open(s.Office, s.SealedCase),
	}
}

// denied writes the audit row of something asked for in vain, and gives the
// error back.
func denied(ctx context.Context, audit AuditTrail, entry AuditEntry, cause error) error {
	switch code := CodeOf(cause); code {
	case CodeNotFound, CodeForbidden, CodeNotMergeable:
		entry.Outcome, entry.Reason = OutcomeDenied, string(code)
		if err := audit.Append(ctx, entry); err != nil {
			return err
		}
	}
	return cause
}

// foundMost bounds what a search shows of one kind.
const foundMost = 20

// Found is what a search found.
type Found struct {
	Clients     []FoundClient
	Submissions []InboxRow
}

// FoundClient is a phone that something is known of.
type FoundClient struct {
	ID     ClientID
	Office Office
}

// Search finds clients by their whole phone number, which is zero if what was
// typed is none, and submissions by case number or reference.
func (f *Threads) Search(ctx context.Context, who Actor, typed string, phone Phone) (Found, error) {
	var found Found
	if err := f.Audit.Append(ctx, who.across(f.Now(), ActionSearched, "")...); err != nil {
		return found, err
	}
	offices := who.Staff.OfficesWith(RightPapers)
	phones, cases := map[OfficeID]PhoneIndex{}, map[OfficeID]CaseIndex{}
	for _, office := range offices {
		phones[office], cases[office] = f.Phones.Index(office, phone), f.Blind.Case(office, typed)
	}
	if !phone.IsZero() {
		known, err := f.Records.FindClient(ctx, phones)
		if err != nil {
			return found, err
		}
		for _, office := range known {
			found.Clients = append(found.Clients, FoundClient{f.Blind.Client(phones[office]), f.Directory.Offices[office]})
		}
	}
	submissions, err := f.Records.FindCase(ctx, cases, foundMost)
	if err != nil {
		return found, err
	}
	if reference, ok := parseReference(typed); ok {
		more, err := f.Records.FindReference(ctx, offices, reference, foundMost)
		if err != nil {
			return found, err
		}
		submissions = append(submissions, more...)
	}
	for _, s := range submissions {
		if slices.ContainsFunc(found.Submissions, func(r InboxRow) bool { return r.Submission.ID == s.ID }) {
			continue
		}
		row := f.row(s)
		if phone, err := f.Phones.Open(s.Phone); err == nil {
			row.LastFour = phone.LastFour()
		}
		found.Submissions = append(found.Submissions, row)
	}
	return found, nil
}

// parseReference reads a reference as people type it.
func parseReference(typed string) (string, bool) {
	reference := strings.ToUpper(strings.Join(strings.Fields(typed), ""))
	if len(reference) != 5 || strings.Trim(reference, referenceAlphabet) != "" {
		return "", false
	}
	return reference, true
}
