package paper

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"slices"
	"testing"

	"dropslot/gateway"
)

// manyScans is a progressive picture whose first scan comes again and again.
func manyScans(t *testing.T, scans int) []byte {
	t.Helper()
	picture := fixture(t, "progressive.jpg")
	first := bytes.Index(picture, []byte{0xff, 0xda})
	length := bytes.Index(picture[first+2:], []byte{0xff, 0xc4}) // the tables of the next one
	if first < 0 || length < 0 {
		t.Fatal("the fixture has no scans")
	}
	next := first + 2 + length
	return slices.Concat(picture[:first], bytes.Repeat(picture[first:next], scans), picture[next:])
}

// Each scan walks through all pixels: tens of thousands of tiny ones would hold
// the only place for decoding for many minutes.
func TestAPictureOfVeryManyScansIsNeverDecoded(t *testing.T) {
	if _, _, err := image.Decode(bytes.NewReader(manyScans(t, 50))); err != nil {
		t.Fatalf("the decoder does not take it anyway: %v", err)
	}
	bomb := manyScans(t, 20_000)
	pdf, err := NewBinder().Prepare(t.Context(), gateway.Binding{
		Title: "Papers", Sheets: []gateway.Sheet{sheetOf(1, 0, bomb), sheetOf(2, 0, fixture(t, "progressive.jpg"))},
		MostPixels: 100_000_000, MostBytes: 50_000, Missing: missing,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out := pdf.LeftOut(); len(out) != 1 || out[0] != (gateway.LeftOut{Number: 1, Reason: gateway.LeftOutDamaged}) {
		t.Errorf("left out: %v", out)
	}
	if _, err := (picture{sheet: sheetOf(1, 0, bomb)}).decode(t.Context()); !gateway.Is(err, gateway.CodePageDamaged) {
		t.Errorf("decoded: %v", err)
	}
}

// stopping ends the context after some bytes, as somebody does who goes away.
type stopping struct {
	io.Reader
	stop context.CancelFunc
	left int
}

func (s *stopping) Read(b []byte) (int, error) {
	if s.left--; s.left == 0 {
		s.stop()
	}
	return s.Reader.Read(b[:min(len(b), 512)])
}

func TestDecodingEndsWithWhoeverWaitsForIt(t *testing.T) {
	content := pngOf(t, photograph(600, 400, 1))
	ctx, stop := context.WithCancel(t.Context())
	sheet := gateway.Sheet{Number: 1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&stopping{bytes.NewReader(content), stop, 200}), nil
	}}
	if _, err := (picture{sheet: sheet}).decode(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
