package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/templates"
)

var (
	attributes = regexp.MustCompile(`\s(data-[a-z-]+|href|src|action|id|for|class|content|aria-[a-z]+)="[^"]*"`)
	rawKey     = regexp.MustCompile(`\b(page|errors|asks)\.[a-z]`)
)

// checkWords fails for a key that no catalog has and for a placeholder that
// nobody filled. The words for the script keep theirs.
func checkWords(t *testing.T, body string) {
	t.Helper()
	for _, word := range regexp.MustCompile(`data-word-[a-z-]+="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if rawKey.MatchString(word[1]) || word[1] == "" {
			t.Errorf("no words: %s", word[0])
		}
	}
	visible := attributes.ReplaceAllString(body, "")
	if found := rawKey.FindString(visible); found != "" {
		t.Errorf("a key stands on the page: %s\n%s", found, visible)
	}
	if strings.ContainsAny(visible, "{}") {
		t.Errorf("a placeholder stands on the page:\n%s", visible)
	}
}

func TestSendPage(t *testing.T) {
	for _, language := range []string{"en", "es"} {
		h := newHouse(t)
		cookie := h.claimed(t)
		h.pages = []gateway.Page{{Key: pageKey, Label: "pay-stub"}, {Key: pageKey + "b"}}
		w := h.ask(http.MethodGet, "/send/"+string(submission)+"?lang="+language, "", "Cookie", cookie)
		body := w.Body.String()
		if w.Code != http.StatusOK {
			t.Fatalf("%d", w.Code)
		}
		checkWords(t, body)
		for _, want := range []string{
			`data-recipients="age1pq1x age1pq1y"`,
			`action="/send/` + string(submission) + `/pages?lang=` + language + `" enctype="multipart/form-data"`,
			`action="/send/` + string(submission) + "/pages/" + pageKey + `/remove?lang=` + language + `"`,
			`action="/send/` + string(submission) + `/done?lang=` + language + `"`,
			// Without the script nothing is drawn anew, and nobody says so later.
			map[string]string{"en": "It may tell where and when it was made. Does the PDF ask for a password?", "es": "El archivo puede mostrar dónde y cuándo se hizo. ¿El PDF pide una contraseña?"}[language],
			`accept="image/*,application/pdf"`, `<option value="benefit-letter">`, templates.Asset("worker.js"),
		} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %s", language, want)
			}
		}
		if strings.Contains(body, goodToken) {
			t.Error("the token stands on the page")
		}
		// A file input with capture starts the phone's camera app: only where
		// the page's own camera did not do, and never without the script.
		own := strings.Index(body, `<div id="own" class="scripted" hidden>`)
		if own < 0 || strings.Count(body, " capture") != 1 || strings.Index(body, " capture") < own {
			t.Error("the phone's camera app is not offered by itself alone")
		}
	}
}

// No inline script, no inline style, nothing from elsewhere: what the policy
// forbids must not be there.
func TestPagesKeepToTheirPolicy(t *testing.T) {
	h := newHouse(t)
	pages := map[string]string{"link": h.ask(http.MethodGet, "/c/"+goodToken, "").Body.String(), "home": h.ask(http.MethodGet, "/", "").Body.String()}
	cookie := h.claimed(t)
	pages["send"] = h.ask(http.MethodGet, "/send/"+string(submission), "", "Cookie", cookie).Body.String()
	h.pages = []gateway.Page{{Key: pageKey}}
	h.ask(http.MethodPost, "/send/"+string(submission)+"/done", "", "Cookie", cookie)
	pages["receipt"] = h.ask(http.MethodGet, "/send/"+string(submission)+"/receipt", "", "Cookie", cookie).Body.String()
	foreign := regexp.MustCompile(`(?i)(src|href|action)="(https?:)?//|<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=`)
	for name, body := range pages {
		checkWords(t, body)
		if found := foreign.FindString(body); found != "" {
			t.Errorf("%s: %s", name, found)
		}
		for _, want := range []string{"North County Benefits", `href="tel:+15551230199"`, "Only send papers if you asked us for help."} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
	}
}

// A page may be locked by the server as well: who could look on the way is not
// hidden from anybody, and who has the key is said.
func TestLinkPageSaysWhoHasTheKey(t *testing.T) {
	for language, want := range map[string]string{
		"en": "We lock each photo before we store it. Only North County Benefits has the key.",
		"es": "Ponemos cada foto bajo llave antes de guardarla. Solo North County Benefits tiene la llave.",
	} {
		if body := newHouse(t).ask(http.MethodGet, "/c/"+goodToken+"?lang="+language, "").Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s: %s", language, body)
		}
	}
}

// The aims: 30 KB for the page without the worker, 32 KB for the worker, both
// as Brotli. The HTML counts in full here: it is sent uncompressed, so that
// no answer's length tells of a secret in it.
func TestWeight(t *testing.T) {
	static := templates.StaticHandler()
	size := func(name string) int {
		r := newRequest(http.MethodGet, templates.Asset(name), "Accept-Encoding", "gzip, br")
		w := newRecorder()
		static.ServeHTTP(w, r)
		if w.Header().Get("Content-Encoding") != "br" {
			t.Fatalf("%s is not compressed", name)
		}
		return w.Body.Len()
	}
	h := newHouse(t, func(p *IntakeParts) {
		recipient := "age1pq1" + strings.Repeat("q", 1952)
		p.Recipients = func(gateway.OfficeID) []string { return []string{recipient, recipient} }
	})
	cookie := h.claimed(t)
	page := h.ask(http.MethodGet, "/send/"+string(submission)+"?lang=es", "", "Cookie", cookie, "Accept-Encoding", "gzip").Body.Len()
	total := page + size("client.css") + size("client.js") + size("icon.svg")
	t.Logf("page %d B, with style and script %d B, worker %d B", page, total, size("worker.js"))
	if total > 30<<10 {
		t.Errorf("the page weighs %d B", total)
	}
	if worker := size("worker.js"); worker > 32<<10 {
		t.Errorf("the worker weighs %d B", worker)
	}
}

func TestDoneAndReceipt(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	send := "/send/" + string(submission)

	w := h.ask(http.MethodGet, send+"/receipt", "", "Cookie", cookie)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != send {
		t.Errorf("a receipt before the end: %d", w.Code)
	}
	w = h.ask(http.MethodPost, send+"/done", "name=Ann", "Cookie", cookie)
	if got := w.Header().Get("Location"); got != send+"?problem=no-pages#status" {
		t.Errorf("done without a page: %d %s", w.Code, got)
	}
	h.pages = []gateway.Page{{Key: pageKey}}
	w = h.ask(http.MethodPost, send+"/done", url.Values{"name": {"Ann"}, "last-name": {"Client"}}.Encode(), "Cookie", cookie)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != send+"/receipt" || h.name != (gateway.Name{First: "Ann", Last: "Client"}) {
		t.Fatalf("done: %d %s, name %v", w.Code, w.Header().Get("Location"), h.name)
	}
	w = h.ask(http.MethodGet, send+"/receipt", "", "Cookie", cookie)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), submission.Reference()) {
		t.Errorf("receipt: %d\n%s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "Ann") {
		t.Error("the receipt names the client: phones are shared")
	}
	for _, target := range []string{send, "/c/" + goodToken} {
		w := h.ask(http.MethodGet, target, "", "Cookie", cookie)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != send+"/receipt" {
			t.Errorf("%s afterwards: %d %s", target, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestTimeOver(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	send := "/send/" + string(submission)
	h.now = func() time.Time { return fakeNow }
	h.link.IdleAt = fakeNow
	if w := h.ask(http.MethodGet, send, "", "Cookie", cookie); w.Header().Get("Location") != send+"/receipt" {
		t.Errorf("the page answers %d", w.Code)
	}
	w := h.ask(http.MethodGet, send+"/receipt", "", "Cookie", cookie)
	if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "sms:") {
		t.Errorf("without pages: %d", w.Code)
	}
	h.pages = []gateway.Page{{Key: pageKey}}
	w = h.ask(http.MethodGet, send+"/receipt", "", "Cookie", cookie)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Your time is over. We got the pages you sent before.") {
		t.Errorf("with pages: %d\n%s", w.Code, w.Body)
	}
}

func TestRemove(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	page := "/send/" + string(submission) + "/pages/" + pageKey
	h.pages = []gateway.Page{{Key: pageKey}, {Key: pageKey + "b"}}
	w := h.ask(http.MethodPost, page+"/remove?lang=es", "", "Cookie", cookie)
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != "/send/"+string(submission)+"?lang=es&removed="+pageKey+"#status" {
		t.Errorf("by form: %d %s", w.Code, got)
	}
	if w := h.ask(http.MethodDelete, page+"b", "", "Cookie", cookie, "Accept", "application/json"); w.Code != http.StatusNoContent {
		t.Errorf("by script: %d", w.Code)
	}
	w = h.ask(http.MethodDelete, page, "", "Cookie", cookie, "Accept", "application/json")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"code":"page-unknown"`) {
		t.Errorf("what is not there: %d %s", w.Code, w.Body)
	}
	// Without the cookie nobody knows whether the page is there: it is another code.
	w = h.ask(http.MethodDelete, page, "", "Accept", "application/json")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"code":"not-found"`) {
		t.Errorf("without the cookie: %d %s", w.Code, w.Body)
	}
	w = h.ask(http.MethodPost, page+"/remove", "", "Cookie", cookie)
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.Contains(got, "removed="+pageKey) {
		t.Errorf("by form, what is not there: %d %s", w.Code, got)
	}
	if len(h.pages) != 0 {
		t.Errorf("%d pages are left", len(h.pages))
	}
}

// Only known outcomes are shown, and of a page only what is so: a link from
// elsewhere cannot put words on the page, nor a receipt for what never came.
func TestNoticesAreCodesAlone(t *testing.T) {
	const silence = `id="status" class="status" tabindex="-1"></p>`
	h := newHouse(t)
	cookie := h.claimed(t)
	ask := func(query string) string {
		return h.ask(http.MethodGet, "/send/"+string(submission)+query, "", "Cookie", cookie).Body.String()
	}
	for _, query := range []string{"?ok=page", "?ok=" + pageKey} {
		if body := ask(query); !strings.Contains(body, silence) {
			t.Errorf("%s is a receipt for no page at all: %.200s", query, body[strings.Index(body, `id="status"`):])
		}
	}
	h.pages = []gateway.Page{{Key: pageKey + "a"}, {Key: pageKey}}
	for query, want := range map[string]string{
		"?problem=page-type":        "We cannot use this kind of file.",
		"?problem=busy":             "This page did not get to us yet.",
		"?ok=" + pageKey:            ">Page 2 received.</p>",
		"?ok=" + pageKey + "c":      silence,
		"?ok=":                      silence,
		"?removed=" + pageKey + "c": ">That page is gone. Pages left: 2</p>",
		"?removed=" + pageKey:       silence,
		"?removed=1900":             silence,
		"?removed=":                 silence,
		"?problem=" + url.QueryEscape("call +1900"): silence,
		"?problem=unavailable":                      silence,
		"?ok=anything":                              silence,
	} {
		body := ask(query)
		if !strings.Contains(body, want) || strings.Contains(body, "1900") {
			t.Errorf("%s: %.200s", query, body[strings.Index(body, `id="status"`):])
		}
	}
}

func TestUntilSpeaksOfTheOfficesDay(t *testing.T) {
	h := newHouse(t)
	chicago := time.FixedZone("CST", -6*3600)
	texts, _ := templates.LoadTexts()
	i := &intake{IntakeParts: IntakeParts{Words: texts, Now: h.now}}
	for after, want := range map[time.Duration]string{
		4 * time.Hour:       "today at 1:04 PM",
		20 * time.Hour:      "tomorrow at 5:04 AM",
		72 * time.Hour:      "Wednesday at 9:04 AM",
		10 * 24 * time.Hour: "",
		-time.Minute:        "",
	} {
		if got := i.until(clientView{Language: "en"}, fakeNow.Add(after), chicago); got != want {
			t.Errorf("%s: %q, want %q", after, got, want)
		}
	}
}

// Every code that a client may meet has a heading and words in every language.
func TestEveryRefusalHasWords(t *testing.T) {
	texts, err := templates.LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	for code, r := range refusals {
		for _, key := range []string{"errors." + string(code), "page.problem." + r.title} {
			for _, l := range texts.Languages() {
				if texts.Say(l.Tag, key, nil) == key {
					t.Errorf("%s: there are no words for %s", l.Tag, key)
				}
			}
		}
		if r.status < 400 {
			t.Errorf("%s has the status %d", code, r.status)
		}
	}
}
