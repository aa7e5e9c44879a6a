package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dropslot/gateway"
)

// A plain form that comes too late leads to what is there, as "I'm done" does:
// never to a page that only says no.
func TestLatePlainFormsLeadToTheReceipt(t *testing.T) {
	send := "/send/" + string(submission)
	body, kind := form(map[string]string{"key": pageKey + "z"}, "scan.jpg", tinyJPEG)
	for name, end := range map[string]func(*house){
		"the time is over": func(h *house) { h.link.IdleAt = fakeNow },
		"done elsewhere":   func(h *house) { h.link.State, h.state = gateway.LinkClosed, gateway.SubmissionReceived },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			cookie := h.claimed(t)
			h.pages = []gateway.Page{{Key: pageKey}}
			end(h)
			for target, w := range map[string]*httptest.ResponseRecorder{
				"a page":   h.ask(http.MethodPost, send+"/pages?lang=es", body, "Cookie", cookie, "Content-Type", kind),
				"a remove": h.ask(http.MethodPost, send+"/pages/"+pageKey+"/remove?lang=es", "", "Cookie", cookie),
			} {
				if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != send+"/receipt?lang=es&late=1" {
					t.Errorf("%s: %d %s", target, w.Code, got)
				}
			}
			// The receipt tells of what is there, and that this did not count.
			receipt := h.ask(http.MethodGet, send+"/receipt?lang=es&late=1", "", "Cookie", cookie).Body.String()
			if !strings.Contains(receipt, "llegó tarde") || !strings.Contains(receipt, "Páginas que recibimos: 1") {
				t.Errorf("the receipt says %s", receipt)
			}
			// The page's script is told, and loads the page itself.
			for target, w := range map[string]*httptest.ResponseRecorder{
				"a page":   h.ask(http.MethodPost, send+"/pages", body, "Cookie", cookie, "Content-Type", kind, "Accept", "application/json"),
				"a remove": h.ask(http.MethodDelete, send+"/pages/"+pageKey, "", "Cookie", cookie, "Accept", "application/json"),
			} {
				if w.Code != http.StatusGone && w.Code != http.StatusConflict {
					t.Errorf("%s by script: %d", target, w.Code)
				}
			}
		})
	}
}

// A name that was typed with "I'm done" after the time was over is not there:
// the receipt says so. Nothing is said to whoever typed none, nor to whoever is
// done already and asks again.
func TestANameThatComesTooLateIsToldOf(t *testing.T) {
	receipt := "/send/" + string(submission) + "/receipt"
	over := func(h *house) { h.link.IdleAt = fakeNow }
	done := func(h *house) { h.link.State, h.state = gateway.LinkClosed, gateway.SubmissionReceived }
	for name, c := range map[string]struct {
		end  func(*house)
		last string
		want string
	}{
		"over":          {over, "Canaria", receipt + "?lang=es&late=1"},
		"over, no name": {over, " ", receipt + "?lang=es"},
		"done before":   {done, "Canaria", receipt + "?lang=es"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			cookie := h.claimed(t)
			h.pages = []gateway.Page{{Key: pageKey}}
			c.end(h)
			w := h.ask(http.MethodPost, "/send/"+string(submission)+"/done?lang=es", fields("last-name", c.last), "Cookie", cookie)
			if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != c.want {
				t.Errorf("%d %s, want %s", w.Code, got, c.want)
			}
		})
	}
}

// held is a body that waits until it is let go, so that its page stays on its way.
type held struct {
	begun, let chan struct{}
	rest       io.Reader
	started    bool
}

func (b *held) Read(p []byte) (int, error) {
	if !b.started {
		b.started = true
		b.begun <- struct{}{}
		<-b.let
	}
	return b.rest.Read(p)
}

// One link, or all of them together, cannot fill the disk with pages that are
// still on their way. Who is told to wait is told that nothing was stored.
func TestPagesOnTheirWayAreBounded(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	begun, let, answers := make(chan struct{}), make(chan struct{}), make(chan int)
	for n := range uploadsEach {
		go func() {
			content := fmt.Sprintf("page %d", n)
			r := newRequest(http.MethodPost, pagesPath, "Cookie", cookie, "Accept", "application/json", "Content-Type", sealedType,
				"Content-Digest", digestOf(content), "Page-Id", fmt.Sprintf("%s%d", pageKey, n))
			r.Body = io.NopCloser(&held{begun: begun, let: let, rest: strings.NewReader(content)})
			w := newRecorder()
			h.handler.ServeHTTP(w, r)
			answers <- w.Code
		}()
	}
	for range uploadsEach {
		<-begun
	}
	late := func() *httptest.ResponseRecorder {
		return h.sendSealed(cookie, pageKey+"late", "", digestOf("late"), "late")
	}
	w := late()
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" ||
		!strings.Contains(w.Body.String(), `{"code":"busy","message":"We are busy.`) || strings.Contains(w.Body.String(), "stored") {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	body, kind := form(map[string]string{"key": pageKey + "form"}, "scan.jpg", tinyJPEG)
	w = h.ask(http.MethodPost, pagesPath, body, "Cookie", cookie, "Content-Type", kind)
	if got := w.Header().Get("Location"); got != "/send/"+string(submission)+"?problem=busy#status" {
		t.Errorf("a plain form too many: %d %s", w.Code, got)
	}
	if len(h.stored) != 0 || strings.Contains(h.log.String(), "level=ERROR") {
		t.Errorf("%d pages are stored; the log:\n%s", len(h.stored), h.log)
	}
	close(let)
	for range uploadsEach {
		if code := <-answers; code != http.StatusCreated {
			t.Errorf("a page that had a place: %d", code)
		}
	}
	if w := late(); w.Code != http.StatusCreated {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestInFlight(t *testing.T) {
	f := newInFlight(2, 6)
	begin := func(id gateway.SubmissionID, address string, want bool) func() {
		t.Helper()
		end, free := f.begin(id, address)
		if free != want {
			t.Errorf("%s from %s: %v, want %v", id, address, free, want)
		}
		return end
	}
	end := begin("a", "192.0.2.1", true)
	begin("a", "192.0.2.1", true)
	begin("a", "192.0.2.2", false) // of one submission
	begin("b", "192.0.2.1", true)
	begin("c", "192.0.2.1", false) // of one address: as many are free
	other := begin("d", "192.0.2.2", true)
	begin("e", "192.0.2.3", true)
	begin("e", "192.0.2.3", false)
	begin("f", "192.0.2.4", true)
	begin("g", "192.0.2.5", false) // the process is full
	end()
	begin("c", "192.0.2.1", false)
	begin("g", "192.0.2.5", true)
	other()
	begin("d", "192.0.2.2", true)
	if len(f.of) != 6 || len(f.from) != 5 || f.total != 6 {
		t.Errorf("it remembers %v, %v, %d in all", f.of, f.from, f.total)
	}
}

// However many links somebody has, and however slowly they send, others find
// places; behind one address of a carrier there may be many people.
func TestSlowUploadsOfOneAddressLeaveRoom(t *testing.T) {
	f := newInFlight(uploadsEach, uploadsInAll)
	takes := func(address string, links int) (n int) {
		for link := range links {
			for range uploadsEach {
				if _, free := f.begin(gateway.SubmissionID(fmt.Sprint(address, link)), address); free {
					n++
				}
			}
		}
		return n
	}
	if n := takes("2001:db8::1", 32); n != uploadsInAll/2 {
		t.Errorf("32 links of one address took %d places", n)
	}
	if n := takes("2001:db8::2", 32); n != 0 {
		t.Errorf("another address of the same network took %d more", n)
	}
	for person := range 20 {
		if _, free := f.begin(gateway.SubmissionID(fmt.Sprint("person", person)), fmt.Sprintf("198.51.100.%d", person)); !free {
			t.Errorf("person %d found no place", person)
		}
	}
}

// endless is a body without an end that counts what is read of it.
type endless struct{ read int64 }

func (b *endless) Read(p []byte) (int, error) {
	b.read += int64(len(p))
	return len(p), nil
}

// A browser that is still sending reads no answer, so that a stranger's page
// is heard out too: so far as a photograph goes, and no further.
func TestStrangersAreHeardOutWithinBounds(t *testing.T) {
	h := newHouse(t)
	h.claimed(t)
	for name, cookie := range map[string]string{"no cookie": "", "another's": "__Host-b=" + strings.Repeat("a", 52)} {
		photograph := strings.NewReader(strings.Repeat("x", 2<<20))
		r := newRequest(http.MethodPost, pagesPath, "Cookie", cookie, "Accept", "application/json", "Content-Type", sealedType)
		r.Body = io.NopCloser(photograph)
		w := newRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "not-found") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if photograph.Len() != 0 {
			t.Errorf("%s: %d bytes were not heard", name, photograph.Len())
		}
		flood := &endless{}
		r.Body = io.NopCloser(flood)
		h.handler.ServeHTTP(newRecorder(), r)
		if flood.read > strangerBytes+1<<20 {
			t.Errorf("%s: %d bytes of a flood were heard", name, flood.read)
		}
	}
}

// brokenPages cannot render anything.
type brokenPages struct{}

func (brokenPages) Client(io.Writer, string, string, any) error { return errors.New("template") }

// A page that cannot be rendered leaves the answer free: a status and words
// that fit, and nothing that says HTML.
func TestPageThatCannotBeRendered(t *testing.T) {
	h := newHouse(t, func(p *IntakeParts) { p.Pages = brokenPages{} })
	w := h.ask(http.MethodGet, "/", "")
	if w.Code != http.StatusServiceUnavailable || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") ||
		!strings.Contains(w.Body.String(), "Something on our side does not work.") {
		t.Errorf("%d %s %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
}
