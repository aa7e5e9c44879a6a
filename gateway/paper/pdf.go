package paper

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// document writes the objects of a PDF (ISO 32000-1) one after the other. It
// keeps where each begins, and nothing of what is in it.
type document struct {
	to      *bufio.Writer
	at      int64
	begins  []int64 // by object number less one; 0 while it is not written
	pages   []int   // object numbers in order
	failure error
}

// The objects that every document has, by number.
const (
	catalogObject = 1 + iota
	pageTreeObject
	regularObject // fonts
	boldObject
	infoObject
	firstFree
)

func newDocument(w io.Writer) *document {
	d := &document{to: bufio.NewWriterSize(w, 64<<10), begins: make([]int64, firstFree-1)}
	// Bytes above 127 in the second line tell programs that this is no text.
	_, _ = io.WriteString(d, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	d.object(regularObject, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	d.object(boldObject, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
	return d
}

// Write lets what is written be counted.
func (d *document) Write(b []byte) (int, error) {
	if d.failure != nil {
		return 0, d.failure
	}
	n, err := d.to.Write(b)
	d.at += int64(n)
	d.failure = err
	return n, err
}

func (d *document) print(format string, values ...any) {
	_, _ = fmt.Fprintf(d, format, values...) // the failure is kept
}

// next gives the number of a new object.
func (d *document) next() int {
	d.begins = append(d.begins, 0)
	return len(d.begins)
}

func (d *document) begin(number int) {
	d.begins[number-1] = d.at
	d.print("%d 0 obj\n", number)
}

func (d *document) object(number int, body string) {
	d.begin(number)
	d.print("%s\nendobj\n", body)
}

// stream writes an object whose content has exactly that many bytes.
func (d *document) stream(number int, entries string, size int64, content func(io.Writer) error) error {
	d.begin(number)
	d.print("<< %s /Length %d >>\nstream\n", entries, size)
	from := d.at
	if err := content(d); err != nil {
		return err
	}
	if d.failure == nil && d.at-from != size {
		return fmt.Errorf("a picture of %d bytes came as %d", size, d.at-from)
	}
	d.print("\nendstream\nendobj\n")
	return d.failure
}

// page adds a page of that size in points whose content is drawn by the
// operators and uses the named resources.
func (d *document) page(width, height float64, resources, operators string) {
	page, content := d.next(), d.next()
	d.pages = append(d.pages, page)
	d.object(page, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Resources << %s >> /Contents %d 0 R >>",
		pageTreeObject, number(width), number(height), resources, content))
	_ = d.stream(content, "", int64(len(operators)), func(w io.Writer) error {
		_, err := io.WriteString(w, operators)
		return err
	})
}

// addClient adds the pages of a client's PDF.
func (d *document) addClient(c *clientPDF) error {
	names := make(map[int]int, len(c.pages)+len(c.others))
	for _, number := range slices.Concat(c.pages, c.others) {
		names[number] = d.next()
	}
	renamed := func(number int) string {
		if name, there := names[number]; there {
			return strconv.Itoa(name) + " 0 R"
		}
		return "null" // pages, and objects that are not there
	}
	add := func(name int, write func() error) error {
		d.begin(name)
		err := write()
		d.print("\nendobj\n")
		return err
	}
	for _, number := range c.pages {
		firstNote := len(d.begins) + 1
		if err := add(names[number], func() error { return c.writePage(d, number, firstNote, renamed) }); err != nil {
			return err
		}
		d.pages = append(d.pages, names[number])
		for _, n := range c.notes[number] {
			if err := add(d.next(), func() error { return n.write(d, renamed) }); err != nil {
				return err
			}
		}
	}
	for _, number := range c.others {
		if err := add(names[number], func() error { return c.writeOther(d, number, renamed) }); err != nil {
			return err
		}
	}
	return d.failure
}

// end writes what leads to the pages.
func (d *document) end(title string) error {
	var kids strings.Builder
	for _, page := range d.pages {
		fmt.Fprintf(&kids, "%d 0 R ", page)
	}
	d.object(pageTreeObject, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(d.pages), strings.TrimSpace(kids.String())))
	d.object(infoObject, "<< /Producer (Dropslot) /Title "+literal(title)+" >>")
	d.object(catalogObject, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>", pageTreeObject))
	table := d.at
	d.print("xref\n0 %d\n0000000000 65535 f \n", len(d.begins)+1)
	for _, begin := range d.begins {
		d.print("%010d 00000 n \n", begin)
	}
	d.print("trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(d.begins)+1, catalogObject, infoObject, table)
	if d.failure != nil {
		return d.failure
	}
	return d.to.Flush()
}

// number writes a coordinate: hundredths of a point are finer than any printer.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}
