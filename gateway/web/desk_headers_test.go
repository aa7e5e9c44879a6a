package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"dropslot/gateway"
)

// A part that is down, an unwritable audit trail and a panic all end in words
// that tell what to do and nothing of the inside.
func TestErrorsTellNothingOfTheInside(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	h.auditErr = errors.New("dial tcp 10.1.2.3:5432: secret")
	for _, path := range []string{"/", submissionURL(s.ID), "/pages/" + string(h.pages[0].ID)} {
		answer := b.get(path)
		wantStatus(t, answer, http.StatusServiceUnavailable)
		wantText(t, answer, "Try again in a minute")
		wantNoText(t, answer, "10.1.2.3", "secret")
	}
	h.auditErr = nil
	h.sessions.err = errors.New("redis 10.1.2.3 is gone")
	answer := b.get("/")
	wantStatus(t, answer, http.StatusServiceUnavailable)
	wantNoText(t, answer, "10.1.2.3")
	h.sessions.err = nil

	h.parts.AskName = func(string) string { panic(markup) }
	h.build(t)
	b = h.signedIn(t, "ana")
	answer = b.get(submissionURL(s.ID))
	wantStatus(t, answer, http.StatusServiceUnavailable)
	wantNoText(t, answer, "alert(1)", "goroutine")
	if strings.Contains(h.log.String(), "alert(1)") {
		t.Error("the log quotes the value of a panic")
	}
}

func TestErrorsAsJSON(t *testing.T) {
	h := newDeskHouse(t)
	b := h.browser(t)
	b.header.Set("Accept", "application/json, */*")
	answer := b.get("/")
	wantStatus(t, answer, http.StatusUnauthorized)
	wantText(t, answer, `"code":"sign-in"`, `"title":"Not signed in"`)
}

func TestForeignPostsAreRefused(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	for name, headers := range map[string]map[string]string{
		"another site":      {"Sec-Fetch-Site": "cross-site"},
		"another host":      {"Sec-Fetch-Site": "same-site"},
		"old browser":       {"Origin": "https://evil.example"},
		"the intake's host": {"Origin": "https://docs.example.gov"},
		"no origin":         {"Origin": "null"},
	} {
		for _, route := range DeskRoutes() {
			if route.Method != http.MethodPost {
				continue
			}
			r := httptest.NewRequest(http.MethodPost, strings.Replace(route.Path, ":id", string(s.ID), 1), strings.NewReader("as=delivered"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for k, v := range headers {
				r.Header.Set(k, v)
			}
			if answer := b.do(r); answer.Code != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d", name, route.Path, answer.Code)
			}
		}
	}
	if h.subs[0].State != gateway.SubmissionReceived || b.cookie == nil {
		t.Error("a foreign post did something")
	}
	// An old browser of the desk's own page, behind a proxy that changes Host.
	r := httptest.NewRequest(http.MethodPost, "/session", nil)
	r.Header.Set("Origin", "https://desk.example.gov")
	wantStatus(t, b.do(r), http.StatusOK)
}

func TestFormsAreBounded(t *testing.T) {
	h := newDeskHouse(t)
	b := h.browser(t)
	wantStatus(t, b.post("/login", url.Values{"login": {strings.Repeat("x", deskFormBytes)}}), http.StatusBadRequest)
	wantStatus(t, b.post("/login", url.Values{"login": {"ana"}, "password": {strings.Repeat("x", passwordBytes+1)}}), http.StatusUnauthorized)
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	for _, path := range []string{"/", "/login", "/requests", "/nowhere", submissionURL(s.ID), pageURL(h.pages[0].ID, 1), "/session"} {
		got := b.get(path).Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Get(name), want)
			}
		}
		for _, name := range []string{"ETag", "Last-Modified"} {
			ranges := name == "ETag" && strings.HasPrefix(path, "/pages/") // of which a download that was cut goes on
			if got.Get(name) != "" && !ranges {
				t.Errorf("%s: has %s", path, name)
			}
		}
	}
	for _, never := range []string{"unsafe-inline", "unsafe-eval", "http:", "https:", "data:", "*"} {
		if strings.Contains(deskPolicy, never) {
			t.Errorf("the policy allows %s", never)
		}
	}
}

func TestStaticFilesStayCached(t *testing.T) {
	h := newDeskHouse(t)
	b := h.browser(t)
	_, rest, _ := strings.Cut(b.get("/login").Body.String(), `rel="stylesheet" href="`)
	path, _, _ := strings.Cut(rest, `"`)
	answer := b.get(path)
	wantStatus(t, answer, http.StatusOK)
	if cache := answer.Header().Values("Cache-Control"); len(cache) != 1 || !strings.Contains(cache[0], "immutable") {
		t.Errorf("Cache-Control %q", cache)
	}
	wantStatus(t, b.get("/static/nothing.js"), http.StatusNotFound)
}

// Pages hold no inline code, or the policy would break them.
func TestPagesHoldNoInlineCode(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), pdfPage("x"))
	b := h.signedIn(t, "cho")
	for _, path := range []string{"/", "/?done=1", "/requests", submissionURL(s.ID), "/nowhere"} {
		page := strings.ReplaceAll(b.get(path).Body.String(), `value="https://desk.example.gov/`, "") // to be copied, not followed
		for _, never := range []string{" style=", " onclick", " onload", " onerror", "javascript:", "<style", "http://", "https://"} {
			if strings.Contains(page, never) {
				t.Errorf("%s holds %q", path, never)
			}
		}
		if strings.Count(page, "<script") != strings.Count(page, "<script src=\"/static/") {
			t.Errorf("%s holds a script of its own", path)
		}
	}
}

func TestMetricsNameRoutesAndCodesOnly(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	b.get("/")
	b.get("/nowhere/+15551230142")
	families, err := h.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, family := range families {
		for _, metric := range family.Metric {
			for _, label := range metric.Label {
				seen[label.GetName()+"="+label.GetValue()] = true
				if strings.Contains(label.GetValue(), "555") {
					t.Errorf("label %q", label.GetValue())
				}
			}
		}
	}
	for _, want := range []string{"route=/", "route=other", "status=404", "code=not-found"} {
		if !seen[want] {
			t.Errorf("no %s among %v", want, seen)
		}
	}
}
