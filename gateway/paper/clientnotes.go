package paper

import (
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
	noteInvisible = 1 << 0 // where a viewer does not know its kind
	noteHidden    = 1 << 1
	noteNoView    = 1 << 5
	noteFixed     = 1<<6 | 1<<7 | 1<<9 // read only, locked, with its content
)

var (
	// leading lead elsewhere, or show what another note says.
	leading = []string{"/Link", "/Popup"}
	// shown are those whose appearance is all of them.
	shown = []string{"/Widget", "/FreeText", "/Stamp"}
	// marks are so too unless somebody wrote a comment.
	marks = []string{
		"/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Ink",
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
		number, ok := list.referred()
		if c.noted++; !ok || c.noted > clientNotes {
			return nil, notPDF("note", c.begins[page])
		}
		found, err := c.object(number)
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
	comment := string(valueOf(found, "Contents"))
	plain := slices.Contains(marks, kind) && (comment == "" || comment == "()" || comment == "<>")
	if !plain && !slices.Contains(shown, kind) || valueOf(found, "OC") != nil {
		return nil, errNotWhole
	}
	flags := 0
	if value := valueOf(found, "F"); value != nil {
		var err error
		if flags, err = (&scan{b: value}).integer(); err != nil {
			return nil, err
		}
	}
	picture, err := c.appearance(found)
	if err != nil {
		return nil, err
	}
	if picture == nil {
		if flags&(noteInvisible|noteHidden|noteNoView) != 0 || isEmpty(valueOf(found, "Rect")) || c.isOff(kind, found) {
			return nil, nil
		}
		return nil, errNotWhole
	}
	return note{
		{"Type", []byte("/Annot")}, {"Subtype", []byte("/Stamp")}, {"Rect", valueOf(found, "Rect")},
		{"F", []byte(strconv.Itoa(flags | noteFixed))}, {"AP", picture},
	}, nil
}

// appearance gives what a note looks like now, as the entry of a note that has
// one look; nil if it has none.
func (c *clientPDF) appearance(found []entry) ([]byte, error) {
	looks, err := c.dictionaryOf(valueOf(found, "AP"))
	if err != nil || looks == nil {
		return nil, err
	}
	look := valueOf(looks, "N")
	states, err := c.dictionaryOf(look)
	if err != nil {
		return nil, err
	}
	if states != nil && !c.isStream(look) {
		look = valueOf(states, strings.TrimPrefix(string(valueOf(found, "AS")), "/"))
	}
	if !c.isStream(look) {
		return nil, nil
	}
	return fmt.Appendf(nil, "<< /N %s >>", look), nil
}

// isOff tells of a box that is not ticked, or a button that is none of those
// chosen: it may have no look for that.
func (c *clientPDF) isOff(kind string, found []entry) bool {
	state := string(valueOf(found, "AS"))
	looks, err := c.dictionaryOf(valueOf(found, "AP"))
	return kind == "/Widget" && (state == "/Off" || state == "") && err == nil && looks != nil && !c.isStream(valueOf(looks, "N"))
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
		return true
	}
	for i := range sides {
		var err error
		if sides[i], err = strconv.ParseFloat(s.word(), 64); err != nil {
			return true
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
