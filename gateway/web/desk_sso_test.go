package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// deskProvider lets in whoever is named by the code, if the state is one it gave.
type deskProvider struct {
	people map[string]gateway.Identity // by code
	away   bool
	maxAge time.Duration // that was asked for last
}

func (p *deskProvider) Begin(_ context.Context, name string, maxAge time.Duration) (address string, state []byte, err error) {
	if p.away {
		return "", nil, gateway.NewError(gateway.CodeSSODown, nil)
	}
	p.maxAge = maxAge
	return "https://login.example.gov/auth?state=" + name, []byte("state of the provider"), nil
}

func (p *deskProvider) Finish(_ context.Context, state []byte, answer gateway.IdentityAnswer) (gateway.Identity, error) {
	who, known := p.people[answer.Code]
	switch {
	case p.away:
		return who, gateway.NewError(gateway.CodeSSODown, nil)
	case !known || string(state) != "state of the provider" || answer.Issuer != "https://login.example.gov" || answer.Fault != "":
		return who, gateway.NewError(gateway.CodeSSO, fmt.Errorf("the nonce differs"))
	}
	return who, nil
}

// withSSO lets the house's staff sign in through their organization.
func (h *deskHouse) withSSO(t *testing.T) *deskProvider {
	t.Helper()
	p := &deskProvider{people: map[string]gateway.Identity{
		"code-of-dee": {Issuer: "https://login.example.gov", Subject: "dee", Login: "Dee@example.gov", Groups: []string{"north", "everybody"}, SecondFactor: true},
		"code-of-ann": {Issuer: "https://login.example.gov", Subject: "ann", Login: "ana", Groups: []string{"north"}},
		"code-of-eve": {Issuer: "https://login.example.gov", Subject: "eve", Login: "eve", Groups: []string{"everybody"}},
	}}
	flow := h.signIns()
	flow.SSO = &gateway.SingleSignOn{
		Provider: p, Key: []byte("key"), MaxAge: 15 * time.Minute, Groups: map[string]gateway.Roles{
			"north": {"north": {gateway.RoleCaseworker}}, "boss": {"north": {gateway.RoleAdmin}}, "south": {"south": {gateway.RoleAuditor}},
		},
	}
	h.parts.SignIns, h.parts.SSO = flow, "Example County"
	h.build(t)
	return p
}

// goesTo begins a sign-in and gives the name that the provider brings back.
func (b *browser) goesTo(path string) string {
	b.t.Helper()
	to, err := url.Parse(b.get(path).Header().Get("Location"))
	if err != nil || to.Host != "login.example.gov" {
		b.t.Fatalf("led to %v", to)
	}
	return to.Query().Get("state")
}

// comesBack brings what the provider answers, and gives where that leads.
func (b *browser) comesBack(state, code string) string {
	b.t.Helper()
	answer := b.get("/login/sso/back?" + url.Values{"state": {state}, "code": {code}, "iss": {"https://login.example.gov"}}.Encode())
	if answer.Code != http.StatusSeeOther {
		b.t.Errorf("the answer is %d", answer.Code)
	}
	to := answer.Header().Get("Location")
	if strings.Contains(to+answer.Body.String(), "code-of") || state != "" && strings.Contains(to, state) {
		b.t.Errorf("what the provider sent stays: %s", to)
	}
	return to
}

func (b *browser) through(code string) string {
	b.t.Helper()
	return b.comesBack(b.goesTo("/login/sso?next=%2Fcounter"), code)
}

func (h *deskHouse) refused(t *testing.T, code gateway.Code) {
	t.Helper()
	last := h.audit[len(h.audit)-1]
	if last.Action != gateway.ActionSignInRefused || last.Outcome != gateway.OutcomeDenied || last.Reason != string(code) || last.From == "" {
		t.Errorf("the trail says %+v, want %s", last, code)
	}
}

func TestSomebodySignsInThroughTheOrganization(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	b := h.browser(t)
	wantText(t, b.get("/login?next=%2Fcounter"), `href="/login/sso?next=%2fcounter"`, "Sign in with Example County", "<details class=\"local\">")
	if to := b.through("code-of-dee"); to != "/counter" {
		t.Errorf("led to %s", to)
	}
	wantText(t, b.get("/counter"), "dee@example.gov", "Unlock with Example County")
	dee := h.staffByLogin("dee@example.gov")
	if dee.Roles.String() != "north: caseworker" || !dee.SSO() || dee.PasswordHash != "" {
		t.Errorf("%+v", dee)
	}
	var trail []string
	for _, row := range h.audit {
		trail = append(trail, string(row.Action)+" ("+row.Reason+")")
	}
	if got := strings.Join(trail, ", "); !strings.HasPrefix(got, "staff.added (by single sign-on, north: caseworker), staff.signed-in (single sign-on)") {
		t.Errorf("the trail says %s", got)
	}
	page := b.get("/account")
	wantText(t, page, "You sign in with Example County")
	wantNoText(t, page, "Change your password", "Authenticator app", "Passkeys")
	if again := h.browser(t).through("code-of-dee"); again == "/login" || len(h.staff) != 4 {
		t.Errorf("a second sign-in leads to %s, with %d accounts", again, len(h.staff))
	}
	for _, cookie := range b.other {
		if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %+v", cookie)
		}
	}
	if log := h.log.String(); strings.Contains(log, "dee") || strings.Contains(log, "code-of") {
		t.Errorf("the log tells: %s", log)
	}
}

// An answer counts once, for the browser and the sign-in that it belongs to.
func TestAnswersThatBelongToNoSignIn(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	attacker, victim := h.browser(t), h.browser(t)
	state := attacker.goesTo("/login/sso")
	late := func(b *browser, state string) {
		t.Helper()
		if to := b.comesBack(state, "code-of-dee"); to != "/login?sso=sso-late" || b.cookie != nil {
			t.Errorf("led to %s", to)
		}
		h.refused(t, gateway.CodeSSOLate)
	}
	before := len(h.audit)
	if to := victim.comesBack(state, "code-of-dee"); to != "/login?sso=sso-late" || victim.cookie != nil || len(h.audit) != before {
		t.Errorf("lured there with the attacker's answer: led to %s", to)
	}
	victim.goesTo("/login/sso")
	late(victim, state)
	late(attacker, strings.Repeat("a", gateway.TokenLength))
	late(attacker, "")
	late(attacker, state) // the victim's browser used it up

	state = attacker.goesTo("/login/sso")
	if to := attacker.comesBack(state, "code-of-eve-that-never-was"); to != "/login?sso=sso" {
		t.Errorf("led to %s", to)
	}
	h.refused(t, gateway.CodeSSO)
	if log := h.log.String(); !strings.Contains(log, "the nonce differs") {
		t.Errorf("the operator is not told: %s", log)
	}
	if to := attacker.comesBack(attacker.goesTo("/login/sso"), "code-of-dee"); to != "/" {
		t.Errorf("led to %s", to)
	}
	victim = h.browser(t)
	victim.goesTo("/login/sso")
	late(victim, state)
	slow := h.browser(t)
	state = slow.goesTo("/login/sso")
	h.pass(ssoTime + time.Second)
	late(slow, state)
	wantText(t, slow.get("/login?sso=sso-late"), "That sign-in is over", "Begin again here")
	wantNoText(t, slow.get("/login?sso=forbidden"), `class="problem" role="alert"><strong>`)
}

// Two tabs may sign in side by side.
func TestTwoTabsSignIn(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	b := h.browser(t)
	first, second := b.goesTo("/login/sso?next=%2Fcounter"), b.goesTo("/login/sso?next=%2Frequests")
	if to := b.comesBack(first, "code-of-dee"); to != "/counter" {
		t.Errorf("led to %s", to)
	}
	if to := b.comesBack(second, "code-of-dee"); !strings.HasSuffix(to, "requests") {
		t.Errorf("led to %s", to)
	}
}

func TestGroupsDecideTheRoles(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	b := h.browser(t)
	b.through("code-of-dee")
	wantStatus(t, b.get("/counter"), http.StatusOK)
	groups := func(names ...string) {
		dee := p.people["code-of-dee"]
		dee.Groups = names
		p.people["code-of-dee"] = dee
	}
	groups("north", "boss", "south")
	other := h.browser(t)
	other.through("code-of-dee")
	if got := h.staffByLogin("dee@example.gov").Roles.String(); got != "north: admin, caseworker; south: auditor" {
		t.Errorf("roles %s", got)
	}
	wantStatus(t, other.get("/accounts"), http.StatusOK)
	wantPlace(t, b.get("/counter"), "/login?next=%2Fcounter") // what it was opened with holds no more
	groups("everybody")
	if to := h.browser(t).through("code-of-dee"); to != "/login?next=%2Fcounter&sso=sso-group" {
		t.Errorf("led to %s", to)
	}
	h.refused(t, gateway.CodeSSOGroup)
	if row := h.audit[len(h.audit)-2]; row.Action != gateway.ActionStaffChanged || row.Reason != "roles by group: none" {
		t.Errorf("the trail says %+v", row)
	}
	wantStatus(t, other.get("/accounts"), http.StatusSeeOther)
	wantText(t, other.get("/login?sso=sso-group"), "You have no work here yet", "which one you need")
	accounts := len(h.staff)
	h.browser(t).through("code-of-eve")
	h.refused(t, gateway.CodeSSOGroup)
	if len(h.staff) != accounts {
		t.Error("an account was made for somebody without a group")
	}
	// The provider still knows who that was: it has to ask, or nobody else could come in.
	if other.through("code-of-eve"); p.maxAge != 15*time.Minute {
		t.Errorf("asked for a sign-in of the last %s", p.maxAge)
	}
	if other.through("code-of-ann"); p.maxAge != 0 {
		t.Errorf("asked for a sign-in of the last %s", p.maxAge)
	}
}

// Whoever the provider calls as a local account is called is somebody else.
func TestALocalAccountIsNotTakenOver(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	before := h.staffByLogin("ana")
	b := h.browser(t)
	b.through("code-of-ann")
	wantText(t, b.get("/counter"), "ana-2")
	if after := h.staffByLogin("ana"); after.SSO() || after.PasswordHash != before.PasswordHash || after.ID != before.ID {
		t.Errorf("%+v", after)
	}
	wantPlace(t, h.browser(t).post("/login", password("ana")), "/requests")
}

func TestTheProviderAsksForTheSecondFactor(t *testing.T) {
	h := newDeskHouse(t)
	h.requireFactor(t)
	h.withSSO(t)
	b := h.browser(t)
	if to := b.through("code-of-ann"); to != "/login?next=%2Fcounter&sso=sso-second" || len(h.staff) != 3 {
		t.Errorf("led to %s with %d accounts", to, len(h.staff))
	}
	h.refused(t, gateway.CodeSSOSecond)
	if to := b.through("code-of-dee"); to != "/counter" {
		t.Errorf("led to %s", to)
	}
}

// Switched off here beats the provider, and whoever is in is out.
func TestASwitchedOffAccountStaysOut(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	h.addRoles("boss", gateway.RolesIn(gateway.RoleAdmin, "north"))
	b := h.browser(t)
	b.through("code-of-dee")
	boss := h.signedIn(t, "boss")
	path := "/accounts/" + string(h.staffByLogin("dee@example.gov").ID)
	page := boss.get(path)
	wantText(t, page, "signs in by single sign-on", "Switch the account off")
	wantNoText(t, page, "Make a new link", "Save roles")
	for _, act := range []string{"/reset", "/roles"} {
		answer := boss.post(path+act, url.Values{"office": {"north"}, "role": {"admin"}})
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, "This account signs in through the organization")
	}
	if len(h.invitations) != 0 || h.staffByLogin("dee@example.gov").Roles.String() != "north: caseworker" {
		t.Error("a link was made, or a role")
	}
	wantStatus(t, boss.post(path+"/state", url.Values{"state": {"off"}}), http.StatusSeeOther)
	wantStatus(t, b.get("/counter"), http.StatusSeeOther)
	if to := b.through("code-of-dee"); to != "/login?next=%2Fcounter&sso=sso-off" {
		t.Errorf("led to %s", to)
	}
	h.refused(t, gateway.CodeSSOOff)
}

// There is no second door: nothing that is kept here lets the account in.
func TestAnAccountOfTheProviderHasNoLocalWayIn(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	b := h.browser(t)
	b.through("code-of-dee")
	for path, form := range map[string]url.Values{
		"/account/app": {"code": {"123456"}}, "/account/password": {"new": {deskPassword}, "again": {deskPassword}},
		"/account/passkeys/options": {}, "/account/passkeys": {"answer": {"key"}},
	} {
		if answer := b.post(path, form); answer.Code < 400 {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
	dee := h.staffByLogin("dee@example.gov")
	if dee.PasswordHash != "" || len(dee.SealedTOTP) != 0 || len(h.keys) != 0 {
		t.Errorf("%+v", dee)
	}
	dee.PasswordHash = "hash:" + deskPassword // even if one got there
	h.staff[dee.ID] = dee
	wantStatus(t, h.browser(t).post("/login", password(dee.Login)), http.StatusUnauthorized)
}

// A locked screen opens by asking the provider anew, in the same session; so
// does the next person after somebody signed out.
func TestALockedScreenOpensThroughTheProvider(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	b := h.browser(t)
	b.through("code-of-dee")
	if p.maxAge != 15*time.Minute {
		t.Errorf("asked for a sign-in of the last %s", p.maxAge)
	}
	sessions := len(h.deskSessions)
	h.pass(16 * time.Minute)
	wantPlace(t, b.get("/counter"), "/login?next=%2Fcounter")
	page := b.get("/login?next=%2Fcounter")
	wantText(t, page, "Locked", "Unlock with Example County")
	if to := b.through("code-of-dee"); to != "/counter" || p.maxAge != 0 || len(h.deskSessions) != sessions {
		t.Errorf("led to %s after %s, %d sessions", to, p.maxAge, len(h.deskSessions))
	}
	if last := h.audit[len(h.audit)-1]; last.Action != gateway.ActionUnlocked {
		t.Errorf("the trail says %+v", last)
	}
	h.pass(16 * time.Minute) // in a second tab: the first keeps what was typed
	if to := b.comesBack(b.goesTo("/login/sso?tab=1"), "code-of-dee"); to != "/login/sso/done" {
		t.Errorf("led to %s", to)
	}
	wantText(t, b.get("/login/sso/done"), "what you typed there is kept")
	wantText(t, b.get("/session"), `"login":"dee@example.gov"`)
	h.pass(16 * time.Minute)
	b.through("code-of-ann") // a colleague, at the same machine
	wantText(t, b.get("/session"), `"login":"ana-2"`)
	b.post("/logout", nil)
	b.through("code-of-dee")
	if p.maxAge != 0 {
		t.Errorf("after a sign-out a sign-in of the last %s is enough", p.maxAge)
	}
	h.pass(12 * time.Hour)
	b.through("code-of-dee")
	if p.maxAge != 15*time.Minute || len(h.deskSessions) != sessions+3 {
		t.Errorf("%s, %d sessions", p.maxAge, len(h.deskSessions))
	}
}

func TestAProviderThatIsAwayKeepsNobodyElseOut(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	b := h.browser(t)
	state := b.goesTo("/login/sso?next=%2Fcounter")
	p.away = true
	if to := b.comesBack(state, "code-of-dee"); to != "/login?next=%2Fcounter&sso=sso-down" {
		t.Errorf("led to %s", to)
	}
	wantPlace(t, b.get("/login/sso"), "/login?sso=sso-down")
	page := b.get("/login?sso=sso-down")
	wantStatus(t, page, http.StatusServiceUnavailable)
	wantText(t, page, "does not answer", "of Dropslot’s own can sign in with it")
	wantPlace(t, b.post("/login", password("ana")), "/requests")
}

func TestWithoutSingleSignOn(t *testing.T) {
	h := newDeskHouse(t)
	b := h.browser(t)
	wantNoText(t, b.get("/login"), "/login/sso", "details")
	for _, path := range []string{"/login/sso", "/login/sso/back?code=x&state=y"} {
		if to := b.get(path).Header().Get("Location"); !strings.HasPrefix(to, "/login") {
			t.Errorf("%s leads to %q", path, to)
		}
	}
	if len(h.audit) != 0 {
		t.Errorf("the trail says %+v", h.audit)
	}
}
