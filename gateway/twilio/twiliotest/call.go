package twiliotest

import (
	"context"
	"fmt"
	"net/url"
)

// Call is what became of a telephone call.
type Call struct {
	SID       string
	Attempts  []Attempt
	Heard     []Said
	Ended     []Attempt // the callback that tells how the call ended
	ErrorCode int
}

// Call rings one of the numbers and listens to the answer.
func (f *Fake) Call(ctx context.Context, from, to string) (Call, error) {
	n, token, err := f.number(to)
	if err != nil {
		return Call{}, err
	}
	if n.VoiceURL == "" {
		return Call{}, fmt.Errorf("%s has no URL for calls", to)
	}
	c := Call{}
	if c.SID, err = f.sid("CA"); err != nil {
		return c, err
	}
	form := url.Values{
		"AccountSid": {n.Account}, "ApiVersion": {apiVersion}, "CallSid": {c.SID}, "CallStatus": {"ringing"}, "Direction": {"inbound"},
		"Called": {to}, "To": {to}, "Caller": {from}, "From": {from}, "CalledCountry": {"US"}, "ToCountry": {"US"},
		"CallerCountry": {"US"}, "FromCountry": {"US"}, "StirVerstat": {"TN-Validation-Passed-A"},
	}
	if c.Attempts, err = f.call(ctx, token, n.VoiceURL, n.FallbackURL, form); err != nil {
		return c, err
	}
	last := c.Attempts[len(c.Attempts)-1]
	if c.ErrorCode = last.code(); c.ErrorCode != 0 {
		return c, nil
	}
	answer, code := read(last)
	c.Heard, c.ErrorCode = answer.Speeches, code
	if n.StatusURL != "" {
		form.Set("CallStatus", "completed")
		form.Set("CallDuration", "9")
		c.Ended, err = f.call(ctx, token, n.StatusURL, "", form)
	}
	return c, err
}
