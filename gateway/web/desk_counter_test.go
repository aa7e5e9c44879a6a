package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dropslot/gateway"

	"rsc.io/qr"
)

func TestCounterShowsACode(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	wantText(t, b.get("/counter"), "Whose phone takes the photos?", `name="first-name"`, "Show the code")
	answer := b.post("/counter", url.Values{"whose": {"staff"}, "first-name": {"Maria"}, "last-name": {"Example"}, "language": {"es"}})
	wantStatus(t, answer, http.StatusSeeOther)
	made := h.counters[0]
	if made.ask.Origin != gateway.OriginStaff || made.ask.Name != (gateway.Name{First: "Maria", Last: "Example"}) || made.ask.Office != "north" || made.ask.Language != "es" {
		t.Errorf("asked for %+v", made.ask)
	}
	where := answer.Header().Get("Location")
	if where != "/counter/"+string(made.view.ID) {
		t.Fatalf("led to %s", where)
	}
	page := b.get(where)
	wantText(t, page, `role="img"`, made.view.URL, "Point your phone’s camera", "Waiting for a phone to open the link.", `http-equiv="refresh"`)
	wantNoText(t, page, "Maria") // whoever looks over the shoulder
	code, err := qr.Encode(made.view.URL, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	dark := 0
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				dark++
			}
		}
	}
	if drawn := strings.Count(page.Body.String(), "h1v1h-1z"); drawn != dark {
		t.Errorf("%d squares are drawn, the code has %d", drawn, dark)
	}
	// Once a phone has it, the page shows it no more.
	h.counters[0].view.URL, h.counters[0].view.Opened = "", true
	page = b.get(where)
	wantNoText(t, page, "<svg")
	wantText(t, page, "A phone opened the link. Waiting for page 1.")
}

func TestStatesOfACounterLink(t *testing.T) {
	for name, test := range map[string]struct {
		view   gateway.CounterView
		words  string
		moving bool
	}{
		"waits":   {gateway.CounterView{URL: "x"}, "Waiting for a phone to open the link.", true},
		"page":    {gateway.CounterView{Opened: true, Pages: 1}, "Page 1 received. The phone may be taking the next one.", true},
		"done":    {gateway.CounterView{Opened: true, Pages: 2, Ended: gateway.RequestFinished}, "Done: 2 pages.", false},
		"late":    {gateway.CounterView{Ended: gateway.RequestExpired}, "The time is over and nothing came. Make a new code.", false},
		"taken":   {gateway.CounterView{Ended: gateway.RequestCanceled}, "You took the link back. No phone can send anything with it.", false},
		"midway":  {gateway.CounterView{Opened: true, Pages: 1, Ended: gateway.RequestCanceled}, "You took the link back. 1 page came before.", false},
		"partway": {gateway.CounterView{Opened: true, Pages: 1, Ended: gateway.RequestExpired}, "The time is over. 1 page came.", false},
	} {
		if got := counterViewOf(test.view); got.Words != test.words || got.Moving != test.moving {
			t.Errorf("%s: %+v", name, got)
		}
	}
	h := newDeskHouse(t)
	b := h.signedIn(t, "cho")
	where := b.post("/counter", url.Values{"whose": {"counter"}, "office": {"south"}}).Header().Get("Location")
	if h.counters[0].ask.Origin != gateway.OriginCounter || h.counters[0].ask.Office != "south" {
		t.Errorf("asked for %+v", h.counters[0].ask)
	}
	wantText(t, b.get(where), "Ask the client to point their phone’s camera")
	b.header.Set("Accept", "application/json")
	var view requestView
	if err := json.Unmarshal(b.get(where+"/state").Body.Bytes(), &view); err != nil || view.URL != where || !view.Moving {
		t.Errorf("%+v, %v", view, err)
	}
	// The link can be opened from its page: no colleague sees it, or takes it back.
	wantStatus(t, h.signedIn(t, "ben").get(where), http.StatusNotFound)
	wantStatus(t, h.signedIn(t, "ben").post(where+"/cancel", url.Values{}), http.StatusNotFound)
	b.header.Del("Accept")
	wantText(t, b.get(where), `action="`+where+`/cancel"`)
	answer := b.post(where+"/cancel", url.Values{})
	wantStatus(t, answer, http.StatusSeeOther)
	if to := answer.Header().Get("Location"); to != where {
		t.Errorf("leads to %s", to)
	}
	page := b.get(where)
	wantText(t, page, "You took the link back.")
	wantNoText(t, page, "/cancel", "<svg class=\"code\"")
}

func TestDeskShowsWhoAndWhatIsMissing(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria\nExample", "+15551230142")
	ana := h.staffByLogin("ana").ID
	h.subs[0].LackCount, h.subs[0].Lacks = 2, []gateway.Lack{
		{Ask: "photo-id", Reason: gateway.LackHelp, At: deskTime}, {Ask: "pay-stub", Reason: gateway.LackCannot, At: deskTime},
	}
	b := h.signedIn(t, "ana")
	wantText(t, b.get("/"), "<b>Maria Example</b>", "2 missing", "Phone ending 0142")
	page := b.get(submissionURL(s.ID))
	wantText(t, page, "<dt>First name</dt><dd>Maria</dd>", "<dt>Last name</dt><dd>Example</dd>", "The client does not have",
		"<b>Photo ID</b>: needs help with it", "<b>Pay stub</b>: cannot get it", "No page came.")
	h.subs[0].Origin, h.subs[0].Staff, h.subs[0].Phone = gateway.OriginStaff, ana, nil
	page = b.get(submissionURL(s.ID))
	wantText(t, page, "photographed by ana")
	wantNoText(t, page, "ends in")
	wantText(t, b.get("/"), "At the counter ·")
	h.subs[0].Origin = gateway.OriginCounter
	wantText(t, b.get(submissionURL(s.ID)), "by the client’s own phone, with ana")
}
