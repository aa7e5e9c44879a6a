package main

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"

	"dropslot/gateway"
	"dropslot/templates"
)

// Every page is sound XML whose lines fit, whatever the office is called and
// speaks, and its QR code opens a text to the number.
func TestPosterFits(t *testing.T) {
	texts, err := templates.LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"N", "North County Benefits", "<&\"'>", strings.Repeat("Department of Human Services ", 4)}
	for _, name := range names {
		for _, languages := range [][]string{{"en"}, {"es", "en"}, {"xx"}} {
			p := printed{texts: texts, office: gateway.Office{Name: name, Phone: "+15551230199", Languages: languages}}
			page := p.poster(papers["a4"], "+15551230100")
			for d := xml.NewDecoder(strings.NewReader(page)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s %v: %v", name, languages, err)
				}
			}
			for _, line := range regexp.MustCompile(`font-size="([0-9.]+)"[^>]*>([^<]*)</text>`).FindAllStringSubmatch(page, -1) {
				size, err := strconv.ParseFloat(line[1], 64)
				if err != nil || size <= 0 || 0.5*size*float64(len([]rune(line[2]))) > 190 {
					t.Errorf("%s %v: %s mm high: %s", name, languages, line[1], line[2])
				}
			}
			if want := drawn(t, "sms:+15551230100"); strings.Count(page, "h1v1h-1z") != want {
				t.Errorf("%s: the QR code is another one", name)
			}
		}
	}
}

// drawn counts the black squares of a code.
func drawn(t *testing.T, text string) (count int) {
	t.Helper()
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				count++
			}
		}
	}
	return count
}
