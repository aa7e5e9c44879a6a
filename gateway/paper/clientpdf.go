package paper

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// clientPDF is a client's PDF as PDFium wrote it anew.
type clientPDF struct {
	file     []byte
	begins   map[int]int    // where each object begins
	pages    []int          // objects, in order
	others   []int          // objects that the pages need, in the order in which they are found
	notes    map[int][]note // by page
	noted    int            // how many there are
	rotation int
	bytes    int64 // an upper bound of what they take in another PDF
}

// pageKeys are the entries of a page that show something. What else may stand
// there are actions, comments, notes of editors, and ways through the document.
var pageKeys = []string{"Type", "MediaBox", "CropBox", "Resources", "Contents", "Group", "UserUnit"}

// readClient finds the pages, so many, and what they need.
func readClient(file []byte, pages, rotation int) (*clientPDF, error) {
	c := &clientPDF{file: file, begins: map[int]int{}, notes: map[int][]note{}, rotation: rotation}
	trailer, err := c.readTable()
	if err != nil {
		return nil, err
	}
	tree, err := c.readTree(trailer, pages)
	if err != nil {
		return nil, err
	}
	known := map[int]bool{}
	for _, number := range slices.Concat(tree, c.pages) {
		known[number] = true // nothing but pages leads back to pages
	}
	// Seven digits are more than an object's number ever has.
	found := func(number int) string {
		if _, there := c.begins[number]; there && !known[number] {
			known[number] = true
			c.others = append(c.others, number)
		}
		return "1000000 0 R"
	}
	// Objects that lie in each other could make much of little.
	size := &bounded{most: 4*len(file) + 64*len(c.begins)}
	for _, number := range c.pages {
		if c.notes[number], err = c.notesOf(number); err != nil {
			return nil, err
		}
		if err := c.writePage(size, number, 1_000_000, found); err != nil {
			return nil, err
		}
		for _, n := range c.notes[number] {
			if err := n.write(size, found); err != nil {
				return nil, err
			}
		}
		size.spill()
	}
	for i := 0; i < len(c.others); i++ { // it grows meanwhile
		if err := c.writeOther(size, c.others[i], found); err != nil {
			return nil, err
		}
		size.spill()
	}
	const around = 64 // the object's own lines, its place in the table, a page's in the tree
	c.bytes = int64(size.spilled) + around*int64(len(c.pages)+len(c.others)+c.noted)
	return c, nil
}

// readTable reads where the objects begin.
func (c *clientPDF) readTable() (trailer []entry, err error) {
	start := bytes.LastIndex(c.file, []byte("startxref"))
	if start < 0 {
		return nil, notPDF("startxref", 0)
	}
	s := &scan{c.file, start + len("startxref")}
	if s.at, err = s.integer(); err != nil || s.at >= len(c.file) || !s.sees("xref") {
		return nil, notPDF("table", s.at)
	}
	for !s.sees("trailer") {
		first, err := s.integer()
		if err != nil {
			return nil, err
		}
		count, err := s.integer()
		if err != nil {
			return nil, err
		}
		for i := range count {
			at, err := s.integer()
			if err != nil {
				return nil, err
			}
			if _, err := s.integer(); err != nil {
				return nil, err
			}
			if s.word() == "n" && at < len(c.file) {
				c.begins[first+i] = at
			}
			if len(c.begins) > clientObjects {
				return nil, errTakesTooMuch
			}
		}
	}
	return s.dictionary()
}

// readTree reads the list of pages: PDFium writes one, of all. It gives the
// objects that are its own.
func (c *clientPDF) readTree(trailer []entry, pages int) (own []int, err error) {
	at := trailer
	for _, key := range []string{"Root", "Pages"} {
		number, ok := (&scan{b: valueOf(at, key)}).referred()
		if !ok {
			return nil, notPDF(key, 0)
		}
		own = append(own, number)
		if at, err = c.object(number); err != nil {
			return nil, err
		}
	}
	kids := &scan{b: valueOf(at, "Kids")}
	if !kids.sees("[") {
		return nil, notPDF("list of pages", 0)
	}
	seen := map[int]bool{}
	for !kids.sees("]") {
		number, ok := kids.referred()
		if !ok {
			return nil, notPDF("page", 0)
		}
		page, err := c.object(number)
		if err != nil || string(valueOf(page, "Type")) != "/Page" || seen[number] {
			return nil, notPDF("page", c.begins[number])
		}
		seen[number] = true
		c.pages = append(c.pages, number)
	}
	if len(c.pages) != pages {
		return nil, notPDF("page", 0)
	}
	if info, ok := (&scan{b: valueOf(trailer, "Info")}).referred(); ok {
		own = append(own, info)
	}
	return own, nil
}

// open gives an object's value, behind its number.
func (c *clientPDF) open(number int) (*scan, error) {
	at, there := c.begins[number]
	s := &scan{c.file, at}
	if named, err := s.integer(); !there || err != nil || named != number {
		return nil, notPDF("object", at)
	}
	if _, err := s.integer(); err != nil || !s.sees("obj") {
		return nil, notPDF("object", at)
	}
	s.space()
	return s, nil
}

// object reads one that is a dictionary.
func (c *clientPDF) object(number int) ([]entry, error) {
	s, err := c.open(number)
	if err != nil {
		return nil, err
	}
	return s.dictionary()
}

// writePage writes a page that belongs to the tree of pages of this package's
// documents, turned as staff turned it. Its notes are the objects from firstNote.
func (c *clientPDF) writePage(w io.Writer, number, firstNote int, renamed func(int) string) error {
	entries, err := c.object(number)
	if err != nil {
		return err
	}
	rotation := 0
	if value := valueOf(entries, "Rotate"); value != nil {
		if rotation, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
			return notPDF("rotation", c.begins[number])
		}
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return !slices.Contains(pageKeys, e.key) })
	if err := writeEntries(w, entries, renamed); err != nil {
		return err
	}
	if notes := c.notes[number]; len(notes) > 0 {
		if _, err := io.WriteString(w, " /Annots ["); err != nil {
			return err
		}
		for i := range notes {
			if _, err := fmt.Fprintf(w, "%d 0 R ", firstNote+i); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, "]"); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, " /Parent %d 0 R /Rotate %d >>", pageTreeObject, ((rotation+c.rotation)%360+360)%360)
	return err
}

// writeEntries writes a dictionary but for its end.
func writeEntries(w io.Writer, entries []entry, renamed func(int) string) error {
	var out bytes.Buffer
	out.WriteString("<<")
	for _, e := range entries {
		if slices.Contains(layers, e.key) {
			return errNotWhole
		}
		out.WriteString(" /" + e.key + " ")
		if err := (&scan{b: e.value}).value(&out, renamed, 0); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

var (
	// elsewhere are the entries of a stream whose bytes lie in another file.
	elsewhere = []string{"F", "FFilter", "FDecodeParms"}
	// unseen are those that show nothing: what editors note, and files that go along.
	unseen = []string{"Metadata", "PieceInfo", "LastModified", "AF", "OPI", "Ref", "Alternates", "StructParent", "StructParents"}
)

// writeOther writes an object and, if it is a stream, its bytes as they are.
func (c *clientPDF) writeOther(w io.Writer, number int, renamed func(int) string) error {
	s, err := c.open(number)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(c.file[s.at:], []byte("<<")) {
		var out bytes.Buffer
		if err := s.value(&out, renamed, 0); err != nil {
			return err
		}
		_, err := w.Write(out.Bytes())
		return err
	}
	entries, err := s.dictionary()
	if err != nil {
		return err
	}
	streams := s.sees("stream")
	if streams {
		if slices.ContainsFunc(entries, func(e entry) bool { return slices.Contains(elsewhere, e.key) }) {
			return errNotWhole
		}
		entries = slices.DeleteFunc(entries, func(e entry) bool { return slices.Contains(unseen, e.key) })
	}
	if err := writeEntries(w, entries, renamed); err != nil {
		return err
	}
	if _, err := io.WriteString(w, " >>"); err != nil || !streams {
		return err
	}
	if bytes.HasPrefix(c.file[s.at:], []byte("\r")) {
		s.at++
	}
	s.at++ // the line feed that ends the line
	length, err := (&scan{b: valueOf(entries, "Length")}).integer()
	if err != nil || length > len(c.file)-s.at {
		return notPDF("length of a stream", s.at)
	}
	content := c.file[s.at : s.at+length]
	if s.at += length; !s.sees("endstream") {
		return notPDF("end of a stream", s.at)
	}
	if _, err := io.WriteString(w, "\nstream\n"); err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\nendstream")
	return err
}
