package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

func TestSessionCookie(t *testing.T) {
	h := newDeskHouse(t)
	answer := h.browser(t).post("/login", url.Values{"login": {" Ana "}, "password": {deskPassword}})
	wantStatus(t, answer, http.StatusSeeOther)
	line := ""
	for _, set := range answer.Header().Values("Set-Cookie") {
		if strings.HasPrefix(set, DeskCookie+"=") {
			line = set
		} else if !strings.HasPrefix(set, browserSecretCookie+"=") {
			t.Errorf("a cookie of another name: %s", set)
		}
	}
	for _, want := range []string{"__Host-desk=", "; Path=/;", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(line, want) {
			t.Errorf("the cookie lacks %q", want)
		}
	}
	for _, never := range []string{"Domain", "Expires", "Max-Age"} {
		if strings.Contains(line, never) {
			t.Errorf("the cookie has %s", never)
		}
	}
	if got := answer.Header().Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	// The store holds hashes of tokens only.
	token, _, _ := strings.Cut(strings.TrimPrefix(line, "__Host-desk="), ";")
	for key, entry := range h.sessions.entries {
		if strings.Contains(key, token) || strings.Contains(string(entry.content), token) || strings.Contains(string(entry.content), "ana") {
			t.Error("the store holds a token or a name")
		}
	}
}

// A session planted in the victim's browser, alive or made up, is worth
// nothing after the victim signed in.
func TestPlantedSessionDiesAtSignIn(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	attacker := h.signedIn(t, "ben")
	victim := h.browser(t)
	planted := *attacker.cookie
	victim.cookie = &planted
	wantStatus(t, victim.post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}}), http.StatusSeeOther)
	if victim.cookie.Value == planted.Value {
		t.Fatal("the token was kept")
	}
	wantText(t, victim.get("/"), "Maria")
	attacker.cookie = &planted
	wantStatus(t, attacker.get("/"), http.StatusSeeOther)

	madeUp := &http.Cookie{Name: DeskCookie, Value: strings.Repeat("B", 43)}
	other := h.browser(t)
	other.cookie = madeUp
	other.post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}})
	if other.cookie.Value == madeUp.Value {
		t.Error("a made-up token was adopted")
	}
}

func TestIdleSessionLocks(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	h.pass(14 * time.Minute)
	wantStatus(t, b.get("/?done=1"), http.StatusOK)
	h.pass(14 * time.Minute)
	wantStatus(t, b.get("/"), http.StatusOK)
	h.pass(15 * time.Minute)
	answer := b.get("/?done=1")
	wantStatus(t, answer, http.StatusSeeOther)
	if to := answer.Header().Get("Location"); to != "/login?next=%2F%3Fdone%3D1" {
		t.Errorf("led to %q", to)
	}
	wantText(t, b.get("/login?next=%2F%3Fdone%3D1"), "You come back to where you were", `value="/?done=1"`)
	back := b.post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}, "next": {"/?done=1"}})
	if to := back.Header().Get("Location"); to != "/?done=1" {
		t.Errorf("came back to %q", to)
	}
}

// What a page asks by itself is no use of the desk.
func TestPollingDoesNotKeepASession(t *testing.T) {
	h := newDeskHouse(t)
	h.requests = []gateway.RequestView{{ID: gateway.SendingID(h.id()), Office: h.dir.Offices["north"], State: gateway.DeliverySent}}
	path := requestURL(h.requests[0].ID)
	b := h.signedIn(t, "ana")
	for range 14 {
		h.pass(time.Minute)
		for _, quiet := range []string{path + "/state", path + "?auto=1", "/session", "/static/nothing"} {
			if answer := b.get(quiet); answer.Code >= 300 && answer.Code != http.StatusNotFound {
				t.Fatalf("%s: %d", quiet, answer.Code)
			}
		}
	}
	wantText(t, b.get("/session"), `"seconds":60`)
	h.pass(time.Minute)
	wantStatus(t, b.get(path+"/state"), http.StatusSeeOther)
}

func TestSessionEndsAfterTwelveHours(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	for range 12*6 - 1 {
		h.pass(10 * time.Minute)
		wantStatus(t, b.post("/session", nil), http.StatusOK)
	}
	wantText(t, b.get("/session"), `"seconds":600`)
	h.pass(10 * time.Minute)
	wantStatus(t, b.get("/"), http.StatusSeeOther)
}

func TestSignOutDestroys(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	stolen := *b.cookie
	wantStatus(t, b.post("/logout", nil), http.StatusSeeOther)
	if b.cookie != nil {
		t.Error("the cookie was left")
	}
	if last := h.audit[len(h.audit)-1]; last.Action != gateway.ActionSignedOut {
		t.Errorf("audit %+v", last)
	}
	b.cookie = &stolen
	wantStatus(t, b.get("/"), http.StatusSeeOther)
	if len(h.sessions.entries) != 0 {
		t.Errorf("%d entries are left in the store", len(h.sessions.entries))
	}
	wantStatus(t, h.browser(t).post("/logout", nil), http.StatusSeeOther) // nobody was signed in
}

func TestSignOutHappensWithoutAnAuditTrail(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	stolen := *b.cookie
	h.auditErr = http.ErrHandlerTimeout
	b.post("/logout", nil)
	b.cookie = &stolen
	wantStatus(t, b.get("/"), http.StatusSeeOther)
}

func TestDisabledAccountLosesItsSession(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	ana := h.staffByLogin("ana")
	ana.DisabledAt = deskTime
	h.staff[ana.ID] = ana
	wantStatus(t, b.get("/"), http.StatusSeeOther)
	if len(h.sessions.entries) != 0 {
		t.Error("the session was left")
	}
}

// Unknown and known logins cannot be told apart.
func TestRefusalsLookTheSame(t *testing.T) {
	h := newDeskHouse(t)
	try := func(login string) (int, string) {
		answer := h.browser(t).post("/login", url.Values{"login": {login}, "password": {"wrong"}})
		return answer.Code, strings.ReplaceAll(answer.Body.String(), login, "LOGIN")
	}
	status, known := try("ana")
	otherStatus, unknown := try("eve")
	if status != http.StatusUnauthorized || otherStatus != status || known != unknown {
		t.Errorf("%d and %d\n%s\n%s", status, otherStatus, known, unknown)
	}
	if !strings.Contains(known, "Name or password is not right") || strings.Contains(known, "wrong") {
		t.Errorf("%s", known)
	}
}

func TestTooManyTriesTellHowLong(t *testing.T) {
	h := newDeskHouse(t)
	h.wait = 4*time.Minute + 10*time.Second
	answer := h.browser(t).post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}})
	wantStatus(t, answer, http.StatusTooManyRequests)
	wantText(t, answer, "Try again in 5 minutes")
	if after := answer.Header().Get("Retry-After"); after != "250" {
		t.Errorf("Retry-After %q", after)
	}
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	h := newDeskHouse(t)
	for _, next := range []string{
		"https://evil.example/", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example",
		"http:evil.example", "javascript:alert(1)", "/%09/evil.example", "/\n/evil", "evil.example", "//", "/.//evil.example", "/..//evil.example",
		"https:/evil.example", " //evil.example", "/login", "/logout", "/session", "", strings.Repeat("/x", 300),
	} {
		answer := h.browser(t).post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}, "next": {next}})
		to, err := url.Parse(answer.Header().Get("Location"))
		if err != nil || answer.Code != http.StatusSeeOther {
			t.Fatalf("%q: %d %v", next, answer.Code, err)
		}
		base := url.URL{Scheme: "https", Host: "desk.example.gov", Path: "/login"}
		if got := base.ResolveReference(to); got.Host != "desk.example.gov" || got.Scheme != "https" || strings.HasPrefix(to.String(), "//") || strings.ContainsAny(to.String(), "\\\t\n") {
			t.Errorf("%q leads to %q", next, to)
		}
	}
	b := h.signedIn(t, "ana")
	if to := b.get("/login?next=https://evil.example").Header().Get("Location"); to != "/" {
		t.Errorf("who is signed in is led to %q", to)
	}
}

func TestSignInBringsBackAPost(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	answer := h.browser(t).post(submissionURL(s.ID)+"/handled", url.Values{"as": {"delivered"}})
	if to := answer.Header().Get("Location"); to != "/login?next="+url.QueryEscape(submissionURL(s.ID)) {
		t.Errorf("led to %q", to)
	}
	if h.subs[0].State != gateway.SubmissionReceived {
		t.Error("a stranger's post counted")
	}
}
