package gateway

import (
	"context"
	"io"
)

// Shrinker makes pictures small, in bounded memory.
type Shrinker interface {
	// Shrink gives a small JPEG of a sheet as it is seen. CodePageType if it is
	// no picture of at most so many pixels that can be decoded.
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
	opened, err := d.openStored(ctx, page)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }()
	if !opened.Inline {
		return nil, NewError(CodePageType, nil)
	}
	if err := d.scan(ctx, who, opened); err != nil {
		return nil, err
	}
	d.endWithEmergency(ctx, who, opened)
	sheet := Sheet{Open: func() (io.ReadCloser, error) {
		_, err := opened.Content.Seek(0, io.SeekStart)
		return io.NopCloser(opened.Content), err
	}}
	return d.Shrinker.Shrink(ctx, sheet, d.Limits.PagePixels)
}
