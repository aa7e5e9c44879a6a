package web

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/prometheus/client_golang/prometheus"
)

// house is an intake on fakes.
type house struct {
	*fakeFlows
	handler http.Handler
	limiter *fakeLimiter
	log     *bytes.Buffer
}

func newHouse(t testing.TB, change ...func(*IntakeParts)) *house {
	t.Helper()
	texts, err := templates.LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := templates.LoadPages(texts)
	if err != nil {
		t.Fatal(err)
	}
	token, err := gateway.ParseToken(goodToken)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return fakeNow }
	h := &house{
		fakeFlows: &fakeFlows{
			now: now, token: token, number: "+15551230100", state: gateway.SubmissionOpen, stored: map[gateway.PageKey][]byte{},
			pageBytes: 1 << 20,
			link: gateway.Link{
				Number: "+15551230100", Sender: gateway.PhoneIndex{1}, Submission: submission, Language: "en", State: gateway.LinkIssued,
				ExpiresAt: fakeNow.Add(4 * time.Hour),
			},
		},
		limiter: &fakeLimiter{tries: map[string]int{}},
		log:     &bytes.Buffer{},
	}
	limits := gateway.DefaultLimits()
	limits.PageBytes = h.pageBytes
	parts := IntakeParts{
		Channel: fakeChannel{}, Inbound: h, Claims: h, Uploads: h,
		Recipients: func(gateway.OfficeID) []string { return []string{"age1pq1x", "age1pq1y"} },
		Directory: gateway.Directory{
			Offices: map[gateway.OfficeID]gateway.Office{north.ID: north},
			Numbers: map[gateway.Number]gateway.NumberRule{"+15551230100": {Number: "+15551230100", Office: north.ID}},
		},
		Limits: limits, Limiter: h.limiter, Pages: pages, Words: texts, Static: templates.StaticHandler(),
		PublicURL: "https://docs.example.gov", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Now: now, Random: rand.Reader, Metrics: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&parts)
	}
	if h.handler, err = NewIntake(parts); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends one request; headers come in pairs.
func (h *house) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://docs.example.gov"+target, strings.NewReader(body))
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	if method == http.MethodPost && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = cmp.Or(r.Header.Get("X-Test-Address"), "192.0.2.7:4711")
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func cookieOf(w *httptest.ResponseRecorder, name string) *http.Cookie {
	for _, c := range w.Result().Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// claimed opens the link and gives the cookie header of its browser.
func (h *house) claimed(t testing.TB) string {
	t.Helper()
	cookie := cookieOf(h.ask(http.MethodGet, "/c/"+goodToken, ""), "__Host-b")
	if cookie == nil {
		t.Fatal("no browser cookie was set")
	}
	header := "__Host-b=" + cookie.Value
	if w := h.ask(http.MethodPost, "/c/"+goodToken, "", "Cookie", header); w.Code != http.StatusSeeOther {
		t.Fatalf("claim: %d %s", w.Code, w.Body)
	}
	return header
}

func newRequest(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	return r
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
