package twiliotest

import (
	"errors"
	"slices"
	"time"
)

// Direction tells who wrote a message, as Twilio names it.
type Direction string

// The directions.
const (
	FromPhone Direction = "inbound"
	FromAPI   Direction = "outbound-api"
	FromReply Direction = "outbound-reply" // TwiML, or Twilio's own answer to a keyword
)

// Message is one text or picture message as the account holds it.
type Message struct {
	SID       string
	Account   string
	From, To  string
	Body      string // empty once it was redacted
	Direction Direction
	Status    string
	ErrorCode int
	Media     []Media
	Service   string // SID of the messaging service that sent it
	CreatedAt time.Time
}

// Media is one picture or file of a message.
type Media struct {
	SID     string // given by the fake
	Type    string // media type; found from the content if empty
	Content []byte
}

// message is a Message with what the API does not show.
type message struct {
	Message
	callback string // where its status is posted; empty for nowhere
	serial   int    // in the order of the messages' making, from 1
	named    int    // media at arrival: what the webhook said

	// What the phone holds: nothing that is done at Twilio erases it there.
	phoneBody  string
	phoneMedia []Media
}

// onPhone gives the message as the person's phone shows it.
func (m *message) onPhone() Message {
	c := m.Message
	c.Body, c.Media = m.phoneBody, slices.Clone(m.phoneMedia)
	return c
}

// copy gives the message as it is now, apart from the account's own.
func (m *message) copy() Message {
	c := m.Message
	c.Media = slices.Clone(m.Media)
	return c
}

// phone tells which side is not Twilio's.
func (m *message) phone() string {
	if m.Direction == FromPhone {
		return m.From
	}
	return m.To
}

// final tells whether Twilio lets the message be redacted or deleted.
func (m *message) final() bool {
	switch m.Status {
	case "accepted", "queued", "sending", "scheduled", "receiving":
		return false
	}
	return true
}

// add stores a message under a SID of its own.
func (f *Fake) add(m message) (Message, error) {
	prefix := "SM"
	if len(m.Media) > 0 {
		prefix = "MM"
	}
	var err error
	if m.SID, err = f.sid(prefix); err != nil {
		return Message{}, err
	}
	for i := range m.Media {
		if m.Media[i].SID, err = f.sid("ME"); err != nil {
			return Message{}, err
		}
	}
	m.named, m.CreatedAt = len(m.Media), f.config.Now()
	m.phoneBody, m.phoneMedia = m.Body, slices.Clone(m.Media)
	f.lock.Lock()
	defer f.lock.Unlock()
	f.messages.add(&m)
	f.notify(m.phone())
	return m.copy(), nil
}

// find gives the stored message. The lock must be held.
func (f *Fake) find(account, sid string) (*message, bool) {
	m, ok := f.messages.bySID[sid]
	if !ok || account != "" && m.Account != account {
		return nil, false
	}
	return m, true
}

// SetStatus moves a text to a status and posts the callback.
func (f *Fake) SetStatus(sid, status string, errorCode int) error {
	f.lock.Lock()
	_, ok := f.find("", sid)
	f.lock.Unlock()
	if !ok {
		return errors.New("there is no such message")
	}
	f.report(sid, status, errorCode)
	return nil
}
