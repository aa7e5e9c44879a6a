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

func (r Route) name() string { return r.Method + " " + r.Path }

// try asks for a route as a page of the desk would.
func try(b *browser, h *deskHouse, route Route, office gateway.OfficeID) *httptest.ResponseRecorder {
	expect, path := routeCases[route.name()], route.Path
	if expect.thing != nil {
		path = strings.Replace(path, ":id", expect.thing(h, office), 1)
	}
	if route.Method != http.MethodPost {
		return b.get(path)
	}
	var form url.Values
	if expect.form != nil {
		form = expect.form(office)
	}
	return b.post(path, form)
}

func TestEveryRouteHasItsExpectation(t *testing.T) {
	known := map[string]bool{}
	for _, route := range DeskRoutes() {
		known[route.name()] = true
		expect, found := routeCases[route.name()]
		if !found {
			t.Errorf("%s: say in routeCases who may use it", route.name())
			continue
		}
		if route.Permit != expect.permit {
			t.Errorf("%s permits %s, not %s", route.name(), route.Permit, expect.permit)
		}
		if route.Permit != PermitAnyone && strings.Contains(route.Path, ":") != (expect.thing != nil) {
			t.Errorf("%s: routeCases must give a thing exactly if the path names one", route.name())
		}
	}
	for name := range routeCases {
		if !known[name] {
			t.Errorf("%s: there is no such route", name)
		}
	}
}

const (
	secretName = "Maria of the other office"
	secretFour = "4321"
	// secretLogin and the office's name are the login of an account there.
	secretLogin = "colleague-at-"
)

// furnish puts one of everything into an office. Whoever made the link at the
// counter, and nobody else, may look at it.
func (h *deskHouse) furnish(office gateway.OfficeID, counterBy gateway.StaffID) {
	h.addStaff(secretLogin+string(office), office)
	s := h.addSubmission(office, secretName, otherPhone, []byte("%PDF-1.7\n"+secretName))
	h.requests = []gateway.RequestView{{
		ID: gateway.SendingID(h.id()), Office: h.dir.Offices[office], LastFour: secretFour, Submission: s.ID, Pages: 1, Opened: true,
	}}
	h.counters = []shownLink{{by: counterBy, view: gateway.CounterView{
		ID: gateway.LinkID(h.id()), Office: h.dir.Offices[office], Submission: s.ID, URL: "https://docs.example.gov/c/" + secretName,
	}}}
}

func TestEveryRouteAsksWhoIsThere(t *testing.T) {
	h := newDeskHouse(t)
	h.furnish("north", "")
	planted := h.browser(t)
	planted.cookie = &http.Cookie{Name: DeskCookie, Value: strings.Repeat("A", 43)}
	for _, route := range DeskRoutes() {
		if route.Permit == PermitAnyone {
			continue
		}
		for _, b := range []*browser{h.browser(t), planted} {
			answer := try(b, h, route, "north")
			if answer.Code != http.StatusSeeOther || !strings.HasPrefix(answer.Header().Get("Location"), "/login") {
				t.Errorf("%s without a session: %d %s", route.name(), answer.Code, answer.Header())
			}
			wantNoText(t, answer, secretName)
			b.header.Set("Accept", "application/json")
			if answer := try(b, h, route, "north"); answer.Code != http.StatusUnauthorized {
				t.Errorf("%s without a session, JSON: %d", route.name(), answer.Code)
			}
			b.header.Del("Accept")
		}
	}
	if len(h.audit) != 0 || len(h.invitations) != 0 || len(h.requests) != 1 || len(h.counters) != 1 {
		t.Error("a stranger reached a flow")
	}
}

// Whoever only knows the password, or found a locked screen, is as much a
// stranger to every route of the signed in.
func TestHalfASignInOpensNoRoute(t *testing.T) {
	h := newDeskHouse(t)
	h.addRoles("code", gateway.Roles{"north": gateway.AllRoles()})
	h.giveApp("code")
	h.addRoles("plain", gateway.Roles{"north": gateway.AllRoles()})
	locked := h.signedIn(t, "plain")
	h.pass(16 * time.Minute)
	code := h.browser(t)
	wantPlace(t, code.post("/login", password("code")), "/login/second")
	h.requireFactor(t)
	setup := h.browser(t)
	wantPlace(t, setup.post("/login", password("plain")), "/login/second")
	h.furnish("north", "")
	before := len(h.audit)
	for _, route := range DeskRoutes() {
		if route.Permit == PermitAnyone || route.Permit == PermitHalf {
			continue
		}
		for name, b := range map[string]*browser{"code": code, "setup": setup, "locked": locked} {
			answer := try(b, h, route, "north")
			if answer.Code != http.StatusSeeOther || !strings.HasPrefix(answer.Header().Get("Location"), "/login") {
				t.Errorf("%s halfway (%s): %d %s", route.name(), name, answer.Code, answer.Header())
			}
			wantNoText(t, answer, secretName)
		}
	}
	if len(h.audit) != before || len(h.invitations) != 0 || len(h.requests) != 1 || len(h.counters) != 1 || len(h.keys) != 0 {
		t.Error("somebody halfway reached a flow")
	}
	wantStatus(t, code.get("/login/second"), http.StatusOK) // still halfway, so it was the routes that refused
}

// matrixAccounts are every role at one office, alone and beside the work of a
// caseworker at the other: what somebody may do at one office opens nothing at
// the other.
func matrixAccounts() map[string]gateway.Roles {
	accounts := map[string]gateway.Roles{
		"nothing": {},
		"all":     {"north": gateway.AllRoles(), "south": gateway.AllRoles()},
	}
	for _, role := range gateway.AllRoles() {
		accounts[string(role)] = gateway.RolesIn(role, "north")
		for _, other := range gateway.AllRoles() {
			if other == role {
				continue
			}
			accounts[string(role)+"-and-"+string(other)] = gateway.Roles{"north": {role}, "south": {other}}
		}
	}
	return accounts
}

// Every account tries every route with the things of every office.
func TestRolesAndOfficesAreIsolated(t *testing.T) {
	for login, roles := range matrixAccounts() {
		for _, office := range []gateway.OfficeID{"north", "south"} {
			for _, route := range DeskRoutes() {
				if route.Permit == PermitAnyone {
					continue
				}
				h := newDeskHouse(t)
				h.addRoles(login, roles)
				staff := h.staffByLogin(login)
				h.furnish(office, staff.ID)
				before := len(h.audit)
				answer := try(h.signedIn(t, login), h, route, office)
				checkCell(t, h, login+" "+route.name()+" of "+string(office), answer, route, staff, office, before)
			}
		}
	}
}

func checkCell(t *testing.T, h *deskHouse, name string, answer *httptest.ResponseRecorder, route Route, staff gateway.Staff, office gateway.OfficeID, before int) {
	t.Helper()
	expect := routeCases[route.name()]
	right := gateway.Right(route.Permit)
	own := route.Permit == PermitStaff || route.Permit == PermitHalf
	here := own || staff.Can(right, office)
	anywhere := own || staff.CanSomewhere(right)
	status := answer.Code
	switch {
	case here && expect.status == 0 && status >= http.StatusBadRequest, here && expect.status != 0 && status != expect.status:
		t.Errorf("%s: %d\n%s", name, status, answer.Body)
	case !anywhere && route.Path == "/":
		if status != http.StatusForbidden && (status != http.StatusSeeOther || answer.Header().Get("Location") == "/") {
			t.Errorf("%s: %d", name, status)
		}
	case !anywhere && status != http.StatusForbidden:
		t.Errorf("%s: %d", name, status)
	case anywhere && !here && expect.thing != nil && status != http.StatusNotFound:
		t.Errorf("%s: %d", name, status)
	case anywhere && !here && expect.named && status != http.StatusForbidden:
		t.Errorf("%s: %d", name, status)
	}
	if here && !own {
		return
	}
	if body := answer.Body.String(); strings.Contains(body, secretName) || strings.Contains(body, secretFour) || strings.Contains(body, secretLogin) {
		t.Errorf("%s leaks: %s", name, body)
	}
	colleague := h.staffByLogin(secretLogin + string(office))
	if h.subs[0].State != gateway.SubmissionReceived || len(h.requests) != 1 || len(h.counters) != 1 || len(h.invitations) != 0 ||
		h.staffByLogin("newcomer").ID != "" || !colleague.DisabledAt.IsZero() || len(colleague.Roles[office]) != 1 {
		t.Errorf("%s changed something", name)
	}
	if status == http.StatusForbidden && !anywhere {
		last := h.audit[len(h.audit)-1]
		if len(h.audit) == before || last.Action != gateway.ActionRouteRefused || last.Object != "route:"+route.name() {
			t.Errorf("%s left no line in the trail", name)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	wantStatus(t, b.get("/nowhere"), http.StatusNotFound)
	wantStatus(t, b.do(httptest.NewRequest(http.MethodDelete, "/requests", nil)), http.StatusMethodNotAllowed)
}
