package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"

	"dropslot/gateway"
)

var _ gateway.Binder = (*Binder)(nil)

// Binder makes PDFs. One Binder holds one decoded picture at a time, and has one
// PDF of a client in its sandbox.
type Binder struct {
	decoding chan struct{}
	sandbox  *sandbox
}

// NewBinder makes a Binder.
func NewBinder() *Binder {
	return &Binder{decoding: make(chan struct{}, 1), sandbox: newSandbox()}
}

// alone runs what decodes a picture, one at a time.
func (b *Binder) alone(ctx context.Context, do func() error) error {
	select {
	case b.decoding <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.decoding }()
	return do()
}

// Prepare looks at every sheet; see the port.
func (b *Binder) Prepare(ctx context.Context, binding gateway.Binding) (gateway.PDF, error) {
	p := &prepared{binder: b, binding: binding}
	left := &allowance{time: clientTime, bytes: clientBytes}
	for _, sheet := range binding.Sheets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if sheet.Aside {
			p.leftOut = append(p.leftOut, gateway.LeftOut{Number: sheet.Number, Reason: gateway.LeftOutAside})
			continue
		}
		found, reason, err := b.part(ctx, left, sheet, binding.MostPixels)
		switch {
		case err != nil:
			return nil, err
		case reason != "":
			p.leftOut = append(p.leftOut, gateway.LeftOut{Number: sheet.Number, Reason: reason})
		default:
			p.pictures = append(p.pictures, found)
		}
	}
	if binding.MostBytes > 0 {
		return p, p.shrink(ctx)
	}
	return p, nil
}

func (b *Binder) measured(ctx context.Context, sheet gateway.Sheet, mostPixels int64) (found picture, reason gateway.LeftOutReason, err error) {
	err = b.alone(ctx, func() (err error) {
		found, reason, err = measure(ctx, sheet, mostPixels)
		return err
	})
	return found, reason, err
}

// prepared is one PDF.
type prepared struct {
	binder   *Binder
	binding  gateway.Binding
	pictures []picture
	leftOut  []gateway.LeftOut
}

// LeftOut names what is not part of it.
func (p *prepared) LeftOut() []gateway.LeftOut { return p.leftOut }

// Sheets is how many are.
func (p *prepared) Sheets() int { return len(p.pictures) }

// shrink encodes pictures anew until all together fit. Each may have the same
// share; what small ones leave of theirs goes to the others.
func (p *prepared) shrink(ctx context.Context) error {
	room := p.binding.MostBytes - p.around()
	total := int64(0)
	for i := range p.pictures {
		most := share(p.pictures[i:], room)
		if one := &p.pictures[i]; one.client == nil && (!one.passes || one.bytes > most) {
			err := p.binder.alone(ctx, func() error { return one.remake(ctx, most) })
			if err != nil {
				return err
			}
		}
		room -= p.pictures[i].bytes
		total += p.pictures[i].bytes
	}
	if room < 0 {
		return gateway.NewError(gateway.CodePDFTooBig, fmt.Errorf("the smallest has %d bytes", total+p.around()))
	}
	return nil
}

// around is an upper bound of what a PDF takes beside its pictures.
func (p *prepared) around() int64 {
	var size counter
	d := newDocument(&size)
	p.front(d)
	p.back(d)
	_ = d.end(p.binding.Title)
	return int64(size) + 800*int64(len(p.pictures))
}

// share gives how many bytes the first picture may have: as many as every
// other, where what small ones leave of theirs goes to the rest. A picture that
// has to be encoded anew counts as large.
func share(pictures []picture, room int64) int64 {
	sizes := make([]int64, len(pictures))
	for i, p := range pictures {
		if sizes[i] = p.bytes; !p.passes {
			sizes[i] = math.MaxInt64
		}
	}
	slices.Sort(sizes)
	for i, size := range sizes {
		most := max(1, room/int64(len(sizes)-i))
		if size > most {
			return most
		}
		room -= size
	}
	return math.MaxInt64 // all fit as they are
}

// remake encodes a picture into at most so many bytes, if that can be.
func (p *picture) remake(ctx context.Context, most int64) error {
	decoded, err := p.decode(ctx)
	if errors.Is(err, errTooLarge) || errors.Is(err, errNoPicture) {
		return nil // it stays as it is, and is counted so
	}
	if err != nil {
		return err
	}
	made, err := encode(decoded, most)
	if err != nil {
		return err
	}
	if p.passes && int64(len(made)) >= p.bytes {
		return nil
	}
	p.made, p.bytes = made, int64(len(made))
	p.describe(decoded)
	return p.readMade()
}

// describe tells how the encoder stored the colors.
func (p *picture) describe(decoded image.Image) {
	p.passes, p.adobe, p.components = false, false, 3
	if _, gray := decoded.(*image.Gray); gray {
		p.components = 1
	}
}

func (p *picture) readMade() error {
	config, _, err := image.DecodeConfig(bytes.NewReader(p.made))
	p.width, p.height = config.Width, config.Height
	return err
}

func (p *prepared) front(d *document) {
	if p.binding.Cover != nil {
		d.addText(*p.binding.Cover)
	}
}

// back says in the PDF itself what is not in it: its pages may go on without
// whoever made it.
func (p *prepared) back(d *document) {
	if len(p.leftOut) > 0 {
		d.addText(p.binding.Missing(p.leftOut))
	}
}

// Write writes the PDF.
func (p *prepared) Write(ctx context.Context, w io.Writer) error {
	d := newDocument(w)
	p.front(d)
	for i := range p.pictures {
		if err := ctx.Err(); err != nil {
			return err
		}
		one := p.pictures[i] // a copy: what is encoded here is not kept
		if !one.passes && one.made == nil {
			if err := p.binder.alone(ctx, func() error { return one.remake(ctx, 0) }); err != nil {
				return err
			}
		}
		add := d.addPicture
		if one.client != nil {
			add = func(p picture) error { return d.addClient(p.client) }
		}
		if err := add(one); err != nil {
			return err
		}
	}
	p.back(d)
	return d.end(p.binding.Title)
}

// pictureMargin is what printers leave white anyway.
const pictureMargin = 18.0

var colorSpaces = map[int]string{1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}

// addPicture adds a page of letter size, upright or across, as the picture is.
func (d *document) addPicture(p picture) error {
	object := d.next()
	entries := fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s /BitsPerComponent 8 /Filter /DCTDecode",
		p.width, p.height, colorSpaces[p.components])
	if p.components == 4 && p.adobe { // Adobe's programs store CMYK inverted, and so do all others by now
		entries += " /Decode [1 0 1 0 1 0 1 0]"
	}
	if err := d.stream(object, entries, p.bytes, p.copyTo); err != nil {
		return err
	}
	seenWidth, seenHeight := float64(p.width), float64(p.height)
	if p.turn.quarters%2 == 1 {
		seenWidth, seenHeight = seenHeight, seenWidth
	}
	pageWidth, pageHeight := letterShort, letterLong
	if seenWidth > seenHeight {
		pageWidth, pageHeight = letterLong, letterShort
	}
	scale := min((pageWidth-2*pictureMargin)/seenWidth, (pageHeight-2*pictureMargin)/seenHeight)
	width, height := seenWidth*scale, seenHeight*scale
	left, bottom := (pageWidth-width)/2, (pageHeight-height)/2
	d.page(pageWidth, pageHeight, fmt.Sprintf("/XObject << /P %d 0 R >>", object),
		"q "+p.turn.matrix(left, bottom, width, height)+" cm /P Do Q\n")
	return nil
}

// copyTo writes the JPEG, cleaned of what is no picture.
func (p picture) copyTo(w io.Writer) error {
	if p.made != nil {
		_, err := w.Write(p.made)
		return err
	}
	file, err := p.sheet.Open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, clean, err := gateway.CleanPage(file, int64(p.width)*int64(p.height))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, clean)
	return err
}

// matrix maps the unit square that PDF draws a picture into onto the place on
// the page, turned.
func (t turn) matrix(left, bottom, width, height float64) string {
	// Of the point (x, y): x' = a*x + c*y + e, y' = b*x + d*y + f.
	a, b, c, d, e, f := 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
	if t.mirrored {
		a, e = -1, 1
	}
	for range t.quarters { // clockwise: (x, y) goes to (y, 1 - x)
		a, b, c, d, e, f = b, -a, d, -c, f, 1-e
	}
	return fmt.Sprintf("%s %s %s %s %s %s", number(a*width), number(b*height), number(c*width), number(d*height),
		number(left+e*width), number(bottom+f*height))
}

// counter counts what is written.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
