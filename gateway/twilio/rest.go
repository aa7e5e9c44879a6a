package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"dropslot/gateway"
)

// Twilio's error codes of what lies there.
const (
	codeNotFinal = 20009 // the message is still on its way
	codeNotFound = 20404
)

// RestError tells why Twilio did not answer as it should. It holds no words of
// Twilio's, as those repeat phone numbers.
type RestError struct {
	Code   int // Twilio's error code; 0 if its answer held none
	Status int // of HTTP; 0 if there was no answer
	Wait   time.Duration
	Reason string
}

func (e *RestError) Error() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("twilio error %d (HTTP %d)", e.Code, e.Status)
	case e.Status != 0:
		return fmt.Sprintf("twilio answered HTTP %d: %s", e.Status, e.Reason)
	}
	return e.Reason
}

// RetryAfter is how long Twilio asks to be left alone; 0 if it does not say.
func (e *RestError) RetryAfter() time.Duration { return e.Wait }

var (
	errShape = errors.New("the account or a SID is malformed")

	errUnknownAccount = error(gateway.NewError(gateway.CodeForbidden, errors.New("the account has no auth tokens; write them")))
)

// ask makes one request with twilio-go, with each of the account's tokens
// until one is accepted. The request fails with the codes of
// gateway.TwilioMessages; the call tells the HTTP status.
func (c *Client) ask(ctx context.Context, account string, do func(*openapi.ApiService) error) (*call, error) {
	tokens := c.config.Accounts[account]
	if len(tokens) == 0 {
		return nil, errUnknownAccount
	}
	var this *call
	var err error
	for _, token := range tokens {
		this, err = c.askWith(ctx, account, token, do)
		if !gateway.Is(err, gateway.CodeForbidden) {
			break
		}
	}
	return this, err
}

func (c *Client) askWith(ctx context.Context, account string, token AuthToken, do func(*openapi.ApiService) error) (*call, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	this := &call{ctx: ctx, base: c.base, next: c.config.Transport}
	err := do(openapi.NewApiServiceWithClient(c.service(this, account, token)))
	if err == nil && this.status >= http.StatusMultipleChoices {
		err = errors.New("redirected") // twilio-go takes a redirection for a success
	}
	return this, c.judge(this, err)
}

// service is twilio-go's client over one call.
func (c *Client) service(this *call, account string, token AuthToken) *client.Client {
	rest := &client.Client{
		Credentials: client.NewCredentials(account, token.secret),
		HTTPClient: &http.Client{
			Transport:     this,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	rest.SetAccountSid(account)
	return rest
}

// judge turns what twilio-go says into a code. That something is not there is
// taken from Twilio alone: any machine on the way may answer a page of HTML
// with that status, and it would stand in the audit trail as a proof.
func (c *Client) judge(this *call, err error) error {
	if err == nil {
		return nil
	}
	e := &RestError{Status: this.status}
	if answer, ok := errors.AsType[*client.TwilioRestError](err); ok {
		e.Code = answer.Code
	}
	if e.Status == http.StatusNotFound && e.Code != codeNotFound {
		e.Reason = "not by Twilio's own error"
		return gateway.NewError(gateway.CodeUnavailable, e)
	}
	return c.coded(e, this.retryAfter)
}

// coded gives an error its code and the pause that it asks for.
func (c *Client) coded(e *RestError, retryAfter string) error {
	code := gateway.CodeUnavailable
	switch {
	case e.Status == 0 && e.Code == 0:
		e.Reason = "Twilio cannot be reached, or its answer broke off"
	case e.Code == codeNotFinal:
		code = gateway.CodeNotFinal
	case e.Status == http.StatusNotFound:
		code, e.Reason = gateway.CodeNotFound, "there is no such thing"
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Code == codeUnauthorized:
		code, e.Reason = gateway.CodeForbidden, "the auth token is refused"
	case e.Code == codeTooMany || e.Status == http.StatusTooManyRequests || retryAfter != "":
		e.Wait, e.Reason = pause(retryAfter, c.config.Now()), "too many requests"
	case e.Reason == "":
		e.Reason = "this answer is not understood"
	}
	return gateway.NewError(code, e)
}
