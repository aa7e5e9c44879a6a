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
func copied(t testing.TB, file []byte) ([]byte, error) {
	t.Helper()
	client, err := readClient(file, 0)
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
	out, err := copied(t, file)
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
	tree := "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	with := func(objects ...string) []byte {
		return pdfOf(append([]string{"<</Type/Catalog/Pages 2 0 R>>"}, objects...)...)
	}
	whole := with(tree, page, streamOf("", "q Q"))
	if _, err := copied(t, whole); err != nil {
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
		"a sideways rotation": with(tree, strings.Replace(page, "/Contents", "/Rotate(90)/Contents", 1), streamOf("", "")),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := copied(t, file); !errors.Is(err, errNotWhole) {
				t.Errorf("%v", err)
			}
		})
	}
}

func FuzzReadClient(f *testing.F) {
	f.Add(pdfOf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/Rotate 90/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</A(\\)())/B<41>/C[null true 1.5 5 0 R]>>>>", streamOf("", "q Q"), "[(x)]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := copied(t, file)
		if err == nil && !bytes.HasPrefix(out, []byte("%PDF-")) {
			t.Error("no PDF")
		}
	})
}
