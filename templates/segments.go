package templates

import "slices"

// Encoding is how a text travels. One letter outside GSM-7 makes the whole
// text UCS-2, which holds less than half as much.
type Encoding string

// The encodings of a text.
const (
	GSM7 Encoding = "GSM-7"
	UCS2 Encoding = "UCS-2"
)

// Segments tells how a text is cut up on its way. Each segment is paid for.
type Segments struct {
	Encoding Encoding
	// Units are septets in GSM-7 and 16-bit units in UCS-2. A segment holds
	// 160 or 70 of them alone, 153 or 67 when there are several.
	Units int
	Count int
}

// One alone, and each of several, which spend six octets on being joined.
var segmentUnits = map[Encoding]struct{ single, joined int }{
	GSM7: {160, 153},
	UCS2: {70, 67},
}

// The default alphabet of 3GPP TS 23.038 and its extension table. The escape
// in front of a letter of the extension is a unit of its own.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

var gsmUnits = func() map[rune]int {
	units := make(map[rune]int, 140)
	for _, r := range gsmBasic {
		units[r] = 1
	}
	for _, r := range gsmExtension {
		units[r] = 2
	}
	return units
}()

// CountSegments counts the segments of a text as Twilio sends it. What takes
// two units (an extension letter, a surrogate pair) never straddles a cut.
func CountSegments(text string) Segments {
	s := Segments{Encoding: encodingOf(text)}
	limit := segmentUnits[s.Encoding]
	filled := 0 // of the last segment, when there are several
	for _, r := range text {
		units := unitsOf(r, s.Encoding)
		s.Units += units
		if s.Count == 0 || filled+units > limit.joined {
			s.Count++
			filled = 0
		}
		filled += units
	}
	if s.Units <= limit.single {
		s.Count = min(s.Count, 1)
	}
	return s
}

func encodingOf(text string) Encoding {
	for _, r := range text {
		if gsmUnits[r] == 0 {
			return UCS2
		}
	}
	return GSM7
}

// Beyond lists the letters of a text that GSM-7 lacks, each once: the ones to
// replace when a text is to be one segment again.
func Beyond(text string) []string {
	var letters []string
	for _, r := range text {
		if gsmUnits[r] == 0 && !slices.Contains(letters, string(r)) {
			letters = append(letters, string(r))
		}
	}
	return letters
}

func unitsOf(r rune, e Encoding) int {
	switch {
	case e == GSM7:
		return gsmUnits[r]
	case r > 0xFFFF:
		return 2
	}
	return 1
}
