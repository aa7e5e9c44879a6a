package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"dropslot/gateway"
)

func TestSendLinkWithoutScript(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	answer := b.post("/requests", url.Values{"phone": {"(555) 123-0142"}, "language": {"es"}})
	wantStatus(t, answer, http.StatusSeeOther)
	page := b.get(answer.Header().Get("Location"))
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, ">0142</span>", "The text is on its way", `http-equiv="refresh"`, "?auto=1")
	wantText(t, b.get("/requests"), ">0142</span>")
}

// The answer was lost and the browser sends the very form again: one text.
func TestAFormThatArrivesTwiceSendsOneText(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	found := regexp.MustCompile(`name="sending" value="([0-9a-v]{26})"`).FindStringSubmatch(b.get("/requests").Body.String())
	if found == nil {
		t.Fatal("the form names no text")
	}
	form := url.Values{"phone": {"5551230142"}, "language": {"en"}, "sending": {found[1]}}
	first := b.post("/requests", form).Header().Get("Location")
	if again := b.post("/requests", form).Header().Get("Location"); again != first || len(h.requests) != 1 {
		t.Errorf("led to %s and %s, %d texts", first, again, len(h.requests))
	}
	b.header.Set("Accept", "application/json")
	var view requestView
	if err := json.Unmarshal(b.post("/requests", form).Body.Bytes(), &view); err != nil {
		t.Fatal(err)
	}
	if !gateway.ValidID(string(view.Next)) || string(view.Next) == found[1] {
		t.Errorf("the form's next text is named %q", view.Next)
	}
}

func TestSendLinkInPlace(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "cho")
	b.header.Set("Accept", "application/json")
	answer := b.post("/requests", url.Values{"phone": {"+15551230142"}, "language": {"en"}, "office": {"south"}})
	wantStatus(t, answer, http.StatusCreated)
	var view requestView
	if err := json.Unmarshal(answer.Body.Bytes(), &view); err != nil {
		t.Fatal(err)
	}
	if view.LastFour != "0142" || view.Office != "South County Housing" || !view.Moving || !view.Steps[0].Done || view.Steps[1].Done {
		t.Errorf("%+v", view)
	}
}

func TestStatesOfASentLink(t *testing.T) {
	submission := gateway.SubmissionID("0123456789abcdefghijklmnop")
	for name, test := range map[string]struct {
		view   gateway.RequestView
		words  string
		tone   string
		moving bool
	}{
		"on its way":   {gateway.RequestView{State: gateway.DeliverySent}, "The text is on its way.", "wait", true},
		"on the phone": {gateway.RequestView{State: gateway.DeliveryDelivered}, "The text is on the phone. Waiting for the client to open it.", "wait", true},
		"opened":       {gateway.RequestView{State: gateway.DeliverySent, Opened: true}, "The client opened the link. Waiting for page 1.", "good", true},
		"page 1":       {gateway.RequestView{State: gateway.DeliverySent, Opened: true, Pages: 1}, "Page 1 received. The client may be taking the next one.", "good", true},
		"done":         {gateway.RequestView{Opened: true, Pages: 3, Ended: gateway.RequestFinished}, "The client is done: 3 pages.", "good", false},
		"late report":  {gateway.RequestView{State: gateway.DeliveryFailed, Opened: true, Pages: 2}, "2 pages received. The client may be taking the next one.", "good", true},
		"expired":      {gateway.RequestView{State: gateway.DeliveryDelivered, Ended: gateway.RequestExpired}, "The link's time is over and nothing came. Send a new one if you still need the papers.", "over", false},
		"superseded":   {gateway.RequestView{State: gateway.DeliveryDelivered, Ended: gateway.RequestSuperseded}, "A newer link was sent to this phone before this one was opened.", "over", false},
		"landline":     {gateway.RequestView{State: gateway.DeliveryFailed, ErrorCode: 30006}, "The text did not arrive. This is a landline, which cannot take texts. Ask the client for a mobile number.", "bad", false},
		"opted out":    {gateway.RequestView{State: gateway.DeliveryFailed, ErrorCode: 21610}, "This phone texted STOP. No text may be sent to it. Ask the client to text START to (555) 123-0100, then send the link again.", "bad", false},
		"failed":       {gateway.RequestView{State: gateway.DeliveryFailed, ErrorCode: 1}, "The text did not arrive. Check the number with the client and send the link again.", "bad", false},
		"unknown":      {gateway.RequestView{State: gateway.DeliveryUnknown}, "The text may or may not have been sent. Ask the client whether it arrived before you send another one.", "wait", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newDeskHouse(t)
			test.view.ID, test.view.Office, test.view.Submission = gateway.SendingID(h.id()), h.dir.Offices["north"], submission
			h.requests = []gateway.RequestView{test.view}
			answer := h.signedIn(t, "ana").get(requestURL(test.view.ID) + "/state")
			var got requestView
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Words != test.words || got.Tone != test.tone || got.Moving != test.moving {
				t.Errorf("got %+v", got)
			}
			if want := map[bool]string{true: submissionURL(submission)}[test.view.Pages > 0]; got.Papers != want {
				t.Errorf("papers at %q", got.Papers)
			}
		})
	}
}

func TestSendLinkSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		phone   string
		sendErr error
		words   string
		status  int
	}{
		"not a number": {"12", nil, "area code", http.StatusUnprocessableEntity},
		"nothing":      {"", nil, "area code", http.StatusUnprocessableEntity},
		"opted out":    {"5551230142", gateway.NewError(gateway.CodeOptedOut, nil), "text START to (555) 123-0100", http.StatusUnprocessableEntity},
		"country":      {"5551230142", gateway.NewError(gateway.CodeCountry, nil), "another mobile number", http.StatusUnprocessableEntity},
		"out of reach": {"5551230142", gateway.NewError(gateway.CodeUnavailable, nil), "Try again in a minute", http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h := newDeskHouse(t)
			h.sendErr = test.sendErr
			b := h.signedIn(t, "ana")
			form := url.Values{"phone": {test.phone}, "language": {"es"}}
			plain := b.post("/requests", form)
			wantStatus(t, plain, test.status)
			wantText(t, plain, test.words)
			if test.status == http.StatusUnprocessableEntity {
				wantText(t, plain, `value="`+test.phone+`"`, `value="es" selected`)
			}
			b.header.Set("Accept", "application/json")
			inPlace := b.post("/requests", form)
			wantStatus(t, inPlace, test.status)
			wantText(t, inPlace, `"problem"`, test.words)
			if len(h.requests) != 0 {
				t.Error("a link was sent")
			}
		})
	}
}
