package paper

import (
	"bufio"
	"context"
	"errors"
	"image"
	"io"
	"math"

	"dropslot/gateway"

	_ "golang.org/x/image/webp" // so that image.Decode reads it

	_ "image/png" // so that image.Decode reads it
)

// picture is what is known of a sheet before the PDF begins.
type picture struct {
	sheet         gateway.Sheet
	passes        bool // a JPEG that goes into the PDF as it is
	bytes         int64
	width, height int
	components    int // of a JPEG that passes: 1, 3 or 4
	adobe         bool
	progressive   bool // a decoder holds all coefficients beside the pixels
	turn          turn
	made          []byte     // encoded anew to fit a size; nil if it is made while the PDF is written
	client        *clientPDF // instead of a picture, the pages of a PDF
}

// turn is how stored pixels become what is seen: mirrored, then turned
// clockwise by quarters.
type turn struct {
	mirrored bool
	quarters int
}

// turns gives the turn of each orientation of Exif, from 1.
var turns = [...]turn{
	1: {false, 0}, 2: {true, 0}, 3: {false, 2}, 4: {true, 2}, 5: {true, 3}, 6: {false, 1}, 7: {true, 1}, 8: {false, 3},
}

// headBytes holds everything of a cleaned JPEG or PNG before its pixels.
const headBytes = 64 << 10

// measure proves before a byte of the PDF is made that a sheet can be part of
// it; reason is empty if so. What does not pass as it is was decoded for that.
func measure(ctx context.Context, sheet gateway.Sheet, mostPixels int64) (picture, gateway.LeftOutReason, error) {
	p, reason, err := inspect(sheet, mostPixels)
	if err != nil || reason != "" || p.passes {
		return p, reason, err
	}
	return p.tryDecoding(ctx)
}

// inspect reads a sheet to its end, so that one that breaks off is known, and
// decodes nothing. reason is empty if it is a picture, as far as can be seen.
func inspect(sheet gateway.Sheet, mostPixels int64) (p picture, reason gateway.LeftOutReason, err error) {
	file, err := sheet.Open()
	if err != nil {
		return p, "", err
	}
	defer func() { _ = file.Close() }()
	p.sheet = sheet
	kind, clean, err := gateway.CleanPage(file, mostPixels)
	if err != nil {
		return p, reasonOf(err), unlessLeftOut(err)
	}
	switch kind.Media {
	case "application/pdf":
		return p, gateway.LeftOutPDF, nil
	case "image/heic":
		return p, gateway.LeftOutHEIC, nil
	}
	head := bufio.NewReaderSize(clean, headBytes)
	start, err := head.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return p, reasonOf(err), unlessLeftOut(err)
	}
	p.turn = turns[gateway.OrientationOf(start)]
	p.turn.quarters = (p.turn.quarters + sheet.Rotation/90) % 4
	if kind.Media == "image/jpeg" {
		if !p.readFrame(start) {
			return p, gateway.LeftOutDamaged, nil
		}
		p.passes = true
	}
	p.bytes, err = io.Copy(io.Discard, head)
	return p, reasonOf(err), unlessLeftOut(err)
}

// reasonOf tells why a sheet is left out after an error; empty if the error is
// none of the sheet's own.
func reasonOf(err error) gateway.LeftOutReason {
	switch {
	case gateway.Is(err, gateway.CodePagePixels):
		return gateway.LeftOutPixels
	case gateway.Is(err, gateway.CodePageDamaged), gateway.Is(err, gateway.CodePageType), gateway.Is(err, gateway.CodePageEmpty):
		return gateway.LeftOutDamaged
	}
	return ""
}

func unlessLeftOut(err error) error {
	if reasonOf(err) != "" {
		return nil
	}
	return err
}

// readFrame reads the size and the colors of a JPEG from its segments (ITU-T
// T.81, B.2.2). PDF takes what is baseline, extended or progressive with 8
// bits; the cleaning lets nothing else through but other precisions.
func (p *picture) readFrame(start []byte) bool {
	for at := 2; at+4 <= len(start) && start[at] == 0xff; {
		marker := start[at+1]
		length := int(start[at+2])<<8 | int(start[at+3])
		if length < 2 || at+2+length > len(start) {
			return false
		}
		body := start[at+4 : at+2+length]
		switch marker {
		case 0xee:
			p.adobe = p.adobe || len(body) >= 12 && string(body[:5]) == "Adobe"
		case 0xc0, 0xc1, 0xc2:
			if len(body) < 6 || body[0] != 8 {
				return false
			}
			p.height, p.width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
			p.components, p.progressive = int(body[5]), marker == 0xc2
		case 0xda:
			return p.width > 0 && p.height > 0 && (p.components == 1 || p.components == 3 || p.components == 4)
		}
		at += 2 + length
	}
	return false
}

// mostDecoded bounds the pixels of a picture that has to be decoded, in bytes. A
// decoder may hold as much again while it puts them together: of an interlaced
// PNG, a WebP with a palette, a JPEG of four colors.
const mostDecoded = 64 << 20

// tryDecoding decodes a PNG or WebP to the end, since one that fails later
// would break the PDF off.
func (p picture) tryDecoding(ctx context.Context) (picture, gateway.LeftOutReason, error) {
	decoded, err := p.decode(ctx)
	switch {
	case errors.Is(err, errTooLarge):
		return p, gateway.LeftOutPixels, nil
	case errors.Is(err, errNoPicture):
		return p, gateway.LeftOutDamaged, nil
	case err != nil:
		return p, "", err
	}
	p.width, p.height = decoded.Bounds().Dx(), decoded.Bounds().Dy()
	return p, "", nil
}

var (
	errTooLarge  = errors.New("the picture is larger than is decoded")
	errNoPicture = errors.New("the picture cannot be decoded")
)

// decode gives the pixels of a sheet.
func (p picture) decode(ctx context.Context) (image.Image, error) {
	config, err := p.reading(ctx, func(r io.Reader) (any, error) {
		c, _, err := image.DecodeConfig(r)
		return c, err
	})
	if err != nil {
		return nil, err
	}
	c := config.(image.Config)
	each := pixelBytes(c.ColorModel)
	if p.progressive {
		each += 4 * int64(p.components) // Go keeps a coefficient in 32 bits
	}
	if int64(c.Width)*int64(c.Height)*each > mostDecoded {
		return nil, errTooLarge
	}
	decoded, err := p.reading(ctx, func(r io.Reader) (any, error) {
		m, _, err := image.Decode(r)
		return m, err
	})
	if err != nil {
		return nil, err
	}
	return decoded.(image.Image), nil
}

// reading opens the sheet for a decoder. What the decoder says is not handed
// on: it may quote the picture; what the sheet itself fails with is. The decoder
// sees what was cleaned, with the bounds of that: a browser that seals by itself
// sends what no server looked at.
func (p picture) reading(ctx context.Context, do func(io.Reader) (any, error)) (any, error) {
	file, err := p.sheet.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	_, clean, err := gateway.CleanPage(file, math.MaxInt64) // whoever decodes counts the pixels
	if err != nil {
		return nil, err
	}
	source := &watched{from: clean, ctx: ctx}
	result, err := do(bufio.NewReaderSize(source, headBytes))
	switch {
	case err == nil:
		return result, nil
	case source.failed != nil:
		return nil, source.failed
	}
	return nil, errNoPicture
}

// watched remembers the error of what it reads, and ends with the context: a
// decoder knows none.
type watched struct {
	ctx    context.Context
	from   io.Reader
	failed error
}

func (w *watched) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		w.failed = err
		return 0, err
	}
	n, err := w.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		w.failed = err
	}
	return n, err
}
