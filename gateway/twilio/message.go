package twilio

import (
	"net/http"
	"unicode/utf8"

	"dropslot/gateway"
)

// fixed are the parameters whose values have an exact pattern. A value that
// has swallowed the parameter after it does not fit.
var fixed = []struct {
	name string
	fits func([]byte) bool
}{
	{"ApiVersion", isDate},
	{"MessagingServiceSid", func(v []byte) bool { return isSID(v, "MG") }},
	{"NumSegments", func(v []byte) bool { return isDigits(v, 3) }},
	{"OptOutType", isOptOut},
	{"SmsMessageSid", isMessageSID},
	{"SmsSid", isMessageSID},
	{"SmsStatus", func(v []byte) bool { return isLower(v, 32) }},
}

func isMessageSID(v []byte) bool { return isSID(v, "SM", "MM") }

func isOptOut(v []byte) bool {
	return string(v) == "STOP" || string(v) == "START" || string(v) == "HELP"
}

// checkFixed refuses a form with a malformed parameter of an exact pattern.
func (f *form) checkFixed() error {
	for _, want := range fixed {
		if v, ok := f.value(want.name); ok && !want.fits(v) {
			return badParameter(want.name)
		}
	}
	return nil
}

// ReadMessage proves and reads the webhook of one inbound message. Refusals
// are CodeForbidden (not signed by Twilio, or not for a configured number) and
// CodeBadRequest (signed, but malformed).
func (c *Channel) ReadMessage(r *http.Request) (gateway.Message, error) {
	f, a, err := c.open(r)
	if err != nil {
		return gateway.Message{}, err
	}
	defer f.close()
	if err := f.checkFixed(); err != nil {
		return gateway.Message{}, err
	}
	m := gateway.Message{AccountSID: a.sid}
	if err := c.readSender(f, a, &m); err != nil {
		return gateway.Message{}, err
	}
	sid, _ := f.value("MessageSid")
	if !isMessageSID(sid) {
		return gateway.Message{}, badParameter("MessageSid")
	}
	media, _ := f.value("NumMedia")
	var ok bool
	if m.MediaCount, ok = smallNumber(media); !ok {
		return gateway.Message{}, badParameter("NumMedia")
	}
	body, ok := f.find("Body")
	if !ok {
		return gateway.Message{}, badParameter("Body")
	}
	if !f.messageIsSingular() {
		return gateway.Message{}, errAmbiguous
	}
	optOut, _ := f.value("OptOutType")
	m.MessageSID, m.OptOutType = string(sid), string(optOut)
	if m.Sender != gateway.SenderPhone {
		return m, nil // never answered: nobody needs to know what it says
	}
	words := f.words(body)
	if !utf8.Valid(words) {
		return gateway.Message{}, badParameter("Body")
	}
	m.Words = string(words)
	return m, nil
}

// readSender reads From and To. A message of a channel such as WhatsApp names
// the number with the channel's prefix too.
func (c *Channel) readSender(f *form, a *account, m *gateway.Message) error {
	from, _ := f.value("From")
	to, _ := f.value("To")
	kind, channel := senderKind(from)
	if kind == "" {
		return badParameter("From")
	}
	if channel != "" && len(to) > len(channel) && string(to[:len(channel)]) == channel {
		to = to[len(channel):]
	}
	var err error
	if m.To, err = c.number(a, to); err != nil {
		return err
	}
	m.Sender = kind
	if kind != gateway.SenderPhone {
		return nil
	}
	if m.From, err = gateway.ParsePhone(string(from)); err != nil {
		return badParameter("From")
	}
	m.Country = c.regions.of(m.From)
	return nil
}
