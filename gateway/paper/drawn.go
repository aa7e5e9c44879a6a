package paper

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/klippa-app/go-pdfium"

	"dropslot/gateway"
)

const (
	drawnDPI   = 200
	drawnSide  = 3400 // pixels of the long side at most: 17 inches
	drawnPages = 200  // of one PDF at most
	// drawnBytes bounds the pictures of one hand-off that are held until it is
	// written. A page takes 0.1 to 0.6 MB.
	drawnBytes = 48 << 20
	// drawnTime bounds the drawing for one hand-off: a proxy waits a minute for
	// the first byte.
	drawnTime = 45 * time.Second
)

// errNotDrawn is of a PDF that stays as it is.
var errNotDrawn = errors.New("the PDF cannot be drawn")

// drawing is what the PDFs of one hand-off may still take.
type drawing struct {
	sandbox *sandbox
	time    time.Duration
	bytes   int
}

// draw gives each page of a client's PDF as a picture: what is active in it,
// hidden in it or appended to it stays behind. errNotDrawn if that cannot be
// done whole; whatever else it fails with is none of the PDF's.
func (d *drawing) draw(ctx context.Context, sheet gateway.Sheet) ([]gateway.Sheet, error) {
	content, err := contentOf(sheet)
	if err != nil {
		return nil, err
	}
	var pages [][]byte
	room := d.bytes
	var began time.Time
	err = d.sandbox.run(ctx, d.time, func(p pdfium.Pdfium) (err error) {
		began = time.Now()
		pages, err = drawPages(p, &content, &room)
		return err
	})
	if !began.IsZero() {
		d.time -= time.Since(began)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case began.IsZero() && d.time > 0 && err != nil:
		return nil, err // the sandbox itself
	case err != nil:
		return nil, errNotDrawn
	}
	d.bytes = room
	sheets := make([]gateway.Sheet, len(pages))
	for i, page := range pages {
		sheets[i] = gateway.Sheet{Number: sheet.Number, Rotation: sheet.Rotation, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(page)), nil
		}}
	}
	return sheets, nil
}

func contentOf(sheet gateway.Sheet) ([]byte, error) {
	file, err := sheet.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}
