package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dropslot/gateway"
	"dropslot/templates"
)

func TestWebhooks(t *testing.T) {
	down := gateway.NewError(gateway.CodeUnavailable, errors.New("sql"))
	cases := []struct {
		name, method, target, signature string
		fail                            error
		status                          int
		body                            string
	}{
		{"answer", "POST", "/twilio/messages", "good", nil, 200, `<Response><Message action="https://docs.example.gov/twilio/status?text=t1">the link</Message></Response>`},
		{"silence", "POST", "/twilio/messages?words=STOP", "good", nil, 200, "<Response/>"},
		{"status", "POST", "/twilio/status?text=t1", "good", nil, 200, "<Response/>"},
		{"status of what nobody knows", "POST", "/twilio/status?text=t1", "good", gateway.NewError(gateway.CodeNotFound, nil), 200, "<Response/>"},
		{"call", "POST", "/twilio/voice", "good", nil, 200, "<Response><Say>hello</Say></Response>"},
		{"forged", "POST", "/twilio/messages", "bad", nil, 403, "<Response/>"},
		{"down", "POST", "/twilio/messages", "good", down, 503, "<Response/>"},
		{"an error without a code", "POST", "/twilio/messages", "good", errors.New("what"), 503, "<Response/>"},
		{"status while down", "POST", "/twilio/status", "good", down, 503, "<Response/>"},
		{"no such path", "POST", "/twilio/nothing", "good", nil, 404, "<Response/>"},
		{"GET", "GET", "/twilio/messages", "good", nil, 405, "<Response/>"},
		{"panic", "POST", "/twilio/messages", "panic", nil, 500, "<Response/>"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.fail = c.fail
			// What a browser would send makes no difference here.
			w := h.ask(c.method, c.target, "", "X-Twilio-Signature", c.signature, "Accept", "application/json", "Sec-Fetch-Site", "cross-site")
			if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.body {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.status, c.body)
			}
			// Twilio would text a text/plain answer to the client.
			if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/xml") {
				t.Errorf("the type is %s", kind)
			}
			if strings.Contains(h.log.String(), "a secret value") {
				t.Error("the value of a panic reached the log")
			}
		})
	}
}

// An operator reads in one line what became of a text, and nothing of what it said.
func TestATextIsOneLineOfTheLog(t *testing.T) {
	h := newHouse(t)
	h.ask(http.MethodPost, "/twilio/messages", "", "X-Twilio-Signature", "good")
	lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], "text=t1") || !strings.Contains(lines[0], "reason=answered") || strings.Contains(lines[0], "the link") {
		t.Errorf("the log has %q", lines)
	}
}

func TestIntakeHeaders(t *testing.T) {
	h := newHouse(t)
	for _, target := range []string{"/", "/c/" + goodToken, "/c/nonsense", "/nothing", "/robots.txt", "/send/x", templates.Asset("client.js")} {
		w := h.ask(http.MethodGet, target, "")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow",
			"Content-Security-Policy": intakePolicy, "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
		if !strings.Contains(w.Header().Get("Permissions-Policy"), "camera=(self)") {
			t.Errorf("%s: no camera", target)
		}
		cache := w.Header().Get("Cache-Control")
		if static := strings.HasPrefix(target, "/static/"); static && !strings.Contains(cache, "immutable") || !static && cache != "no-store" {
			t.Errorf("%s: Cache-Control is %q", target, cache)
		}
	}
	plain := newHouse(t, func(p *IntakeParts) { p.PublicURL = "http://localhost:8080" })
	if got := plain.ask(http.MethodGet, "/", "").Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("over http: HSTS %q", got)
	}
}

func TestCrossSitePostsAreRefused(t *testing.T) {
	h := newHouse(t)
	cookie := cookieOf(h.ask(http.MethodGet, "/c/"+goodToken, ""), "__Host-b")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
	} {
		w := h.ask(http.MethodPost, "/c/"+goodToken, "", append(headers, "Cookie", "__Host-b="+cookie.Value)...)
		if w.Code != http.StatusForbidden {
			t.Errorf("%v: %d", headers, w.Code)
		}
	}
	if h.link.State != gateway.LinkIssued {
		t.Error("a foreign site claimed the link")
	}
	// An old browser behind a proxy that rewrites Host.
	w := h.ask(http.MethodPost, "/c/"+goodToken, "", "Origin", "https://docs.example.gov", "Host", "inner:8080", "Cookie", "__Host-b="+cookie.Value)
	if w.Code != http.StatusSeeOther {
		t.Errorf("its own origin: %d", w.Code)
	}
}

// The line of a request holds no token, no query, no address and no cookie.
func TestLogHoldsNoSecret(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	h.ask(http.MethodGet, "/c/"+goodToken+"?lang=es&x=canary", "", "Cookie", cookie)
	h.ask(http.MethodGet, "/c/bbbbbbbbbbbbbbbbbbbbbbbbbb", "")
	h.ask(http.MethodGet, "/canary/"+goodToken, "")
	h.ask("CANARY", "/c/"+goodToken, "")
	h.ask(http.MethodPost, "/send/"+string(submission)+"/done", "name=canary", "Cookie", cookie)
	h.fail = gateway.NewError(gateway.CodeUnavailable, errors.New("sql"))
	h.ask(http.MethodPost, "/c/"+goodToken, "", "Cookie", cookie)
	log := h.log.String()
	for _, secret := range []string{goodToken, "bbbbbbbbbb", "canary", "CANARY", strings.TrimPrefix(cookie, "__Host-b="), "192.0.2.7"} {
		if strings.Contains(log, secret) {
			t.Errorf("%.12s... is in the log:\n%s", secret, log)
		}
	}
	for _, want := range []string{"route=/c/:token status=200", "route=other status=404", "status=503 code=unavailable", "bytes="} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

func TestErrorsForScriptsAreJSON(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	w := h.ask(http.MethodPost, "/send/"+string(submission)+"/pages?lang=es", "x", "Cookie", cookie, "Accept", "application/json", "Content-Type", "text/plain")
	if w.Code != http.StatusUnsupportedMediaType || !strings.Contains(w.Body.String(), `{"code":"page-type","message":"No podemos usar`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, target := range []string{"/nothing", "/send/x/pages"} {
		if w := h.ask(http.MethodPost, target, "", "Accept", "application/json"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"code":"not-found"`) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if w := h.ask(http.MethodDelete, "/c/"+goodToken, "", "Accept", "application/json"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE of a link: %d", w.Code)
	}
}

// With several offices a stranger's page cannot know whose client this is: it
// names them all, each with its number to text.
func TestSeveralOffices(t *testing.T) {
	south := north
	south.ID, south.Name, south.Phone, south.Languages = "south", "South County Benefits", "+15551230299", []string{"es"}
	h := newHouse(t, func(p *IntakeParts) {
		p.Directory.Offices = map[gateway.OfficeID]gateway.Office{north.ID: north, south.ID: south}
		p.Directory.Numbers["+15551230200"] = gateway.NumberRule{Number: "+15551230200", Office: south.ID}
	})
	for _, target := range []string{"/", "/c/bbbbbbbbbbbbbbbbbbbbbbbbbb"} {
		body := h.ask(http.MethodGet, target, "").Body.String()
		for _, want := range []string{north.Name, south.Name, "tel:+15551230199", "tel:+15551230299"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s", target, want)
			}
		}
		for number, text := range map[string]string{"15551230100": `Text <bdi class="number" dir="ltr">(555) 123-0100</bdi></a>`, "15551230200": `Text <bdi class="number" dir="ltr">(555) 123-0200</bdi></a>`} {
			if !strings.Contains(body, `href="sms:&#43;`+number+`?&amp;body=Please%20send%20me%20a%20link"`) || !strings.Contains(body, text) {
				t.Errorf("%s says to text an office and not where: no %s\n%s", target, number, body)
			}
		}
		if strings.Contains(body, `class="button"`) {
			t.Errorf("%s guesses an office to text", target)
		}
		checkWords(t, body)
	}
	if body := h.ask(http.MethodGet, "/c/"+goodToken, "").Body.String(); strings.Contains(body, south.Name) {
		t.Error("a known link names another office")
	}
}

// SQL or Redis that does not answer: within two seconds Twilio has its 503
// and a person a page that says so.
func TestHungBackendIsGivenUp(t *testing.T) {
	for target, method := range map[string]string{
		"/twilio/messages": http.MethodPost, "/c/" + goodToken: http.MethodGet, "/send/" + string(submission): http.MethodGet,
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			h.hang = true
			begun := time.Now()
			w := h.ask(method, target, "", "X-Twilio-Signature", "good", "Cookie", "__Host-b="+strings.Repeat("a", 52))
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d", target, w.Code)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("%s took %s", target, took)
			}
		})
	}
}
