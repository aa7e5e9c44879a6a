package twilio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// rig is a client with a fake Twilio behind it. It notes the pauses that the
// client makes instead of making them.
type rig struct {
	*Client
	fake   *twiliotest.Fake
	pauses []time.Duration
	text   gateway.OutgoingText
}

func newRig(t *testing.T, change func(*ClientConfig)) *rig {
	t.Helper()
	r := &rig{fake: twiliotest.New(twiliotest.Config{
		Accounts: map[string]string{testAccount: testToken, subAccount: subToken},
		Numbers:  map[string]twiliotest.Number{string(testNumber): {Account: testAccount}, string(subNumber): {Account: subAccount}},
		Progress: []string{},
	})}
	server := httptest.NewServer(r.fake)
	t.Cleanup(func() { r.fake.Close(); server.Close() })
	c := ClientConfig{
		APIURL:   server.URL,
		Accounts: map[string][]AuthToken{testAccount: {NewAuthToken(testToken)}, subAccount: {NewAuthToken(subToken)}},
		Numbers:  map[gateway.Number]string{testNumber: testAccount, subNumber: subAccount},
		Now:      func() time.Time { return testTime },
		Wait: func(_ context.Context, d time.Duration) error {
			r.pauses = append(r.pauses, d)
			return nil
		},
	}
	if change != nil {
		change(&c)
	}
	var err error
	if r.Client, err = NewClient(c); err != nil {
		t.Fatal(err)
	}
	r.text = gateway.OutgoingText{From: testNumber, To: phoneOf(t, testPhone), Body: "Canary & words 👋", StatusURL: testURL + "/twilio/status?sending=" + testID}
	return r
}

// send sends the rig's text and checks that an error tells nothing.
func (r *rig) send(ctx context.Context, t *testing.T) (string, error) {
	t.Helper()
	sid, state, err := r.Send(ctx, r.text)
	if err == nil && (state != gateway.DeliveryQueued || !isMessageSID([]byte(sid))) {
		t.Errorf("got %q, %q", sid, state)
	}
	if err != nil {
		told := fmt.Sprintf("%v %+v", err, err)
		for _, secret := range []string{testPhone, testPhone[1:], testToken, "Canary", subToken} {
			if strings.Contains(told, secret) {
				t.Errorf("the error tells %s: %s", secret, told)
			}
		}
	}
	return sid, err
}

func TestSend(t *testing.T) {
	r := newRig(t, nil)
	sid, err := r.send(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	out := r.fake.Outbox(testPhone)
	if len(out) != 1 || out[0].SID != sid || out[0].Body != r.text.Body || out[0].From != string(testNumber) || out[0].Account != testAccount {
		t.Errorf("the phone got %+v", out)
	}
	// A subaccount's number is sent from with that account.
	r.text.From = subNumber
	if _, err := r.send(t.Context(), t); err != nil {
		t.Fatal(err)
	}
	if out := r.fake.Outbox(testPhone); out[1].Account != subAccount {
		t.Errorf("sent by %s", out[1].Account)
	}
	r.text.From = "+15551239999"
	_, err = r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendFailed)
}

func TestSendRefused(t *testing.T) {
	r := newRig(t, nil)
	if _, err := r.fake.Text(t.Context(), twiliotest.Inbound{From: testPhone, To: string(testNumber), Body: "STOP"}); err == nil {
		t.Fatal("a number without a URL was called")
	}
	_, err := r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeOptedOut)
	r = newRig(t, nil)
	r.text.To = phoneOf(t, string(testNumber))
	_, err = r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendFailed)
	if e, ok := errors.AsType[*SendError](err); !ok || e.Code != 21266 || e.Status != http.StatusBadRequest {
		t.Errorf("Twilio's code is lost: %v", err)
	}
	if len(r.pauses) != 0 || len(r.fake.Outbox(testPhone)) != 0 {
		t.Error("a refused text was tried again")
	}
}

// What Twilio did not process is tried once more, and only once.
func TestSendTooMany(t *testing.T) {
	r := newRig(t, nil)
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.TooMany, Times: 1, RetryAfter: 3 * time.Second})
	if _, err := r.send(t.Context(), t); err != nil {
		t.Fatal(err)
	}
	if len(r.pauses) != 1 || r.pauses[0] != 3*time.Second || len(r.fake.Outbox(testPhone)) != 1 {
		t.Errorf("pauses %v, %d texts", r.pauses, len(r.fake.Outbox(testPhone)))
	}
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.TooMany, Times: 2})
	_, err := r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendFailed)
	if e, ok := errors.AsType[*SendError](err); !ok || e.Code != 20429 || len(r.pauses) != 2 || len(r.fake.Outbox(testPhone)) != 1 {
		t.Errorf("%v after pauses %v", err, r.pauses)
	}
	// Not beyond what a person waits for, nor beyond the context.
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.TooMany, Times: 1, RetryAfter: time.Minute})
	_, err = r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendFailed)
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.TooMany, Times: 1, RetryAfter: 10 * time.Second})
	hasty := newRig(t, func(c *ClientConfig) { c.Now, c.APIURL = time.Now, "http://"+r.base.Host })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = hasty.send(ctx, t)
	wantCode(t, err, gateway.CodeSendFailed)
	if len(r.pauses) != 2 || len(hasty.pauses) != 0 {
		t.Errorf("pauses %v, %v", r.pauses, hasty.pauses)
	}
}

// When the answer is lost, the text may be on its way: it is not sent again.
func TestSendUnknown(t *testing.T) {
	tests := map[string]struct {
		kind twiliotest.Kind
		sent int
	}{
		"a page of HTML for an error":  {twiliotest.ServerError, 0},
		"a page of HTML for an answer": {twiliotest.Garbled, 1},
		"a connection that broke":      {twiliotest.Cut, 1},
		"an answer that never came":    {twiliotest.Hang, 1},
		"work that is not yet begun":   {twiliotest.Slow, 0},
	}
	for name, test := range tests {
		r := newRig(t, func(c *ClientConfig) { c.Timeout = 50 * time.Millisecond })
		r.fake.Break(twiliotest.Fault{Kind: test.kind, Times: 1, Delay: time.Minute})
		_, err := r.send(t.Context(), t)
		if !gateway.Is(err, gateway.CodeSendUnknown) || len(r.pauses) != 0 {
			t.Errorf("%s: %v", name, err)
		}
		if got := len(r.fake.Outbox(testPhone)); got != test.sent {
			t.Errorf("%s: %d texts were sent", name, got)
		}
	}
}

// What never left is certain not to have been sent.
func TestSendUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *ClientConfig) { c.APIURL = "http://" + address })
	_, err = r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendFailed)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = newRig(t, nil)
	_, err = r.send(ctx, t)
	wantCode(t, err, gateway.CodeSendFailed)
	if len(r.fake.Outbox(testPhone)) != 0 {
		t.Error("a canceled text was sent")
	}
}

func TestSendDuringRotation(t *testing.T) {
	r := newRig(t, func(c *ClientConfig) {
		c.Accounts = map[string][]AuthToken{testAccount: {NewAuthToken(nextToken), NewAuthToken(testToken)}, subAccount: {NewAuthToken(nextToken)}}
	})
	if _, err := r.send(t.Context(), t); err != nil {
		t.Error(err)
	}
	r.text.From = subNumber
	_, err := r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendFailed)
}

// A redirection must not carry the credentials elsewhere, nor count as sent.
func TestSendRedirected(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirection was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	r := newRig(t, func(c *ClientConfig) { c.APIURL = server.URL })
	_, err := r.send(t.Context(), t)
	wantCode(t, err, gateway.CodeSendUnknown)
}

// The environment cannot send the credentials to another host.
func TestSendIgnoresEnvironment(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "evil")
	t.Setenv("TWILIO_REGION", "evil")
	r := newRig(t, nil)
	if _, err := r.send(t.Context(), t); err != nil {
		t.Error(err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	for _, c := range []ClientConfig{
		{APIURL: "api.twilio.com"},
		{APIURL: "https://api.twilio.com/2010-04-01"},
		{APIURL: "ftp://api.twilio.com"},
		{Accounts: map[string][]AuthToken{testAccount: {NewAuthToken("with space")}}},
		{Accounts: map[string][]AuthToken{testAccount: {NewAuthToken("")}}},
		{Numbers: map[gateway.Number]string{testNumber: testAccount}},
	} {
		if _, err := NewClient(c); err == nil {
			t.Errorf("taken: %v", c)
		}
	}
}

func TestPause(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "0": 0, "-1": 0, "soon": 0,
		"3599": 3599 * time.Second, "3600": time.Hour, "7200": time.Hour, "99999999999999999999": time.Hour,
		testTime.Add(7 * time.Second).Format(http.TimeFormat): 7 * time.Second,
		testTime.Add(-time.Hour).Format(http.TimeFormat):      0,
		testTime.AddDate(1, 0, 0).Format(http.TimeFormat):     time.Hour,
	} {
		if got := pause(header, testTime); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
