package twiliotest

import (
	"encoding/xml"
	"mime"
	"net/url"
	"strings"
	"time"
)

// Twilio stops answering a phone after this many replies within the time.
const (
	loopReplies = 30
	loopTime    = 30 * time.Second
)

// The most texts of one answer.
const maxReplies = 10

// twiml is an answer as far as Dropslot uses it.
type twiml struct {
	XMLName  xml.Name       `xml:"Response"`
	Messages []twimlMessage `xml:"Message"`
	Speeches []Said         `xml:"Say"`
}

type twimlMessage struct {
	Action         string `xml:"action,attr"`
	StatusCallback string `xml:"statusCallback,attr"`
	Text           string `xml:",chardata"`
	Body           string `xml:"Body"`
}

// Said is what a caller heard.
type Said struct {
	Language string `xml:"language,attr"`
	Words    string `xml:",chardata"`
}

// read understands an answer, or gives Twilio's error code. What is sent as
// plain text is texted as it stands.
func read(a Attempt) (twiml, int) {
	if len(a.Body) > maxTwiML {
		return twiml{}, errorTwiML
	}
	if len(strings.TrimSpace(string(a.Body))) == 0 {
		return twiml{}, 0
	}
	kind, _, err := mime.ParseMediaType(a.ContentType)
	if err != nil {
		return twiml{}, errorType
	}
	switch kind {
	case "text/plain":
		return twiml{Messages: []twimlMessage{{Text: string(a.Body)}}}, 0
	case "text/xml", "application/xml":
	default:
		return twiml{}, errorType
	}
	var t twiml
	if err := xml.Unmarshal(a.Body, &t); err != nil {
		return twiml{}, errorTwiML
	}
	return t, 0
}

// follow sends what an answer says to the phone that wrote.
func (f *Fake) follow(a Attempt, n Number, number, phone string) ([]Message, int, error) {
	t, code := read(a)
	if code != 0 {
		return nil, code, nil
	}
	var sent []Message
	for i, reply := range t.Messages {
		body := strings.TrimSpace(reply.Body)
		if body == "" {
			body = strings.TrimSpace(reply.Text)
		}
		switch {
		case body == "" || i >= maxReplies:
			return sent, errorTwiML, nil
		case tooLong(body):
			return sent, errorTooLong, nil
		case f.OptedOut(number, phone):
			return sent, errorOptedOut, nil
		case f.looping(pair{number, phone}):
			return sent, errorLoop, nil
		}
		callback, ok := reply.callback(a.URL)
		if !ok {
			return sent, errorTwiML, nil
		}
		m, err := f.add(message{
			Message: Message{
				Account: n.Account, From: number, To: phone, Body: body, Direction: FromReply, Status: "queued",
			},
			callback: callback,
		})
		if err != nil {
			return sent, 0, err
		}
		sent = append(sent, m)
		f.progress(m.SID)
	}
	return sent, 0, nil
}

// callback is where the reply's status goes, relative to the webhook's URL;
// empty for nowhere, and false if it is no URL.
func (t twimlMessage) callback(webhook string) (string, bool) {
	target := t.StatusCallback
	if target == "" {
		target = t.Action
	}
	if target == "" {
		return "", true
	}
	base, err := url.Parse(webhook)
	if err != nil {
		return "", false
	}
	u, err := base.Parse(target)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	return u.String(), true
}

// looping counts a reply and tells whether it is one too many.
func (f *Fake) looping(who pair) bool {
	now := f.config.Now()
	f.lock.Lock()
	defer f.lock.Unlock()
	var recent []time.Time
	for _, at := range f.replied[who] {
		if now.Sub(at) < loopTime {
			recent = append(recent, at)
		}
	}
	f.replied[who] = append(recent, now)
	return len(recent) >= loopReplies
}
