package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"dropslot/gateway"
)

// DefaultTimeout bounds one request to the REST API.
const DefaultTimeout = 10 * time.Second

// maxPause is the longest Retry-After that is waited for: a caseworker is
// looking at the screen.
const maxPause = 15 * time.Second

// ClientConfig is what the client must know to send.
type ClientConfig struct {
	// APIURL is the scheme and host of the REST API, in place of each of
	// Twilio's hosts; Twilio's own if empty.
	APIURL string
	// Accounts gives each account's auth tokens by account SID. The first is
	// used; the others when Twilio refuses it, as it does during a rotation.
	Accounts map[string][]AuthToken
	// Numbers gives the account SID that each of the offices' numbers belongs to.
	Numbers map[gateway.Number]string
	// Services gives the SID of the messaging service that a number sends
	// through, if any. The number is named too: no other of the service's
	// senders takes its place.
	Services map[gateway.Number]string
	// Timeout bounds one request; DefaultTimeout if 0.
	Timeout time.Duration
	// Transport carries the requests; one of its own if nil.
	Transport http.RoundTripper
	// Now is the clock, and Wait waits for a time or the end of the context;
	// the real ones if nil.
	Now  func() time.Time
	Wait func(context.Context, time.Duration) error
}

// Client sends texts, and reads and erases what lies at Twilio. It is safe for
// use by many goroutines at once.
type Client struct {
	config  ClientConfig
	base    *url.URL // scheme and host of the REST API
	regions *regions
}

var _ gateway.Texter = (*Client)(nil)

// NewClient checks the configuration and makes the client.
func NewClient(c ClientConfig) (*Client, error) {
	base, err := apiBase(c.APIURL)
	if err != nil {
		return nil, err
	}
	if err := checkAccounts(c.Accounts, c.Numbers); err != nil {
		return nil, err
	}
	for sid, tokens := range c.Accounts {
		for _, token := range tokens {
			if !isAlphanumeric(token.secret) {
				return nil, fmt.Errorf("twilio account %s: an auth token holds more than letters and digits; copy it again from the console", sid)
			}
		}
	}
	for number, service := range c.Services {
		if _, ok := c.Numbers[number]; !ok || !isSID([]byte(service), "MG") {
			return nil, fmt.Errorf("number %s: its messaging service must be MG and 32 of 0-9a-f", number)
		}
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost, own.ResponseHeaderTimeout = 4, c.Timeout
		c.Transport = own
	}
	return &Client{config: c, base: base, regions: newRegions()}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isAlphanumeric(text string) bool {
	for _, c := range []byte(text) {
		if ('0' > c || c > '9') && ('a' > c || c > 'z') && ('A' > c || c > 'Z') {
			return false
		}
	}
	return true
}

// Send hands one text to Twilio, with the account that its From belongs to.
// The error's code is CodeOptedOut, CodeSendFailed (it was certainly not
// taken; Err is a *SendError) or CodeSendUnknown (the answer was lost). What
// Twilio says it did not process is tried once more: with the account's next
// token, or after the pause that it asks for if the context allows.
func (c *Client) Send(ctx context.Context, t gateway.OutgoingText) (string, gateway.DeliveryState, error) {
	sid, ok := c.config.Numbers[t.From]
	if !ok {
		return "", "", refused(gateway.CodeSendFailed, SendError{Reason: "the sending number is not configured"})
	}
	var err error
	for i, token := range c.config.Accounts[sid] {
		var m *openapi.ApiV2010Message
		if m, err = c.create(ctx, sid, token, t); err == nil {
			return taken(m)
		}
		last := i == len(c.config.Accounts[sid])-1
		if failed, ok := errors.AsType[*SendError](err); !ok || last || !failed.unauthorized() {
			break
		}
	}
	return "", "", err
}

func (e *SendError) unauthorized() bool {
	return e.Code == codeUnauthorized || e.Status == http.StatusUnauthorized
}

func (e *SendError) tooMany() bool {
	return e.Code == codeTooMany || e.Status == http.StatusTooManyRequests
}

// create posts the message, a second time after a refusal for haste.
func (c *Client) create(ctx context.Context, sid string, token AuthToken, t gateway.OutgoingText) (*openapi.ApiV2010Message, error) {
	for try := 1; ; try++ {
		m, retryAfter, err := c.post(ctx, sid, token, t)
		failed, ok := errors.AsType[*SendError](err)
		if !ok || !failed.tooMany() || try == 2 {
			return m, err
		}
		now := c.config.Now()
		failed.Wait = pause(retryAfter, now)
		d := max(failed.Wait, time.Second)
		if deadline, ok := ctx.Deadline(); d > maxPause || ok && now.Add(d).After(deadline) {
			return nil, err
		}
		if c.config.Wait(ctx, d) != nil {
			return nil, err
		}
	}
}

// post makes one request.
func (c *Client) post(ctx context.Context, sid string, token AuthToken, t gateway.OutgoingText) (*openapi.ApiV2010Message, string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	this := &call{ctx: ctx, base: c.base, next: c.config.Transport}
	rest := c.service(this, sid, token)
	params := (&openapi.CreateMessageParams{}).SetTo(t.To.E164()).SetFrom(string(t.From)).SetBody(t.Body)
	if service := c.config.Services[t.From]; service != "" {
		params.SetMessagingServiceSid(service)
	}
	if t.StatusURL != "" {
		params.SetStatusCallback(t.StatusURL)
	}
	m, err := openapi.NewApiServiceWithClient(rest).CreateMessage(params)
	if err == nil && this.status >= http.StatusMultipleChoices {
		// twilio-go takes a redirection for a success.
		err = errors.New("redirected")
	}
	return m, this.retryAfter, this.classify(err)
}

// classify turns what twilio-go says into what is known of the text. None of
// its words are kept: they repeat the phone number.
func (c *call) classify(err error) error {
	if err == nil {
		return nil
	}
	e := SendError{Status: c.status}
	if answer, ok := errors.AsType[*client.TwilioRestError](err); ok {
		e.Code = answer.Code
	}
	switch {
	case c.status == 0 && !c.written.Load():
		e.Reason = reasonUnreached
		return refused(gateway.CodeSendFailed, e)
	case c.status == 0:
		e.Reason = "the connection to Twilio broke before it answered"
		return refused(gateway.CodeSendUnknown, e)
	case e.Code == codeOptedOut:
		return refused(gateway.CodeOptedOut, e)
	case c.status >= 400 && c.status < 500 && c.status != http.StatusRequestTimeout:
		e.Reason = "it was refused without a code"
		return refused(gateway.CodeSendFailed, e)
	}
	e.Reason = "the text may or may not have been sent"
	return refused(gateway.CodeSendUnknown, e)
}

// taken reads what Twilio answered to a text that it took.
func taken(m *openapi.ApiV2010Message) (string, gateway.DeliveryState, error) {
	if m.Sid == nil || !isMessageSID([]byte(*m.Sid)) {
		return "", "", refused(gateway.CodeSendUnknown, SendError{Reason: "Twilio's answer names no message"})
	}
	state := gateway.DeliveryQueued
	if m.Status != nil {
		if known, ok := states[*m.Status]; ok {
			state = known
		}
	}
	return *m.Sid, state, nil
}
