package e2e

import (
	"bytes"
	wire "encoding/binary"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// withoutScript is a phone whose browser runs no JavaScript: the server seals
// the files, takes off what they tell beside the picture, and each step is a
// plain form.
func withoutScript(w *town) {
	jo := w.newPerson("Jo")
	jo.withoutScripts()
	jo.asks("Hello, may I send papers?")
	jo.enters()
	const told = "canary camera of Jo at 41.8781 north"
	w.secrets.keep("what a photograph tells beside the picture", told)
	photo := w.file("canary-name-of-Jo-photo.jpg", photograph(w, told))
	jo.sendsForm(photo, "benefit-letter")
	jo.reads("page.send.added", "number", "1")
	jo.sendsForm(w.file("canary-name-of-Jo-letter.pdf", pdf(4<<10, "canary words in the letter of Jo")), "")
	jo.reads("page.send.added", "number", "2")
	if n := jo.pages(); n != 2 {
		w.t.Fatalf("two pages were sent, the page lists %d", n)
	}
	jo.picture("plain")
	jo.clickThrough("#list > li:nth-child(2) form.remove button")
	jo.reads("page.send.removed", "count", "1")
	if n := jo.pages(); n != 1 {
		w.t.Errorf("after one was removed, the page lists %d", n)
	}
	jo.sendsForm(w.file("canary-name-of-Jo-notes.txt", []byte("just words")), "")
	jo.reads("errors.page-type")
	jo.isDone("Jo Canaria Plain")
	jo.reads("page.receipt.heading")
	jo.reads("page.receipt.pages", "count", "1")
	submission := jo.submission()

	dana := w.dana()
	dana.opens(submission)
	dana.sees("Jo Canaria Plain")
	dana.sees("Benefit letter")
	dana.sees("sealed by the server")
	dana.showsPicture()
	w.samePages(dana, submission, func(_ int, content []byte, _ http.Header) {
		showsPaper(w.t, content, payStatement)
		if bytes.Contains(content, []byte("canary")) || bytes.Contains(content, []byte("Exif")) {
			w.t.Error("the photograph still tells more than its picture")
		}
	})
	if n := len(w.sealedPagesOf(submission)); n != 1 {
		w.t.Errorf("the vault keeps %d pages, one was removed", n)
	}
}

// sendsForm chooses a file and presses the plain form's button.
func (p *person) sendsForm(file, label string) {
	p.t.Helper()
	if label != "" {
		p.do("label the page", chromedp.SetValue(chromedp.CSS("#plain-label"), label))
	}
	p.chooses(file)
	p.clickThrough("#file-form button")
}

// file writes a file of the phone's own: outside of the house. Its name is
// nobody else's business either.
func (w *town) file(name string, content []byte) string {
	w.t.Helper()
	w.secrets.keep("the name of a file", strings.TrimSuffix(name, filepath.Ext(name)))
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// photograph is a JPEG of the paper as a phone's camera app writes it: with
// an Exif segment and a comment, both of which tell something.
func photograph(w *town, told string) []byte {
	w.t.Helper()
	picture, err := paper(payStatement...)
	if err != nil {
		w.t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, picture, &jpeg.Options{Quality: 90}); err != nil {
		w.t.Fatal(err)
	}
	start := plain.Bytes()[:2]
	file := append([]byte(nil), start...)
	file = append(file, segment(0xe1, "Exif\x00\x00"+exif(told))...)
	file = append(file, segment(0xfe, told)...)
	return append(file, plain.Bytes()[2:]...)
}

func segment(marker byte, content string) []byte {
	head := []byte{0xff, marker, 0, 0}
	wire.BigEndian.PutUint16(head[2:], uint16(len(content)+2))
	return append(head, content...)
}

// exif is a TIFF structure with one entry, the camera's model (0x0110).
func exif(model string) string {
	const entries, valueAt = 1, 8 + 2 + 12 + 4
	var b bytes.Buffer
	b.WriteString("MM\x00*")
	for _, field := range []any{uint32(8), uint16(entries), uint16(0x0110), uint16(2), uint32(len(model) + 1), uint32(valueAt), uint32(0)} {
		_ = wire.Write(&b, wire.BigEndian, field) // a buffer takes everything
	}
	b.WriteString(model + "\x00")
	return b.String()
}

// pdf is a file that begins as a PDF and says its words again and again: once
// in each 4 KiB, so that no part of it could lie anywhere unseen.
func pdf(size int, words string) []byte {
	file := make([]byte, 0, size)
	file = append(file, "%PDF-1.7\n"...)
	for len(file) < size {
		file = append(file, "% "+words+"\n"...)
		file = append(file, bytes.Repeat([]byte{'.'}, max(0, min(4096-len(words)-4, size-len(file)-1)))...)
		file = append(file, '\n')
	}
	return file[:size]
}
