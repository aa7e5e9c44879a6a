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
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/requests"

	"dropslot/gateway"
)

// papers draws the PDFs of all tests: PDFium is compiled once.
var papers = NewBinder()

func clientsPDF(t testing.TB, b gateway.Binding) gateway.PDF {
	t.Helper()
	pdf, err := papers.Prepare(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// pdfOf makes a PDF of these objects, from 1: a catalog, a tree of pages, and
// what they name.
func pdfOf(objects ...string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n")
	begins := make([]int, len(objects))
	for i, object := range objects {
		begins[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, begin := range begins {
		fmt.Fprintf(&out, "%010d 00000 n \n", begin)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return out.Bytes()
}

func streamOf(entries, content string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(content), content)
}

const onePage = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"

// drawnBy is a PDF of one page with these operators.
func drawnBy(operators, resources string, more ...string) []byte {
	return pdfOf(append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>", onePage,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << " + resources + " >> >>", streamOf("", operators),
	}, more...)...)
}

func TestClientsPDFsGoAlongAsPictures(t *testing.T) {
	// A corner of each page is colored: of the second, which lies across, and of
	// the third, which says that it does, the one that is seen top left.
	letter := pdfOf(
		"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>",
		"<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 6 0 R >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 792 612] /Contents 7 0 R >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate 90 /Contents 8 0 R >>",
		streamOf("", "1 0 0 rg 0 496 306 296 re f BT /F 30 Tf 0 g 330 400 Td (canary words) Tj ET"),
		streamOf("", "0 0.6 0 rg 0 306 396 306 re f"),
		streamOf("", "0 0 1 rg 0 0 306 396 re f"),
	)
	photo := jpegOf(t, corners(300, 400), 80)
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
	if text := words(t, path); strings.Contains(text, "canary") || bytes.Contains(out, []byte("JavaScript")) {
		t.Error("more than pictures went along")
	}
}

// What somebody wrote into a form is no part of the page itself, and some
// programs leave it to others to draw.
func TestClientsPDFsAreDrawnWithWhatWasFilledIn(t *testing.T) {
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

// A page with transparency lies on white paper, as every viewer shows it.
func TestClientsPDFsLieOnWhite(t *testing.T) {
	glass := drawnBy("/G gs 1 0 0 rg 0 396 612 396 re f", "/ExtGState << /G << /ca 0.5 >> >>")
	glass = bytes.Replace(glass, []byte("/Contents"), []byte("/Group << /S /Transparency /CS /DeviceRGB >> /Contents"), 1)
	drawn := rendered(t, valid(t, written(t, clientsPDF(t, bindingOf(sheetOf(1, 0, glass))))), 1)
	if got := drawn.At(300, 600); !near(got, color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the empty half is %v", got)
	}
	if got := drawn.At(300, 200); !near(got, color.RGBA{255, 128, 128, 255}) {
		t.Errorf("the red half is %v", got)
	}
}

func TestClientsPDFsFitTheWantedSize(t *testing.T) {
	var lines strings.Builder
	for y := 40; y < 760; y += 8 {
		fmt.Fprintf(&lines, "BT /F 7 Tf 40 %d Td (Paid to the order of Alder %d for the week of %d hours and so on and so on) Tj ET ", y, y*7919, y*104729)
	}
	letter := drawnBy(lines.String(), "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >>")
	for _, most := range []int64{0, 500_000} {
		b := bindingOf(sheetOf(1, 0, letter), sheetOf(2, 0, letter), sheetOf(3, 0, jpegOf(t, photograph(900, 1200, 3), 90)))
		b.MostBytes = most
		pdf := clientsPDF(t, b)
		out := written(t, pdf)
		valid(t, out)
		if most > 0 && int64(len(out)) > most || len(pdf.LeftOut()) > 0 {
			t.Errorf("%d bytes of %d, left out %v", len(out), most, pdf.LeftOut())
		}
		if !bytes.Equal(out, written(t, pdf)) {
			t.Error("written twice it differs")
		}
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

// What a stranger may send to hurt: each stays as it is, is named, and leaves
// the next PDF, the memory and the time alone.
func TestClientsPDFsThatHurtAreLeftOut(t *testing.T) {
	many := "<< /Type /Pages /Count 201 /Kids [" + strings.Repeat("3 0 R ", 201) + "] >>"
	hostile := map[string][]byte{
		"no PDF":           []byte("%PDF-1.7\nsomebody's letter"),
		"300 MB in 300 KB": drawnBy("/X Do", "/XObject << /X 5 0 R >>", inflating(300<<20)),
		"201 pages":        bytes.Replace(drawnBy("", ""), []byte(onePage), []byte(many), 1),
		"a page of miles":  bytes.Replace(drawnBy("", ""), []byte("612 792"), []byte("612 9000000"), 1),
		"a script's pages": pdfOf("<< /Type /Catalog /Pages 2 0 R /NeedsRendering true /AcroForm << /Fields [] /XFA 4 0 R >> >>", onePage,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>", streamOf("", "<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\"/>")),
		"letters that only the sender's machine has": drawnBy("BT /F 40 Tf 100 400 Td <4E2D65876536636E> Tj ET", "/Font << /F 5 0 R >>",
			"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
			"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 7 0 R >>",
			"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"),
	}
	good := drawnBy("0 g 0 0 612 792 re f", "")
	clientsPDF(t, bindingOf(sheetOf(1, 0, good))) // compiles
	for name, content := range hostile {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			pdf := clientsPDF(t, bindingOf(sheetOf(1, 0, content), sheetOf(2, 0, good)))
			if out := pdf.LeftOut(); len(out) != 1 || out[0] != (gateway.LeftOut{Number: 1, Reason: gateway.LeftOutPDF}) || pdf.Sheets() != 1 {
				t.Errorf("left out: %v, %d sheets", out, pdf.Sheets())
			}
			if took := time.Since(began); took > 2*drawnTime {
				t.Errorf("it took %v", took)
			}
		})
	}
	memory := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(memory)
	if held := memory[0].Value.Uint64() + memory[1].Value.Uint64(); held > 2*sandboxMemory {
		t.Errorf("%d MB are held", held>>20)
	}
}

// A few kilobytes may ask for minutes of drawing: here each point of the page is
// computed by a program.
func TestClientsPDFsEndWhenTheirTimeIsOver(t *testing.T) {
	slow := drawnBy("/S sh", "/Shading << /S << /ShadingType 1 /ColorSpace /DeviceGray /Matrix [612 0 0 792 0 0] /Function 5 0 R >> >>",
		streamOf("/FunctionType 4 /Domain [0 1 0 1] /Range [0 1]", "{ add "+strings.Repeat("360 mul sin abs ", 5000)+"}"))
	d := &drawing{sandbox: papers.sandbox, time: time.Second, bytes: drawnBytes}
	clientsPDF(t, bindingOf(sheetOf(1, 0, drawnBy("", ""))))
	began := time.Now()
	if _, err := d.draw(t.Context(), sheetOf(1, 0, slow)); !errors.Is(err, errNotDrawn) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took < time.Second || took > 20*time.Second {
		t.Errorf("it ended after %v, want about a second", took)
	}
	if _, err := d.draw(t.Context(), sheetOf(2, 0, drawnBy("", ""))); !errors.Is(err, errNotDrawn) {
		t.Errorf("one more when the time is used up: %v", err)
	}
	// Whoever asked went away: that is no property of the PDF.
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	d.time = time.Minute
	if _, err := d.draw(ctx, sheetOf(1, 0, slow)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if sheets, err := d.draw(t.Context(), sheetOf(1, 0, drawnBy("", ""))); err != nil || len(sheets) != 1 {
		t.Errorf("the next one: %v", err)
	}
}

// Within the sandbox is no disk.
func TestClientsPDFsSeeNoFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, drawnBy("", ""), 0o600); err != nil {
		t.Fatal(err)
	}
	err := papers.sandbox.run(t.Context(), time.Minute, func(p pdfium.Pdfium) error {
		_, err := p.OpenDocument(&requests.OpenDocument{FilePath: &path})
		return err
	})
	if err == nil {
		t.Error("it opened a file of the disk")
	}
}
