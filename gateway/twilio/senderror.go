package twilio

import (
	"fmt"

	"dropslot/gateway"
)

// Twilio's error codes that Dropslot tells apart.
const (
	codeOptedOut     = 21610 // the person texted STOP
	codeTooMany      = 20429 // too many requests: it was not processed
	codeUnauthorized = 20003 // the auth token is wrong: it was not processed
)

// SendError tells why Twilio did not take a text. It holds no words of
// Twilio's, as those repeat the phone number.
type SendError struct {
	Code   int // Twilio's error code; 0 if its answer held none
	Status int // of HTTP; 0 if there was no answer
	Reason string
}

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
