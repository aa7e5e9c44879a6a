package gateway

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
)

// PageChange is what staff change of how a page is kept. Its sealed bytes
// stay as they are. What is nil, and a place of 0, is left alone.
type PageChange struct {
	Rotation *int    // degrees clockwise: 0, 90, 180 or 270
	Label    *string // one of the office's asks, or empty
	Place    int     // from 1: the page moves there, the others make room
}

// ValidRotation tells whether a page may be turned by so many degrees.
func ValidRotation(degrees int) bool {
	return degrees >= 0 && degrees < 360 && degrees%90 == 0
}

// rotationOf is a rotation that was read from the vault: a wrong one must not
// keep the page out of the records.
func rotationOf(degrees int) int {
	if ValidRotation(degrees) {
		return degrees
	}
	return 0
}

// action and reason tell the audit trail of a change.
func (c PageChange) action() (Action, string) {
	switch {
	case c.Rotation != nil:
		return ActionPageTurned, strconv.Itoa(*c.Rotation)
	case c.Label != nil:
		return ActionPageLabeled, *c.Label
	}
	return ActionPagesOrdered, "to place " + strconv.Itoa(c.Place)
}

// ChangePage turns, labels or moves a page, and gives it as it was. Exports
// follow the change, and the manifest is written once more.
func (d *Desk) ChangePage(ctx context.Context, who Actor, id PageID, change PageChange) (Page, error) {
	action, reason := change.action()
	object := "page:" + string(id)
	offices := who.Staff.OfficesWith(RightChange)
	page, err := d.Records.Page(ctx, offices, id)
	if err != nil {
		return Page{}, d.denied(ctx, who, action, object, err)
	}
	if change.Rotation != nil && !ValidRotation(*change.Rotation) || change.Place < 0 {
		return Page{}, NewError(CodeBadRequest, nil)
	}
	if label := change.Label; label != nil && *label != "" && !d.Directory.Offices[page.Office].Asked(*label) {
		return Page{}, NewError(CodeBadRequest, nil)
	}
	entry := who.entry(d.Now(), action, object, page.Office)
	entry.Reason = reason
	return page, d.Records.ChangePage(ctx, offices, id, change, entry)
}

// PageKind is how a page can be looked at.
type PageKind string

// The kinds of pages.
const (
	KindPicture PageKind = "picture"
	KindPDF     PageKind = "pdf"
	KindHEIC    PageKind = "heic"  // no browser but Safari shows it
	KindOther   PageKind = "other" // nothing that is safe to show
)

// PageKind tells how a page can be looked at, and nothing else of what is in
// it: only what is asked for in vain leaves an audit row.
func (d *Desk) PageKind(ctx context.Context, who Actor, id PageID) (PageKind, error) {
	page, err := d.Records.Page(ctx, who.Staff.OfficesWith(RightPapers), id)
	if err != nil {
		return KindOther, d.denied(ctx, who, ActionPageViewed, "page:"+string(id), err)
	}
	blob, err := d.Vault.Open(ctx, page.Blob)
	if err != nil {
		return KindOther, err
	}
	defer func() { _ = blob.Close() }()
	plain, size, err := d.Opener.Open(page.Office, blob, blob.Size())
	if err != nil {
		return KindOther, err
	}
	content := io.NewSectionReader(plain, 0, size)
	start := make([]byte, min(size, SniffBytes))
	if _, err := io.ReadFull(content, start); err != nil {
		return KindOther, NewError(CodeBlobDamaged, errors.New("the sealed content is cut or changed"))
	}
	kind, known := SniffType(start)
	switch {
	case !known:
		return KindOther, nil
	case kind.Extension == ".heic":
		return KindHEIC, nil
	case !kind.Picture && kind.Inline:
		return KindPDF, nil
	case kind.Inline && d.pixelsFit(content):
		return KindPicture, nil
	}
	return KindOther, nil
}

// PlacedPage is a page and its number among those that count.
type PlacedPage struct {
	Page
	Number int
}

// PagePlace gives a page and its submission to somebody who may ask for it
// once more.
func (d *Desk) PagePlace(ctx context.Context, who Actor, id PageID) (InboxRow, PlacedPage, error) {
	object, offices := "page:"+string(id), who.Staff.OfficesWith(RightAsk)
	page, err := d.Records.Page(ctx, offices, id)
	if err != nil {
		return InboxRow{}, PlacedPage{}, d.denied(ctx, who, ActionSubmissionViewed, object, err)
	}
	s, pages, err := d.Records.Submission(ctx, offices, page.Submission)
	if err != nil {
		return InboxRow{}, PlacedPage{}, d.denied(ctx, who, ActionSubmissionViewed, object, err)
	}
	number := 1 + slices.IndexFunc(pages, func(p Page) bool { return p.ID == id })
	return d.row(s), PlacedPage{page, number}, nil
}
