package web

import (
	"net/http"
	"net/url"

	"dropslot/gateway"
)

// routeCase is what is expected of one route of the desk. A route without a
// case fails the tests: whoever adds a route says here who may use it.
type routeCase struct {
	permit Permission
	// thing gives what stands for :id, of the office; nil for a route without.
	thing func(h *deskHouse, office gateway.OfficeID) string
	// form is posted; office is where the thing is. Nil posts an empty form.
	form func(office gateway.OfficeID) url.Values
	// named tells that the form names the office, so that another's is 403.
	named bool
	// status is the answer to who may, if it is one of 400 and above.
	status int
}

func aSubmission(h *deskHouse, _ gateway.OfficeID) string { return string(h.subs[0].ID) }
func aPage(h *deskHouse, _ gateway.OfficeID) string       { return string(h.pages[0].ID) }
func aRequest(h *deskHouse, _ gateway.OfficeID) string    { return string(h.requests[0].ID) }
func aCounter(h *deskHouse, _ gateway.OfficeID) string    { return string(h.counters[0].view.ID) }

func done(gateway.OfficeID) url.Values { return url.Values{"as": {"delivered"}} }

func sendTo(office gateway.OfficeID) url.Values {
	return url.Values{"phone": {"(555) 123-0142"}, "office": {string(office)}, "language": {"en"}}
}

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

// routeCases has a line for each line of deskRoutes.
var routeCases = map[string]routeCase{
	"GET /":                          {permit: PermitPapers},
	"GET /submissions/:id":           {permit: PermitPapers, thing: aSubmission},
	"POST /submissions/:id/handled":  {permit: PermitChange, thing: aSubmission, form: done},
	"GET /pages/:id":                 {permit: PermitPapers, thing: aPage},
	"GET /pages/:id/original":        {permit: PermitDownload, thing: aPage},
	"GET /requests":                  {permit: PermitAsk},
	"POST /requests":                 {permit: PermitAsk, form: sendTo, named: true},
	"GET /requests/:id":              {permit: PermitAsk, thing: aRequest},
	"GET /requests/:id/state":        {permit: PermitAsk, thing: aRequest},
	"GET /counter":                   {permit: PermitAsk},
	"POST /counter":                  {permit: PermitAsk, form: sendTo, named: true},
	"GET /counter/:id":               {permit: PermitAsk, thing: aCounter},
	"GET /counter/:id/state":         {permit: PermitAsk, thing: aCounter},
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
	"POST /accounts/:id/state":       {permit: PermitAccounts, thing: aColleague, form: off},
	"GET /join/:token":               {permit: PermitAnyone},
	"POST /join/:token":              {permit: PermitAnyone},
	"POST /join/:token/options":      {permit: PermitAnyone},
	"GET /login/second":              {permit: PermitHalf},
	"POST /login/second":             {permit: PermitHalf},
	"POST /login/setup":              {permit: PermitHalf},
	"POST /login/setup/options":      {permit: PermitHalf},
	"POST /login/options":            {permit: PermitAnyone},
	"POST /login/passkey":            {permit: PermitAnyone},
	"GET /session":                   {permit: PermitStaff},
	"POST /session":                  {permit: PermitStaff},
	"GET /login":                     {permit: PermitAnyone},
	"POST /login":                    {permit: PermitAnyone, status: http.StatusUnauthorized},
	"POST /logout":                   {permit: PermitAnyone},
	"GET /static/*":                  {permit: PermitAnyone, status: http.StatusNotFound},
}
