package twilio

import (
	"net/http"

	"dropslot/gateway"
)

// ReadCall proves and reads the webhook of an incoming call and gives the
// number that was called. Who called is not read. Refusals are those of
// ReadMessage.
func (c *Channel) ReadCall(r *http.Request) (gateway.Number, error) {
	f, a, err := c.open(r)
	if err != nil {
		return "", err
	}
	defer f.close()
	if sid, _ := f.value("CallSid"); !isSID(sid, "CA") {
		return "", badParameter("CallSid")
	}
	to, _ := f.value("To")
	number, err := c.number(a, to)
	if err != nil {
		return "", err
	}
	// A caller chooses the name that the telephone network shows.
	if !f.dialed("To", 0) {
		return "", errAmbiguous
	}
	return number, nil
}
