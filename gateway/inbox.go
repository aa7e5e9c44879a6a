package gateway

import (
	"context"
	"slices"
	"time"
)

// InboxRow is one submission in a list.
type InboxRow struct {
	Submission Submission
	Office     Office
	LastFour   string // of the client's phone
	Name       Name   // whom the papers are for, or what staff call the phone; may be empty
	Case       string // the case number; empty if there is none
	Words      int    // texts of the client that hold words
	Unread     bool   // something arrived since the person last looked
	Overdue    bool   // the office should have answered
}

// Inbox lists what arrived at the person's offices, newest first.
func (d *Desk) Inbox(ctx context.Context, who Actor, f InboxFilter, after Cursor, limit int) ([]InboxRow, error) {
	now := d.Now()
	if err := d.Audit.Append(ctx, who.across(now, ActionInboxViewed, f.Office)...); err != nil {
		return nil, err
	}
	q := InboxQuery{Offices: who.Staff.OfficesWith(RightPapers), Stage: f.Stage, Viewer: who.Staff.ID, After: after, Limit: limit}
	if f.Office != "" { // another's looks like one without papers
		q.Offices = slices.DeleteFunc(slices.Clone(q.Offices), func(o OfficeID) bool { return o != f.Office })
	}
	if f.Mine {
		q.Assigned = who.Staff.ID
	}
	if f.Overdue {
		q.Overdue = map[OfficeID]time.Time{}
		for _, office := range q.Offices {
			q.Overdue[office] = d.Directory.Offices[office].Overdue(now)
		}
	}
	entries, err := d.Records.Inbox(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := make([]InboxRow, 0, len(entries))
	for _, e := range entries {
		rows = append(rows, d.entry(e, now))
	}
	return rows, nil
}

func (d *Desk) entry(e InboxEntry, now time.Time) InboxRow {
	row := d.row(e.Submission)
	row.Words, row.Unread = e.Words, e.Submission.NewsAt().After(e.LookedAt)
	row.Overdue = row.Office.IsOverdue(e.Submission, now)
	if row.Name.Whole() == "" && len(e.SealedName) > 0 {
		row.Name = d.name(e.Submission.Office, e.SealedName)
	}
	return row
}

// row opens what a list shows of a client. What cannot be opened is left out,
// never in the way of the papers.
func (d *Desk) row(s Submission) InboxRow {
	row := InboxRow{Submission: s, Office: d.Directory.Offices[s.Office]}
	if phone, err := d.Phones.Open(s.Phone); err == nil {
		row.LastFour = phone.LastFour()
	}
	row.Name = d.name(s.Office, s.SealedName)
	if number, err := d.Opened.open(d.Opener, s.Office, s.SealedCase); err == nil {
		row.Case = string(number)
	}
	return row
}

func (d *Desk) name(office OfficeID, sealed []byte) Name {
	plain, err := d.Opened.open(d.Opener, office, sealed)
	if err != nil {
		return Name{}
	}
	return parseName(plain)
}
