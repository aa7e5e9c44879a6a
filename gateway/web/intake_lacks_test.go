package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dropslot/gateway"
)

const byScript = "application/json"

// officePhone is the office's number among plain words: in one piece, from left to right.
const officePhone = "\u2066(555)\u00a0123-\u20600199\u2069"

func fields(pairs ...string) string {
	values := url.Values{}
	for n := 0; n+1 < len(pairs); n += 2 {
		values.Add(pairs[n], pairs[n+1])
	}
	return values.Encode()
}

func (f *fakeFlows) Label(_ context.Context, s gateway.Session, key gateway.PageKey, label string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.over(s); err != nil {
		return err
	}
	for n := range f.pages {
		if f.pages[n].Key == key {
			f.pages[n].Label = label
			return nil
		}
	}
	return gateway.NewError(gateway.CodeNotFound, nil)
}

func (f *fakeFlows) Order(_ context.Context, s gateway.Session, keys []gateway.PageKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.over(s); err != nil {
		return err
	}
	f.order = keys
	return nil
}

func (f *fakeFlows) Lack(_ context.Context, s gateway.Session, ask string, reason gateway.LackReason) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.over(s); err != nil {
		return err
	}
	if f.lackErr != nil {
		return f.lackErr
	}
	f.lacks = slices.DeleteFunc(f.lacks, func(l gateway.Lack) bool { return l.Ask == ask })
	if reason != gateway.LackNone {
		f.lacks = append(f.lacks, gateway.Lack{Ask: ask, Reason: reason})
	}
	return nil
}

func TestLabelsAndOrder(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	send := "/send/" + string(submission)
	h.pages = []gateway.Page{{Key: pageKey + "a"}, {Key: pageKey + "b"}}

	w := h.ask(http.MethodPost, send+"/pages/"+pageKey+"b/label", fields("label", "pay-stub"), "Cookie", cookie, "Accept", byScript)
	if w.Code != http.StatusNoContent || h.pages[1].Label != "pay-stub" {
		t.Errorf("label by script: %d, %+v", w.Code, h.pages)
	}
	w = h.ask(http.MethodPost, send+"/pages/"+pageKey+"b/label?lang=es", fields("label", ""), "Cookie", cookie)
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), send+"?") || h.pages[1].Label != "" {
		t.Errorf("label by form: %d %s, %+v", w.Code, w.Header().Get("Location"), h.pages)
	}
	w = h.ask(http.MethodPost, send+"/order", fields("page", pageKey+"b", "page", pageKey+"a"), "Cookie", cookie, "Accept", byScript)
	if w.Code != http.StatusNoContent || len(h.order) != 2 || h.order[0] != pageKey+"b" {
		t.Errorf("order by script: %d, %v", w.Code, h.order)
	}
	w = h.ask(http.MethodPost, send+"/order", fields("page", pageKey+"a"), "Cookie", cookie)
	if w.Code != http.StatusSeeOther || len(h.order) != 1 {
		t.Errorf("order by form: %d, %v", w.Code, h.order)
	}
}

// Who changes more than any person does is told to wait, by script and by form,
// and nothing that is there is lost; whoever has another session is not.
func TestChangesAreBoundedPerSession(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	h.link.ID = "link-one"
	send := "/send/" + string(submission)
	h.pages = []gateway.Page{{Key: pageKey, Label: "photo-id"}}
	posts := map[string]string{
		"/pages/" + pageKey + "/label":  fields("label", "pay-stub"),
		"/order":                        fields("page", pageKey),
		"/lacks":                        fields("ask", "pay-stub", "reason", "cannot"),
		"/pages/" + pageKey + "/remove": "",
	}
	h.limiter.tries["change link-one"] = changes
	for path, body := range posts {
		if !strings.HasSuffix(path, "/remove") {
			w := h.ask(http.MethodPost, send+path, body, "Cookie", cookie, "Accept", byScript)
			if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "wait a minute") {
				t.Errorf("%s by script: %d, Retry-After %q: %s", path, w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		}
		w := h.ask(http.MethodPost, send+path, body, "Cookie", cookie)
		where := w.Header().Get("Location")
		if w.Code != http.StatusSeeOther || !strings.Contains(where, "problem=too-many-changes") {
			t.Fatalf("%s by form: %d %s", path, w.Code, where)
		}
		if page := h.ask(http.MethodGet, strings.TrimSuffix(where, "#status"), "", "Cookie", cookie).Body.String(); !strings.Contains(page, "Everything you sent is safe. Please wait a minute.") {
			t.Errorf("after %s the page does not tell to wait", path)
		}
	}
	if w := h.ask(http.MethodDelete, send+"/pages/"+pageKey, "", "Cookie", cookie, "Accept", byScript); w.Code != http.StatusTooManyRequests {
		t.Errorf("taking back by script: %d", w.Code)
	}
	if len(h.pages) != 1 || h.pages[0].Label != "photo-id" || h.order != nil || h.lacks != nil {
		t.Errorf("what was refused changed something: %+v %v %v", h.pages, h.order, h.lacks)
	}
	h.link.ID = "link-two"
	label := func() int {
		return h.ask(http.MethodPost, send+"/pages/"+pageKey+"/label", fields("label", "pay-stub"), "Cookie", cookie, "Accept", byScript).Code
	}
	if code := label(); code != http.StatusNoContent {
		t.Errorf("another session: %d", code)
	}
	h.link.ID, h.limiter.fail = "link-one", errors.New("no Redis")
	if code := label(); code != http.StatusNoContent {
		t.Errorf("without the count: %d", code)
	}
}

// Each new way in asks for the same cookie and the same origin as the others,
// and reads no more than it needs.
func TestSmallFormsAreGuarded(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	send := "/send/" + string(submission)
	h.pages = []gateway.Page{{Key: pageKey}}
	for path, body := range map[string]string{
		"/pages/" + pageKey + "/label": fields("label", "pay-stub"),
		"/order":                       fields("page", pageKey),
		"/lacks":                       fields("ask", "pay-stub", "reason", "cannot"),
	} {
		for name, got := range map[string]struct{ status, want int }{
			"stranger":     {h.ask(http.MethodPost, send+path, body, "Accept", byScript).Code, http.StatusNotFound},
			"other site":   {h.ask(http.MethodPost, send+path, body, "Cookie", cookie, "Sec-Fetch-Site", "cross-site").Code, http.StatusForbidden},
			"other origin": {h.ask(http.MethodPost, send+path, body, "Cookie", cookie, "Origin", "https://evil.example").Code, http.StatusForbidden},
			"huge":         {h.ask(http.MethodPost, send+path, body+"&x="+strings.Repeat("x", 64<<10), "Cookie", cookie, "Accept", byScript).Code, http.StatusBadRequest},
		} {
			if got.status != got.want {
				t.Errorf("%s of a %s: %d, want %d", path, name, got.status, got.want)
			}
		}
		if h.pages[0].Label != "" || h.order != nil || h.lacks != nil {
			t.Fatalf("%s changed something", path)
		}
		h.link.State = gateway.LinkClosed
		if w := h.ask(http.MethodPost, send+path, body, "Cookie", cookie, "Accept", byScript); w.Code != http.StatusConflict {
			t.Errorf("%s after the end: %d", path, w.Code)
		}
		w := h.ask(http.MethodPost, send+path, body, "Cookie", cookie)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != send+"/receipt?late=1" {
			t.Errorf("%s after the end, by form: %d %s", path, w.Code, w.Header().Get("Location"))
		}
		h.link.State = gateway.LinkClaimed
	}
}

// Who has no paper says so without a script, is told what was noted, can take
// it back, and can be done without a page.
func TestSayingWhatIsMissing(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	send := "/send/" + string(submission)
	see := func(target string) string {
		t.Helper()
		w := h.ask(http.MethodGet, target, "", "Cookie", cookie)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", target, w.Code)
		}
		checkWords(t, w.Body.String())
		return w.Body.String()
	}
	body := see(send)
	if n := strings.Count(body, "<details><summary>"); n != 3 { // nobody lacks "something else"
		t.Errorf("%d asks are offered", n)
	}
	const takeBack, done = `value="">I have it now`, `/done">`
	if strings.Contains(body, takeBack) || strings.Contains(body, done) {
		t.Error("something was said already")
	}
	for reason, want := range map[string]string{
		"cannot": "You do not have this: Pay stub",
		"help":   "You need help with this: Pay stub. You can call us too: " + officePhone,
		"remind": "We will text you tomorrow about this: Pay stub",
	} {
		w := h.ask(http.MethodPost, send+"/lacks", fields("ask", "pay-stub", "reason", reason), "Cookie", cookie)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != send+"?lack=pay-stub#status" {
			t.Fatalf("%s: %d %s", reason, w.Code, w.Header().Get("Location"))
		}
		body := see(send + "?lack=pay-stub")
		for _, words := range []string{want, "<details><summary>Pay stub<span>: ", takeBack, `value="` + reason + `" aria-pressed="true"`} {
			if !strings.Contains(body, words) {
				t.Errorf("%s: the page lacks %q", reason, words)
			}
		}
		if strings.Count(body, done) != 1 {
			t.Error("nobody can be done without a page")
		}
	}
	h.ask(http.MethodPost, send+"/lacks", fields("ask", "pay-stub", "reason", ""), "Cookie", cookie)
	if body := see(send + "?lack=pay-stub"); !strings.Contains(body, "We took this back: Pay stub") || strings.Contains(body, takeBack) {
		t.Error("what was taken back is still there")
	}
	w := h.ask(http.MethodPost, send+"/lacks", fields("ask", "photo-id", "reason", "help"), "Cookie", cookie, "Accept", byScript)
	if w.Code != http.StatusNoContent {
		t.Errorf("by script: %d", w.Code)
	}
	if w := h.ask(http.MethodPost, send+"/done", "", "Cookie", cookie); w.Header().Get("Location") != send+"/receipt" {
		t.Fatalf("done: %d %s", w.Code, w.Header().Get("Location"))
	}
	for _, want := range []string{
		"Thank you. We got your answer.", submission.Reference(), "Pages we got: 0", "Photo ID: I need help",
		"Someone at North County Benefits looks at your papers", `href="tel:+15551230199"`,
	} {
		if body := see(send + "/receipt"); !strings.Contains(body, want) {
			t.Errorf("the receipt lacks %q", want)
		}
	}
}

// A STOP is told beside the forms, with the way back.
func TestNobodyIsRemindedWhoTextedStop(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	h.lackErr = gateway.NewError(gateway.CodeOptedOut, nil)
	w := h.ask(http.MethodPost, "/send/"+string(submission)+"/lacks", fields("ask", "pay-stub", "reason", "remind"), "Cookie", cookie)
	if got := w.Header().Get("Location"); !strings.HasSuffix(got, "?problem=opted-out#status") {
		t.Fatalf("%d %s", w.Code, got)
	}
	body := h.ask(http.MethodGet, "/send/"+string(submission)+"?problem=opted-out", "", "Cookie", cookie).Body.String()
	if !strings.Contains(body, "text us the word START") {
		t.Error("the page does not say how to get texts again")
	}
}

// At the counter nobody knows a telephone number to text to.
func TestACounterLinkOffersNoTexts(t *testing.T) {
	h := newHouse(t)
	h.link.Sender, h.link.Origin = gateway.PhoneIndex{}, gateway.OriginStaff
	cookie := h.claimed(t)
	send := "/send/" + string(submission)
	if body := h.ask(http.MethodGet, send, "", "Cookie", cookie).Body.String(); strings.Contains(body, `value="remind"`) {
		t.Error("a reminder is offered")
	}
	h.pages = []gateway.Page{{Key: pageKey}}
	h.ask(http.MethodPost, send+"/done", "", "Cookie", cookie)
	if body := h.ask(http.MethodGet, send+"/receipt", "", "Cookie", cookie).Body.String(); strings.Contains(body, `/again"`) {
		t.Error("a new link is offered by text")
	}
	if body := h.ask(http.MethodGet, "/c/"+goodToken, "").Body.String(); strings.Contains(body, `/again"`) {
		t.Error("a new link is offered to whoever comes second")
	}
}

// An office that takes sealed pages alone refuses the others kindly, and a page
// without JavaScript has no button that would send one in clear.
func TestBrowserOnly(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	send := "/send/" + string(submission)
	plain := `<button class="button">Send this page</button>`
	body := h.ask(http.MethodGet, send, "", "Cookie", cookie).Body.String()
	for _, want := range []string{`data-long-side="2400"`, `data-sealing="browser-or-server"`, plain} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	h.office = north
	h.office.BrowserOnly, h.office.LongSide = true, 1600
	body = h.ask(http.MethodGet, send, "", "Cookie", cookie).Body.String()
	for _, want := range []string{
		`data-long-side="1600"`, `data-sealing="browser-only"`, `<p data-plain class="status trouble">We take only pages that your phone locks first.`,
		`href="tel:+15551230199"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, plain) {
		t.Error("the plain form can be sent")
	}
	multipart := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n" + pageKey +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"page\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7\r\n--b--\r\n"
	w := h.ask(http.MethodPost, send+"/pages", multipart, "Cookie", cookie, "Content-Type", "multipart/form-data; boundary=b", "Accept", byScript)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"plain-refused"`) || !strings.Contains(w.Body.String(), officePhone) {
		t.Errorf("by script: %d %s", w.Code, w.Body)
	}
	w = h.ask(http.MethodPost, send+"/pages", multipart, "Cookie", cookie, "Content-Type", "multipart/form-data; boundary=b")
	if got := w.Header().Get("Location"); got != send+"?problem=plain-refused#status" || len(h.pages) != 0 {
		t.Errorf("by form: %d %s, %d pages", w.Code, got, len(h.pages))
	}
}

// The language that was switched to stays through every page, also where the
// next address does not name it.
func TestTheLanguageIsKept(t *testing.T) {
	h := newHouse(t)
	w := h.ask(http.MethodGet, "/c/"+goodToken+"?lang=es", "")
	cookie := "__Host-b=" + cookieOf(w, "__Host-b").Value + "; __Host-lang=" + cookieOf(w, "__Host-lang").Value
	send := "/send/" + string(submission)
	if w := h.ask(http.MethodPost, "/c/"+goodToken+"?lang=es", "", "Cookie", cookie); w.Header().Get("Location") != send+"?lang=es" {
		t.Errorf("claim: %s", w.Header().Get("Location"))
	}
	h.pages = []gateway.Page{{Key: pageKey}}
	spanish := func(what string, body string) {
		t.Helper()
		if !strings.Contains(body, `<html lang="es"`) || !strings.Contains(body, `hreflang="en"`) {
			t.Errorf("%s is not in Spanish, or offers no other language", what)
		}
	}
	spanish("link", h.ask(http.MethodGet, "/c/"+goodToken, "", "Cookie", cookie).Body.String())
	spanish("send", h.ask(http.MethodGet, send, "", "Cookie", cookie).Body.String())
	spanish("stranger", h.ask(http.MethodGet, send, "", "Cookie", "__Host-lang=es").Body.String())
	for path, body := range map[string]string{"/lacks": fields("ask", "pay-stub", "reason", "cannot"), "/pages/" + pageKey + "/remove": "", "/done": ""} {
		if path == "/done" {
			h.pages = []gateway.Page{{Key: pageKey}}
		}
		w := h.ask(http.MethodPost, send+path+"?lang=es", body, "Cookie", cookie)
		if !strings.Contains(w.Header().Get("Location"), "lang=es") {
			t.Errorf("%s leads to %s", path, w.Header().Get("Location"))
		}
		h.state, h.link.State = gateway.SubmissionOpen, gateway.LinkClaimed
	}
	spanish("error", h.ask(http.MethodPost, send+"/pages/"+pageKey+"z/label", fields("label", "pay-stub"), "Cookie", cookie).Body.String())
	h.state, h.link.State = gateway.SubmissionReceived, gateway.LinkClosed
	spanish("receipt", h.ask(http.MethodGet, send+"/receipt", "", "Cookie", cookie).Body.String())
	spanish("again", h.ask(http.MethodPost, send+"/again", "", "Cookie", cookie).Body.String())
	spanish("closed", h.ask(http.MethodGet, "/c/"+goodToken, "", "Cookie", "__Host-lang=es").Body.String())
}
