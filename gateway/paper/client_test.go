//go:build !race

// Compiling PDFium takes half a minute under the race detector.

package paper

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/requests"

	"dropslot/gateway"
)

// papers reads the PDFs of all tests: PDFium is compiled once.
var papers = NewBinder()

func clientsPDF(t testing.TB, b gateway.Binding) gateway.PDF {
	t.Helper()
	pdf, err := papers.Prepare(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// lettersPages has a corner of each page colored: of the second, which lies
// across, and of the third, which says that it does, the one seen top left.
func lettersPages() []byte {
	return pdfOf(
		"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (canary) >> >>",
		"<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 6 0 R /AA << /O << /S /JavaScript /JS (canary) >> >> >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 792 612] /Contents 7 0 R >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate 90 /Contents 8 0 R >>",
		streamOf("", "1 0 0 rg 0 496 306 296 re f BT /F 30 Tf 0 g 330 400 Td (printed words) Tj ET"),
		streamOf("", "0 0.6 0 rg 0 306 396 306 re f"),
		streamOf("", "0 0 1 rg 0 0 306 396 re f"),
	)
}

func TestClientsPDFsGoAlong(t *testing.T) {
	photo, letter := jpegOf(t, corners(300, 400), 80), lettersPages()
	pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, photo), sheetOf(2, 0, letter), sheetOf(3, 180, letter)))
	if out := pdf.LeftOut(); len(out) > 0 || pdf.Sheets() != 3 {
		t.Fatalf("%d sheets, left out %v", pdf.Sheets(), out)
	}
	out := written(t, pdf)
	path := valid(t, out)
	for page, want := range []struct {
		color  color.RGBA
		across bool
		end    bool // it is the last corner that has the color
	}{{red, false, false}, {red, false, false}, {green, true, false}, {blue, true, false}, {red, false, true}, {green, true, true}, {blue, true, true}} {
		drawn := rendered(t, path, page+1)
		size := drawn.Bounds().Size()
		if (size.X > size.Y) != want.across {
			t.Errorf("page %d has the size %v", page+1, size)
		}
		x, y := size.X/4, size.Y/4
		if want.end {
			x, y = size.X-x, size.Y-y
		}
		r, g, b, _ := drawn.At(x, y).RGBA()
		strongest := map[color.RGBA]uint32{red: r, green: g, blue: b}[want.color]
		if strongest < 0x8000 || min(r, g, b) > 0x5000 {
			t.Errorf("page %d: the corner is %v", page+1, drawn.At(x, y))
		}
	}
	if text := words(t, path); strings.Count(text, "printed words") != 2 {
		t.Errorf("the words are %q", text)
	}
	if bytes.Contains(out, []byte("canary")) {
		t.Error("a script went along")
	}
	if !bytes.Equal(out, written(t, pdf)) {
		t.Error("written twice it differs")
	}
}

func TestClientsPDFsKeepWhatPagesInherit(t *testing.T) {
	letter := pdfOf(
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 300 900] /Rotate 6 0 R /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> >> >>",
		"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Annots [5 0 R] >>", streamOf("", "0 0 1 rg 0 0 150 450 re f BT /F 20 Tf 20 700 Td (printed words) Tj ET q 0 0 1 1 re W n"),
		"<< /Type /Annot /Subtype /Stamp /F 4 /Rect [200 800 300 900] /AP << /N 7 0 R >> >>", "90",
		streamOf("/Type /XObject /Subtype /Form /BBox [0 0 100 100]", "0 g 0 0 100 100 re f"),
	)
	pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, letter)))
	if len(pdf.LeftOut()) > 0 {
		t.Fatal("left out")
	}
	path := valid(t, written(t, pdf))
	if text := words(t, path); !strings.Contains(text, "printed words") {
		t.Errorf("the words are %q", text)
	}
	drawn := rendered(t, path, 1)
	if r, _, _, _ := drawn.At(850, 250).RGBA(); r > 0x4000 { // whatever the page's own drawing left behind
		t.Errorf("the stamp is %v", drawn.At(850, 250))
	}
	if size := drawn.Bounds().Size(); size.X != 900 || size.Y != 300 {
		t.Errorf("the page has the size %v", size)
	}
	if got := drawn.At(200, 70); !near(got, color.RGBA{0, 0, 255, 255}) {
		t.Errorf("top left is %v", got)
	}
}

// What somebody wrote into a form is no part of the page itself, and some
// programs leave it to others to draw.
func TestClientsPDFsGoAlongWithWhatWasFilledIn(t *testing.T) {
	form := pdfOf(
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R 5 0 R] /NeedAppearances true /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 7 0 R >> >> >> >>", onePage,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Annots [4 0 R 5 0 R 8 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (MMMMMMMM) /DA (/Helv 60 Tf 0 g) /F 4 /Rect [50 600 560 700] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Btn /T (box) /V /Yes /AS /Yes /F 4 /Rect [100 100 300 300] /AP << /N << /Yes 6 0 R >> >> >>",
		streamOf("/Type /XObject /Subtype /Form /BBox [0 0 100 100]", "0 g 0 0 100 100 re f"),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Type /Annot /Subtype /Stamp /F 4 /Rect [400 100 500 200] /AP << /N 6 0 R >> >>",
	)
	pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, form)))
	if len(pdf.LeftOut()) > 0 {
		t.Fatal("left out")
	}
	drawn := rendered(t, valid(t, written(t, pdf)), 1)
	ink := func(x0, y0, x1, y1 int) (dark int) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				if r, _, _, _ := drawn.At(x, y).RGBA(); r < 0x6000 {
					dark++
				}
			}
		}
		return dark
	}
	for what, place := range map[string][4]int{"the name": {60, 100, 550, 185}, "the box": {120, 510, 280, 670}, "the stamp": {420, 610, 480, 670}} {
		if ink(place[0], place[1], place[2], place[3]) < 900 {
			t.Errorf("%s is not drawn", what)
		}
	}
	if ink(310, 300, 390, 480) > 0 {
		t.Error("there is ink where nothing was written")
	}
}

// Forms have fields that nobody filled in, and names in letters that the
// program of whoever filled them in has drawn.
func TestClientsPDFsGoAlongWithWhatIsDrawnAlready(t *testing.T) {
	form := pdfOf(
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R 5 0 R 6 0 R 8 0 R] >> >>", onePage,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Annots [4 0 R null 5 0 R 6 0 R 8 0 R << /Subtype /Popup /Rect [0 0 9 9] >>] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (sign here) /F 4 /Rect [50 100 560 200] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Btn /T (empty box) /F 4 /Rect [50 300 90 340] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V <FEFF041C04300440> /F 4 /Rect [50 600 560 700] /AP << /N 7 0 R >> >>",
		streamOf("/Type /XObject /Subtype /Form /BBox [0 0 510 100]", "0 g 0 0 510 100 re f"),
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (empty) /F 4 /Rect [50 400 560 500] >>",
	)
	pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, form)))
	if len(pdf.LeftOut()) > 0 {
		t.Fatal("left out")
	}
	drawn := rendered(t, valid(t, written(t, pdf)), 1)
	if r, _, _, _ := drawn.At(300, 140).RGBA(); r > 0x4000 {
		t.Error("the name is not drawn")
	}
}

// A PDF that its owner locked against changes, as banks do, is open to read.
func TestClientsPDFsThatTheirOwnerLockedGoAlong(t *testing.T) {
	folder := t.TempDir()
	plain, locked := filepath.Join(folder, "a.pdf"), filepath.Join(folder, "b.pdf")
	if err := os.WriteFile(plain, lettersPages(), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(program(t, "qpdf"), "--encrypt", "", "owner", "256", "--modify=none", "--", plain, locked).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, said)
	}
	content, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, content)))
	if text := words(t, valid(t, written(t, pdf))); !strings.Contains(text, "printed words") {
		t.Errorf("left out %v, the words are %q", pdf.LeftOut(), text)
	}
}

// A PDF stays as it is; the photographs beside it make room.
func TestClientsPDFsFitTheWantedSize(t *testing.T) {
	b := bindingOf(sheetOf(1, 0, lettersPages()), sheetOf(2, 0, jpegOf(t, photograph(1100, 1500, 3), 95)))
	b.MostBytes = 300_000
	pdf := clientsPDF(t, b)
	if out := written(t, pdf); int64(len(out)) > b.MostBytes || len(pdf.LeftOut()) > 0 {
		t.Errorf("%d bytes, left out %v", len(out), pdf.LeftOut())
	}
	b.MostBytes = 1_000
	if _, err := papers.Prepare(t.Context(), b); !gateway.Is(err, gateway.CodePDFTooBig) {
		t.Errorf("%v", err)
	}
}

// inflating is a form of blanks that comes packed.
func inflating(size int) string {
	var packed bytes.Buffer
	w, _ := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range size >> 20 {
		_, _ = w.Write(blanks)
	}
	_ = w.Close()
	return streamOf("/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Filter /FlateDecode", packed.String())
}

// What pages alone would not show, and what a stranger may send to hurt: each
// stays a file of its own, is named, and leaves the next PDF alone.
func TestClientsPDFsThatArePagesAndMoreAreLeftOut(t *testing.T) {
	many := "<< /Type /Pages /Count 501 /Kids [" + strings.Repeat("3 0 R ", 501) + "] >>"
	noted := func(note string, more ...string) []byte {
		return pdfOf(append([]string{
			"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /NeedAppearances true /DA (/Helv 0 Tf 0 g) >> >>", onePage,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Annots [4 0 R] >>", "<< /Type /Annot /Rect [50 600 560 700] /F 4 " + note + " >>",
		}, more...)...)
	}
	nested := make([]string, 12)
	for i := range nested {
		nested[i] = streamOf(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X %d 0 R >> >>", 6+i),
			strings.Repeat("q 0.9 0 0 0.9 1 1 cm /X Do Q ", 10))
	}
	good := drawnBy("0 g 0 0 612 792 re f", "")
	for name, content := range map[string][]byte{
		"no PDF":               []byte("%PDF-1.7\nsomebody's letter"),
		"half a PDF":           lettersPages()[:700],
		"501 pages":            bytes.Replace(drawnBy("", ""), []byte(onePage), []byte(many), 1),
		"a name in Russian":    noted("/Subtype /Widget /FT /Tx /T (name) /V <FEFF041C04300440> /DA (/Helv 20 Tf 0 g)"),
		"a name of its parent": noted("/Subtype /Widget /Parent 5 0 R /DA (/Helv 20 Tf 0 g)", "<< /FT /Tx /T (name) /V <FEFF041C04300440> /Kids [4 0 R] >>"),
		"a choice in Russian":  noted("/Subtype /Widget /FT /Ch /T (name) /V (a) /Opt [[(a) <FEFF041C04300440>]] /DA (/Helv 20 Tf 0 g)"),
		"content that is gone": bytes.Replace(drawnBy("0 g 0 0 99 99 re f", ""), []byte("/Contents 4 0 R"), []byte("/Contents [4 0 R 99 0 R]"), 1),
		"a box with another tick": noted("/Subtype /Widget /Parent 5 0 R /AS /Yes /AP << /N << /Ja 6 0 R >> >>", "<< /FT /Btn /T (box) /V /Yes /Kids [4 0 R] >>",
			streamOf("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", "0 g 0 0 9 9 re f")),
		"a line drawn by nobody": noted("/Subtype /Line /L [0 0 100 100]"),
		"300 MB in 300 KB":       noted("/Subtype /Stamp /AP << /N 5 0 R >>", inflating(300<<20)),
		"drawings in drawings":   noted("/Subtype /Stamp /AP << /N 5 0 R >>", nested...),
		"a script's pages": pdfOf("<< /Type /Catalog /Pages 2 0 R /NeedsRendering true /AcroForm << /Fields [] /XFA 4 0 R >> >>", onePage,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>", streamOf("", "<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\"/>")),
		"a portfolio": pdfOf("<< /Type /Catalog /Pages 2 0 R /Collection << >> /Names << /EmbeddedFiles << /Names [(a) 4 0 R] >> >> >>", onePage,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>", "<< /Type /Filespec /F (a) /EF << /F 5 0 R >> >>", streamOf("/Type /EmbeddedFile", "a")),
	} {
		t.Run(name, func(t *testing.T) {
			left := &allowance{time: 5 * time.Second, bytes: clientBytes}
			if _, err := papers.sandbox.bring(t.Context(), sheetOf(1, 0, content), left); !errors.Is(err, errNotWhole) && !errors.Is(err, errTakesTooMuch) {
				t.Errorf("%v", err)
			}
			pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, good)))
			if len(pdf.LeftOut()) > 0 {
				t.Error("the next one is left out")
			}
		})
	}
	pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, []byte("%PDF-1.7\nsomebody's letter")), sheetOf(2, 0, good)))
	if out := pdf.LeftOut(); len(out) != 1 || out[0] != (gateway.LeftOut{Number: 1, Reason: gateway.LeftOutPDF}) || pdf.Sheets() != 1 {
		t.Errorf("left out: %v, %d sheets", out, pdf.Sheets())
	}
	if text := words(t, valid(t, written(t, pdf))); !strings.Contains(text, "Page 1: pdf") {
		t.Errorf("the PDF says %q", text)
	}
}

// A PDF may ask for hours; and whoever asked may go away.
func TestClientsPDFsEndWhenTheirTimeIsOver(t *testing.T) {
	endless := func(p pdfium.Pdfium) error {
		for {
			if _, err := p.FPDF_CreateNewDocument(&requests.FPDF_CreateNewDocument{}); err != nil {
				return err
			}
		}
	}
	began := time.Now()
	if err := papers.sandbox.run(t.Context(), time.Second, endless); !errors.Is(err, errTakesTooMuch) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := papers.sandbox.run(ctx, time.Minute, endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("both took %v", took)
	}
	if _, err := papers.sandbox.bring(t.Context(), sheetOf(1, 0, lettersPages()), &allowance{}); !errors.Is(err, errTakesTooMuch) {
		t.Errorf("one more when the time is used up: %v", err)
	}
	if _, err := papers.sandbox.bring(t.Context(), sheetOf(1, 0, lettersPages()), &allowance{time: time.Minute, bytes: 100}); !errors.Is(err, errTakesTooMuch) {
		t.Errorf("one more when the room is used up: %v", err)
	}
	failing := gateway.Sheet{Number: 1, Open: func() (io.ReadCloser, error) { return nil, os.ErrPermission }}
	if _, err := papers.sandbox.bring(t.Context(), failing, &allowance{time: time.Minute, bytes: clientBytes}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// Within the sandbox is no disk.
func TestClientsPDFsSeeNoFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, lettersPages(), 0o600); err != nil {
		t.Fatal(err)
	}
	err := papers.sandbox.run(t.Context(), time.Minute, func(p pdfium.Pdfium) error {
		content := lettersPages()
		if _, err := p.OpenDocument(&requests.OpenDocument{File: &content}); err != nil {
			t.Errorf("it opens nothing at all: %v", err)
		}
		_, err := p.OpenDocument(&requests.OpenDocument{FilePath: &path})
		return err
	})
	if err == nil {
		t.Error("it opened a file of the disk")
	}
}
