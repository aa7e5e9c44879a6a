package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"dropslot/gateway"
)

// slowForm is a form whose sender waits, until something else has happened,
// with what the server has begun to read.
type slowForm struct {
	form  io.Reader
	until func()
}

func (s *slowForm) Read(p []byte) (int, error) {
	if s.until != nil {
		s.until()
		s.until = nil
	}
	return s.form.Read(p)
}

func (b *browser) postSlowly(path string, form url.Values, until func()) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, &slowForm{strings.NewReader(form.Encode()), until})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// Who keeps a request open while the account changes gets in by nothing that
// it had before.
func TestAFormThatCameSlowlyHoldsNothingOld(t *testing.T) {
	for name, c := range map[string]struct {
		path, before string // the factor that the account has at first
		change       func(h *deskHouse, ana *gateway.Staff)
		status       int
	}{
		"the app was replaced": {"/login/second", "app", func(_ *deskHouse, ana *gateway.Staff) {
			ana.SealedTOTP = append([]byte{}, ana.SealedTOTP...)
			ana.SealedTOTP[len(ana.SealedTOTP)-1]++
		}, http.StatusUnprocessableEntity},
		"an app was set up": {"/login/setup", "", func(h *deskHouse, ana *gateway.Staff) {
			h.giveApp("ana")
			ana.SealedTOTP = h.staff[ana.ID].SealedTOTP
		}, http.StatusForbidden},
		"a passkey was added": {"/login/setup", "", func(h *deskHouse, ana *gateway.Staff) {
			h.keys = append(h.keys, gateway.Passkey{ID: []byte("key"), Staff: ana.ID})
		}, http.StatusForbidden},
		"the password was changed": {"/login/setup", "", func(_ *deskHouse, ana *gateway.Staff) {
			ana.PasswordHash, ana.Epoch = "hash:another", ana.Epoch+1
		}, http.StatusUnauthorized},
	} {
		for _, passkey := range []bool{false, true} {
			if passkey && c.path == "/login/second" {
				continue
			}
			h := newDeskHouse(t)
			h.requireFactor(t)
			if c.before == "app" {
				h.giveApp("ana")
			}
			b := h.browser(t)
			wantPlace(t, b.post("/login", password("ana")), "/login/second")
			form := h.code()
			switch {
			case passkey:
				state, _ := decode(b.postJSON("/login/setup/options", nil).Body.Bytes())["state"].(string)
				form = url.Values{"state": {state}, "answer": {"new"}}
			case c.path == "/login/setup":
				setup, secret := setupOf(t, b.get("/login/second"))
				form = url.Values{"setup": {setup}, "code": {gateway.TOTPCode(secret, h.clock().Unix()/30)}}
			}
			answer := b.postSlowly(c.path, form, func() {
				ana := h.staffByLogin("ana")
				c.change(h, &ana)
				h.staff[ana.ID] = ana
			})
			if answer.Code != c.status || len(h.deskSessions) != 0 {
				t.Errorf("%s, passkey %v: %d with %d sessions", name, passkey, answer.Code, len(h.deskSessions))
			}
		}
	}
}
