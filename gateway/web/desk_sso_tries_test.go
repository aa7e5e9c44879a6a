package web

import (
	"testing"

	"dropslot/gateway"
)

// What a page of anybody's has a browser ask for takes no try from the office
// behind its address, and fills no trail.
func TestAnotherPageCannotEmptyTheTries(t *testing.T) {
	h := newDeskHouse(t)
	h.withSSO(t)
	lured := h.browser(t)
	for range triesOfNobody {
		for _, dest := range []string{"image", "iframe"} {
			lured.header.Set("Sec-Fetch-Dest", dest)
			wantPlace(t, lured.get("/login/sso"), "/login?sso=sso-late")
			wantPlace(t, lured.get("/login/sso/back?state=x&code=y"), "/login?sso=sso-late")
		}
		lured.header.Set("Sec-Fetch-Dest", "document") // the window itself
		wantPlace(t, lured.get("/login/sso/back?state=x&code=y"), "/login?sso=sso-late")
	}
	if len(h.audit) != 0 || len(h.tries) != 0 {
		t.Errorf("tries %v, rows %+v", h.tries, h.audit)
	}
	// Answers that belong to nothing take from no password.
	lured.goesTo("/login/sso")
	for range triesOfNobody {
		lured.comesBack("", "code-of-dee")
	}
	wantPlace(t, lured.get("/login/sso/back"), "/login?sso=too-many-tries")
	wantPlace(t, h.browser(t).post("/login", password("ana")), "/requests")
}

const triesOfNobody = 70 // more than any limit of an address

// Who tries while the provider is away can sign in when it is back.
func TestAnOutageTakesNoTries(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	b := h.browser(t)
	for range triesOfNobody {
		p.away = false
		state := b.goesTo("/login/sso")
		p.away = true
		b.comesBack(state, "code-of-dee")
		wantPlace(t, b.get("/login/sso"), "/login?sso=sso-down")
	}
	p.away = false
	if to := b.through("code-of-dee"); to != "/counter" {
		t.Errorf("led to %s", to)
	}
	for kind, n := range h.tries {
		if n != 0 {
			t.Errorf("%d tries stay taken: %s", n, kind)
		}
	}
}

// A second tab that was refused knows still that a first one waits for it, and
// a fault without words here is told as one.
func TestARefusalKeepsTheSecondTab(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	b := h.browser(t)
	p.away = true
	wantPlace(t, b.get("/login/sso?tab=1"), "/login?sso=sso-down&tab=1")
	wantText(t, b.get("/login?sso=sso-down&tab=1"), `href="/login/sso?tab=1"`)
	p.away = false
	if to := b.comesBack(b.goesTo("/login/sso?tab=1"), "code-of-dee"); to != "/login/sso/done" {
		t.Errorf("led to %s", to)
	}
	wantPlace(t, newDeskHouse(t).browser(t).get("/login/sso"), "/login?sso=unavailable")
}

// A page that was locked comes back only to who may see it still.
func TestAPageKnowsWhatItsPersonMaySee(t *testing.T) {
	h := newDeskHouse(t)
	page := func() string {
		t.Helper()
		b := h.signedIn(t, "cho")
		sight, _ := decode(b.get("/session").Body.Bytes())["sight"].(string)
		wantText(t, b.get("/requests"), `data-sight="`+sight+`"`)
		return sight
	}
	first := page()
	if first == "" || page() != first {
		t.Error("a new day takes what was typed from a page")
	}
	cho := h.staffByLogin("cho")
	cho.Roles = gateway.RolesIn(gateway.RoleCaseworker, "north")
	h.staff[cho.ID] = cho
	if page() == first {
		t.Error("a page of an office is shown to who left it")
	}
}
