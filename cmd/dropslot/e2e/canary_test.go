package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// nothingInClear sends what is easy to find again: big files whose words stand
// in each 4 KiB of them, sealed by the browser and by the server, refused,
// broken off, and looked for while half of it has arrived. Then everything
// that this journey and those before it left anywhere is searched for what
// people wrote, sent, are called and hold.
func nothingInClear(w *town) {
	const bits = "canary words of the contents"
	w.secrets.keep("the contents of a file", bits)
	accepted := w.file("canary-accepted.pdf", pdf(19<<20, bits))
	refused := w.file("canary-refused.pdf", pdf(50<<20, bits))

	cleo := w.newPerson("Cleo")
	cleo.asks("canary words of the text of Cleo")
	cleo.enters()
	cleo.chooses(refused)
	cleo.reads("errors.page-too-big")
	cleo.chooses(accepted)
	cleo.visible("#as-is")
	cleo.sends("benefit-letter")
	cleo.chooses(w.file("canary-photograph.jpg", photograph(w, "canary words of the camera of Cleo")))
	cleo.visible("#preview")
	cleo.sends("photo-id")
	cleo.isDone("Canary Name of Cleo")
	submission := cleo.submission()

	devon := w.newPerson("Devon")
	devon.withoutScripts()
	devon.expects("413")
	devon.asks("canary words of the text of Devon")
	devon.enters()
	devon.sendsForm(refused, "")
	devon.reads("errors.page-too-big")
	devon.sendsSlowly(pdf(19<<20, bits), func(ends func()) {
		w.nothingFound("while half of a page has arrived")
		ends()
	}, http.StatusSeeOther)
	devon.sendsSlowly(pdf(19<<20, bits), func(func()) {}, 0)
	w.nothingFound("after a line broke in the middle of a page")
	devon.do("load the page again", chromedp.Reload())
	if n := devon.pages(); n != 1 {
		w.t.Errorf("one page arrived whole, the page lists %d", n)
	}
	devon.isDone("Canary Name of Devon")

	dana := w.dana()
	dana.opens(submission)
	dana.sees("Canary Name of Cleo")
	if content, _ := dana.original(1); !bytes.Equal(content, pdf(19<<20, bits)) {
		w.t.Error("the desk serves other bytes than were sent")
	}
	w.nothingFound("while all runs")
	for _, p := range w.roles {
		p.stop()
	}
	w.nothingFound("after all stopped")
	w.provesSearch()
}

// sendsSlowly posts a form with the plain bytes of a page, and stops in the
// middle until half of the page is in the vault. What the person does there may
// call ends, which sends the rest; else the line breaks.
func (p *person) sendsSlowly(content []byte, halfway func(ends func()), want int) {
	p.t.Helper()
	ctx, hangUp := context.WithCancel(p.t.Context())
	defer hangUp()
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	half, rest := make(chan struct{}), make(chan struct{})
	go func() {
		err := writeForm(form, content, half, rest)
		pipe.CloseWithError(err)
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.town.public+"/send/"+p.submission()+"/pages", body)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Cookie", "__Host-b="+p.cookie("__Host-b"))
	answered := make(chan int, 1)
	go func() {
		response, err := newTransport().Do(request)
		if err != nil {
			answered <- 0
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	<-half
	waitFor(p.t, "half of the page to be in the vault", stepTimeout, func() bool { return p.town.unnamed() > int64(len(content))/4 })
	ended := false
	halfway(func() { ended = true; close(rest) })
	if !ended {
		hangUp()
		body.Close() // else the client waits for more of it
		close(rest)
	}
	if status := <-answered; status != want {
		p.t.Errorf("the page was answered %d, want %d", status, want)
	}
	if !ended {
		waitFor(p.t, "the broken upload to be given up", stepTimeout, func() bool { return p.town.unnamed() == 0 })
	}
}

func writeForm(form *multipart.Writer, content []byte, half, rest chan struct{}) error {
	if err := form.WriteField("key", randomText(16)); err != nil {
		return err
	}
	part, err := form.CreateFormFile("page", "canary-name-of-Devon.pdf")
	if err != nil {
		return err
	}
	if _, err := part.Write(content[:len(content)/2]); err != nil {
		return err
	}
	close(half)
	<-rest
	if _, err := part.Write(content[len(content)/2:]); err != nil {
		return err
	}
	return form.Close()
}

// unnamed is how much lies in the vault that has no name yet, in bytes.
func (h *house) unnamed() int64 {
	var bytes int64
	found, _ := filepath.Glob(h.path("data", "vault", "tmp", "*"))
	for _, name := range found {
		if info, err := os.Stat(name); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// nothingFound searches everything and wants no hit.
func (w *town) nothingFound(when string) {
	w.t.Helper()
	needles := w.secrets.needles()
	hits, searched := w.search(needles)
	w.t.Logf("%s: %d secrets in %d forms, %d MB in %d places, %d hits", when,
		len(w.secrets.known), needles.count, searched.bytes>>20, searched.places, len(hits))
	for _, hit := range hits {
		w.t.Errorf("%s: %s lies in %s", when, hit.what, hit.where)
	}
	if searched.bytes < 1<<20 {
		w.t.Errorf("%s: only %d bytes were searched", when, searched.bytes)
	}
}

// provesSearch plants a secret wherever the search says that there is none,
// as it stands and encoded, and wants each found.
func (w *town) provesSearch() {
	w.t.Helper()
	const secret = "planted canary of the search"
	w.secrets.keep("planted", secret)
	forms := formsOf(secret)
	for i, form := range forms {
		path := []string{"data", "tmp", "redis"}[i%3]
		if err := os.WriteFile(w.path(path, fmt.Sprintf("planted-%d", i)), append([]byte("before"), form...), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.redis.HSet(w.t.Context(), "planted-hash", "field", secret).Err(); err != nil {
		w.t.Fatal(err)
	}
	w.query("UPDATE texts SET answer_state = ?1", secret)
	_, _ = w.said.Write([]byte("a log line with the " + secret))
	file, err := os.CreateTemp(w.t.TempDir(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	_, _ = file.WriteString(secret)
	os.Remove(file.Name())

	hits, _ := w.search(w.secrets.needles(), os.Getpid())
	var places strings.Builder
	for _, hit := range hits {
		fmt.Fprintln(&places, hit.where)
	}
	for i := range forms {
		w.finds(places.String(), fmt.Sprintf("planted-%d\n", i))
	}
	for _, place := range []string{"planted-hash", "dump.rdb", "appendonly", "records.db", "table texts", "what the processes said", "(deleted)"} {
		w.finds(places.String(), place)
	}
}

func (w *town) finds(places, place string) {
	w.t.Helper()
	if !strings.Contains(places, place) {
		w.t.Errorf("what was planted in %s was not found", strings.TrimSpace(place))
	}
}
