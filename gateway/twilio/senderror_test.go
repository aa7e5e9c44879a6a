package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"dropslot/gateway"
)

// What may be sent again later, and what may not.
func TestWhatMaySendAgain(t *testing.T) {
	for _, test := range []struct {
		status, twilio int
		code           gateway.Code
		retry          bool
		wait           time.Duration
	}{
		{429, 20429, gateway.CodeSendFailed, true, 40 * time.Second},
		{429, 0, gateway.CodeSendFailed, true, 40 * time.Second},
		{400, 21611, gateway.CodeSendFailed, true, 5 * time.Minute},
		{429, 63038, gateway.CodeSendFailed, true, time.Hour},
		{400, 63038, gateway.CodeSendFailed, true, time.Hour},
		{401, 20003, gateway.CodeSendFailed, true, 0},
		{401, 20005, gateway.CodeSendFailed, true, 0},
		{400, 21610, gateway.CodeOptedOut, false, 0},
		{400, 21211, gateway.CodeSendFailed, false, 0},
		{400, 21606, gateway.CodeSendFailed, false, 0},
		{403, 0, gateway.CodeSendFailed, false, 0},
		{408, 0, gateway.CodeSendUnknown, false, 0},
		{500, 0, gateway.CodeSendUnknown, false, 0},
		{500, 20500, gateway.CodeSendUnknown, false, 0},
		{503, 20503, gateway.CodeSendUnknown, false, 0},
		{302, 0, gateway.CodeSendUnknown, false, 0},
	} {
		r := newRig(t, nil)
		r.Client = served(t, func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Retry-After", "40")
			answering(test.status, "application/json", fmt.Sprintf(`{"code":%d,"message":"Canary %s","status":%d}`, test.twilio, testPhone, test.status))(w, q)
		})
		_, err := r.send(t.Context(), t)
		e, ok := errors.AsType[*SendError](err)
		if !ok || gateway.CodeOf(err) != test.code || e.Retry() != test.retry || e.RetryAfter() != test.wait || e.TwilioCode() != test.twilio {
			t.Errorf("HTTP %d, %d: %v; retry %v after %v", test.status, test.twilio, err, e.Retry(), e.RetryAfter())
		}
	}
	r := newRig(t, func(c *ClientConfig) { c.APIURL = "http://127.0.0.1:1" })
	_, err := r.send(t.Context(), t)
	if e, ok := errors.AsType[*SendError](err); !ok || !e.Retry() {
		t.Errorf("what never left: %v", err)
	}
}

// A messaging service is named together with the number.
func TestSendThroughAService(t *testing.T) {
	r := newRig(t, nil)
	var form map[string][]string
	r.Client = served(t, func(w http.ResponseWriter, q *http.Request) {
		if err := q.ParseForm(); err != nil {
			t.Error(err)
		}
		form = q.PostForm
		answering(201, "application/json", `{"sid":"`+testSID+`","status":"accepted"}`)(w, q)
	})
	r.config.Services = map[gateway.Number]string{testNumber: testService}
	if sid, err := r.send(t.Context(), t); err != nil || sid != testSID {
		t.Fatal(sid, err)
	}
	if form["MessagingServiceSid"][0] != testService || form["From"][0] != string(testNumber) {
		t.Errorf("sent %v of %v", form["MessagingServiceSid"], form["From"])
	}
	for _, services := range []map[gateway.Number]string{{testNumber: "MG1"}, {testNumber: testSID}, {"+15551239999": testService}} {
		if _, err := NewClient(ClientConfig{
			Accounts: map[string][]AuthToken{testAccount: {NewAuthToken(testToken)}},
			Numbers:  map[gateway.Number]string{testNumber: testAccount}, Services: services,
		}); err == nil {
			t.Errorf("taken: %v", services)
		}
	}
}
