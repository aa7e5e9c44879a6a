package main

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// drawing is an SVG on its way. Lengths are millimeters.
type drawing struct{ strings.Builder }

func (d *drawing) add(format string, values ...any) { fmt.Fprintf(d, format, values...) }

// escape makes text safe inside XML.
func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a Builder takes everything
	return out.String()
}

// words writes one line around its middle, smaller if it would be wider than there is room: SVG
// breaks no lines. A letter is taken to be as wide as 0.68 of its height, which
// is a bold one of the widest font named.
func (d *drawing) words(x, y, size, room float64, style, text string) {
	if letters := utf8.RuneCountInString(text); letters > 0 {
		size = min(size, room/(0.68*float64(letters)))
	}
	d.add(`<text x="%g" y="%g" font-size="%.2f" text-anchor="middle" %s>%s</text>`, x, y, size, style, escape(text))
}

// stepPictures show, 40 by 40: a phone with a message, a finger on a link, a
// camera over a paper.
var stepPictures = [3]string{
	phonePicture + `<path d="M14 9h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7l-4 4v-4h-1a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z" fill="#12355b" stroke="none"/><circle cx="16.5" cy="14.5" r="1.2" fill="#fff" stroke="none"/><circle cx="20" cy="14.5" r="1.2" fill="#fff" stroke="none"/><circle cx="23.5" cy="14.5" r="1.2" fill="#fff" stroke="none"/>`,
	phonePicture + `<rect x="12" y="10" width="16" height="7" rx="3.5" fill="#12355b" stroke="none"/><path d="M15 13.5h10" stroke="#fff" stroke-width="1.2"/><path d="M20 17.500v9l-2.500-2c-1.500-1-3 .7-2 2l5 6.500h8l1.500-7c.4-2-1-3-2.500-3h-4.500v-5.500c0-2-3-2-3 0z" fill="#fff"/>`,
	`<path d="M10 17h20v21H10z" fill="#fff"/><path d="M14 27h12M14 31h12M14 35h8"/><rect x="6" y="4" width="28" height="17" rx="2.500" fill="#12355b" stroke="none"/><path d="M15 4l2-3h6l2 3z" fill="#12355b" stroke="none"/><circle cx="20" cy="12.500" r="5.500" fill="#fff" stroke="none"/><circle cx="20" cy="12.500" r="3" fill="#12355b" stroke="none"/>`,
}

const phonePicture = `<rect x="9" y="1" width="22" height="38" rx="3" fill="#fff"/><path d="M18 36h4"/>`

// steps draws the three pictures with what they mean below.
func (d *drawing) steps(spoken []posterWords) {
	for i, picture := range stepPictures {
		middle := 41 + float64(i)*64
		d.add(`<rect x="%g" y="150" width="58" height="92" rx="4" fill="#eef3f8"/>`, middle-29)
		d.add(`<circle cx="%g" cy="160" r="6" fill="#12355b"/>`, middle-22)
		d.words(middle-22, 162.600, 7, 9, `font-weight="bold" fill="#fff"`, fmt.Sprint(i+1))
		d.add(`<g transform="translate(%g 157) scale(1.150)" fill="none" stroke="#12355b" stroke-width="1.400" stroke-linecap="round" stroke-linejoin="round">%s</g>`, middle-20, picture)
		for language, words := range spoken {
			for line, text := range words.steps[i] {
				style := `font-weight="bold"`
				if language > 0 {
					style = ""
				}
				d.words(middle, 213+float64(language)*14+float64(line)*6, 5, 54, style, text)
			}
		}
	}
}
