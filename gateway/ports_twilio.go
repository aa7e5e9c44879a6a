package gateway

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// Texter sends a text through Twilio, the one place where a number is dialed.
type Texter interface {
	// Send gives the SID of the text. CodeOptedOut (Twilio's 21610),
	// CodeSendFailed (it was certainly not taken), or CodeSendUnknown when it
	// may or may not have been sent. An error that should be waited out has a
	// method RetryAfter() time.Duration.
	Send(ctx context.Context, t OutgoingText) (sid string, state DeliveryState, err error)
	// Find looks, after CodeSendUnknown or a crash, whether Twilio holds a text
	// of exactly these words from and to these numbers, made since then. found
	// is false if it holds none, which proves nothing within the first minutes.
	Find(ctx context.Context, t OutgoingText, since time.Time) (sid string, state DeliveryState, found bool, err error)
}

// OutgoingText is one text on its way.
type OutgoingText struct {
	From      Number
	To        Phone
	Body      string
	StatusURL string
}

// LogValue keeps body and number out of every log.
func (t OutgoingText) LogValue() slog.Value {
	return slog.GroupValue(slog.String("from", string(t.From)))
}

func (t OutgoingText) String() string   { return "[text from " + string(t.From) + "]" }
func (t OutgoingText) GoString() string { return t.String() }

// TwilioMessages reads and erases what lies at Twilio. Accounts and SIDs are
// as the records hold them; anything malformed is CodeBadRequest and no
// request is made. Further codes: CodeNotFound (Twilio knows no such thing:
// just after a webhook that proves nothing yet), CodeNotFinal (the message is
// still on its way and cannot be erased), CodeForbidden (the credentials are
// refused). Every other error means that Twilio is out of reach or its answer
// is unreadable; one that should be waited out has a method
// RetryAfter() time.Duration.
type TwilioMessages interface {
	// Message fetches one message.
	Message(ctx context.Context, account, message string) (TwilioMessage, error)
	// Media lists all of a message's media, however many pages they fill.
	Media(ctx context.Context, account, message string) ([]TwilioMedia, error)
	// OpenMedia streams one of them. A stream that ends before its announced
	// length ends in an error. Close it.
	OpenMedia(ctx context.Context, account, message string, m TwilioMedia) (io.ReadCloser, error)
	// EraseMedia deletes one of them. Twilio's 404 is an Erasure too.
	EraseMedia(ctx context.Context, account, message, media string) (Erasure, error)
	// EraseBody redacts the words of a message, inbound or ours.
	EraseBody(ctx context.Context, account, message string) (Erasure, error)
	// List visits the messages from and to a number that were made in
	// [since, until), until visit fails. Messages that cannot be read are in no
	// other's way: the error of the first comes at the end.
	List(ctx context.Context, number Number, since, until time.Time, visit func(TwilioMessage) error) error
}

// TwilioMessage is one message as Twilio holds it. Words and numbers live in
// memory only.
type TwilioMessage struct {
	Account    string
	SID        string
	Inbound    bool
	From, To   string // E.164, a short code, a name, or an address of a channel
	Words      string // empty once erased
	MediaCount int
	State      DeliveryState // of a text of ours
	ErrorCode  int
	CreatedAt  time.Time
	// What From is, of an inbound message that List visits: SenderPhone with
	// the phone and its country, or a kind that is never answered.
	Sender  SenderKind
	Phone   Phone
	Country string
}

// LogValue keeps words and numbers out of every log.
func (m TwilioMessage) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message_sid", m.SID), slog.Int("media", m.MediaCount))
}

func (m TwilioMessage) String() string   { return "[message " + m.SID + "]" }
func (m TwilioMessage) GoString() string { return m.String() }

// TwilioMedia is one picture or file of a message.
type TwilioMedia struct {
	SID  string // ME and 32 hexadecimal digits
	Type string // as the sender's carrier named it; never believed
}

// Erasure is Twilio's word that something is gone: proof for the audit trail.
type Erasure struct {
	SID    string
	Answer string // "204", "200", or "404": it was gone already
}
