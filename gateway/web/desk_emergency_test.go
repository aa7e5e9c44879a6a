package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

func emergencyForm(office gateway.OfficeID) url.Values {
	return url.Values{"office": {string(office)}, "reason": {"Maria Client is evicted tonight"}, "password": {deskPassword}}
}

// house with papers in the south, and somebody of each role there.
func emergencyHouse(t *testing.T) *deskHouse {
	h := newDeskHouse(t)
	h.allowEmergencies(gateway.RoleCaseworker, gateway.RoleAdmin)
	for _, role := range []gateway.Role{gateway.RoleSupervisor, gateway.RoleAuditor, gateway.RoleAdmin} {
		h.addRoles("south-"+string(role), gateway.RolesIn(role, "south"))
	}
	h.addSubmission("south", secretName, otherPhone, []byte("%PDF-1.7\n"+secretName))
	h.addSubmission("north", "Nora", otherPhone, []byte("north"))
	return h
}

// From the refusal to the papers and out again: with a reason, on record, and
// never beyond looking.
func TestSomebodyLooksInAnEmergency(t *testing.T) {
	h := emergencyHouse(t)
	b := h.signedIn(t, "ana")
	papers, page := submissionURL(h.subs[0].ID), pageURL(h.pages[0].ID, 1)
	refused := b.get(papers)
	wantStatus(t, refused, http.StatusNotFound)
	way := "/emergency?" + url.Values{"next": {papers}}.Encode()
	wantText(t, refused, "In an emergency", `href="`+way+`"`)
	wantNoText(t, b.get("/"), "Emergency access to")
	form := b.get(way)
	wantText(t, form, "South County Housing, for 1 hour", `name="next" value="`+papers+`"`, "told at once by e-mail, if they gave an address, and read your name")

	opening := emergencyForm("south")
	opening.Set("next", papers)
	wantPlace(t, b.post("/emergency", opening), papers)
	shown := b.get(papers)
	wantStatus(t, shown, http.StatusOK)
	wantText(t, shown, "Maria", "Emergency access to South County Housing", "1 hour left", "End now")
	for _, act := range []string{"/handled", "/export", "/notes", "/stage", "data-original", "rotation\"", "/again"} {
		wantNoText(t, shown, act)
	}
	if refresh := shown.Header().Get("Refresh"); refresh != "3601; url=/emergency?auto=1" {
		t.Errorf("the papers stay on the screen: %q", refresh)
	}
	wantText(t, b.get(page), secretName)
	wantText(t, b.get("/"), "Maria", "Nora") // beside their own office's
	wantStatus(t, b.get(originalURL(h.pages[0].ID, 1)), http.StatusNotFound)
	wantStatus(t, b.post(papers+"/handled", done("south")), http.StatusNotFound)
	wantText(t, b.post("/search", url.Values{"q": {h.subs[0].ID.Reference()}}), h.subs[0].ID.Reference())

	id := string(h.emergencies[0].ID)
	for _, action := range []gateway.Action{gateway.ActionSubmissionViewed, gateway.ActionPageViewed, gateway.ActionInboxViewed, gateway.ActionSearched} {
		if n := h.count(func(e gateway.AuditEntry) bool {
			return e.Action == action && e.Office == "south" && string(e.Emergency()) == id
		}); n != 1 {
			t.Errorf("%d rows of %s carry the mark", n, action)
		}
	}
	b.get(submissionURL(h.subs[1].ID)) // a role opens this one
	if n := h.count(func(e gateway.AuditEntry) bool { return e.Office == "north" && e.Emergency() != "" }); n != 0 {
		t.Errorf("%d looks that a role allowed are marked", n)
	}
	for _, e := range h.audit {
		if strings.Contains(e.Reason, "evicted") {
			t.Errorf("the trail tells the reason: %+v", e)
		}
	}

	wantPlace(t, b.post("/emergency/end", url.Values{"office": {"south"}}), "/emergency?done=ended")
	wantStatus(t, b.get(papers), http.StatusNotFound)
	wantStatus(t, b.get(page), http.StatusNotFound)
	wantText(t, b.get("/emergency?done=ended"), "The emergency access has ended.")
	b.post("/emergency/end", url.Values{"office": {"south"}}) // once more: a lost answer
	if n := h.count(func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionEmergencyEnded && e.Reason == "person" && e.Office == "south"
	}); n != 1 {
		t.Errorf("%d ends in the trail", n)
	}
}

// What is missing is said on the page; who may not is refused, and the office's
// auditor sees it.
func TestAnEmergencyAsksForEverything(t *testing.T) {
	h := emergencyHouse(t)
	h.addRoles("eve", gateway.RolesIn(gateway.RoleAuditor, "north"))
	b := h.signedIn(t, "ana")
	for want, change := range map[string][2]string{
		"Say what the emergency is":  {"reason", "  "},
		"The password is not right":  {"password", "no password of hers"},
		"Say what the emergency is.": {"reason", strings.Repeat("é", 501)},
	} {
		form := emergencyForm("south")
		form.Set(change[0], change[1])
		answer := b.post("/emergency", form)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, strings.TrimSuffix(want, "."))
	}
	for name, refused := range map[string]*httptest.ResponseRecorder{
		"an office that allows none":         b.post("/emergency", emergencyForm("north")),
		"no office":                          b.post("/emergency", emergencyForm("east")),
		"a role that may not":                h.signedIn(t, "eve").post("/emergency", emergencyForm("south")),
		"an office that their role opens":    h.signedIn(t, "ben").post("/emergency", emergencyForm("south")),
		"a role of an office without papers": h.signedIn(t, "south-auditor").post("/emergency", emergencyForm("south")),
	} {
		if refused.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, refused.Code)
		}
	}
	if n := h.count(func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionEmergencyOpened && e.Outcome == gateway.OutcomeDenied && e.Office == "south"
	}); n != 3 {
		t.Errorf("%d refusals in the trail of the south", n)
	}
	h.requireFactor(t) // her session was opened by a password alone
	answer := b.post("/emergency", emergencyForm("south"))
	wantStatus(t, answer, http.StatusForbidden)
	wantText(t, answer, "Your account needs a second step first")
	if len(h.emergencies) != 0 || len(h.alerts) != 0 {
		t.Errorf("opened %+v", h.emergencies)
	}
}

func TestAnEmergencyAsksForAYoungSignIn(t *testing.T) {
	h := emergencyHouse(t)
	b := h.signedIn(t, "ana")
	for range 2 { // in use all the time
		h.pass(8 * time.Minute)
		wantStatus(t, b.get("/"), http.StatusOK)
	}
	answer := b.post("/emergency", emergencyForm("south"))
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "Sign in again first", `name="next" value="/emergency?next=%2F"`)
	wantNoText(t, answer, `name="reason"`)
	wantPlace(t, b.post("/logout", url.Values{"next": {"/emergency?next=%2F"}}), "/login?next=%2Femergency%3Fnext%3D%252F")
	wantPlace(t, b.post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}, "next": {"/emergency?next=%2F"}}), "/emergency?next=%2F")
	wantPlace(t, b.post("/emergency", emergencyForm("south")), "/?office=south")
}

// Whatever ends it, the next request finds nothing; the clock needs nobody.
func TestAnEmergencyIsOver(t *testing.T) {
	for name, end := range map[string]func(h *deskHouse, b *browser, t *testing.T){
		"by the clock": func(h *deskHouse, b *browser, t *testing.T) {
			for range 4 {
				h.pass(14 * time.Minute)
				wantStatus(t, b.get(submissionURL(h.subs[0].ID)), http.StatusOK)
			}
			h.pass(4 * time.Minute)
		},
		"by a supervisor": func(h *deskHouse, _ *browser, t *testing.T) {
			wantPlace(t, h.signedIn(t, "south-supervisor").post("/emergency/"+string(h.emergencies[0].ID)+"/end", nil), "/emergency?done=cutoff")
		},
		"by an admin": func(h *deskHouse, _ *browser, t *testing.T) {
			wantPlace(t, h.signedIn(t, "south-admin").post("/emergency/"+string(h.emergencies[0].ID)+"/end", nil), "/emergency?done=cutoff")
		},
		"by the lock": func(h *deskHouse, b *browser, t *testing.T) {
			h.pass(16 * time.Minute)
			wantStatus(t, b.get(submissionURL(h.subs[0].ID)), http.StatusSeeOther)
			wantStatus(t, b.post("/login", url.Values{"login": {"ana"}, "password": {deskPassword}}), http.StatusSeeOther)
		},
		"by the configuration": func(h *deskHouse, _ *browser, _ *testing.T) { h.allowEmergencies() },
		"by the role that allowed it": func(h *deskHouse, _ *browser, _ *testing.T) {
			s := h.staffByLogin("ana")
			s.Roles = gateway.RolesIn(gateway.RoleAuditor, "north")
			h.staff[s.ID] = s
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := emergencyHouse(t)
			b := h.inEmergency(t, "ana")
			wantStatus(t, b.get(submissionURL(h.subs[0].ID)), http.StatusOK)
			end(h, b, t)
			for _, path := range []string{submissionURL(h.subs[0].ID), pageURL(h.pages[0].ID, 1)} {
				if answer := b.get(path); answer.Code != http.StatusNotFound && answer.Code != http.StatusForbidden {
					t.Errorf("%s: %d", path, answer.Code)
				}
			}
			wantNoText(t, b.get("/emergency"), "Emergency access to")
			if err := h.parts.Emergencies.(*gateway.Emergencies).Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// endsMidway is a browser on a slow line: something happens after its first bytes.
type endsMidway struct {
	*httptest.ResponseRecorder
	then func()
}

func (w *endsMidway) Write(p []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(p)
	if w.then != nil {
		then := w.then
		w.then = nil
		then()
	}
	return n, err
}

// A page that streams when the access ends is cut off.
func TestAPageEndsWithTheEmergency(t *testing.T) {
	for name, end := range map[string]func(h *deskHouse){
		"by the clock": func(h *deskHouse) { h.pass(300 * time.Millisecond) }, // the records are asked later than that
		"by somebody": func(h *deskHouse) {
			h.emergencies[0].EndedAt = h.clock()
			h.pass(time.Second)
		},
		"not at all": func(h *deskHouse) { h.pass(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			h := emergencyHouse(t)
			long := append([]byte("%PDF-1.7\n"), make([]byte, 1<<20)...)
			s := h.addSubmission("south", "Long", otherPhone, long)
			b := h.inEmergency(t, "ana")
			if name == "by the clock" {
				h.emergencies[0].Until = h.clock().Add(300 * time.Millisecond)
			}
			r := httptest.NewRequest(http.MethodGet, pageURL(h.pagesOf(s.ID)[0].ID, 1), nil)
			r.Host = "desk.example.gov"
			r.AddCookie(b.cookie)
			answer := &endsMidway{httptest.NewRecorder(), func() { end(h) }}
			h.handler.ServeHTTP(answer, r)
			if whole := answer.Body.Len() == len(long); whole != (name == "not at all") || answer.Body.Len() == 0 {
				t.Errorf("%d of %d bytes came", answer.Body.Len(), len(long))
			}
		})
	}
}

// A role that comes meanwhile opens the papers by itself: more than looking, and
// unmarked.
func TestARoleTakesOverFromAnEmergency(t *testing.T) {
	h := emergencyHouse(t)
	b := h.inEmergency(t, "ana")
	s := h.staffByLogin("ana")
	s.Roles = gateway.RolesIn(gateway.RoleCaseworker, "north", "south")
	h.staff[s.ID] = s
	wantStatus(t, b.get(pageURL(h.pages[0].ID, 1)), http.StatusOK)
	wantStatus(t, b.get("/"), http.StatusOK)
	wantStatus(t, b.get(originalURL(h.pages[0].ID, 1)), http.StatusOK)
	if n := h.count(func(e gateway.AuditEntry) bool { return e.Emergency() != "" }); n != 0 {
		t.Errorf("%d looks are marked", n)
	}
	if offices := h.query.Offices; len(offices) != 2 {
		t.Errorf("the inbox is asked for %v", offices)
	}
}

// The office hears of it at once, sees who and why, and says that it knows.
func TestTheOfficeIsToldOfAnEmergency(t *testing.T) {
	h := emergencyHouse(t)
	b := h.inEmergency(t, "ana")
	told := map[gateway.NoticeTarget]bool{}
	for _, n := range h.alerts {
		if n.Event != gateway.NoticeEmergency || n.Office != "south" {
			t.Errorf("told %+v", n)
		}
		told[n.Target] = true
	}
	for _, role := range []string{"supervisor", "auditor", "admin"} {
		if !told[gateway.UrgentTarget(h.staffByLogin("south-"+role).ID)] {
			t.Errorf("the %s is not told", role)
		}
	}
	if len(told) != 3 {
		t.Errorf("told %v", told)
	}
	const banner = "Papers of your office were opened in an emergency"
	wantNoText(t, b.get("/"), banner)
	wantNoText(t, h.signedIn(t, "ben").get("/"), banner) // a caseworker there
	auditor := h.signedIn(t, "south-auditor")
	wantText(t, auditor.get("/audit"), banner)
	page := auditor.get("/emergency")
	wantText(t, page, "ana", "Maria Client is evicted tonight", "open now", "I have seen this")
	wantNoText(t, page, "End it now")
	wantText(t, h.signedIn(t, "south-admin").get("/emergency"), "End it now")
	if n := h.count(func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionEmergenciesViewed && e.Office == "south"
	}); n != 2 {
		t.Errorf("%d looks at the reasons in the trail", n)
	}
	seen := "/emergency/" + string(h.emergencies[0].ID) + "/seen"
	wantStatus(t, auditor.post("/emergency/"+string(h.emergencies[0].ID)+"/end", nil), http.StatusForbidden)
	wantPlace(t, auditor.post(seen, nil), "/emergency?done=seen")
	wantText(t, auditor.get("/emergency"), "seen by south-auditor")
	for _, who := range []string{"south-auditor", "south-admin", "south-supervisor"} {
		wantNoText(t, h.signedIn(t, who).get("/notices"), banner)
	}
	b.get(pageURL(h.pages[0].ID, 1))
	for _, e := range h.audit {
		h.trail.rows = append(h.trail.rows, gateway.AuditRow{AuditEntry: e})
	}
	wantText(t, auditor.get("/audit"), `<span class="mark" data-tone="bad">emergency …`+string(h.emergencies[0].ID)[18:])
	// An admin without papers who opens them is not the one who acknowledges it.
	own := h.inEmergency(t, "south-admin")
	wantStatus(t, own.post("/emergency/"+string(h.emergencies[1].ID)+"/seen", nil), http.StatusForbidden)
	wantNoText(t, own.get("/emergency"), "I have seen this")
	wantText(t, h.signedIn(t, "south-auditor").get("/audit"), banner)
}

// With emergency access each route and each office is what it was without, but
// that papers of that one office may be looked at, until it ends.
func TestEmergencyAccessIsLookingAtOneOfficeAlone(t *testing.T) {
	for _, role := range gateway.AllRoles() {
		for _, office := range []gateway.OfficeID{"north", "south"} {
			h := newDeskHouse(t)
			h.allowEmergencies(gateway.RoleCaseworker, gateway.RoleSupervisor, gateway.RoleAdmin, gateway.RoleAuditor)
			h.addRoles("somebody", gateway.RolesIn(role, "north"))
			staff := h.staffByLogin("somebody")
			h.furnish(office, staff.ID)
			b := h.inEmergency(t, "somebody")
			for _, phase := range []string{"running", "over"} {
				if phase == "over" {
					h.emergencies[0].Until = h.clock()
				}
				for _, route := range DeskRoutes() {
					changes := route.Permit == PermitAnyone || route.Permit == PermitHalf || route.Permit == PermitStaff
					if changes || staff.Roles.Grant(gateway.Right(route.Permit), "north") { // the other matrix tries these
						continue
					}
					before := len(h.audit)
					answer := try(b, h, route, office)
					checkEmergencyCell(t, h, route, office, phase == "running", answer, before, string(role)+" "+route.name()+" of "+string(office)+", "+phase)
				}
			}
		}
	}
}

func checkEmergencyCell(t *testing.T, h *deskHouse, route Route, office gateway.OfficeID, running bool, answer *httptest.ResponseRecorder, before int, name string) {
	t.Helper()
	opens := running && route.Permit == PermitPapers
	shows := opens && office == "south"
	home := route.Path == "/" && answer.Code == http.StatusSeeOther // who may see no papers is led elsewhere
	switch status := answer.Code; {
	case shows && status >= http.StatusBadRequest:
		t.Errorf("%s: %d", name, status)
	case opens && !shows && routeCases[route.name()].thing != nil && status != http.StatusNotFound:
		t.Errorf("%s: %d", name, status)
	case !opens && status != http.StatusForbidden && !home:
		t.Errorf("%s: %d", name, status)
	}
	if body := answer.Body.String(); !shows && (strings.Contains(body, secretName) || strings.Contains(body, secretFour)) {
		t.Errorf("%s leaks: %s", name, body)
	}
	if h.subs[0].State != gateway.SubmissionReceived || len(h.requests) != 1 || len(h.counters) != 1 || len(h.invitations) != 0 || h.pages[0].Rotation != 0 {
		t.Errorf("%s changed something", name)
	}
	if !running && h.count(func(e gateway.AuditEntry) bool { return e.Emergency() != "" && e.At.After(h.emergencies[0].Until) }) > 0 {
		t.Errorf("%s is marked after the end", name)
	}
	if answer.Code == http.StatusForbidden && len(h.audit) == before {
		t.Errorf("%s left no line in the trail", name)
	}
}
