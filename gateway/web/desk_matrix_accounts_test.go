package web

import (
	"maps"
	"net/http"
	"net/url"

	"dropslot/gateway"
)

// aColleague works for the office alone.
func aColleague(h *deskHouse, office gateway.OfficeID) string {
	return string(h.staffByLogin(secretLogin + string(office)).ID)
}

func inviteFor(office gateway.OfficeID) url.Values {
	return url.Values{"login": {"newcomer"}, "office": {string(office)}, "role": {"caseworker"}}
}

func rolesAt(office gateway.OfficeID) url.Values {
	return url.Values{"office": {string(office)}, "role": {"caseworker", "auditor"}}
}

func off(gateway.OfficeID) url.Values { return url.Values{"state": {"off"}} }

func init() {
	maps.Copy(routeCases, map[string]routeCase{
		"GET /account":                   {permit: PermitStaff},
		"POST /account/password":         {permit: PermitStaff, status: http.StatusUnprocessableEntity},
		"POST /account/app":              {permit: PermitStaff, status: http.StatusUnprocessableEntity},
		"POST /account/passkeys/options": {permit: PermitStaff, status: http.StatusUnprocessableEntity},
		"POST /account/passkeys":         {permit: PermitStaff, status: http.StatusUnprocessableEntity},
		"POST /account/passkeys/remove":  {permit: PermitStaff, status: http.StatusUnprocessableEntity},
		"POST /account/sessions/end":     {permit: PermitStaff},
		"POST /account/known":            {permit: PermitStaff},
		"GET /accounts":                  {permit: PermitAccounts},
		"POST /accounts":                 {permit: PermitAccounts, form: inviteFor, named: true},
		"GET /accounts/:id":              {permit: PermitAccounts, thing: aColleague},
		"POST /accounts/:id/roles":       {permit: PermitAccounts, thing: aColleague, form: rolesAt},
		"POST /accounts/:id/reset":       {permit: PermitAccounts, thing: aColleague},
		"POST /accounts/:id/link/cancel": {permit: PermitAccounts, thing: aColleague, status: http.StatusGone},
		"POST /accounts/:id/state":       {permit: PermitAccounts, thing: aColleague, form: off},
		"GET /join/:token":               {permit: PermitAnyone},
		"GET /join":                      {permit: PermitAnyone},
		"POST /join":                     {permit: PermitAnyone},
		"POST /join/options":             {permit: PermitAnyone},
		"GET /login/second":              {permit: PermitHalf},
		"POST /login/second":             {permit: PermitHalf},
		"POST /login/setup":              {permit: PermitHalf},
		"POST /login/setup/options":      {permit: PermitHalf},
		"POST /login/options":            {permit: PermitAnyone},
		"POST /login/passkey":            {permit: PermitAnyone},
		"GET /login/sso":                 {permit: PermitAnyone},
		"GET /login/sso/back":            {permit: PermitAnyone},
		"GET /login/sso/done":            {permit: PermitStaff},
	})
}
