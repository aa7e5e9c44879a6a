package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"dropslot/gateway"
)

// Every route but these asks who is there.
var openRoutes = map[string]bool{
	"GET /login": true, "POST /login": true, "POST /logout": true, "GET /static/*": true,
}

func try(b *browser, route Route, id string) *httptest.ResponseRecorder {
	path := strings.Replace(route.Path, ":id", id, 1)
	if route.Method == http.MethodPost {
		return b.post(path, url.Values{"as": {"delivered"}, "phone": {"(555) 123-0142"}, "office": {id}, "language": {"en"}})
	}
	return b.get(path)
}

func TestEveryRouteAsksWhoIsThere(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	planted := h.browser(t)
	planted.cookie = &http.Cookie{Name: DeskCookie, Value: strings.Repeat("A", 43)}
	for _, route := range DeskRoutes() {
		name := route.Method + " " + route.Path
		if (route.Permit == PermitAnyone) != openRoutes[name] {
			t.Errorf("%s permits %s", name, route.Permit)
		}
		if route.Permit == PermitAnyone {
			continue
		}
		for _, b := range []*browser{h.browser(t), planted} {
			answer := try(b, route, string(s.ID))
			if answer.Code != http.StatusSeeOther || !strings.HasPrefix(answer.Header().Get("Location"), "/login") {
				t.Errorf("%s without a session: %d %s", name, answer.Code, answer.Header())
			}
			wantNoText(t, answer, "Maria")
			b.header.Set("Accept", "application/json")
			if answer := try(b, route, string(s.ID)); answer.Code != http.StatusUnauthorized {
				t.Errorf("%s without a session, JSON: %d", name, answer.Code)
			}
			b.header.Del("Accept")
		}
	}
	if len(h.audit) != 0 || len(h.requests) != 0 || len(h.counters) != 0 {
		t.Error("a stranger reached a flow")
	}
}

// Each account tries each route with the things of each office.
func TestOfficesAreIsolated(t *testing.T) {
	accounts := map[string][]gateway.OfficeID{"ana": {"north"}, "ben": {"south"}, "cho": {"north", "south"}}
	for login, offices := range accounts {
		for _, office := range []gateway.OfficeID{"north", "south"} {
			may := strings.Contains(strings.Join(officeNames(offices), " "), string(office))
			for _, route := range DeskRoutes() {
				if route.Permit == PermitAnyone {
					continue
				}
				h := newDeskHouse(t)
				const secret = "Maria of the other office"
				s := h.addSubmission(office, secret, otherPhone, []byte(secret))
				h.requests = []gateway.RequestView{{
					ID: gateway.SendingID(h.id()), Office: h.dir.Offices[office], LastFour: "4321", Submission: s.ID, Pages: 1, Opened: true,
				}}
				if may { // whoever made such a link, and nobody else, may look at it
					h.counters = []shownLink{{view: gateway.CounterView{ID: gateway.LinkID(h.id()), Office: h.dir.Offices[office], Submission: s.ID}, by: h.staffByLogin(login).ID}}
				} else {
					h.counters = []shownLink{{view: gateway.CounterView{ID: gateway.LinkID(h.id()), Submission: s.ID, URL: "https://docs.example.gov/c/" + secret}}}
				}
				answer := try(h.signedIn(t, login), route, thingOf(h, route, office))
				check(t, login+" "+route.Method+" "+route.Path+" of "+string(office), answer, route, may, secret)
				if !may && (h.subs[0].State != gateway.SubmissionReceived || len(h.requests) != 1 || len(h.counters) != 1) {
					t.Errorf("%s changed something of %s by %s", login, office, route.Path)
				}
			}
		}
	}
}

// thingOf gives what stands for :id in a route, or the office to send from.
func thingOf(h *deskHouse, route Route, office gateway.OfficeID) string {
	switch {
	case strings.HasPrefix(route.Path, "/submissions"):
		return string(h.subs[0].ID)
	case strings.HasPrefix(route.Path, "/pages"):
		return string(h.pages[0].ID)
	case strings.HasPrefix(route.Path, "/counter/"):
		return string(h.counters[0].view.ID)
	case strings.HasPrefix(route.Path, "/requests/"):
		return string(h.requests[0].ID)
	}
	return string(office)
}

func check(t *testing.T, name string, answer *httptest.ResponseRecorder, route Route, may bool, secret string) {
	t.Helper()
	leaks := strings.Contains(answer.Body.String(), secret) || strings.Contains(answer.Body.String(), "4321")
	names := strings.Contains(route.Path, ":id")
	sends := (route.Path == "/requests" || route.Path == "/counter") && route.Method == http.MethodPost
	switch {
	case may && answer.Code >= http.StatusBadRequest:
		t.Errorf("%s: %d", name, answer.Code)
	case !may && names && answer.Code != http.StatusNotFound:
		t.Errorf("%s: %d", name, answer.Code)
	case !may && sends && answer.Code != http.StatusForbidden:
		t.Errorf("%s: %d", name, answer.Code)
	case !may && leaks:
		t.Errorf("%s leaks: %s", name, answer.Body)
	}
}

func officeNames(offices []gateway.OfficeID) []string {
	var names []string
	for _, o := range offices {
		names = append(names, string(o))
	}
	return names
}

func TestUnknownPathsAndMethods(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	wantStatus(t, b.get("/nowhere"), http.StatusNotFound)
	wantStatus(t, b.do(httptest.NewRequest(http.MethodDelete, "/requests", nil)), http.StatusMethodNotAllowed)
}
