package gateway

import (
	"context"
	"errors"
	"io"
)

// Shrinker makes pictures small, in bounded memory.
type Shrinker interface {
	// Shrink gives a small JPEG of a sheet as it is seen. CodePageType if it is
	// no picture of at most so many pixels that can be decoded. It opens the sheet
	// only when it is its turn, and maybe more than once.
	Shrink(ctx context.Context, sheet Sheet, mostPixels int64) ([]byte, error)
}

// Preview gives a small JPEG of a page, as the client sent it: the desk turns
// it. It is made anew for each look, and kept nowhere. A look it is, so the
// audit row comes first. CodePageType if the page is nothing to be made small.
func (d *Desk) Preview(ctx context.Context, who Actor, id PageID) ([]byte, error) {
	object := "page:" + string(id)
	page, err := d.Records.Page(ctx, who.Staff.OfficesWith(RightPapers), id)
	if err != nil {
		return nil, d.denied(ctx, who, ActionPagePreviewed, object, err)
	}
	if err := d.Audit.Append(ctx, who.look(d.Now(), ActionPagePreviewed, object, page.Office)); err != nil {
		return nil, err
	}
	var opened *OpenedPage
	defer func() {
		if opened != nil {
			_ = opened.Close()
		}
	}()
	sheet := Sheet{Open: func() (_ io.ReadCloser, err error) {
		if opened == nil { // to prove and scan it is work, too, that waits its turn
			if opened, err = d.openPicture(ctx, who, page); err != nil {
				return nil, err
			}
		}
		_, err = opened.Content.Seek(0, io.SeekStart)
		return io.NopCloser(opened.Content), err
	}}
	return d.Shrinker.Shrink(ctx, sheet, d.Limits.PagePixels)
}

// openPicture opens a page that may be shown, scanned. CodePageType if it is
// nothing that a browser shows.
func (d *Desk) openPicture(ctx context.Context, who Actor, page Page) (*OpenedPage, error) {
	opened, err := d.openStored(ctx, page)
	if err != nil {
		return nil, err
	}
	if !opened.Inline {
		return nil, errors.Join(NewError(CodePageType, nil), opened.Close())
	}
	if err := d.scan(ctx, who, opened); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	d.endWithEmergency(ctx, who, opened)
	return opened, nil
}
