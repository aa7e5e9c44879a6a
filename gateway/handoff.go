package gateway

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

// Handoff is the flow of papers that leave Dropslot: as one PDF, as a ZIP, on
// paper. Each call asks for permission, writes its audit rows, proves every
// sealed file against its record and has it scanned, and only then gives what
// the first byte can come from. Nothing touches a disk in clear.
type Handoff struct {
	Desk    *Desk
	Records HandoffRecords
	Binder  Binder
	Words   WordsBook
	AskName func(ask string) string // the words of a label
}

// HandoffRecords is what the flow needs beside DeskRecords.
type HandoffRecords interface {
	// LinkOrigins tells why each link of a submission was issued.
	LinkOrigins(ctx context.Context, id SubmissionID) (map[LinkID]Origin, error)
	// OurTexts gives what Dropslot texted around a submission: answers, and what
	// it sent by itself or for staff.
	OurTexts(ctx context.Context, id SubmissionID) ([]OurText, error)
}

// OurText is a text of ours. Its words are not kept, as there may be a link in
// them.
type OurText struct {
	At       time.Time
	Occasion Occasion
	State    DeliveryState // empty of an answer that nothing was heard of
	Staff    StaffID       // who sent it; empty if nobody did
	Count    int           // of pages or pictures that it speaks of
	Wish     Wish          // that its link shows
}

// TakeForm is how papers are taken along.
type TakeForm string

// The forms.
const (
	TakePDF   TakeForm = "pdf"
	TakeZIP   TakeForm = "zip"
	TakePrint TakeForm = "print"
)

// Take is what somebody wants to take along.
type Take struct {
	Form       TakeForm
	Pages      []PageID
	Cover      bool     // a PDF begins with a page that tells what it is
	MostBytes  int64    // of a PDF; 0 if it does not matter
	Transcript bool     // a ZIP holds what was texted
	Aside      []PageID // that a PDF names and does not hold
}

// Package is the chosen pages, proven: what a PDF, a ZIP or a print is made from.
type Package struct {
	Row        InboxRow
	Sheets     []PackedPage
	caseNumber string // empty if there is none
	desk       *Desk
	askName    func(string) string
	words      WordsBook
	entry      AuditEntry // that tells of it; zero for a delivery
}

// PackedPage is one chosen page.
type PackedPage struct {
	Page
	Number int // from 1, as at the desk
	Kind   FileType
	Inline bool // a picture or PDF that a browser shows
}

// Take gives the chosen pages of a submission, in the client's order.
// CodePageMissing if none is chosen, CodeNotFound if one is not there any more.
func (h *Handoff) Take(ctx context.Context, who Actor, id SubmissionID, t Take) (*Package, error) {
	d, object := h.Desk, "submission:"+string(id)
	s, pages, err := d.Records.Submission(ctx, who.Staff.OfficesWith(RightDownload), id)
	if err != nil {
		return nil, d.denied(ctx, who, ActionExported, object, err)
	}
	entry := who.entry(d.Now(), ActionExported, object, s.Office)
	entry.Reason = string(t.Form)
	if err := d.mayDownload(ctx, who, entry); err != nil {
		return nil, err
	}
	chosen, err := choose(pages, t.Pages)
	if err != nil {
		return nil, err
	}
	entries := []AuditEntry{entry}
	for _, p := range chosen {
		one := who.entry(entry.At, ActionPageExported, "page:"+string(p.ID), s.Office)
		one.Reason = string(t.Form)
		entries = append(entries, one)
	}
	if err := d.Audit.Append(ctx, entries...); err != nil {
		return nil, err
	}
	taken := h.pack(s)
	taken.entry = entry
	if err := taken.prove(ctx, who, chosen); err != nil {
		return nil, errors.Join(err, taken.Failed(ctx, err))
	}
	return taken, nil
}

// Failed notes that a package did not leave after all, or not whole: the rows
// that were written before its first byte say that it did. Whoever asked for it
// may be gone by now, and their context with them.
func (t *Package) Failed(ctx context.Context, cause error) error {
	entry := t.entry
	entry.At, entry.Outcome, entry.Reason = t.desk.Now(), OutcomeFailed, entry.Reason+", "+string(CodeOf(cause))
	return t.desk.Audit.Append(context.WithoutCancel(ctx), entry)
}

func (h *Handoff) pack(s Submission) *Package {
	p := &Package{Row: h.Desk.row(s), desk: h.Desk, askName: h.AskName, words: h.Words}
	if len(s.SealedCase) > 0 {
		// A number that cannot be opened is left out: the reference stands for it.
		if number, err := openBytes(h.Desk.Opener, s.Office, s.SealedCase); err == nil {
			p.caseNumber = string(number)
		}
	}
	return p
}

// choose gives the pages with these identifiers.
func choose(pages []Page, wanted []PageID) ([]PackedPage, error) {
	var chosen []PackedPage
	for i, p := range pages {
		if slices.Contains(wanted, p.ID) {
			chosen = append(chosen, PackedPage{Page: p, Number: i + 1})
		}
	}
	slices.Sort(wanted)
	switch {
	case len(wanted) == 0:
		return nil, NewError(CodePageMissing, nil)
	case len(chosen) != len(slices.Compact(wanted)):
		return nil, NewError(CodeNotFound, errors.New("a chosen page is not part of the submission"))
	}
	return chosen, nil
}

// prove opens every page once: its length, its digest, its kind, and what the
// virus scanner says. What fails here fails before the first byte.
func (t *Package) prove(ctx context.Context, who Actor, chosen []PackedPage) error {
	for _, p := range chosen {
		opened, err := t.desk.openStored(ctx, p.Page)
		if err != nil {
			return err
		}
		start := make([]byte, min(opened.Size, SniffBytes))
		_, err = io.ReadFull(opened.Content, start)
		if err == nil {
			p.Kind, _ = SniffType(start)
			p.Inline = opened.Inline
			err = t.desk.scan(ctx, who, opened)
		}
		if err = errors.Join(err, opened.Close()); err != nil {
			return err
		}
		t.Sheets = append(t.Sheets, p)
	}
	return nil
}

// open gives a page's plain bytes from their start.
func (t *Package) open(ctx context.Context, p Page) (io.ReadCloser, error) {
	opened, err := t.desk.openStored(ctx, p)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{opened.Content, opened}, nil
}

// PDF makes one PDF of what was taken. What it leaves out is named in it.
func (h *Handoff) PDF(ctx context.Context, taken *Package, t Take) (PDF, error) {
	b := Binding{
		Title: "Papers " + taken.Row.Submission.ID.Reference(), MostBytes: t.MostBytes, MostPixels: h.Desk.Limits.PagePixels,
		Missing: missingPage,
	}
	if t.Cover {
		cover := taken.cover()
		b.Cover = &cover
	}
	for _, p := range taken.Sheets {
		b.Sheets = append(b.Sheets, Sheet{Number: p.Number, Rotation: p.Rotation, Aside: slices.Contains(t.Aside, p.ID), Open: func() (io.ReadCloser, error) {
			return taken.open(ctx, p.Page)
		}})
	}
	return h.Binder.Prepare(ctx, b)
}
