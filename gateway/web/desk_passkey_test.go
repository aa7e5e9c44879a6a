package web

import (
	"net/http"
	"net/url"
	"testing"

	"dropslot/gateway"
)

// What waits for a passkey is kept for minutes: an address gets so much of it
// and no more, except for passkeys that were made.
func TestChallengesForNewPasskeysAreBounded(t *testing.T) {
	h := newDeskHouse(t)
	h.requireFactor(t)
	token, err := h.accounts().Invite(t.Context(), gateway.Actor{Staff: gateway.Staff{Roles: gateway.RolesIn(gateway.RoleAdmin, "north")}},
		"dee", gateway.RolesIn(gateway.RoleCaseworker, "north"))
	if err != nil {
		t.Fatal(err)
	}
	half, joins := h.browser(t), h.browser(t)
	half.post("/login", password("ana"))
	joins.opens(joinPath(token))
	dee := url.Values{"login": {"dee"}}
	state, _ := decode(half.postJSON("/login/setup/options", nil).Body.Bytes())["state"].(string)
	for range 29 {
		wantStatus(t, half.postJSON("/login/setup/options", nil), http.StatusOK)
		wantStatus(t, joins.postJSON("/join/options", dee), http.StatusOK)
	}
	last, _ := decode(joins.postJSON("/join/options", dee).Body.Bytes())["state"].(string)
	wantStatus(t, half.postJSON("/login/setup/options", nil), http.StatusTooManyRequests)
	wantStatus(t, joins.postJSON("/join/options", dee), http.StatusTooManyRequests)
	wantStatus(t, half.postJSON("/login/setup", url.Values{"state": {state}, "answer": {"key"}}), http.StatusOK)
	wantStatus(t, joins.postJSON("/join/options", dee), http.StatusOK)
	wantStatus(t, joins.postJSON("/join/options", dee), http.StatusTooManyRequests)
	wantStatus(t, joins.postJSON("/join", url.Values{"login": {"dee"}, "state": {last}, "answer": {"dees"}}), http.StatusOK)
	wantStatus(t, h.browser(t).postJSON("/login/options", nil), http.StatusOK)
}
