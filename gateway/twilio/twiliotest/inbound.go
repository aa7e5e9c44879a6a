package twiliotest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The most media that a webhook names.
const maxNamed = 10

// Inbound is one message that a person sends.
type Inbound struct {
	From  string // +13125550142, a short code, a name, whatsapp:+1...
	To    string // one of the fake's numbers
	Body  string
	Media []Media
	// Extra are parameters that the webhook carries besides the usual ones,
	// or instead of them.
	Extra map[string]string
}

// Exchange is what became of a message: the webhooks and what they led to.
type Exchange struct {
	Message  Message
	Attempts []Attempt
	Replies  []Message // the texts that the answer sent
	// ErrorCode is what Twilio's debugger would show; 0 if all was well.
	ErrorCode int
}

// Last gives the attempt that counted.
func (e Exchange) Last() Attempt {
	if len(e.Attempts) == 0 {
		return Attempt{}
	}
	return e.Attempts[len(e.Attempts)-1]
}

// Text sends a message to one of the numbers: it is stored, Twilio's own
// keywords are answered, the webhook is posted and its answer followed. The
// error is about the fake's setup or the context; what the webhook did wrong
// is in the exchange.
func (f *Fake) Text(ctx context.Context, in Inbound) (Exchange, error) {
	number := bare(in.To)
	n, _, err := f.number(number)
	if err != nil {
		return Exchange{}, err
	}
	m, err := f.Arrived(in)
	if err != nil {
		return Exchange{}, err
	}
	word := family(in.Body)
	if word != "" && !strings.Contains(in.From, ":") {
		if err := f.keyword(n, number, in.From, word); err != nil {
			return Exchange{}, err
		}
	}
	extra := map[string]string{}
	if word != "" && f.config.AdvancedOptOut {
		extra["OptOutType"] = word
	}
	maps.Copy(extra, in.Extra)
	e, err := f.arrive(ctx, number, m, extra)
	if _, twice := f.take(PostWebhook, DuplicateWebhook); twice && err == nil {
		again, err := f.arrive(ctx, number, m, extra)
		e.Attempts, e.Replies = append(e.Attempts, again.Attempts...), append(e.Replies, again.Replies...)
		return e, err
	}
	return e, err
}

// Arrived stores a message that a person sends and posts no webhook: what is
// left when one is lost.
func (f *Fake) Arrived(in Inbound) (Message, error) {
	n, _, err := f.number(bare(in.To))
	if err != nil {
		return Message{}, err
	}
	in.Media = slices.Clone(in.Media)
	for i, media := range in.Media {
		if media.Type == "" {
			in.Media[i].Type = http.DetectContentType(media.Content)
		}
	}
	return f.add(message{Message: Message{
		Account: n.Account, From: in.From, To: in.To, Body: in.Body, Media: in.Media, Direction: FromPhone, Status: "received",
	}})
}

// bare is an address without its channel.
func bare(address string) string {
	if _, number, ok := strings.Cut(address, ":"); ok {
		return number
	}
	return address
}

// Again posts the webhook of an earlier message once more, under the same SID,
// as Twilio does when an answer was lost.
func (f *Fake) Again(ctx context.Context, sid string) (Exchange, error) {
	f.lock.Lock()
	stored, ok := f.find("", sid)
	var m Message
	if ok {
		m = stored.copy()
	}
	f.lock.Unlock()
	if !ok || m.Direction != FromPhone {
		return Exchange{}, errors.New("there is no such message from a phone")
	}
	return f.arrive(ctx, bare(m.To), m, nil)
}

// arrive posts the webhook of a stored message and follows the answer.
func (f *Fake) arrive(ctx context.Context, number string, m Message, extra map[string]string) (Exchange, error) {
	e := Exchange{Message: m}
	n, token, err := f.number(number)
	if err != nil {
		return e, err
	}
	if n.MessageURL == "" {
		return e, fmt.Errorf("%s has no URL for messages", number)
	}
	form := f.messageForm(m)
	for key, value := range extra {
		form.Set(key, value)
	}
	if e.Attempts, err = f.call(ctx, token, n.MessageURL, n.FallbackURL, form); err != nil {
		return e, err
	}
	if e.ErrorCode = e.Last().code(); e.ErrorCode == 0 {
		e.Replies, e.ErrorCode, err = f.follow(e.Last(), n, number, m.From)
	}
	return e, err
}

// messageForm is what Twilio posts for an inbound message.
func (f *Fake) messageForm(m Message) url.Values {
	form := url.Values{}
	set := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
	}
	set("AccountSid", m.Account, "ApiVersion", apiVersion, "MessageSid", m.SID, "SmsMessageSid", m.SID, "SmsSid", m.SID,
		"SmsStatus", m.Status, "From", m.From, "To", m.To, "Body", m.Body, "NumSegments", strconv.Itoa(max(segments(m.Body), len(m.Media))),
		"NumMedia", strconv.Itoa(min(len(m.Media), maxNamed)),
		"ToCountry", "US", "ToState", "", "ToCity", "", "ToZip", "")
	if strings.HasPrefix(m.From, "+1") {
		set("FromCountry", "US", "FromState", "IL", "FromCity", "SPRINGFIELD", "FromZip", "62701")
	}
	for i, media := range m.Media[:min(len(m.Media), maxNamed)] {
		set("MediaContentType"+strconv.Itoa(i), media.Type, "MediaUrl"+strconv.Itoa(i),
			"https://api.twilio.com/"+apiVersion+"/Accounts/"+m.Account+"/Messages/"+m.SID+"/Media/"+media.SID)
	}
	return form
}
