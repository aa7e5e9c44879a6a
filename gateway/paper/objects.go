package paper

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// layers are the names of what is shown or hidden by a list in the catalog,
// which does not come along: what is hidden would come to light.
var layers = []string{"OC", "OCG", "OCMD"}

// A reader of the PDFs that PDFium writes (ISO 32000-1, 7.3 and 7.5): one table
// of objects, none packed into others, lengths where they belong. It follows
// nothing, and its work grows with what it reads.

// deepest bounds how deep arrays and dictionaries lie in each other.
const deepest = 200

func notPDF(what string, at int) error { return fmt.Errorf("%w: no %s at %d", errNotWhole, what, at) }

// scan reads tokens from one place to the next.
type scan struct {
	b  []byte
	at int
}

func isSpace(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (s *scan) space() {
	for s.at < len(s.b) && isSpace(s.b[s.at]) {
		s.at++
	}
}

// sees tells whether this comes next, and passes it.
func (s *scan) sees(token string) bool {
	s.space()
	if !bytes.HasPrefix(s.b[s.at:], []byte(token)) {
		return false
	}
	s.at += len(token)
	return true
}

// word gives the characters up to a space or delimiter.
func (s *scan) word() string {
	s.space()
	from := s.at
	for s.at < len(s.b) && !isSpace(s.b[s.at]) && !isDelimiter(s.b[s.at]) {
		s.at++
	}
	return string(s.b[from:s.at])
}

func (s *scan) integer() (int, error) {
	from := s.at
	n, err := strconv.ParseUint(s.word(), 10, 31)
	if err != nil {
		return 0, notPDF("number", from)
	}
	return int(n), nil
}

// name gives a name without its slash, as it is written.
func (s *scan) name() (string, error) {
	if !s.sees("/") {
		return "", notPDF("name", s.at)
	}
	from := s.at
	for s.at < len(s.b) && !isSpace(s.b[s.at]) && !isDelimiter(s.b[s.at]) {
		s.at++
	}
	return string(s.b[from:s.at]), nil
}

// entry is one of a dictionary; value is as it is written.
type entry struct {
	key   string
	value []byte
}

func valueOf(entries []entry, key string) []byte {
	for _, e := range entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// dictionary reads one.
func (s *scan) dictionary() ([]entry, error) {
	if !s.sees("<<") {
		return nil, notPDF("dictionary", s.at)
	}
	var entries []entry
	for !s.sees(">>") {
		key, err := s.name()
		if err != nil {
			return nil, err
		}
		s.space()
		from := s.at
		if err := s.value(nil, nil, 0); err != nil {
			return nil, err
		}
		entries = append(entries, entry{key, s.b[from:s.at]})
	}
	return entries, nil
}

// value passes a value. With out it is written there, each reference as renamed
// gives it.
func (s *scan) value(out *bytes.Buffer, renamed func(int) string, depth int) error {
	s.space()
	from := s.at
	if depth > deepest || s.at >= len(s.b) {
		return notPDF("value", from)
	}
	switch c := s.b[s.at]; {
	case s.sees("<<"):
		return s.until(">>", "<<", out, renamed, depth)
	case s.sees("["):
		return s.until("]", "[", out, renamed, depth)
	case c == '(':
		if err := s.text(); err != nil {
			return err
		}
	case c == '<':
		end := bytes.IndexByte(s.b[s.at:], '>')
		if end < 0 {
			return notPDF("end of a string", from)
		}
		s.at += end + 1
	case c == '/':
		name, err := s.name()
		if err != nil {
			return err
		}
		if out != nil && slices.Contains(layers, name) {
			return errNotWhole
		}
	case s.reference(out, renamed):
		return nil
	default:
		if s.word() == "" {
			return notPDF("value", from)
		}
	}
	if out != nil {
		out.Write(s.b[from:s.at])
		out.WriteByte(' ')
	}
	return nil
}

// until passes values up to the end of an array or dictionary.
func (s *scan) until(end, begin string, out *bytes.Buffer, renamed func(int) string, depth int) error {
	if out != nil {
		out.WriteString(begin)
	}
	for !s.sees(end) {
		if err := s.value(out, renamed, depth+1); err != nil {
			return err
		}
	}
	if out != nil {
		out.WriteString(end)
	}
	return nil
}

// text passes a string in parentheses.
func (s *scan) text() error {
	from := s.at
	for open := 0; s.at < len(s.b); s.at++ {
		switch s.b[s.at] {
		case '\\':
			s.at++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				s.at++
				return nil
			}
		}
	}
	return notPDF("end of a string", from)
}

// reference passes a reference to an object, if it is one.
func (s *scan) reference(out *bytes.Buffer, renamed func(int) string) bool {
	number, ok := s.referred()
	if ok && out != nil {
		out.WriteString(renamed(number))
		out.WriteByte(' ')
	}
	return ok
}

func (s *scan) referred() (int, bool) {
	from := s.at
	number, err := s.integer()
	if err == nil {
		_, err = s.integer()
	}
	if err != nil || s.word() != "R" {
		s.at = from
		return 0, false
	}
	return number, true
}
