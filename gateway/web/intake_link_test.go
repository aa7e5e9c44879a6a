package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// Previews of messengers, carriers and security apps fetch links at will.
func TestPreviewsChangeNothing(t *testing.T) {
	h := newHouse(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for range 25 {
			if w := h.ask(method, "/c/"+goodToken, ""); w.Code != http.StatusOK {
				t.Fatalf("%s: %d", method, w.Code)
			}
		}
	}
	if h.link.State != gateway.LinkIssued {
		t.Fatalf("a preview left the link %s", h.link.State)
	}
	h.claimed(t)
	if h.link.State != gateway.LinkClaimed {
		t.Errorf("the person's tap left the link %s", h.link.State)
	}
}

func TestClaimAgainGivesTheSameRedirectWithoutTheToken(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	for range 2 { // an answer lost on the way, a second tap
		w := h.ask(http.MethodPost, "/c/"+goodToken, "", "Cookie", cookie)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/send/"+string(submission) {
			t.Fatalf("%d %q", w.Code, w.Header().Get("Location"))
		}
	}
	w := h.ask(http.MethodGet, "/c/"+goodToken, "", "Cookie", cookie)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Continue") {
		t.Errorf("its own browser sees %d\n%s", w.Code, w.Body)
	}
	if set := cookieOf(w, "__Host-b"); set != nil {
		t.Error("a browser that holds a secret was given another")
	}
}

func TestSecondBrowserIsToldSo(t *testing.T) {
	h := newHouse(t)
	h.claimed(t)
	second := cookieOf(newHouse(t).ask(http.MethodGet, "/c/"+goodToken, ""), "__Host-b")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := h.ask(method, "/c/"+goodToken, "", "Cookie", "__Host-b="+second.Value)
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "This link is open in another place") {
			t.Errorf("%s: %d\n%s", method, w.Code, w.Body)
		}
	}
	w := h.ask(http.MethodGet, "/send/"+string(submission), "", "Cookie", "__Host-b="+second.Value)
	if w.Code != http.StatusNotFound {
		t.Errorf("a stranger's submission answered %d", w.Code)
	}
}

func TestWithoutCookieNothingIsClaimed(t *testing.T) {
	h := newHouse(t)
	w := h.ask(http.MethodPost, "/c/"+goodToken, "")
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "cookies") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	if !strings.Contains(w.Body.String(), `href="/c/`+goodToken) {
		t.Error("there is no way back to the link")
	}
	if h.link.State != gateway.LinkIssued {
		t.Errorf("the link is %s", h.link.State)
	}
}

// Whatever is wrong with a link, the page says what to do: whom to call and,
// where a new link helps, a button that texts the office's number.
func TestProblemPages(t *testing.T) {
	cases := []struct {
		name   string
		change func(*house)
		status int
		text   bool
	}{
		{"expired", func(h *house) { h.link.ExpiresAt = fakeNow }, http.StatusGone, true},
		{"superseded", func(h *house) { h.link.State = gateway.LinkSuperseded }, http.StatusGone, true},
		{"closed", func(h *house) { h.link.State = gateway.LinkClosed }, http.StatusConflict, true},
		{"taken", func(h *house) {
			h.link.State, h.link.IdleAt, h.link.EndsAt = gateway.LinkClaimed, fakeNow.Add(time.Hour), fakeNow.Add(time.Hour)
		}, http.StatusConflict, true},
		{"unknown", func(h *house) { h.token = gateway.Token{} }, http.StatusNotFound, true},
		{"unavailable", func(h *house) { h.fail = fmt.Errorf("redis is down") }, http.StatusServiceUnavailable, false},
	}
	for _, c := range cases {
		for _, language := range []string{"en", "es"} {
			t.Run(c.name+" "+language, func(t *testing.T) {
				h := newHouse(t)
				c.change(h)
				w := h.ask(http.MethodGet, "/c/"+goodToken+"?lang="+language, "")
				body := w.Body.String()
				if w.Code != c.status {
					t.Errorf("status %d, want %d", w.Code, c.status)
				}
				if got := strings.Contains(body, `href="sms:&#43;15551230100?&amp;body=`); got != c.text {
					t.Errorf("a button that texts: %v, want %v\n%s", got, c.text, body)
				}
				for _, want := range []string{`<html lang="` + language + `"`, "North County Benefits", `href="tel:+15551230199"`, "(555) 123-0199"} {
					if !strings.Contains(body, want) {
						t.Errorf("the page lacks %s", want)
					}
				}
				checkWords(t, body)
			})
		}
	}
}

func TestGuessesAreSlowedAndKnownLinksAreNot(t *testing.T) {
	h := newHouse(t)
	guess := func(n int) string { return fmt.Sprintf("/c/aaaaaaaaaaaaaaaaaaaaaaa%c%c%c", 'a'+n/26, 'a'+n%26, 'b') }
	for n := range unknownLinks {
		if w := h.ask(http.MethodGet, guess(n), ""); w.Code != http.StatusNotFound {
			t.Fatalf("guess %d: %d", n, w.Code)
		}
	}
	w := h.ask(http.MethodGet, guess(unknownLinks), "")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one guess too many: %d", w.Code)
	}
	if w := h.ask(http.MethodPost, guess(unknownLinks), "", "Cookie", "__Host-b="+strings.Repeat("a", 52)); w.Code != http.StatusTooManyRequests {
		t.Errorf("a guess by POST: %d", w.Code)
	}
	// The header is believed from a trusted proxy alone.
	if w := h.ask(http.MethodGet, guess(99), "", "X-Forwarded-For", "198.51.100.9"); w.Code != http.StatusTooManyRequests {
		t.Errorf("a forged X-Forwarded-For made a new client of it: %d", w.Code)
	}
	if w := h.ask(http.MethodGet, guess(99), "", "X-Test-Address", "10.1.2.3:99", "X-Forwarded-For", "198.51.100.9"); w.Code != http.StatusNotFound {
		t.Errorf("another client behind the proxy: %d", w.Code)
	}
	// Phones share their carrier's addresses: a real link opens all the same.
	if w := h.ask(http.MethodGet, "/c/"+goodToken, ""); w.Code != http.StatusOK {
		t.Errorf("a known link from that address: %d", w.Code)
	}
	h.limiter.fail = fmt.Errorf("redis is down")
	if w := h.ask(http.MethodGet, guess(7), ""); w.Code != http.StatusNotFound {
		t.Errorf("without the count: %d", w.Code)
	}
}

func TestLanguage(t *testing.T) {
	cases := []struct {
		name, link, query, cookie, accept, want string
	}{
		{"nothing tells", "", "", "", "", "en"},
		{"the link's", "es", "", "", "en-US,en;q=0.9", "es"},
		{"the browser's", "", "", "", "es-MX,es;q=0.9", "es"},
		{"the link is in the default language, the browser knows better", "en", "", "", "es-US", "es"},
		{"a browser in no language of the office", "en", "", "", "fr", "en"},
		{"the switch beats the link", "es", "en", "", "", "en"},
		{"the switch is remembered", "es", "", "en", "", "en"},
		{"a switch to nowhere", "es", "xx", "", "", "es"},
		{"hostile header", "en", "", "", strings.Repeat("a-", 3000), "en"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.link.Language = c.link
			target := "/c/" + goodToken
			if c.query != "" {
				target += "?lang=" + c.query
			}
			w := h.ask(http.MethodGet, target, "", "Accept-Language", c.accept, "Cookie", "__Host-lang="+c.cookie)
			if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`" dir="ltr">`) {
				t.Errorf("not in %s:\n%.300s", c.want, w.Body)
			}
		})
	}
}

// A browser without cookies keeps its language through the forms' addresses.
func TestSwitchedLanguageStaysInForms(t *testing.T) {
	h := newHouse(t)
	w := h.ask(http.MethodGet, "/c/"+goodToken+"?lang=es", "")
	if !strings.Contains(w.Body.String(), `action="/c/`+goodToken+`?lang=es"`) {
		t.Errorf("the form forgets the language:\n%s", w.Body)
	}
	if c := cookieOf(w, "__Host-lang"); c == nil || c.Value != "es" || !c.Secure || !c.HttpOnly || c.Path != "/" {
		t.Errorf("cookie %+v", c)
	}
	cookie := "__Host-b=" + cookieOf(w, "__Host-b").Value
	w = h.ask(http.MethodPost, "/c/"+goodToken+"?lang=es", "", "Cookie", cookie)
	if got := w.Header().Get("Location"); got != "/send/"+string(submission)+"?lang=es" {
		t.Errorf("redirected to %s", got)
	}
}

func TestBrowserCookie(t *testing.T) {
	c := cookieOf(newHouse(t).ask(http.MethodGet, "/c/"+goodToken, ""), "__Host-b")
	if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) != 52 {
		t.Errorf("%+v", c)
	}
	for _, strange := range []string{"short", strings.Repeat("A", 52)} {
		w := newHouse(t).ask(http.MethodGet, "/c/"+goodToken, "", "Cookie", "__Host-b="+strange)
		if cookieOf(w, "__Host-b") == nil {
			t.Errorf("the cookie %q was taken for a secret", strange)
		}
	}
}

// Another app's browser is left before the link is opened: afterwards the link
// is that browser's, and no other's.
func TestOnlyWhoHasNotOpenedTheLinkIsToldToLeaveAnApp(t *testing.T) {
	h := newHouse(t)
	const app, own = "Mozilla/5.0 (Linux; Android 14; wv) Chrome/126.0 Mobile", "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile"
	hint := func(agent string, more ...string) bool {
		body := h.ask(http.MethodGet, "/c/"+goodToken, "", append(more, "User-Agent", agent)...).Body.String()
		return strings.Contains(body, `<p id="in-app" class="status">`)
	}
	if !hint(app) || hint(own) {
		t.Errorf("before the claim: in an app %v, elsewhere %v", hint(app), hint(own))
	}
	if cookie := h.claimed(t); hint(app, "Cookie", cookie) {
		t.Error("after the claim it leads to a dead end")
	}
}
