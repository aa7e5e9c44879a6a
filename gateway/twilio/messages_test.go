package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

func TestMessage(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "Canary hello", picture(1), picture(2))
	m, err := r.Message(t.Context(), testAccount, in.SID)
	if err != nil {
		t.Fatal(err)
	}
	if m.SID != in.SID || m.Account != testAccount || !m.Inbound || m.From != testPhone || m.To != string(testNumber) ||
		m.Words != "Canary hello" || m.MediaCount != 2 || !m.CreatedAt.Equal(in.CreatedAt.Truncate(time.Second)) {
		t.Errorf("got %s, made at %v", m.SID, m.CreatedAt)
	}
	if shown := fmt.Sprintf("%v %+v %#v", m, m, m); strings.Contains(shown, "Canary") || strings.Contains(shown, testPhone) {
		t.Errorf("it shows %s", shown)
	}
	sid, err := r.send(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.fake.SetStatus(sid, "undelivered", 30007); err != nil {
		t.Fatal(err)
	}
	m, err = r.Message(t.Context(), testAccount, sid)
	if err != nil || m.Inbound || m.State != gateway.DeliveryFailed || m.ErrorCode != 30007 {
		t.Errorf("a text of ours: %s %s %d, %v", m.SID, m.State, m.ErrorCode, err)
	}
}

// The webhook names ten at most.
func TestMoreThanTenMediaAreListed(t *testing.T) {
	r := newRig(t, nil)
	var many []twiliotest.Media
	for n := range 12 {
		many = append(many, picture(n))
	}
	in := r.textIn(t, "papers", many...)
	list, err := r.Media(t.Context(), testAccount, in.SID)
	if err != nil || len(list) != 12 {
		t.Fatalf("%d media, %v", len(list), err)
	}
	for n, m := range list {
		if m.SID != in.Media[n].SID || m.Type != "image/jpeg" {
			t.Errorf("medium %d: %+v", n, m)
		}
	}
}

func TestAnEmptyMediaListProvesNothing(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "papers", picture(1))
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.NoMediaYet, Times: 1})
	for _, want := range []int{0, 1} {
		if list, err := r.Media(t.Context(), testAccount, in.SID); err != nil || len(list) != want {
			t.Errorf("%d media, %v, want %d", len(list), err, want)
		}
	}
}

func TestAnEarlyNotFoundIsToldApart(t *testing.T) {
	for name, operation := range operations {
		r := newRig(t, nil)
		in := r.textIn(t, "papers", picture(1))
		r.fake.Break(twiliotest.Fault{Kind: twiliotest.NotFoundYet, Times: 1})
		err := operation(t.Context(), r.Client, in.SID, in.Media[0].SID)
		switch name {
		case "message", "media", "open media":
			wantCode(t, err, gateway.CodeNotFound)
		}
		r.fake.Mend(twiliotest.NotFoundYet)
		if err := operation(t.Context(), r.Client, in.SID, in.Media[0].SID); err != nil && !strings.HasPrefix(name, "erase") {
			t.Errorf("%s, a moment later: %v", name, err)
		}
	}
}

func TestEraseMedia(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "papers", picture(1), picture(2))
	for _, want := range []string{"204", "404"} {
		e, err := r.EraseMedia(t.Context(), testAccount, in.SID, in.Media[0].SID)
		if err != nil || e != (gateway.Erasure{SID: in.Media[0].SID, Answer: want}) {
			t.Errorf("%+v, %v, want %s", e, err, want)
		}
	}
	if list, err := r.Media(t.Context(), testAccount, in.SID); err != nil || len(list) != 1 || list[0].SID != in.Media[1].SID {
		t.Errorf("left: %+v, %v", list, err)
	}
}

// twilio-go takes each of these for a success.
func TestARedirectedOrUnmodifiedDeletionIsNone(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "papers", picture(1))
	for _, kind := range []twiliotest.Kind{twiliotest.DeleteRedirected, twiliotest.DeleteNotModified} {
		r.fake.Break(twiliotest.Fault{Kind: kind, Times: 1})
		_, err := r.EraseMedia(t.Context(), testAccount, in.SID, in.Media[0].SID)
		wantCode(t, err, gateway.CodeUnavailable)
	}
	for _, status := range []int{200, 202, 300, 301, 302, 303, 305, 308} {
		c := served(t, answering(status, "application/json", "{}"))
		if _, err := c.EraseMedia(t.Context(), testAccount, in.SID, in.Media[0].SID); !gateway.Is(err, gateway.CodeUnavailable) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if list, err := r.Media(t.Context(), testAccount, in.SID); err != nil || len(list) != 1 {
		t.Errorf("left: %+v, %v", list, err)
	}
}

func TestARedirectionIsNoSuccessAnywhere(t *testing.T) {
	for name, operation := range operations {
		for _, status := range []int{302, 304, 307} {
			c := served(t, answering(status, "application/json", `{"sid":"`+testSID+`","account_sid":"`+testAccount+`","direction":"inbound","body":"","date_created":"Sun, 22 Nov 2026 09:30:00 +0000"}`))
			if err := operation(t.Context(), c, testSID, testMedia); !gateway.Is(err, gateway.CodeUnavailable) {
				t.Errorf("%s: %d was taken for a success: %v", name, status, err)
			}
		}
	}
}

func TestNotFinalIsToldApart(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "Canary")
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.NotFinal, Times: 2})
	for range 2 {
		_, err := r.EraseBody(t.Context(), testAccount, in.SID)
		wantCode(t, err, gateway.CodeNotFinal)
		tellsNothing(t, err)
	}
	e, err := r.EraseBody(t.Context(), testAccount, in.SID)
	if err != nil || e != (gateway.Erasure{SID: in.SID, Answer: "200"}) {
		t.Errorf("%+v, %v", e, err)
	}
	if m, err := r.Message(t.Context(), testAccount, in.SID); err != nil || m.Words != "" {
		t.Errorf("the words are left: %v", err)
	}
	// A text of ours that still waits.
	sid, err := r.send(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.EraseBody(t.Context(), testAccount, sid)
	wantCode(t, err, gateway.CodeNotFinal)
}

// Only the message without words is a proof, and only Twilio's own 404.
func TestWhatIsNoProofOfAnErasure(t *testing.T) {
	message := `{"sid":"%s","account_sid":"` + testAccount + `","direction":"inbound","date_created":"Sun, 22 Nov 2026 09:30:00 +0000"%s}`
	for name, answer := range map[string]http.HandlerFunc{
		"the words are still there": answering(200, "application/json", fmt.Sprintf(message, testSID, `,"body":"Canary"`)),
		"the words are not shown":   answering(200, "application/json", fmt.Sprintf(message, testSID, "")),
		"another message":           answering(200, "application/json", fmt.Sprintf(message, testSID[:33]+"f", `,"body":""`)),
		"nothing":                   answering(200, "application/json", "{}"),
		"HTML":                      answering(200, "text/html", "<html>"),
		"not found, in HTML":        answering(404, "text/html", "<html>"),
		"not found, in other JSON":  answering(404, "application/json", `{"message":"no Route matched"}`),
		"gone":                      answering(410, "text/html", ""),
	} {
		c := served(t, answer)
		e, err := c.EraseBody(t.Context(), testAccount, testSID)
		if !gateway.Is(err, gateway.CodeUnavailable) || e != (gateway.Erasure{}) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if !strings.HasPrefix(name, "not found") {
			continue
		}
		if e, err := c.EraseMedia(t.Context(), testAccount, testSID, testMedia); !gateway.Is(err, gateway.CodeUnavailable) {
			t.Errorf("%s, of media: %+v, %v", name, e, err)
		}
	}
}

func TestTheWorkWasDoneThoughTheAnswerWasLost(t *testing.T) {
	for _, kind := range []twiliotest.Kind{twiliotest.Hang, twiliotest.Cut, twiliotest.Garbled} {
		r := newRig(t, func(c *ClientConfig) { c.Timeout = 100 * time.Millisecond })
		in := r.textIn(t, "Canary", picture(1))
		r.fake.Break(twiliotest.Fault{Kind: kind, Times: 2})
		_, err := r.EraseMedia(t.Context(), testAccount, in.SID, in.Media[0].SID)
		wantCode(t, err, gateway.CodeUnavailable)
		_, err = r.EraseBody(t.Context(), testAccount, in.SID)
		wantCode(t, err, gateway.CodeUnavailable)
		media, err := r.EraseMedia(t.Context(), testAccount, in.SID, in.Media[0].SID)
		if err != nil || media.Answer != "404" {
			t.Errorf("%s: %+v, %v", kind, media, err)
		}
		if body, err := r.EraseBody(t.Context(), testAccount, in.SID); err != nil || body.Answer != "200" {
			t.Errorf("%s: %+v, %v", kind, body, err)
		}
	}
}

func TestFaultsOfEveryOperation(t *testing.T) {
	for name, operation := range operations {
		for _, kind := range []twiliotest.Kind{twiliotest.ServerError, twiliotest.Cut, twiliotest.Hang, twiliotest.Garbled, twiliotest.Slow, twiliotest.TooMany} {
			r := newRig(t, func(c *ClientConfig) { c.Timeout = 50 * time.Millisecond })
			in := r.textIn(t, "Canary", picture(1))
			r.fake.Break(twiliotest.Fault{Kind: kind, Times: longList, Delay: time.Minute, RetryAfter: 7 * time.Second})
			err := operation(t.Context(), r.Client, in.SID, in.Media[0].SID)
			if !gateway.Is(err, gateway.CodeUnavailable) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			tellsNothing(t, err)
			waits, ok := errors.AsType[interface {
				error
				RetryAfter() time.Duration
			}](err)
			if kind == twiliotest.TooMany && (!ok || waits.RetryAfter() != 7*time.Second) {
				t.Errorf("%s: it does not tell how long to wait: %v", name, err)
			}
			if ok && kind != twiliotest.TooMany && waits.RetryAfter() != 0 {
				t.Errorf("%s, %s: waits %v", name, kind, waits.RetryAfter())
			}
		}
	}
}

// The caller's end is the end of the request.
func TestACanceledContextEndsEveryOperation(t *testing.T) {
	for name, operation := range operations {
		r := newRig(t, nil)
		in := r.textIn(t, "Canary", picture(1))
		ctx, cancel := context.WithCancel(t.Context())
		r.fake.Break(twiliotest.Fault{Kind: twiliotest.Hang, Times: -1})
		time.AfterFunc(20*time.Millisecond, cancel)
		began := time.Now()
		err := operation(ctx, r.Client, in.SID, in.Media[0].SID)
		if !gateway.Is(err, gateway.CodeUnavailable) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
}

func TestTheTokensAreTriedInTurn(t *testing.T) {
	for name, operation := range operations {
		r := newRig(t, func(c *ClientConfig) {
			c.Accounts = map[string][]AuthToken{testAccount: {NewAuthToken(nextToken), NewAuthToken(testToken)}, subAccount: {NewAuthToken(subToken)}}
		})
		in := r.textIn(t, "Canary", picture(1))
		if err := operation(t.Context(), r.Client, in.SID, in.Media[0].SID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r = newRig(t, func(c *ClientConfig) {
			c.Accounts = map[string][]AuthToken{testAccount: {NewAuthToken(nextToken), NewAuthToken(subToken)}, subAccount: {NewAuthToken(subToken)}}
		})
		if err := operation(t.Context(), r.Client, in.SID, in.Media[0].SID); !gateway.Is(err, gateway.CodeForbidden) {
			t.Errorf("%s, all refused: %v", name, err)
		}
	}
}

// A subaccount's messages are read with its own credentials, and of an account
// without any nothing is asked: nil credentials make twilio-go panic.
func TestAccounts(t *testing.T) {
	r := newRig(t, nil)
	r.text.From = subNumber
	sid, err := r.send(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := r.Message(t.Context(), subAccount, sid); err != nil || m.Account != subAccount {
		t.Errorf("%s, %v", m.Account, err)
	}
	_, err = r.Message(t.Context(), testAccount, sid)
	wantCode(t, err, gateway.CodeNotFound)
	unknown := "AC" + strings.Repeat("0", 32)
	c := served(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	_, err = c.Message(t.Context(), unknown, sid)
	wantCode(t, err, gateway.CodeForbidden)
	_, err = c.OpenMedia(t.Context(), unknown, sid, gateway.TwilioMedia{SID: testMedia})
	wantCode(t, err, gateway.CodeForbidden)
}

func TestMalformedSIDsMakeNoRequest(t *testing.T) {
	c := served(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for _, bad := range []string{"", "SM", testSID + "0", strings.ToUpper(testSID), "SM/../../x" + testSID[10:], "XX" + testSID[2:], testSID[:33] + "/", "https://evil.example/media"} {
		for name, operation := range operations {
			if name == "list" || name == "find" {
				continue
			}
			wantCode(t, operation(t.Context(), c, bad, testMedia), gateway.CodeBadRequest)
			if strings.Contains(name, " media") {
				wantCode(t, operation(t.Context(), c, testSID, bad), gateway.CodeBadRequest)
			}
		}
		_, err := c.Message(t.Context(), bad, testSID)
		wantCode(t, err, gateway.CodeBadRequest)
	}
	err := c.List(t.Context(), "+15551239999", testTime, testTime, nil)
	wantCode(t, err, gateway.CodeBadRequest)
}
