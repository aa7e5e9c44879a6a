package paper

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"runtime"

	"golang.org/x/image/draw"

	"dropslot/gateway"
)

const (
	smallSide    = 224 // pixels of the long side: twice what the desk shows, for fine screens
	smallQuality = 70
	smallAtOnce  = 2 // pictures that are worked on at the same time; each is decoded once, see mostDecoded
)

// Shrinker makes pictures small.
type Shrinker struct{ places chan struct{} }

// NewShrinker gives a Shrinker. One is enough for a process: it bounds how many
// pictures are opened and decoded at once.
func NewShrinker() *Shrinker { return &Shrinker{places: make(chan struct{}, smallAtOnce)} }

// Shrink gives a small JPEG of a picture, upright as the camera held it and
// turned as the sheet says. CodePageType if it is no picture that is decoded
// here: no JPEG, PNG or WebP, damaged, or larger than the memory for it.
func (s *Shrinker) Shrink(ctx context.Context, sheet gateway.Sheet, mostPixels int64) ([]byte, error) {
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.places }()
	p, reason, err := inspect(sheet, mostPixels)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return nil, gateway.NewError(gateway.CodePageType, nil)
	}
	defer runtime.GC() // what was decoded is garbage by now
	decoded, err := p.decode(ctx)
	if errors.Is(err, errTooLarge) || errors.Is(err, errNoPicture) {
		return nil, gateway.NewError(gateway.CodePageType, nil)
	}
	if err != nil {
		return nil, err
	}
	small := image.NewRGBA(image.Rectangle{Max: fit(decoded.Bounds().Size(), smallSide)})
	draw.Draw(small, small.Rect, image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Rect, decoded, decoded.Bounds(), draw.Over, nil)
	var made bytes.Buffer
	err = jpeg.Encode(&made, p.turn.of(small), &jpeg.Options{Quality: smallQuality})
	return made.Bytes(), err
}

// of gives the pixels of a small picture as they are seen.
func (t turn) of(m *image.RGBA) *image.RGBA {
	if t.mirrored {
		m = moved(m, m.Rect.Max, func(x, y int) (int, int) { return m.Rect.Max.X - 1 - x, y })
	}
	for range t.quarters {
		from := m
		m = moved(from, image.Pt(from.Rect.Max.Y, from.Rect.Max.X), func(x, y int) (int, int) { return from.Rect.Max.Y - 1 - y, x })
	}
	return m
}

// moved puts each pixel where it belongs in a picture of that size.
func moved(m *image.RGBA, size image.Point, to func(x, y int) (int, int)) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range m.Rect.Max.Y {
		for x := range m.Rect.Max.X {
			newX, newY := to(x, y)
			out.SetRGBA(newX, newY, m.RGBAAt(x, y))
		}
	}
	return out
}
