package twilio

import (
	"fmt"
	"net/http"
	"time"

	"dropslot/gateway"
)

// Twilio's error codes that Dropslot tells apart.
const (
	codeOptedOut     = 21610 // the person texted STOP
	codeTooMany      = 20429 // too many requests: it was not processed
	codeUnauthorized = 20003 // the auth token is wrong: it was not processed
	codeInactive     = 20005 // the account is suspended: it was not processed
	codeQueueFull    = 21611 // the number has too many texts waiting
	codeDailyCap     = 63038 // the account's cap of 24 hours
)

// SendError tells why Twilio did not take a text. It holds no words of
// Twilio's, as those repeat the phone number.
type SendError struct {
	Code   int // Twilio's error code; 0 if its answer held none
	Status int // of HTTP; 0 if there was no answer
	Reason string
	Wait   time.Duration // that Twilio asks for
}

// How long to wait where Twilio does not say it: a long code carries about one
// text a second, and the cap is a window of 24 hours that rolls on.
const (
	queueWait = 5 * time.Minute
	capWait   = time.Hour
)

// RetryAfter is how long to wait before the next try; 0 if nothing tells.
func (e *SendError) RetryAfter() time.Duration {
	switch e.Code {
	case codeQueueFull:
		return max(e.Wait, queueWait)
	case codeDailyCap:
		return max(e.Wait, capWait)
	}
	return e.Wait
}

// Retry tells whether the text was certainly not taken and another try, later,
// may well succeed: it was refused for the moment's sake or the account's.
func (e *SendError) Retry() bool {
	switch e.Code {
	case codeTooMany, codeQueueFull, codeDailyCap, codeUnauthorized, codeInactive:
		return true
	}
	return e.Status == 0 && e.Reason == reasonUnreached || e.Status == http.StatusTooManyRequests || e.Status == http.StatusUnauthorized
}

const reasonUnreached = "Twilio could not be reached; nothing was sent"

func (e *SendError) Error() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("twilio error %d (HTTP %d): look it up at https://www.twilio.com/docs/api/errors/%d", e.Code, e.Status, e.Code)
	case e.Status != 0:
		return fmt.Sprintf("twilio answered HTTP %d: %s", e.Status, e.Reason)
	}
	return e.Reason
}

func refused(code gateway.Code, e SendError) error { return gateway.NewError(code, &e) }

// TwilioCode gives Twilio's error code; 0 if its answer held none.
func (e *SendError) TwilioCode() int { return e.Code }
