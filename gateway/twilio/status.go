package twilio

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"dropslot/gateway"
)

// The query parameters by which a status callback names the text it is about.
const (
	queryText    = "text"    // an answer: the TextID of what it answers
	querySending = "sending" // a text of our own: its SendingID
)

// states maps what Twilio calls a message's status.
var states = map[string]gateway.DeliveryState{
	"accepted":    gateway.DeliveryQueued,
	"queued":      gateway.DeliveryQueued,
	"scheduled":   gateway.DeliveryQueued,
	"sending":     gateway.DeliveryQueued,
	"sent":        gateway.DeliverySent,
	"delivered":   gateway.DeliveryDelivered,
	"read":        gateway.DeliveryDelivered,
	"undelivered": gateway.DeliveryFailed,
	"failed":      gateway.DeliveryFailed,
	"canceled":    gateway.DeliveryFailed,
}

// errCallStatus: a call's progress is no news of a text.
var errCallStatus = gateway.NewError(gateway.CodeNotFound, errors.New("the status of a call"))

// ReadStatus proves and reads the webhook that tells how far a text of ours
// came. The callback that a messaging service is set up with names no text or
// sending of ours: its delivery has a SID alone. Refusals are those of
// ReadMessage, and CodeNotFound for how a call ended, which a number's own
// callback tells.
func (c *Channel) ReadStatus(r *http.Request) (gateway.Delivery, error) {
	f, a, err := c.open(r)
	if err != nil {
		return gateway.Delivery{}, err
	}
	defer f.close()
	if isCallStatus(r, f) {
		return gateway.Delivery{}, errCallStatus
	}
	d, ok := deliveryOf(r.URL.RawQuery)
	if !ok {
		return gateway.Delivery{}, badParameter("text or sending")
	}
	if err := f.checkFixed(); err != nil {
		return gateway.Delivery{}, err
	}
	from, hasFrom := f.find("From")
	if !hasFrom {
		return gateway.Delivery{}, badParameter("From")
	}
	sender, _ := f.value("From")
	if _, err := c.number(a, sender); err != nil {
		return gateway.Delivery{}, err
	}
	if err := f.readState(&d); err != nil {
		return gateway.Delivery{}, err
	}
	start := f.params[from].start
	if !f.dialed("From", 0) || !f.single("MessageSid", start, len(f.signed)) ||
		!f.single("MessageStatus", start, len(f.signed)) {
		return gateway.Delivery{}, errAmbiguous
	}
	d.At = c.now()
	return d, nil
}

func isCallStatus(r *http.Request, f *form) bool {
	sid, _ := f.value("CallSid")
	_, status := f.find("CallStatus")
	_, message := f.find("MessageSid")
	return r.URL.RawQuery == "" && isSID(sid, "CA") && status && !message
}

// deliveryOf reads the whole query, which is one of our identifiers and
// nothing else; or nothing.
func deliveryOf(query string) (gateway.Delivery, bool) {
	if query == "" {
		return gateway.Delivery{}, true
	}
	name, id, ok := strings.Cut(query, "=")
	if !ok || !gateway.ValidID(id) {
		return gateway.Delivery{}, false
	}
	switch name {
	case queryText:
		return gateway.Delivery{Text: gateway.TextID(id)}, true
	case querySending:
		return gateway.Delivery{Sending: gateway.SendingID(id)}, true
	}
	return gateway.Delivery{}, false
}

// readState reads which message it is, how far it came and why no further.
func (f *form) readState(d *gateway.Delivery) error {
	sid, _ := f.value("MessageSid")
	if !isMessageSID(sid) {
		return badParameter("MessageSid")
	}
	status, _ := f.value("MessageStatus")
	state, ok := states[string(status)]
	if !ok {
		return badParameter("MessageStatus")
	}
	from, _ := f.find("From")
	rest := f.signed[:f.params[from].start]
	if i, ok := f.find("ErrorCode"); ok {
		code := f.signed[f.params[i].middle:f.params[i].end]
		n, err := strconv.Atoi(string(code))
		if !isDigits(code, 6) || err != nil {
			return badParameter("ErrorCode")
		}
		d.ErrorCode, rest = n, rest[f.params[i].middle:]
	}
	if errorAt(rest) >= 0 {
		return errAmbiguous
	}
	d.SID, d.State = string(sid), state
	return nil
}
