package gateway

import (
	"context"
	"io"
	"time"
)

// emergencyAsk is how often the records are asked while a page is read. The
// clock is looked at each time.
const emergencyAsk = time.Second

// emergencyReader reads a page that only an emergency access lets look at, and
// stops when that ends: a slow line, or a browser that stopped halfway, does
// not stretch it.
type emergencyReader struct {
	io.ReadSeeker
	desk   *Desk
	ctx    context.Context // of the request that the page is read in
	access Emergency
	asked  time.Time
}

// endWithEmergency lets a page be read as long as the person may look at it, if
// an emergency access alone lets them.
func (d *Desk) endWithEmergency(ctx context.Context, who Actor, page *OpenedPage) {
	if access := who.Staff.emergencyAt(page.Page.Office); access.ID != "" {
		page.Content = &emergencyReader{ReadSeeker: page.Content, desk: d, ctx: ctx, access: access}
	}
}

func (r *emergencyReader) Read(p []byte) (int, error) {
	now := r.desk.Now()
	if !now.Before(r.access.Until) {
		return 0, NewError(CodeForbidden, nil)
	}
	if now.Sub(r.asked) >= emergencyAsk {
		runs, err := r.desk.Emergencies.EmergencyRuns(r.ctx, r.access.ID, now)
		if err == nil && !runs {
			err = NewError(CodeForbidden, nil)
		}
		if err != nil {
			return 0, err
		}
		r.asked = now
	}
	return r.ReadSeeker.Read(p)
}
