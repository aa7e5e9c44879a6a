package web

import (
	"maps"
	"net/http"
	"net/url"
	"strings"

	"dropslot/gateway"
)

func aClient(h *deskHouse, _ gateway.OfficeID) string {
	return string(h.blind.Client(h.subs[0].Sender))
}

// oneField is a form of one field.
func oneField(name, value string) func(gateway.OfficeID) url.Values {
	return func(gateway.OfficeID) url.Values { return url.Values{name: {value}} }
}

func init() {
	maps.Copy(routeCases, map[string]routeCase{
		"POST /submissions/:id/stage":    {permit: PermitChange, thing: aSubmission, form: oneField("stage", "open")},
		"POST /submissions/:id/assigned": {permit: PermitChange, thing: aSubmission, form: oneField("to", "")},
		"POST /submissions/:id/case":     {permit: PermitChange, thing: aSubmission, form: oneField("case", "A-1")},
		"POST /submissions/:id/notes": {permit: PermitChange, thing: aSubmission, form: func(gateway.OfficeID) url.Values {
			return url.Values{"words": {"called"}, "note": {strings.Repeat("0", 26)}}
		}},
		"POST /submissions/:id/merge": {permit: PermitChange, thing: aSubmission, form: oneField("to", ""), status: http.StatusUnprocessableEntity},
		"POST /submissions/:id/move":  {permit: PermitChange, thing: aSubmission, form: oneField("to", ""), status: http.StatusUnprocessableEntity},
		"GET /clients/:id":            {permit: PermitPapers, thing: aClient},
		"POST /clients/:id/name":      {permit: PermitChange, thing: aClient, form: oneField("name", "Ana")},
		"GET /search":                 {permit: PermitPapers},
		"POST /search":                {permit: PermitPapers, form: oneField("q", "A-1")},
		"GET /changes":                {permit: PermitPapers},
	})
}
