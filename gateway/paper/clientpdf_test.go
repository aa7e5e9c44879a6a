package paper

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

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

// copied writes the pages of a PDF into one of ours.
func copied(t testing.TB, file []byte, pages int) ([]byte, error) {
	t.Helper()
	client, err := readClient(file, pages, 0)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	d := newDocument(&out)
	before := d.at
	if err := d.addClient(client); err != nil {
		return nil, err
	}
	if took := d.at - before; took > client.bytes {
		t.Errorf("%d bytes were announced, and %d came", client.bytes, took)
	}
	err = d.end("Papers")
	return out.Bytes(), err
}

// Everything that a page shows comes along, and nothing else.
func TestWhatPagesNeedIsCopied(t *testing.T) {
	file := pdfOf(
		"<< /Type /Catalog /Pages 2 0 R /OpenAction 9 0 R >>",
		"<</Type/Pages/Kids[3 0 R  4 0 R]/Count 2>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents[5 0 R 6 0 R]/Resources<</Font<</F 7 0 R>>/Gone 77 0 R>>/AA<</O 9 0 R>>/Annots[10 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Rotate -90/Contents 8 0 R/Resources<</Font<</F 7 0 R>>/Back 3 0 R>>>>",
		streamOf("", "BT /F 30 Tf 100 700 Td (one \\(5 0 R\\) ) Tj ET endstream 3 0 R"), streamOf("", "BT /F 30 Tf 100 600 Td <74776F> Tj ET"),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Note (an \\) and (another) 5 0 R) /Round 7 0 R >>",
		"<</Length 36>>stream\r\nBT /F 30 Tf 100 700 Td (three) Tj ET\r\nendstream",
		"<< /S /JavaScript /JS (canary.script\\(\\)) >>", "<< /Type /Annot /Subtype /Link /A 9 0 R /Contents (canary note) >>",
	)
	out, err := copied(t, file, 2)
	if err != nil {
		t.Fatal(err)
	}
	path := valid(t, out)
	text := words(t, path)
	for _, word := range []string{"one (5 0 R)", "two", "three"} {
		if !strings.Contains(text, word) {
			t.Errorf("the pages do not say %q but %q", word, text)
		}
	}
	if bytes.Contains(out, []byte("canary")) {
		t.Error("more came along than what the pages show")
	}
	if n := strings.Count(string(out), "/Type /Page "); n != 2 {
		t.Errorf("%d pages", n)
	}
	if size := rendered(t, path, 2).Bounds().Size(); size.X < size.Y {
		t.Errorf("the page that lies across stands: %v", size)
	}
}

// Whatever a sandbox that a stranger got hold of hands out is an error or pages.
func TestHostileObjectsAreRefused(t *testing.T) {
	page := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>"
	noted := strings.Replace(page, "/Contents", "/Annots[5 0 R]/Contents", 1)
	tree := "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	with := func(objects ...string) []byte {
		return pdfOf(append([]string{"<</Type/Catalog/Pages 2 0 R>>"}, objects...)...)
	}
	whole := with(tree, page, streamOf("", "q Q"))
	if _, err := copied(t, whole, 1); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"nothing":             nil,
		"no table":            bytes.Replace(whole, []byte("startxref"), []byte("startxxxx"), 1),
		"a table elsewhere":   bytes.Replace(whole, []byte("startxref\n"), []byte("startxref\n9999999"), 1),
		"another object":      bytes.Replace(whole, []byte("\n3 0 obj"), []byte("\n8 0 obj"), 1),
		"a tree of trees":     with("<</Type/Pages/Kids[5 0 R]/Count 1>>", page, streamOf("", ""), tree),
		"a page twice":        with("<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>", page, streamOf("", "")),
		"no pages at all":     with("<</Type/Pages/Count 1>>", page, streamOf("", "")),
		"a stream too long":   with(tree, page, "<</Length 99999>>stream\nq Q\nendstream"),
		"a stream too short":  with(tree, page, "<</Length 1>>stream\nq Q\nendstream"),
		"a negative stream":   with(tree, page, "<</Length -1>>stream\nq Q\nendstream"),
		"an endless string":   with(tree, page, "<</A (("),
		"an endless array":    with(tree, page, strings.Repeat("[", 1_000_000)),
		"a key without value": with(tree, page, "<</A>>"),
		"fewer pages":         with("<</Type/Pages/Kids[]/Count 0>>"),
		"a layer":             with(tree, strings.Replace(page, "/Contents", "/Resources<</Properties<</L 5 0 R>>>>/Contents", 1), streamOf("", ""), "<</Type/OCG/Name(x)>>"),
		"a form in a layer":   with(tree, strings.Replace(page, "/Contents", "/Resources<</XObject<</L 5 0 R>>>>/Contents", 1), streamOf("", ""), streamOf("/OC 9 0 R", "")),
		"bytes in a file":     with(tree, page, streamOf("/F (//elsewhere/x)", "")),
		"a sticky note":       with(tree, noted, streamOf("", ""), "<</Subtype/Text/Contents(I did not work in May)/Rect[0 0 9 9]/AP<</N 4 0 R>>>>"),
		"a file on a page":    with(tree, noted, streamOf("", ""), "<</Subtype/FileAttachment/Rect[0 0 9 9]/AP<</N 4 0 R>>>>"),
		"a commented mark":    with(tree, noted, streamOf("", ""), "<</Subtype/Highlight/Contents(wrong)/Rect[0 0 9 9]/AP<</N 4 0 R>>>>"),
		"a look that is gone": with(tree, noted, streamOf("", ""), "<</Subtype/Stamp/Rect[0 0 9 9]/AP<</N 99 0 R>>>>"),
		"no look at all":      with(tree, noted, streamOf("", ""), "<</Subtype/Stamp/Rect[0 0 9 9]/AP<<>>>>"),
		"a field nobody drew": with(tree, noted, streamOf("", ""), "<</Subtype/Widget/FT/Tx/Rect[0 0 9 9]>>"),
		"a lost look":         with(tree, noted, streamOf("", ""), "<</Subtype/Widget/FT/Tx/AS/Off/Rect[0 0 9 9]/AP<</N 99 0 R>>>>"),
		"a box of no state":   with(tree, noted, streamOf("", ""), "<</Subtype/Widget/FT/Btn/Rect[0 0 9 9]/AP<</N<</Yes 4 0 R>>>>>>"),
		"flags elsewhere":     with(tree, noted, streamOf("", ""), "<</Subtype/Stamp/F 6 0 R/Rect[0 0 9 9]/AP<</N 4 0 R>>>>", "4"),
		"a commented stamp":   with(tree, noted, streamOf("", ""), "<</Subtype/Stamp/Contents(I did not work)/Rect[0 0 9 9]/AP<</N 4 0 R>>>>"),
		"a note in a layer":   with(tree, noted, streamOf("", ""), "<</Subtype/Stamp/OC 9 0 R/Rect[0 0 9 9]/AP<</N 4 0 R>>>>"),
		"a sideways rotation": with(tree, strings.Replace(page, "/Contents", "/Rotate(90)/Contents", 1), streamOf("", "")),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := copied(t, file, 1); !errors.Is(err, errNotWhole) {
				t.Errorf("%v", err)
			}
		})
	}
}

// What lies on a page comes along as it looks, and cannot be moved or lead away.
func TestWhatLiesOnPagesIsCopied(t *testing.T) {
	box := streamOf("/Type/XObject/Subtype/Form/BBox[0 0 10 10]/Metadata 4 0 R/PieceInfo<</X 4 0 R>>", "0 g 0 0 10 10 re f")
	file := pdfOf(
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 600]/Annots 5 0 R>>", streamOf("", "canary metadata"),
		"[6 0 R 7 0 R 8 0 R 9 0 R 10 0 R 12 0 R 13 0 R null 99 0 R <</Subtype/Popup/Rect[0 0 1 1]>>]",
		"<</Subtype/Widget/FT/Btn/Parent 4 0 R/AS/Yes/F 4/Rect[0 500 100 600]/A<</S/JavaScript/JS(canary)>>/AP<</N<</Yes 11 0 R/Off 11 0 R>>/D 4 0 R>>>>",
		"<</Subtype/Widget/FT/Btn/AS/Off/F 4/Rect[500 500 600 600]/AP<</N<</Yes 11 0 R>>>>>>",
		"<</Subtype/Stamp/F 6/Rect[0 0 100 100]/AP<</N 14 0 R>>>>",
		"<</Subtype/Widget/FT/Sig/F 132/Rect[0 0 0 0]/V 4 0 R>>",
		"<</Subtype/Ink/F 5/Contents(\\376\\377)/Rect[500 0 600 100]/AP<</N 11 0 R>>>>", box,
		"<</Subtype/Link/Rect[200 200 300 300]/A<</S/URI/URI(https://canary.test)>>>>", "<</Subtype/Popup/Rect[200 200 300 300]/Contents(canary)>>",
		streamOf("/Type/XObject/Subtype/Form/BBox[0 0 10 10]", "% canary: hidden"),
	)
	out, err := copied(t, file, 1)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out, []byte("canary")) {
		t.Error("more came along than what the page shows")
	}
	drawn := rendered(t, valid(t, out), 1)
	for what, place := range map[string]struct {
		x, y int
		ink  bool
	}{"the ticked box": {50, 50, true}, "the empty box": {550, 50, false}, "the hidden stamp": {50, 550, false}, "the line by hand": {550, 550, true}} {
		if r, _, _, _ := drawn.At(place.x, place.y).RGBA(); (r < 0x8000) != place.ink {
			t.Errorf("%s: %v", what, drawn.At(place.x, place.y))
		}
	}
}

// Objects that lie in each other would make terabytes of a few megabytes.
func TestObjectsInEachOtherEnd(t *testing.T) {
	const streams = 2000
	var contents, objects strings.Builder
	begins := make([]int, 0, streams)
	file := []byte("%PDF-1.7\n")
	for i := range streams {
		fmt.Fprintf(&contents, "%d 0 R ", 4+i)
	}
	head := []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/MediaBox[0 0 9 9]/Contents[" + contents.String() + "]>>"}
	var offsets []int
	for i, object := range head {
		offsets = append(offsets, len(file))
		file = fmt.Appendf(file, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	each := len("0004 0 obj<</Length 00000000>>stream\n")
	for i := range streams {
		begins = append(begins, len(file)+objects.Len())
		fmt.Fprintf(&objects, "%04d 0 obj<</Length %08d>>stream\n", 4+i, (streams-1-i)*each)
	}
	file = append(file, objects.String()...)
	for range streams {
		file = append(file, " endstream"...)
	}
	table := len(file)
	file = fmt.Appendf(file, "\nxref\n0 %d\n0000000000 65535 f \n", 4+streams)
	for _, at := range append(offsets, begins...) {
		file = fmt.Appendf(file, "%010d 00000 n \n", at)
	}
	file = fmt.Appendf(file, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n", 4+streams, table)
	if _, err := readClient(file, 1, 0); !errors.Is(err, errTakesTooMuch) && !errors.Is(err, errNotWhole) {
		t.Errorf("%v", err)
	}
}

func FuzzReadClient(f *testing.F) {
	f.Add(pdfOf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/Rotate 90/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</A(\\)())/B<41>/C[null true 1.5 5 0 R]>>>>", streamOf("", "q Q"), "[(x)]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := copied(t, file, 1)
		if err == nil && !bytes.HasPrefix(out, []byte("%PDF-")) {
			t.Error("no PDF")
		}
	})
}
