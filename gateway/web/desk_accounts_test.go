package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

var joinPattern = regexp.MustCompile(`https://desk\.example\.gov(/join/[a-z2-7]{26})`)

const newPassword = "quiet teapots sing at noon"

func (h *deskHouse) admin(t *testing.T) *browser {
	h.addRoles("adm", gateway.RolesIn(gateway.RoleAdmin, "north"))
	return h.signedIn(t, "adm")
}

func inviteLink(t *testing.T, b *browser, form url.Values, path string) string {
	t.Helper()
	answer := b.post(path, form)
	wantStatus(t, answer, http.StatusOK)
	found := joinPattern.FindStringSubmatch(answer.Body.String())
	if found == nil {
		t.Fatalf("no link\n%s", answer.Body)
	}
	return found[1]
}

// opens follows a one-time link to its page, whose address holds no token.
func (b *browser) opens(link string) *httptest.ResponseRecorder {
	b.t.Helper()
	answer := b.get(link)
	if to := answer.Header().Get("Location"); answer.Code != http.StatusSeeOther || to != "/join" {
		b.t.Fatalf("led to %q", to)
	}
	return b.get("/join")
}

func TestInvitationWorksOnce(t *testing.T) {
	h := newDeskHouse(t)
	h.requireFactor(t)
	s := h.staffByLogin("ana")
	_ = s
	h.addRoles("adm", gateway.RolesIn(gateway.RoleAdmin, "north"))
	h.giveApp("adm")
	admin := h.browser(t)
	admin.post("/login", password("adm"))
	admin.post("/login/second", h.code())
	link := inviteLink(t, admin, url.Values{"login": {" Dee@Example.gov "}, "office": {"north"}, "role": {"caseworker", "auditor"}}, "/accounts")
	wantText(t, admin.get("/accounts"), "dee@example.gov", "invited", "caseworker, auditor")

	b := h.browser(t)
	for range 3 { // a preview changes nothing
		wantStatus(t, b.opens(link), http.StatusOK)
	}
	page := b.opens(link)
	wantText(t, page, "dee@example.gov", "This page works once")
	setup, secret := setupOf(t, page)
	form := url.Values{"login": {"dee@example.gov"}, "password": {newPassword}, "again": {newPassword}, "setup": {setup}, "code": {"000000"}}
	wantStatus(t, b.post("/join", form), http.StatusUnprocessableEntity)
	h.refused(t, gateway.CodeSecondFactor)
	form.Set("code", gateway.TOTPCode(secret, h.clock().Unix()/30))
	form.Set("again", "another")
	wantText(t, b.post("/join", form), "not the same")
	for _, weak := range []string{"short", "dee@example.gov1", "passwordpassword", "North County Benefits"} {
		form.Set("password", weak)
		form.Set("again", weak)
		wantText(t, b.post("/join", form), "too easy to guess")
	}
	form.Set("password", newPassword)
	form.Set("again", newPassword)
	form.Del("code")
	wantStatus(t, b.post("/join", form), http.StatusUnprocessableEntity) // the office asks for the app
	form.Set("code", gateway.TOTPCode(secret, h.clock().Unix()/30))
	wantPlace(t, b.post("/join", form), "/")
	wantStatus(t, b.get("/"), http.StatusOK)
	if got := h.staffByLogin("dee@example.gov"); got.Roles.String() != "north: auditor, caseworker" || string(got.SealedTOTP) == "" {
		t.Errorf("%+v", got)
	}
	wantStatus(t, h.browser(t).opens(link), http.StatusGone)
	late := h.browser(t)
	late.opens(link)
	wantStatus(t, late.post("/join", form), http.StatusGone)
	wantStatus(t, h.browser(t).post("/join", form), http.StatusGone)
	for _, entry := range h.audit {
		if strings.Contains(entry.Object+entry.Reason, link[6:]) || strings.Contains(h.log.String(), link[6:]) {
			t.Error("the link stands in the trail or the log")
		}
	}
}

// An admin hands two links over at one machine: each page is its own account's.
func TestTwoLinksInOneBrowser(t *testing.T) {
	h := newDeskHouse(t)
	admin, b := h.admin(t), h.browser(t)
	invite := func(login string) string {
		return inviteLink(t, admin, url.Values{"login": {login}, "office": {"north"}, "role": {"caseworker"}}, "/accounts")
	}
	dee, eli := invite("dee"), invite("eli")
	wantText(t, b.opens(dee), `name="login" autocomplete="username" value="dee"`, `data-account="dee"`)
	b.opens(eli)
	form := url.Values{"login": {"dee"}, "password": {newPassword}, "again": {newPassword}}
	wantStatus(t, b.post("/join", form), http.StatusGone)
	wantStatus(t, b.postJSON("/join/options", url.Values{"login": {"dee"}}), http.StatusGone)
	state, _ := decode(b.postJSON("/join/options", url.Values{"login": {"eli"}}).Body.Bytes())["state"].(string)
	wantStatus(t, b.postJSON("/join", url.Values{"login": {"dee"}, "state": {state}, "answer": {"key"}}), http.StatusGone)
	if len(h.invitations) != 2 || len(h.keys) != 0 || h.staffByLogin("eli").PasswordHash != "" {
		t.Error("one page set another account up")
	}
	b.opens(dee)
	wantPlace(t, b.post("/join", form), "/")
}

func TestInvitationExpiresAndIsReplaced(t *testing.T) {
	h := newDeskHouse(t)
	admin := h.admin(t)
	form := url.Values{"login": {"dee"}, "office": {"north"}, "role": {"caseworker"}}
	old := inviteLink(t, admin, form, "/accounts")
	id := string(h.staffByLogin("dee").ID)
	again := admin.post("/accounts/"+id+"/reset", nil)
	wantText(t, again, "until Fri, Nov 6", "sets the account up") // it was never set up: an invitation once more
	link := joinPattern.FindStringSubmatch(again.Body.String())[1]
	wantStatus(t, h.browser(t).opens(old), http.StatusGone)
	wantStatus(t, h.browser(t).opens(link), http.StatusOK)
	h.pass(73 * time.Hour)
	wantStatus(t, h.browser(t).opens(link), http.StatusGone)
	wantStatus(t, h.signedIn(t, "adm").post("/accounts", form), http.StatusUnprocessableEntity) // the name is taken
}

func TestInvitationByPasskey(t *testing.T) {
	h := newDeskHouse(t)
	h.requireFactor(t)
	link := func() string {
		token, err := (h.parts.Accounts).Invite(t.Context(), gateway.Actor{Staff: gateway.Staff{Roles: gateway.RolesIn(gateway.RoleAdmin, "north")}},
			"dee", gateway.RolesIn(gateway.RoleCaseworker, "north"))
		if err != nil {
			t.Fatal(err)
		}
		return joinPath(token)
	}()
	b := h.browser(t)
	b.opens(link)
	state, _ := decode(b.postJSON("/join/options", url.Values{"login": {"dee"}}).Body.Bytes())["state"].(string)
	wantStatus(t, b.postJSON("/join", url.Values{"login": {"dee"}, "state": {state}, "answer": {"broken"}}), http.StatusUnprocessableEntity)
	h.refused(t, gateway.CodePasskey)
	state, _ = decode(b.postJSON("/join/options", url.Values{"login": {"dee"}}).Body.Bytes())["state"].(string)
	wantText(t, b.postJSON("/join", url.Values{"login": {"dee"}, "state": {state}, "answer": {"key"}}), `"next":"/"`)
	wantStatus(t, b.get("/"), http.StatusOK)
	wantStatus(t, h.browser(t).opens(link), http.StatusGone)
	// Nobody signs in by a password that does not exist.
	wantStatus(t, h.browser(t).post("/login", url.Values{"login": {"dee"}, "password": {""}}), http.StatusUnauthorized)
	wantStatus(t, h.browser(t).post("/login", url.Values{"login": {"dee"}, "password": {deskPassword}}), http.StatusUnauthorized)
	// The only way in cannot be removed.
	wantStatus(t, b.post("/account/passkeys/remove", url.Values{"passkey": {"a2V5"}}), http.StatusUnprocessableEntity)
}

func TestResetEndsWhatWasThere(t *testing.T) {
	h := newDeskHouse(t)
	admin, ana := h.admin(t), h.signedIn(t, "ana")
	id := h.staffByLogin("ana").ID
	h.keys = []gateway.Passkey{{ID: []byte("lost phone"), Staff: id}}
	h.giveApp("ana")
	link := inviteLink(t, admin, nil, "/accounts/"+string(id)+"/reset")
	wantStatus(t, ana.get("/"), http.StatusOK) // until it is used everything stays
	b := h.browser(t)
	setup, _ := setupOf(t, b.opens(link))
	wantPlace(t, b.post("/join", url.Values{"login": {"ana"}, "password": {newPassword}, "again": {newPassword}, "setup": {setup}}), "/")
	wantStatus(t, ana.get("/"), http.StatusSeeOther)
	if got := h.staffByLogin("ana"); len(got.SealedTOTP) != 0 || len(h.keysOf(id)) != 0 || got.PasswordHash != "hash:"+newPassword {
		t.Errorf("%+v", got)
	}
}

// An admin cannot take an account over that works for another office, nor
// change their own.
func TestAdminsStayAtTheirOffice(t *testing.T) {
	h := newDeskHouse(t)
	admin := h.admin(t)
	cho, own := h.staffByLogin("cho"), h.staffByLogin("adm")
	at := func(id gateway.StaffID, what string) string { return "/accounts/" + string(id) + what }
	wantText(t, admin.get(at(cho.ID, "")), "works for another office too")
	wantNoText(t, admin.get(at(cho.ID, "")), "South County", "/reset")
	wantNoText(t, admin.get("/accounts"), "South County", "ben")
	for _, id := range []gateway.StaffID{cho.ID, own.ID} {
		wantStatus(t, admin.post(at(id, "/reset"), nil), http.StatusUnprocessableEntity)
		wantStatus(t, admin.post(at(id, "/state"), url.Values{"state": {"off"}}), http.StatusUnprocessableEntity)
	}
	wantStatus(t, admin.post(at(own.ID, "/roles"), url.Values{"office": {"north"}, "role": {"caseworker"}}), http.StatusUnprocessableEntity)
	wantStatus(t, admin.post(at(cho.ID, "/roles"), url.Values{"office": {"south"}, "role": {"admin"}}), http.StatusForbidden)
	if got := h.staffByLogin("cho").Roles.String(); got != "north: caseworker; south: caseworker" {
		t.Errorf("roles %s", got)
	}
	wantPlace(t, admin.post(at(cho.ID, "/roles"), url.Values{"office": {"north"}}), "/accounts")
	if got := h.staffByLogin("cho").Roles.String(); got != "south: caseworker" {
		t.Errorf("roles %s", got)
	}
	for _, entry := range h.audit {
		if entry.Reason == string(gateway.CodeNotFound) {
			t.Errorf("a refusal that was none: %+v", entry)
		}
	}
	wantStatus(t, admin.get(at(cho.ID, "")), http.StatusNotFound)
}

// Whoever signed in by password alone does not walk into an office that asks
// for more, by a session that goes on or by unlocking it.
func TestWorkAtAnotherOfficeAsksForItsSecondFactor(t *testing.T) {
	h := newDeskHouse(t)
	south := h.dir.Offices["south"]
	south.SecondFactorOptional = false
	h.dir.Offices["south"] = south
	h.build(t)
	live, locked := h.signedIn(t, "ana"), h.signedIn(t, "ana")
	h.addRoles("boss", gateway.RolesIn(gateway.RoleAdmin, "north", "south"))
	boss := gateway.Actor{Staff: h.staffByLogin("boss")}
	if err := h.accounts().SetRoles(t.Context(), boss, h.staffByLogin("ana").ID, "south", []gateway.Role{gateway.RoleCaseworker}); err != nil {
		t.Fatal(err)
	}
	wantPlace(t, live.get("/"), "/login")
	h.pass(16 * time.Minute)
	wantPlace(t, locked.post("/login", password("ana")), "/login/second")
}

// A link that an admin keeps opens nothing of an office that gives the account
// work afterwards, and none is made while the account is switched off.
func TestLinkDoesNotOutliveAChange(t *testing.T) {
	h := newDeskHouse(t)
	admin := h.admin(t)
	ana := h.staffByLogin("ana").ID
	place := "/accounts/" + string(ana)
	kept := inviteLink(t, admin, nil, place+"/reset")
	h.addRoles("south-adm", gateway.RolesIn(gateway.RoleAdmin, "south"))
	southern := gateway.Actor{Staff: gateway.Staff{ID: h.staffByLogin("south-adm").ID, Roles: gateway.Roles{"north": {gateway.RoleAdmin}, "south": {gateway.RoleAdmin}}}}
	if err := h.accounts().SetRoles(t.Context(), southern, ana, "south", []gateway.Role{gateway.RoleCaseworker}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, h.browser(t).opens(kept), http.StatusGone)
	if err := h.accounts().SetRoles(t.Context(), southern, ana, "south", nil); err != nil {
		t.Fatal(err)
	}
	kept = inviteLink(t, admin, nil, place+"/reset")
	admin.post(place+"/state", url.Values{"state": {"off"}})
	wantText(t, admin.post(place+"/reset", nil), "This account is switched off")
	admin.post(place+"/state", url.Values{"state": {"on"}})
	wantStatus(t, h.browser(t).opens(kept), http.StatusGone)
}

func TestDisabledByAnAdminIsSignedOutAtOnce(t *testing.T) {
	h := newDeskHouse(t)
	admin, ana := h.admin(t), h.signedIn(t, "ana")
	place := "/accounts/" + string(h.staffByLogin("ana").ID)
	wantPlace(t, admin.post(place+"/state", url.Values{"state": {"off"}}), place+"?done=1")
	wantStatus(t, ana.get("/"), http.StatusSeeOther)
	wantStatus(t, h.browser(t).post("/login", password("ana")), http.StatusUnauthorized)
	wantPlace(t, admin.post(place+"/state", url.Values{"state": {"on"}}), place+"?done=1")
	wantStatus(t, h.browser(t).post("/login", password("ana")), http.StatusSeeOther)
}

func TestPasswordChangeSignsOutEverywhereElse(t *testing.T) {
	h := newDeskHouse(t)
	here, there := h.signedIn(t, "ana"), h.signedIn(t, "ana")
	form := url.Values{"password": {"wrong"}, "new": {newPassword}, "again": {newPassword}}
	wantText(t, here.post("/account/password", form), "The password is not right")
	wantStatus(t, there.get("/"), http.StatusOK)
	form.Set("password", deskPassword)
	before := here.cookie.Value
	wantPlace(t, here.post("/account/password", form), "/account?done=password")
	if here.cookie.Value == before {
		t.Error("the token was kept")
	}
	wantText(t, here.get("/account?done=password"), "signed out everywhere else")
	wantStatus(t, there.get("/"), http.StatusSeeOther)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	h := newDeskHouse(t)
	here, there, ben := h.signedIn(t, "ana"), h.browser(t), h.signedIn(t, "ben")
	there.header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/153.0")
	wantPlace(t, there.post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}}), "/")
	page := here.get("/account")
	wantText(t, page, "Firefox on Windows", "this one", "New sign-in from a new browser")
	theirs := string(h.deskSessions[len(h.deskSessions)-1].ID)
	wantStatus(t, ben.post("/account/sessions/end", url.Values{"session": {theirs}}), http.StatusNotFound)
	wantStatus(t, there.get("/"), http.StatusOK)
	wantPlace(t, here.post("/account/sessions/end", url.Values{"session": {theirs}}), "/account?done=ended")
	wantStatus(t, there.get("/"), http.StatusSeeOther)
	wantStatus(t, here.get("/"), http.StatusOK)
}

func TestNewBrowserIsToldAtTheNextSignIn(t *testing.T) {
	h := newDeskHouse(t)
	known := h.signedIn(t, "ana") // the first one is not told
	known.post("/logout", nil)
	thief := h.browser(t)
	wantPlace(t, thief.post("/login", password("ana")), "/requests")
	wantPlace(t, known.post("/login", password("ana")), "/account?next=%2Frequests")
	wantText(t, known.get("/account?next=%2Frequests"), "New sign-in from a new browser", "That was me")
	strange := string(h.deskSessions[1].ID)
	// A sign-in that the page did not show yet is not known with the others.
	wantPlace(t, known.post("/account/known", url.Values{"next": {"/requests"}}), "/requests")
	wantText(t, known.get("/account"), "New sign-in", strange)
	wantPlace(t, known.post("/account/known", url.Values{"next": {"/requests"}, "session": {strange}}), "/requests")
	wantNoText(t, known.get("/account"), "New sign-in")
	known.post("/logout", nil)
	wantPlace(t, known.post("/login", password("ana")), "/requests")
	wantPlace(t, known.post("/account/known", url.Values{"next": {"https://evil.example"}}), "/")
	told := 0
	for _, entry := range h.audit {
		if entry.Action == gateway.ActionNewBrowser {
			told++
		}
	}
	if told != 1 {
		t.Errorf("%d rows tell of a new browser", told)
	}
}

// Whoever comes in from a new browser cannot quiet what is said about them.
func TestStrangerCannotQuietTheAlarm(t *testing.T) {
	h := newDeskHouse(t)
	known := h.signedIn(t, "ana")
	known.post("/logout", nil)
	thief, another := h.browser(t), h.browser(t)
	thief.post("/login", password("ana"))
	another.post("/login", password("ana"))
	page := thief.get("/account")
	wantText(t, page, "This browser is new to your account too")
	wantNoText(t, page, "That was me")
	all := url.Values{}
	for _, s := range h.deskSessions {
		all.Add("session", string(s.ID))
	}
	wantStatus(t, thief.post("/account/known", all), http.StatusForbidden)
	thief.post("/logout", nil)
	thief.post("/login", password("ana")) // a second time its browser is new no more
	wantStatus(t, thief.post("/account/known", all), http.StatusForbidden)
	wantPlace(t, known.post("/login", password("ana")), "/account?next=%2Frequests")
	wantPlace(t, known.post("/account/known", all), "/")
	if last := h.lastAudit(); last.Action != gateway.ActionBrowserKnown || last.Actor != "staff:"+string(h.staffByLogin("ana").ID) {
		t.Errorf("%+v", last)
	}
	wantText(t, thief.get("/account"), "Where you are signed in")
	wantNoText(t, thief.get("/account"), "New sign-in")
}

// Whoever may see no papers begins where they work.
func TestBeginningsByRole(t *testing.T) {
	h := newDeskHouse(t)
	admin := h.admin(t)
	wantPlace(t, admin.get("/"), "/accounts")
	wantNoText(t, admin.get("/accounts"), "Inbox", "Sent links")
	h.addRoles("none", gateway.Roles{})
	wantStatus(t, h.signedIn(t, "none").get("/"), http.StatusForbidden)
}

// Another site's post reaches none of the flows, with the session's cookie.
func TestCrossSitePostsReachNoFlowOfTheDesk(t *testing.T) {
	h := newDeskHouse(t)
	h.addRoles("everything", gateway.Roles{"north": gateway.AllRoles()})
	h.furnish("north", "")
	b := h.signedIn(t, "everything")
	before := len(h.audit)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.header.Set("Origin", "https://evil.example")
	for _, route := range DeskRoutes() {
		if route.Method != http.MethodPost {
			continue
		}
		if answer := try(b, h, route, "north"); answer.Code != http.StatusForbidden {
			t.Errorf("%s: %d", route.name(), answer.Code)
		}
	}
	if len(h.audit) != before {
		t.Errorf("%d rows were written", len(h.audit)-before)
	}
}

func TestBrowserWords(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36":                            "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0":    "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1": "Safari on an iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15":            "Safari on a Mac",
		"<script>alert(1)</script>": "A browser",
		"":                          "A browser",
	} {
		if got := browserWords(agent); got != want {
			t.Errorf("%q: %q, not %q", agent, got, want)
		}
	}
}

// A link that went to the wrong person is seen, and ended, before it is used.
func TestAnOpenLinkIsCanceled(t *testing.T) {
	h := newDeskHouse(t)
	admin := h.admin(t)
	page := "/accounts/" + string(h.staffByLogin("ana").ID)
	wantNoText(t, admin.get(page), "Cancel the open link")
	link := inviteLink(t, admin, nil, page+"/reset")
	wantText(t, admin.get("/accounts"), "link open until Wed, Nov 4")
	wantText(t, admin.get(page), "A link is open until Wed, Nov 4", "Cancel the open link")
	wantPlace(t, admin.post(page+"/link/cancel", nil), page+"?done=1")
	if last := h.audit[len(h.audit)-1]; last.Action != gateway.ActionLinkWithdrawn {
		t.Errorf("the trail says %+v", last)
	}
	wantStatus(t, h.browser(t).opens(link), http.StatusGone)
	wantStatus(t, admin.post(page+"/link/cancel", nil), http.StatusGone)
	wantNoText(t, admin.get(page), "Cancel the open link")
}
