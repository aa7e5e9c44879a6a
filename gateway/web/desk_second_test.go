package web

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

var testSecret = []byte("12345678901234567890")

func (h *deskHouse) giveApp(login string) {
	s := h.staffByLogin(login)
	s.SealedTOTP, _ = deskSecrets{}.SealSecret("totp", s.ID, testSecret)
	h.staff[s.ID] = s
}

func (h *deskHouse) code() url.Values {
	return url.Values{"code": {gateway.TOTPCode(testSecret, h.clock().Unix()/30)}}
}

// requireFactor lets every office ask for a second factor.
func (h *deskHouse) requireFactor(t *testing.T) {
	for id, office := range h.dir.Offices {
		office.SecondFactorOptional = false
		h.dir.Offices[id] = office
	}
	h.build(t)
}

func password(login string) url.Values {
	return url.Values{"login": {login}, "password": {deskPassword}, "next": {"/requests"}}
}

func wantPlace(t *testing.T, answer *httptest.ResponseRecorder, place string) {
	t.Helper()
	wantStatus(t, answer, http.StatusSeeOther)
	if got := answer.Header().Get("Location"); got != place {
		t.Fatalf("led to %q, not %q", got, place)
	}
}

func TestSecondFactorIsAskedForAndWorksOnce(t *testing.T) {
	h := newDeskHouse(t)
	h.giveApp("ana")
	b := h.browser(t)
	wantPlace(t, b.post("/login", password("ana")), "/login/second")
	halfway := *b.cookie
	wantPlace(t, b.get("/"), "/login") // a right password alone opens nothing
	wantStatus(t, b.get("/login/second"), http.StatusOK)
	wantStatus(t, b.post("/login/second", url.Values{"code": {"000000"}}), http.StatusUnprocessableEntity)
	code := h.code()
	wantPlace(t, b.post("/login/second", code), "/requests")
	if b.cookie.Value == halfway.Value {
		t.Error("the token of before the second factor was kept")
	}
	wantStatus(t, b.get("/"), http.StatusOK)
	planted := h.browser(t)
	planted.cookie = &halfway
	wantPlace(t, planted.get("/"), "/login")
	wantPlace(t, planted.get("/login/second"), "/login")

	other := h.browser(t)
	wantPlace(t, other.post("/login", password("ana")), "/login/second")
	wantStatus(t, other.post("/login/second", code), http.StatusUnprocessableEntity) // used already
	h.pass(30 * time.Second)
	wantStatus(t, other.post("/login/second", h.code()), http.StatusSeeOther)
}

func TestCodesCannotBeGuessed(t *testing.T) {
	h := newDeskHouse(t)
	h.giveApp("ana")
	b := h.browser(t)
	b.post("/login", password("ana"))
	for range 5 {
		wantStatus(t, b.post("/login/second", url.Values{"code": {"000000"}}), http.StatusUnprocessableEntity)
	}
	wantStatus(t, b.post("/login/second", h.code()), http.StatusTooManyRequests)
	h.pass(16 * time.Minute)
	wantPlace(t, b.post("/login/second", h.code()), "/login") // the password was too long ago
}

var setupPattern = regexp.MustCompile(`name="setup" value="([^"]+)"`)

func setupOf(t *testing.T, answer *httptest.ResponseRecorder) (string, []byte) {
	t.Helper()
	found := setupPattern.FindStringSubmatch(answer.Body.String())
	if found == nil {
		t.Fatalf("no set-up in the page\n%s", answer.Body)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return found[1], sealed[len(sealed)-gateway.TOTPSecretSize:]
}

func TestAnOfficeAsksForASecondFactor(t *testing.T) {
	h := newDeskHouse(t)
	h.requireFactor(t)
	b := h.browser(t)
	wantPlace(t, b.post("/login", password("ana")), "/login/second")
	page := b.get("/login/second")
	wantText(t, page, "Protect your account")
	setup, secret := setupOf(t, page)
	again := b.post("/login/setup", url.Values{"setup": {setup}, "code": {"000000"}})
	wantStatus(t, again, http.StatusUnprocessableEntity)
	if same, _ := setupOf(t, again); same != setup {
		t.Error("a mistyped code needs a new scan")
	}
	if fresh, _ := setupOf(t, b.get("/login/second")); fresh == setup {
		t.Error("two pages show one secret: who saw the first could keep it")
	}
	code := gateway.TOTPCode(secret, h.clock().Unix()/30)
	ben := h.browser(t)
	ben.post("/login", password("ben"))
	wantStatus(t, ben.post("/login/setup", url.Values{"setup": {setup}, "code": {code}}), http.StatusUnprocessableEntity) // ana's
	wantPlace(t, b.post("/login/setup", url.Values{"setup": {setup}, "code": {code}}), "/requests")
	wantStatus(t, b.get("/requests"), http.StatusOK)

	// From now on the password alone sets nothing up.
	thief := h.browser(t)
	thief.post("/login", password("ana"))
	wantText(t, thief.get("/login/second"), "Code from your authenticator app")
	wantStatus(t, thief.post("/login/setup", url.Values{"setup": {setup}, "code": {code}}), http.StatusForbidden)
	wantStatus(t, thief.post("/login/setup/options", nil), http.StatusForbidden)
}

func (b *browser) postJSON(path string, form url.Values) *httptest.ResponseRecorder {
	b.header.Set("Accept", "application/json")
	defer b.header.Del("Accept")
	return b.post(path, form)
}

func TestPasskeyStandsForBothFactors(t *testing.T) {
	h := newDeskHouse(t)
	h.giveApp("ana")
	ana := h.staffByLogin("ana")
	h.keys = []gateway.Passkey{{ID: []byte("key"), Staff: ana.ID}}
	b := h.browser(t)
	state, _ := decode(b.postJSON("/login/options", nil).Body.Bytes())["state"].(string)
	if len(state) != gateway.TokenLength {
		t.Fatalf("state %q", state)
	}
	answer := url.Values{"state": {state}, "answer": {string(ana.ID) + " key"}, "next": {"/requests"}}
	wantText(t, b.postJSON("/login/passkey", answer), `"next":"/requests"`)
	wantStatus(t, b.get("/requests"), http.StatusOK)
	wantStatus(t, h.browser(t).postJSON("/login/passkey", answer), http.StatusUnprocessableEntity) // a challenge is used once

	for name, wrong := range map[string]string{"another's": string(h.staffByLogin("ben").ID) + " key", "unknown": "nobody key"} {
		c := h.browser(t)
		state, _ := decode(c.postJSON("/login/options", nil).Body.Bytes())["state"].(string)
		if got := c.postJSON("/login/passkey", url.Values{"state": {state}, "answer": {wrong}}); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	h.pass(30 * time.Second)
	ana.DisabledAt, ana.SealedTOTP = deskTime, h.staff[ana.ID].SealedTOTP
	h.staff[ana.ID] = ana
	state, _ = decode(h.browser(t).postJSON("/login/options", nil).Body.Bytes())["state"].(string)
	answer.Set("state", state)
	wantStatus(t, h.browser(t).postJSON("/login/passkey", answer), http.StatusUnprocessableEntity)
}

// A challenge that was given to add a passkey to one account adds none to
// another, and signs nobody in.
func TestPasskeyStateIsBoundToItsUse(t *testing.T) {
	h := newDeskHouse(t)
	ana, ben := h.signedIn(t, "ana"), h.signedIn(t, "ben")
	state, _ := decode(ana.postJSON("/account/passkeys/options", url.Values{"password": {deskPassword}}).Body.Bytes())["state"].(string)
	if state == "" {
		t.Fatal("no state")
	}
	wantStatus(t, ana.postJSON("/account/passkeys/options", url.Values{"password": {"wrong"}}), http.StatusUnprocessableEntity)
	form := url.Values{"state": {state}, "answer": {"key"}}
	wantStatus(t, ben.postJSON("/account/passkeys", form), http.StatusUnprocessableEntity)
	wantStatus(t, ben.postJSON("/login/passkey", form), http.StatusUnprocessableEntity)
	wantStatus(t, ana.postJSON("/account/passkeys", form), http.StatusOK)
	if len(h.keys) != 1 || h.keys[0].Staff != h.staffByLogin("ana").ID {
		t.Errorf("keys %+v", h.keys)
	}
}

func TestLockedScreenOpensByPasswordAlone(t *testing.T) {
	h := newDeskHouse(t)
	h.giveApp("ana")
	b := h.browser(t)
	b.post("/login", password("ana"))
	b.post("/login/second", h.code())
	begun := h.deskSessions[0].ID
	h.pass(16 * time.Minute)
	wantPlace(t, b.get("/requests"), "/login?next=%2Frequests")
	wantText(t, b.get("/login?next=%2Frequests"), "Locked", `value="ana"`, "Unlock")
	locked := *b.cookie
	wantStatus(t, b.postJSON("/login", url.Values{"login": {"ana"}, "password": {"wrong"}}), http.StatusUnauthorized)
	wantPlace(t, b.post("/login", password("ana")), "/requests")
	if b.cookie.Value == locked.Value {
		t.Error("the locked session's token was kept")
	}
	if len(h.deskSessions) != 1 || h.deskSessions[0].ID != begun {
		t.Errorf("sessions %+v", h.deskSessions)
	}
	if last := h.audit[len(h.audit)-1]; last.Action != gateway.ActionUnlocked {
		t.Errorf("audit %+v", last)
	}
	// Somebody else at the same screen signs in as a whole.
	h.giveApp("ben")
	h.pass(16 * time.Minute)
	wantPlace(t, b.post("/login", password("ben")), "/login/second")
}

func TestUnlockingDoesNotLengthenTheDay(t *testing.T) {
	h := newDeskHouse(t)
	h.giveApp("ana")
	b := h.browser(t)
	b.post("/login", password("ana"))
	b.post("/login/second", h.code())
	for range 44 { // 11 h 44 min
		h.pass(16 * time.Minute)
		wantPlace(t, b.post("/login", password("ana")), "/requests")
	}
	h.pass(17 * time.Minute)
	wantPlace(t, b.post("/login", password("ana")), "/login/second")
}

func TestASessionThatWasEndedDoesNotUnlock(t *testing.T) {
	h := newDeskHouse(t)
	h.giveApp("ana")
	b := h.browser(t)
	b.post("/login", password("ana"))
	b.post("/login/second", h.code())
	h.pass(16 * time.Minute)
	h.deskSessions = nil
	wantPlace(t, b.post("/login", password("ana")), "/login/second")
}

func TestPagesOfTheSignInSayNothingOfAccounts(t *testing.T) {
	h := newDeskHouse(t)
	b := h.browser(t)
	for _, path := range []string{"/login/second", "/login?next=/join/x", "/join/" + strings.Repeat("a", 26), "/join/x"} {
		wantNoText(t, b.get(path), "ana", "ben")
	}
	wantStatus(t, b.opens("/join/"+strings.Repeat("a", 26)), http.StatusGone)
}

// Whoever saw a password typed can unlock a desk that was left, and must not
// give it a second step of their own.
func TestWaysToSignInChangeSoonAfterAWholeSignIn(t *testing.T) {
	h := newDeskHouse(t)
	ana := h.signedIn(t, "ana")
	for range 3 { // at work all the while
		h.pass(6 * time.Minute)
		wantStatus(t, ana.get("/"), http.StatusOK)
	}
	password := url.Values{"password": {deskPassword}}
	got := ana.postJSON("/account/passkeys/options", password)
	wantStatus(t, got, http.StatusUnprocessableEntity)
	if !strings.Contains(got.Body.String(), string(codeNotRecent)) {
		t.Errorf("said %s", got.Body)
	}
	got = ana.post("/account/app", password)
	wantStatus(t, got, http.StatusUnprocessableEntity)
	if !strings.Contains(got.Body.String(), "Sign in again first") {
		t.Error("the page does not say what to do")
	}
	wantStatus(t, h.signedIn(t, "ana").postJSON("/account/passkeys/options", password), http.StatusOK)
}

// What was posted after the end of a session leads back to the page it stood on.
func TestSignInLeadsBackToAPage(t *testing.T) {
	h := newDeskHouse(t)
	for posted, page := range map[string]string{
		"/submissions/0123456789abcdefghjkmnpqrs/stage": "/submissions/0123456789abcdefghjkmnpqrs",
		"/account/password":                             "/account",
		"/notices":                                      "/notices",
	} {
		got := h.browser(t).post(posted, nil)
		wantStatus(t, got, http.StatusSeeOther)
		if to := got.Header().Get("Location"); to != "/login?"+(url.Values{"next": {page}}).Encode() {
			t.Errorf("%s leads to %s", posted, to)
		}
	}
}

// Whoever got in with the old way to sign in is out when it changes.
func TestANewFactorSignsOutElsewhere(t *testing.T) {
	h := newDeskHouse(t)
	ana := h.staffByLogin("ana")
	change := map[string]func(*browser){
		"app": func(b *browser) {
			setup, secret := setupOf(t, b.get("/account"))
			form := url.Values{"password": {deskPassword}, "setup": {setup}, "code": {gateway.TOTPCode(secret, h.clock().Unix()/30)}}
			wantPlace(t, b.post("/account/app", form), "/account?done=app")
			ana := h.staff[ana.ID]
			ana.SealedTOTP = nil // a password is enough again
			h.staff[ana.ID] = ana
		},
		"passkey": func(b *browser) {
			state, _ := decode(b.postJSON("/account/passkeys/options", url.Values{"password": {deskPassword}}).Body.Bytes())["state"].(string)
			wantStatus(t, b.postJSON("/account/passkeys", url.Values{"state": {state}, "answer": {"key"}}), http.StatusOK)
		},
		"removed": func(b *browser) {
			h.keys = []gateway.Passkey{{ID: []byte("key"), Staff: ana.ID}}
			wantPlace(t, b.post("/account/passkeys/remove", url.Values{"password": {deskPassword}, "passkey": {"a2V5"}}), "/account?done=removed")
		},
	}
	for name, act := range change {
		h.keys = nil
		mine, stranger := h.signedIn(t, "ana"), h.signedIn(t, "ana")
		act(mine)
		if answer := stranger.get("/requests"); answer.Code != http.StatusSeeOther {
			t.Errorf("%s: the stranger is still in: %d", name, answer.Code)
		}
		wantStatus(t, mine.get("/requests"), http.StatusOK)
	}
}

// Who guesses codes to set an app up is seen.
func TestAWrongCodeAtTheSetUpIsOnRecord(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	setup, _ := setupOf(t, b.get("/account"))
	wantStatus(t, b.post("/account/app", url.Values{"password": {deskPassword}, "setup": {setup}, "code": {"000000"}}), http.StatusUnprocessableEntity)
	h.refused(t, gateway.CodeSecondFactor)
}

// Who signs in over a session has one, and not a second that nobody can use.
func TestASessionThatIsReplacedEnds(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	b.post("/login", password("ana"))
	b.post("/login", password("cho"))
	living := 0
	for _, s := range h.deskSessions {
		if !h.ended[s.ID] {
			living++
		}
	}
	if living != 1 || len(h.deskSessions) != 3 {
		t.Errorf("%d of %d sessions live", living, len(h.deskSessions))
	}
}
