package paper

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// note is what lies on a page: a field that was filled in, a stamp, a line by
// hand (ISO 32000-1, 12.5). It comes along as a picture that nobody can move.
type note []entry

const (
	noteInvisible = 1 << 0 // where a viewer does not know its kind; it knows this one
	noteHidden    = 1 << 1
	noteNoView    = 1 << 5
	noteFixed     = 1<<6 | 1<<7 | 1<<9 // read only, locked, with its content
)

var (
	// leading lead elsewhere, or show what another note says.
	leading = []string{"/Link", "/Popup"}
	// shown are those whose appearance is all of them.
	shown = []string{"/Widget", "/FreeText"}
	// marks are so too unless somebody wrote a comment.
	marks = []string{
		"/Stamp", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Ink",
	}
)

// notesOf gives what lies on a page and is seen; errNotWhole if something of it
// would be lost: a comment, a file, a film, a field without an appearance.
func (c *clientPDF) notesOf(page int) ([]note, error) {
	entries, err := c.object(page)
	if err != nil {
		return nil, err
	}
	value := valueOf(entries, "Annots")
	if value == nil {
		return nil, nil
	}
	list := &scan{b: value}
	if number, ok := list.referred(); ok {
		if list, err = c.open(number); err != nil {
			return nil, err
		}
	}
	if !list.sees("[") {
		return nil, notPDF("list of notes", c.begins[page])
	}
	var notes []note
	for !list.sees("]") {
		if c.noted++; c.noted > clientNotes {
			return nil, errTakesTooMuch
		}
		if list.sees("null") {
			continue
		}
		at := list
		if number, ok := list.referred(); ok {
			if at, err = c.open(number); err != nil {
				continue // as good as null
			}
		}
		found, err := at.dictionary()
		if err != nil {
			return nil, err
		}
		kind := string(valueOf(found, "Subtype"))
		if slices.Contains(leading, kind) {
			continue
		}
		one, err := c.noteOf(kind, found)
		if err != nil {
			return nil, err
		}
		if one != nil {
			notes = append(notes, one)
		}
	}
	return notes, nil
}

// noteOf keeps of a note what is seen; nil if nothing is.
func (c *clientPDF) noteOf(kind string, found []entry) (note, error) {
	plain := slices.Contains(marks, kind) && isBlank(valueOf(found, "Contents")) && valueOf(found, "RC") == nil
	if !plain && !slices.Contains(shown, kind) || valueOf(found, "OC") != nil {
		return nil, errNotWhole
	}
	flags := 0
	if value := valueOf(found, "F"); value != nil {
		s := &scan{b: value}
		var err error
		if flags, err = s.integer(); err != nil || s.at < len(value) { // a reference is none
			return nil, errNotWhole
		}
	}
	if flags&noteHidden != 0 {
		return nil, nil
	}
	picture, off, err := c.appearance(found)
	if err != nil {
		return nil, err
	}
	if picture == nil {
		if off || flags&noteNoView != 0 || isEmpty(valueOf(found, "Rect")) {
			return nil, nil
		}
		return nil, errNotWhole
	}
	flags &^= noteInvisible
	return note{
		{"Type", []byte("/Annot")}, {"Subtype", []byte("/Stamp")}, {"Rect", valueOf(found, "Rect")},
		{"F", []byte(strconv.Itoa(flags | noteFixed))}, {"AP", picture},
	}, nil
}

// appearance gives what a note looks like now, as the entry of a note that has
// one look; nil if it has none. A box that is not ticked, or a button that is none
// of those chosen, is off: it need not have a look for that.
func (c *clientPDF) appearance(found []entry) (picture []byte, off bool, err error) {
	looks, err := c.dictionaryOf(valueOf(found, "AP"))
	if err != nil || looks == nil {
		return nil, false, err
	}
	look := valueOf(looks, "N")
	if !c.isStream(look) {
		states, err := c.dictionaryOf(look)
		if err != nil || states == nil {
			return nil, false, err
		}
		state := strings.Trim(string(valueOf(found, "AS")), "/()") // PDFium writes it as a string
		if look = valueOf(states, state); !c.isStream(look) {
			return nil, state == "Off", nil
		}
	}
	return fmt.Appendf(nil, "<< /N %s >>", look), false, nil
}

// isBlank tells of a string that says nothing; a reference may say something.
func isBlank(text []byte) bool {
	for _, mark := range []string{`\376\377`, `\377\376`, "\xfe\xff", "\xff\xfe", "FEFF", "feff"} {
		text = bytes.Replace(text, []byte(mark), nil, 1)
	}
	return len(bytes.Trim(text, "()<> \t\r\n\x00")) == 0
}

// dictionaryOf gives the dictionary that a value is or refers to; nil if it is
// something else, or nothing.
func (c *clientPDF) dictionaryOf(value []byte) ([]entry, error) {
	s := &scan{b: value}
	if number, ok := s.referred(); ok {
		var err error
		if s, err = c.open(number); err != nil {
			return nil, nil //nolint:nilerr // an object that is not there is as good as null
		}
	}
	if s.space(); len(s.b)-s.at < 2 || string(s.b[s.at:s.at+2]) != "<<" {
		return nil, nil
	}
	return s.dictionary()
}

// isStream tells whether a value refers to a stream.
func (c *clientPDF) isStream(value []byte) bool {
	number, ok := (&scan{b: value}).referred()
	if !ok {
		return false
	}
	s, err := c.open(number)
	if err != nil {
		return false
	}
	_, err = s.dictionary()
	return err == nil && s.sees("stream")
}

// isEmpty tells of a rectangle that has no inside.
func isEmpty(rectangle []byte) bool {
	s := &scan{b: rectangle}
	var sides [4]float64
	if !s.sees("[") {
		return false // somewhere else
	}
	for i := range sides {
		var err error
		if sides[i], err = strconv.ParseFloat(s.word(), 64); err != nil {
			return false
		}
	}
	return sides[0] == sides[2] || sides[1] == sides[3]
}

// write writes it as an object.
func (n note) write(w io.Writer, renamed func(int) string) error {
	if err := writeEntries(w, n, renamed); err != nil {
		return err
	}
	_, err := io.WriteString(w, " >>")
	return err
}
