package paper

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"runtime"
	"testing"

	"dropslot/gateway"
)

func shrunk(t testing.TB, content []byte) image.Image {
	t.Helper()
	small, err := NewShrinker().Shrink(t.Context(), sheetOf(1, 0, content), 100_000_000)
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestASmallPictureIsUpright(t *testing.T) {
	picture := jpegOf(t, corners(640, 400), 92)
	for orientation := byte(1); orientation <= 8; orientation++ {
		m := shrunk(t, oriented(picture, orientation))
		size := m.Bounds().Size()
		if max(size.X, size.Y) != smallSide || (size.X > size.Y) != (orientation < 5) {
			t.Errorf("orientation %d: %v", orientation, size)
		}
		seen := make([]color.RGBA, 4) // from the top left clockwise
		a, b := firstPixel[orientation][0], firstPixel[orientation][1]
		seen[a], seen[b], seen[(a+2)%4], seen[(b+2)%4] = red, green, yellow, blue
		for corner, place := range [4]image.Point{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
			at := image.Pt(size.X/2+place.X*size.X/5, size.Y/2+place.Y*size.Y/5)
			if got := m.At(at.X, at.Y); !near(got, seen[corner]) {
				t.Errorf("orientation %d: corner %d is %v, want %v", orientation, corner, got, seen[corner])
			}
		}
	}
}

func TestWhatCanBeMadeSmall(t *testing.T) {
	for name, content := range map[string][]byte{
		"png": pngOf(t, corners(300, 300)), "one pixel": pngOf(t, corners(1, 1)), "cmyk": fixture(t, "cmyk.jpg"),
		"progressive": fixture(t, "progressive.jpg"), "alpha": fixture(t, "alpha.webp"), "lossy": fixture(t, "lossy.webp"),
	} {
		if m := shrunk(t, content); m.Bounds().Empty() {
			t.Errorf("%s: nothing is left", name)
		}
	}
	whole := jpegOf(t, corners(640, 400), 92)
	for name, content := range map[string][]byte{
		"heic": fixture(t, "page.heic"), "pdf": []byte("%PDF-1.7\n"), "half": whole[:len(whole)/2], "words": []byte("no picture at all"),
		"larger than is decoded": pngOf(t, image.NewPaletted(image.Rect(0, 0, 9000, 9000), color.Palette{color.White})),
	} {
		_, err := NewShrinker().Shrink(t.Context(), sheetOf(1, 0, content), 100_000_000)
		if !gateway.Is(err, gateway.CodePageType) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever waits behind others has opened nothing yet, and leaves when nobody
// looks any more.
func TestShrinkingWaitsItsTurn(t *testing.T) {
	s := NewShrinker()
	for range smallAtOnce {
		s.places <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sheet := gateway.Sheet{Open: func() (io.ReadCloser, error) {
		t.Error("it was opened")
		return nil, io.EOF
	}}
	if _, err := s.Shrink(ctx, sheet, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("it gave %v", err)
	}
}

// Of what is decoded only to be made small, the pixels are held once.
func TestAPictureIsDecodedOnceToBeMadeSmall(t *testing.T) {
	const side = 3000
	content := pngOf(t, image.NewGray(image.Rect(0, 0, side, side)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	shrunk(t, content)
	runtime.ReadMemStats(&after)
	if held := after.TotalAlloc - before.TotalAlloc; held < side*side || held > side*side*3/2 {
		t.Errorf("%d bytes were taken for %d pixels of one byte", held, side*side)
	}
}
