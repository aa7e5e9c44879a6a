package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// shrinkerMidway makes small pictures of which something happens just before.
type shrinkerMidway struct {
	deskShrinker
	first func()
}

func (s shrinkerMidway) Shrink(ctx context.Context, sheet gateway.Sheet, most int64) ([]byte, error) {
	s.first()
	return s.deskShrinker.Shrink(ctx, sheet, most)
}

// A small picture seen in an emergency is marked as any look is, and is not
// made any more once the access is over.
func TestASmallPictureInAnEmergency(t *testing.T) {
	h := emergencyHouse(t)
	s := h.addSubmission("south", "Maria", otherPhone, jpegPage(8, 8))
	small := "/pages/" + string(h.pagesOf(s.ID)[0].ID) + "/small"
	b := h.inEmergency(t, "ana")
	wantStatus(t, b.get(small), http.StatusOK)
	marked := func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionPagePreviewed && e.Emergency() == h.emergencies[0].ID
	}
	if n := h.count(marked); n != 1 {
		t.Errorf("%d rows carry the mark", n)
	}
	h.desk.Shrinker = shrinkerMidway{first: func() { h.emergencies[0].EndedAt = h.clock() }}
	wantStatus(t, b.get(small), http.StatusForbidden)
}

// What no browser shows is not downloaded in an emergency: the page says who at
// the office opens it, with scripts and without, as the office's rule is.
func TestAnUnshownPageInAnEmergencyNamesWhoOpensIt(t *testing.T) {
	h := emergencyHouse(t)
	s := h.addSubmission("south", "Maria", otherPhone, heicPage, svgPage)
	b := h.inEmergency(t, "ana")
	for _, test := range []struct {
		off  []gateway.Role
		want string
	}{
		{nil, "Ask a caseworker or supervisor of South County Housing to open it: they may download it."},
		{[]gateway.Role{gateway.RoleCaseworker}, "Ask a supervisor of South County Housing to open it: they may download it."},
		{[]gateway.Role{gateway.RoleCaseworker, gateway.RoleSupervisor}, "Ask the person who runs Dropslot to open it: nobody at South County Housing may download papers."},
	} {
		south := h.dir.Offices["south"]
		south.NoDownload = test.off
		h.dir.Offices["south"] = south
		for number, kind := range []string{"heic", "other"} {
			answer := b.get(submissionURL(s.ID) + "?page=" + strconv.Itoa(number+1))
			wantStatus(t, answer, http.StatusOK)
			heic := "Browsers cannot show it, and you may not download it. " + test.want + "</p>"
			other := "no picture or PDF that is safe to show. " + test.want + "</p>"
			wantText(t, answer, `<template data-note="heic"><p class="note">This is a HEIC photo, as iPhones take them. `+heic, `<template data-note="other">`)
			shown := map[string]string{"heic": heic, "other": other}[kind]
			if !strings.Contains(answer.Body.String(), shown+"</noscript>") {
				t.Errorf("without scripts page %d does not say %q", number+1, shown)
			}
			wantNoText(t, answer, "“Original”")
		}
	}
}

// southDemands lets the south alone ask for a second factor.
func (h *deskHouse) southDemands(t *testing.T) {
	h.requireFactor(t)
	north := h.dir.Offices["north"]
	north.SecondFactorOptional = true
	h.dir.Offices["north"] = north
}

// Whoever knows a password, of an account at an office where that is enough,
// gives it a second factor of their own: it opens no other office's papers for
// a day, however they sign in with it. Its owner has heard of it by then.
func TestAStolenPasswordOpensNothingInAnEmergency(t *testing.T) {
	for name, factor := range map[string]struct {
		adds func(h *deskHouse, b *browser)
		in   func(h *deskHouse) *browser
	}{
		"app": {
			func(h *deskHouse, b *browser) {
				setup, secret := setupOf(t, b.get("/account"))
				form := url.Values{"password": {deskPassword}, "setup": {setup}, "code": {gateway.TOTPCode(secret, h.clock().Unix()/30)}}
				wantPlace(t, b.post("/account/app", form), "/account?done=app")
				ana := h.staffByLogin("ana")
				ana.SealedTOTP, _ = deskSecrets{}.SealSecret("totp", ana.ID, testSecret)
				h.staff[ana.ID] = ana
			},
			func(h *deskHouse) *browser {
				b := h.browser(t)
				wantPlace(t, b.post("/login", password("ana")), "/login/second")
				h.pass(30 * time.Second)
				wantStatus(t, b.post("/login/second", h.code()), http.StatusSeeOther)
				return b
			},
		},
		"passkey": {
			func(_ *deskHouse, b *browser) {
				state, _ := decode(b.postJSON("/account/passkeys/options", url.Values{"password": {deskPassword}}).Body.Bytes())["state"].(string)
				wantStatus(t, b.postJSON("/account/passkeys", url.Values{"state": {state}, "answer": {"key"}}), http.StatusOK)
			},
			func(h *deskHouse) *browser {
				b := h.browser(t)
				state, _ := decode(b.postJSON("/login/options", nil).Body.Bytes())["state"].(string)
				wantStatus(t, b.postJSON("/login/passkey", url.Values{"state": {state}, "answer": {string(h.staffByLogin("ana").ID) + " key"}}), http.StatusOK)
				return b
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := emergencyHouse(t)
			h.southDemands(t)
			refuses := func(b *browser, words string) {
				t.Helper()
				answer := b.post("/emergency", emergencyForm("south"))
				wantStatus(t, answer, http.StatusForbidden)
				wantText(t, answer, words, "Nothing was opened", "all the office")
			}
			b := h.signedIn(t, "ana")
			refuses(b, "Your account needs a second step first")
			factor.adds(h, b)
			refuses(b, "Sign in with your second step first")
			h.pass(22 * time.Hour)
			refuses(factor.in(h), "Sign in with your second step first")
			h.pass(2 * time.Hour)
			wantPlace(t, factor.in(h).post("/emergency", emergencyForm("south")), "/?office=south")
			if n := h.count(func(e gateway.AuditEntry) bool {
				return e.Action == gateway.ActionEmergencyOpened && e.Office == "south" && e.Reason == string(gateway.CodeNoFactor)
			}); n != 3 {
				t.Errorf("%d refusals in the trail", n)
			}
		})
	}
}

// A link of an account gives it a new second factor, which is as young.
func TestANewAccountsEmergencyWaitsADay(t *testing.T) {
	h := emergencyHouse(t)
	h.southDemands(t)
	token, err := h.accounts().Invite(t.Context(), gateway.Actor{Staff: gateway.Staff{Roles: gateway.RolesIn(gateway.RoleAdmin, "north")}},
		"dee", gateway.RolesIn(gateway.RoleCaseworker, "north"))
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser(t)
	setup, secret := setupOf(t, b.opens(joinPath(token)))
	wantStatus(t, b.post("/join", url.Values{
		"login": {"dee"}, "password": {deskPassword}, "again": {deskPassword}, "setup": {setup}, "code": {gateway.TOTPCode(secret, h.clock().Unix()/30)},
	}), http.StatusSeeOther)
	answer := b.post("/emergency", emergencyForm("south"))
	wantStatus(t, answer, http.StatusForbidden)
	wantText(t, answer, "Sign in with your second step first")
}

// What counts of an organization's sign-in is what it says of this one.
func TestAnOrganizationsSecondFactorInAnEmergency(t *testing.T) {
	h := emergencyHouse(t)
	h.southDemands(t)
	h.withSSO(t)
	with, without := h.browser(t), h.browser(t)
	with.through("code-of-dee")
	without.through("code-of-ann")
	wantPlace(t, with.post("/emergency", emergencyForm("south")), "/?office=south")
	answer := without.post("/emergency", emergencyForm("south"))
	wantStatus(t, answer, http.StatusForbidden)
	wantText(t, answer, "sign-in did not ask for a second step", "Call the office")
}

// Whom the office cut off does not come back by opening it again, before the
// time that they were given is over.
func TestACutOffLasts(t *testing.T) {
	h := emergencyHouse(t)
	b, second, other := h.inEmergency(t, "ana"), h.inEmergency(t, "ana"), h.inEmergency(t, "south-admin")
	wantPlace(t, h.signedIn(t, "south-supervisor").post("/emergency/"+string(h.emergencies[0].ID)+"/end", nil), "/emergency?done=cutoff")
	wantStatus(t, other.get(submissionURL(h.subs[0].ID)), http.StatusOK)
	for _, e := range h.emergencies[:2] {
		if n := h.count(func(row gateway.AuditEntry) bool {
			return row.Action == gateway.ActionEmergencyEnded && row.Object == "emergency:"+string(e.ID) && row.Office == "south" && row.Reason == "overseer"
		}); n != 1 {
			t.Errorf("%d ends of %s in the trail", n, e.ID)
		}
	}
	again := h.signedIn(t, "ana") // in another session too
	for _, at := range []*browser{b, second, again} {
		wantStatus(t, at.get(submissionURL(h.subs[0].ID)), http.StatusNotFound)
		wantStatus(t, at.post("/emergency", emergencyForm("south")), http.StatusForbidden)
	}
	if n := h.count(func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionEmergencyOpened && e.Outcome == gateway.OutcomeDenied && e.Office == "south" && e.Reason == string(gateway.CodeForbidden)
	}); n != 3 || len(h.emergencies) != 3 || len(h.alerts) != 9 {
		t.Errorf("%d refusals, %d accesses, %d alerts", n, len(h.emergencies), len(h.alerts))
	}
	h.pass(time.Hour)
	wantPlace(t, h.signedIn(t, "ana").post("/emergency", emergencyForm("south")), "/?office=south")
}

// A browser that comes by itself when an access ends does not keep the session,
// and nobody is said to have read the reasons, nor could.
func TestAPageThatComesByItselfIsNoLook(t *testing.T) {
	h := emergencyHouse(t)
	h.inEmergency(t, "ana")
	auditor := h.signedIn(t, "south-auditor")
	looks := func() int {
		return h.count(func(e gateway.AuditEntry) bool { return e.Action == gateway.ActionEmergenciesViewed })
	}
	for range 14 {
		h.pass(time.Minute)
		page := auditor.get("/emergency?auto=1")
		wantStatus(t, page, http.StatusOK)
		wantText(t, page, `<a href="/emergency">Show who opened papers`)
		wantNoText(t, page, "evicted", "I have seen this", "Nobody opened")
	}
	if n := looks(); n != 0 {
		t.Errorf("%d looks in the trail", n)
	}
	wantText(t, auditor.get("/session"), `"seconds":60`)
	wantText(t, auditor.get("/emergency"), "evicted", "I have seen this")
	if n := looks(); n != 1 {
		t.Errorf("%d looks in the trail", n)
	}
}
