package paper

import (
	"fmt"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"dropslot/gateway"
)

// US Letter, in points of 1/72 inch.
const (
	letterShort = 612.0
	letterLong  = 792.0
	textMargin  = 54.0
	textTop     = letterLong - 66
)

// helvetica is how wide each character from space to tilde is, in thousandths
// of the size (Adobe's metrics of the standard font).
var helvetica = [...]int{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// widthOf is how wide text is at size 1; what is no ASCII counts as a capital.
func widthOf(text string, bold bool) float64 {
	total := 0
	for _, r := range text {
		if i := int(r) - ' '; i >= 0 && i < len(helvetica) {
			total += helvetica[i]
		} else {
			total += 722
		}
	}
	width := float64(total) / 1000
	if bold {
		width *= 1.12 // Helvetica-Bold is at most this much wider for words
	}
	return width
}

// line is one line of text, or part of one.
type line struct {
	text         string
	bold         bool
	size, indent float64
	above        float64 // free space before it
	beside       bool    // stands on the line of the one before
}

const (
	bodySize  = 10.5
	factWidth = 110.0
)

func linesOf(c gateway.Cover) []line {
	lines := wrap(line{text: c.Title, bold: true, size: 17})
	for i, f := range c.Facts {
		name := line{text: f.Name, size: bodySize, bold: true, above: 3}
		if i == 0 {
			name.above = 12
		}
		lines = append(lines, name)
		for j, value := range wrap(line{text: f.Value, size: bodySize, indent: factWidth}) {
			value.beside = j == 0
			lines = append(lines, value)
		}
	}
	for _, list := range c.Lists {
		lines = append(lines, wrap(line{text: list.Title, bold: true, size: 12.5, above: 14})...)
		for _, text := range list.Lines {
			lines = append(lines, wrap(line{text: text, size: bodySize, indent: 10, above: 2})...)
		}
	}
	return lines
}

// wrap breaks text at spaces, and a word that is too long for a line within.
func wrap(l line) []line {
	room := (letterShort - 2*textMargin - l.indent) / l.size
	var out []line
	current := ""
	put := func() {
		next := l
		next.text = current
		if len(out) > 0 {
			next.above = 0
		}
		out, current = append(out, next), ""
	}
	for _, word := range strings.Fields(l.text) {
		if current != "" && widthOf(current+" "+word, l.bold) > room {
			put()
		}
		if current != "" {
			current += " "
		}
		for _, r := range word {
			if widthOf(current+string(r), l.bold) > room {
				put()
			}
			current += string(r)
		}
	}
	put()
	return out
}

// addText adds pages with the words of a cover.
func (d *document) addText(c gateway.Cover) {
	var operators strings.Builder
	y := textTop
	fonts := fmt.Sprintf("/Font << /F1 %d 0 R /F2 %d 0 R >>", regularObject, boldObject)
	for _, l := range linesOf(c) {
		if !l.beside {
			y -= l.above + 1.3*l.size
		}
		if y < textMargin {
			d.page(letterShort, letterLong, fonts, operators.String())
			operators.Reset()
			y = textTop - 1.3*l.size
		}
		font := "F1"
		if l.bold {
			font = "F2"
		}
		fmt.Fprintf(&operators, "BT /%s %s Tf %s %s Td %s Tj ET\n", font, number(l.size), number(textMargin+l.indent), number(y), literal(l.text))
	}
	d.page(letterShort, letterLong, fonts, operators.String())
}

// literal writes text as the standard fonts encode it; what they cannot show
// becomes a question mark.
func literal(text string) string {
	var out strings.Builder
	out.WriteByte('(')
	for _, r := range text {
		b, known := charmap.Windows1252.EncodeRune(r)
		switch {
		case !known || b < ' ':
			out.WriteByte('?')
		case b == '(' || b == ')' || b == '\\':
			out.WriteByte('\\')
			out.WriteByte(b)
		case b > '~':
			fmt.Fprintf(&out, "\\%03o", b)
		default:
			out.WriteByte(b)
		}
	}
	out.WriteByte(')')
	return out.String()
}
