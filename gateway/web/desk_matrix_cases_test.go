package web

import (
	"net/http"
	"net/url"
	"time"

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

// inOffice asks for what an office's trail holds.
func inOffice(office gateway.OfficeID) url.Values {
	return url.Values{"office": {string(office)}, "format": {"csv"}}
}

// aHeldSubmission is under legal hold.
func aHeldSubmission(h *deskHouse, _ gateway.OfficeID) string {
	h.held[h.subs[0].ID] = gateway.Hold{Submission: h.subs[0].ID, Office: h.subs[0].Office, Reason: gateway.HoldAudit, At: deskTime}
	return string(h.subs[0].ID)
}

// anEmergency was opened at the office by a stranger.
func anEmergency(h *deskHouse, office gateway.OfficeID) string {
	e := gateway.Emergency{ID: gateway.EmergencyID(h.id()), Staff: "stranger", Office: office, OpenedAt: deskTime, Until: deskTime.Add(time.Hour)}
	h.emergencies = append(h.emergencies, e)
	return string(e.ID)
}

func done(gateway.OfficeID) url.Values { return url.Values{"as": {"delivered"}} }

func nothingChosen(gateway.OfficeID) url.Values { return url.Values{"form": {"zip"}} }

func sendTo(office gateway.OfficeID) url.Values {
	return url.Values{"phone": {"(555) 123-0142"}, "office": {string(office)}, "language": {"en"}}
}

// routeCases has a line for each line of deskRoutes.
var routeCases = map[string]routeCase{
	"GET /":                         {permit: PermitPapers},
	"GET /next":                     {permit: PermitPapers, status: http.StatusSeeOther},
	"GET /submissions/:id":          {permit: PermitPapers, thing: aSubmission},
	"POST /submissions/:id/handled": {permit: PermitChange, thing: aSubmission, form: done},
	"POST /submissions/:id/export":  {permit: PermitDownload, thing: aSubmission, form: nothingChosen, status: http.StatusUnprocessableEntity},
	"POST /submissions/:id/deliver": {permit: PermitDeliver, thing: aSubmission, form: nothingChosen, status: http.StatusUnprocessableEntity},
	"GET /submissions/:id/print":    {permit: PermitDownload, thing: aSubmission, status: http.StatusUnprocessableEntity},
	"GET /pages/:id":                {permit: PermitPapers, thing: aPage},
	"GET /pages/:id/original":       {permit: PermitDownload, thing: aPage},
	"GET /pages/:id/kind":           {permit: PermitPapers, thing: aPage},
	"GET /pages/:id/small":          {permit: PermitPapers, thing: aPage},
	"POST /pages/:id/rotation":      {permit: PermitChange, thing: aPage, form: func(gateway.OfficeID) url.Values { return url.Values{"rotation": {"90"}} }},
	"POST /pages/:id/label":         {permit: PermitChange, thing: aPage, form: func(gateway.OfficeID) url.Values { return url.Values{"label": {""}} }},
	"POST /pages/:id/place":         {permit: PermitChange, thing: aPage, form: func(gateway.OfficeID) url.Values { return url.Values{"place": {"1"}} }},
	"GET /requests":                 {permit: PermitAsk},
	"POST /requests":                {permit: PermitAsk, form: sendTo, named: true},
	"GET /requests/:id":             {permit: PermitAsk, thing: aRequest},
	"POST /requests/:id/cancel":     {permit: PermitAsk, thing: aRequest},
	"POST /requests/:id/renew":      {permit: PermitAsk, thing: aRequest},
	"GET /pages/:id/again":          {permit: PermitAsk, thing: aPage},
	"POST /pages/:id/again":         {permit: PermitAsk, thing: aPage, form: func(gateway.OfficeID) url.Values { return url.Values{"reason": {"blurry"}, "asked": {"1"}} }},
	"GET /requests/:id/state":       {permit: PermitAsk, thing: aRequest},
	"GET /counter":                  {permit: PermitAsk},
	"POST /counter":                 {permit: PermitAsk, form: sendTo, named: true},
	"GET /counter/:id":              {permit: PermitAsk, thing: aCounter},
	"GET /counter/:id/state":        {permit: PermitAsk, thing: aCounter},
	"POST /counter/:id/cancel":      {permit: PermitAsk, thing: aCounter},
	"GET /audit":                    {permit: PermitAudit},
	"POST /audit":                   {permit: PermitAudit, form: inOffice, named: true},
	"POST /audit/download":          {permit: PermitAudit, form: inOffice, named: true},
	"POST /audit/verify":            {permit: PermitAudit},
	"GET /figures":                  {permit: PermitFigures},
	"GET /figures/csv":              {permit: PermitFigures},
	"GET /retention":                {permit: PermitHold},
	"POST /retention/:id/hold":      {permit: PermitHold, thing: aSubmission, form: func(gateway.OfficeID) url.Values { return url.Values{"reason": {"audit"}} }},
	"POST /retention/:id/release":   {permit: PermitHold, thing: aHeldSubmission},
	"GET /notices":                  {permit: PermitStaff},
	"POST /notices":                 {permit: PermitStaff, form: func(gateway.OfficeID) url.Values { return url.Values{"pace": {"off"}} }},
	"GET /emergency":                {permit: PermitStaff},
	"POST /emergency":               {permit: PermitStaff, status: http.StatusForbidden, form: emergencyForm}, // no office of this house allows any
	"POST /emergency/end":           {permit: PermitStaff},
	"POST /emergency/:id/end":       {permit: PermitCutOff, thing: anEmergency},
	"POST /emergency/:id/seen":      {permit: PermitWatch, thing: anEmergency},
	"GET /session":                  {permit: PermitStaff},
	"POST /session":                 {permit: PermitStaff},
	"GET /login":                    {permit: PermitAnyone},
	"POST /login":                   {permit: PermitAnyone, status: http.StatusUnauthorized},
	"POST /logout":                  {permit: PermitAnyone},
	"GET /static/*":                 {permit: PermitAnyone, status: http.StatusNotFound},
}
