package gateway

import (
	"log/slog"
	"strings"
	"time"
)

// SenderKind tells what an inbound message came from.
type SenderKind string

// The kinds of senders. Only a phone is ever answered.
const (
	SenderPhone        SenderKind = "phone"
	SenderShortCode    SenderKind = "short-code"
	SenderAlphanumeric SenderKind = "alphanumeric"
	SenderChannel      SenderKind = "channel" // whatsapp:, rcs:, messenger: and the like
)

// Message is one inbound SMS or MMS as Twilio tells it, checked. The words
// live in memory only.
type Message struct {
	AccountSID string
	MessageSID string
	To         Number
	From       Phone // zero unless Sender is SenderPhone
	Sender     SenderKind
	Country    string // ISO 3166-1 alpha-2 of From
	Words      string
	MediaCount int
	OptOutType string // STOP, START or HELP where Twilio's Advanced Opt-Out is on
}

// LogValue keeps words and number out of every log.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message_sid", m.MessageSID), slog.Int("media", m.MediaCount))
}

func (m Message) String() string   { return "[message " + m.MessageSID + "]" }
func (m Message) GoString() string { return m.String() }

// Keyword is a word that Twilio itself answers.
type Keyword string

// The families of keywords.
const (
	KeywordNone  Keyword = ""
	KeywordStop  Keyword = "STOP"
	KeywordStart Keyword = "START"
	KeywordHelp  Keyword = "HELP"
)

// The whole message, in any case, is the keyword (Twilio's default handling
// of opt-out keywords on long codes and toll-free numbers).
var keywords = map[string]Keyword{
	"STOP": KeywordStop, "STOPALL": KeywordStop, "UNSUBSCRIBE": KeywordStop, "CANCEL": KeywordStop,
	"END": KeywordStop, "QUIT": KeywordStop, "REVOKE": KeywordStop, "OPTOUT": KeywordStop,
	"START": KeywordStart, "YES": KeywordStart, "UNSTOP": KeywordStart,
	"HELP": KeywordHelp, "INFO": KeywordHelp,
}

// Keyword tells whether Twilio answers this message by itself.
func (m Message) Keyword() Keyword {
	switch k := Keyword(m.OptOutType); k {
	case KeywordStop, KeywordStart, KeywordHelp:
		return k
	}
	return keywords[strings.ToUpper(strings.TrimSpace(m.Words))]
}

// Text is what is stored of a message: nothing that was said in it.
type Text struct {
	ID         TextID
	AccountSID string
	MessageSID string
	Office     OfficeID
	Number     Number
	Sender     PhoneIndex
	Phone      SealedPhone
	ReceivedAt time.Time
	MediaCount int // as the webhook said: at most ten
}

// MediaState is what became of a text's pictures.
type MediaState string

// The states of a text's pictures.
const (
	MediaNone    MediaState = "none"
	MediaPending MediaState = "pending"
	MediaSealed  MediaState = "sealed"
	MediaPartly  MediaState = "partly" // some could not be kept
	MediaNotKept MediaState = "not-kept"
)

// WordsState is what became of a text's words.
type WordsState string

// The states of a text's words.
const (
	WordsPending WordsState = "pending"
	WordsSealed  WordsState = "sealed"
	WordsNone    WordsState = "none"
	WordsNotKept WordsState = "not-kept"
)

// Step is what is to be done next about a message that lies at Twilio.
type Step string

// The steps, in their order.
const (
	StepCollect Step = "collect" // fetch words and pictures, and seal them
	StepErase   Step = "erase"   // at Twilio
	StepDone    Step = "done"
	StepDead    Step = "dead" // given up; `dropslot jobs retry` takes it on again
)

// Keeping is what is to happen to what a text holds.
type Keeping struct {
	Media MediaState
	Words WordsState
	Step  Step
}

// Standing is what is known of a sender at one office when a text arrives.
// The zero value is a stranger.
type Standing struct {
	Language   string
	OptedOutAt time.Time
	// Fixed windows for the limits of answers, each beginning with an answer.
	HourStart, DayStart time.Time
	HourCount, DayCount int
	LastAnswerAt        time.Time
	LastPictureAnswerAt time.Time
	Link                LinkID       // the newest link; superseded, if still unclaimed, by the next
	Submission          SubmissionID // what the newest link leads to
	// A robot repeats itself: LastWords is a keyed hash of the words that were
	// answered last (0: none), SameWords how many answers they got in a row.
	// Both are forgotten when a link is opened.
	LastWords int64
	SameWords int
}

// OptedOut tells whether nothing may be sent.
func (s Standing) OptedOut() bool { return !s.OptedOutAt.IsZero() }

// Occasion is the key of a text in the catalogs: why Dropslot writes.
type Occasion string

// The occasions of a text, and of the words said to a caller. Those that end
// in -last are the last answer before the limit and name the telephone.
const (
	OccasionNone               Occasion = ""
	OccasionLink               Occasion = "link"
	OccasionLinkLast           Occasion = "link-last"
	OccasionGreeting           Occasion = "greeting" // a stranger whose language nothing tells: the link and how to choose
	OccasionPhotosArriving     Occasion = "photos-arriving"
	OccasionPhotosArrivingLast Occasion = "photos-arriving-last"
	OccasionPhotoNotKept       Occasion = "photo-not-kept"
	OccasionPhotoNotKeptLast   Occasion = "photo-not-kept-last"
	OccasionPhotosSaved        Occasion = "photos-saved"  // Count pictures are durable
	OccasionPhotosPartly       Occasion = "photos-partly" // Count are, some could not be kept: the link
	OccasionRequest            Occasion = "request"
	OccasionReceipt            Occasion = "receipt"   // the client is done: Count pages, Reference
	OccasionReminder           Occasion = "reminder"  // the link was not used yet
	OccasionAgain              Occasion = "again"     // a new link that the client asked for
	OccasionRemindMe           Occasion = "remind-me" // what the client wanted to be reminded of
	OccasionVoice              Occasion = "voice"
)

// ofPictures tells whether an answer is one to pictures.
func (o Occasion) ofPictures() bool {
	switch o {
	case OccasionPhotosArriving, OccasionPhotosArrivingLast, OccasionPhotoNotKept, OccasionPhotoNotKeptLast:
		return true
	}
	return false
}

// Reason tells why a text was answered, or was not.
type Reason string

// The reasons, as they stand in the records, the log and the metrics.
const (
	ReasonAnswered     Reason = "answered"
	ReasonStop         Reason = "keyword-stop"
	ReasonStart        Reason = "keyword-start"
	ReasonHelp         Reason = "keyword-help"
	ReasonOptedOut     Reason = "opted-out"
	ReasonBurst        Reason = "burst"
	ReasonLimit        Reason = "limit"
	ReasonCeiling      Reason = "ceiling" // the office's or the number's, see CodeCeiling
	ReasonLoop         Reason = "loop"    // the same words over and over, and no link opened
	ReasonMissed       Reason = "missed"  // found at Twilio; its webhook never came
	ReasonCountry      Reason = "country"
	ReasonOwnNumber    Reason = "own-number"
	ReasonShortCode    Reason = "short-code"
	ReasonAlphanumeric Reason = "alphanumeric"
	ReasonChannel      Reason = "channel"
)

// Decision is what Decide says to a message.
type Decision struct {
	Reason   Reason
	Occasion Occasion // OccasionNone: silence
	Language string
	Standing Standing // as it is afterwards; Link and Submission are set by the flow
}

// Answers tells whether the decision sends a text.
func (d Decision) Answers() bool { return d.Occasion != OccasionNone }

// TextOutcome is what the flow makes of a decision, to be stored with the text.
type TextOutcome struct {
	Decision   Decision
	Keeping    Keeping
	Submission SubmissionID // that pictures and words belong to, as far as is known
	Link       *Link        // issued with the answer; nil in silence
	Audit      []AuditEntry
}

// EarlierText is what the records hold of a message that came before.
type EarlierText struct {
	ID         TextID
	ReceivedAt time.Time
	Occasion   Occasion
	Language   string
	Link       *Link // nil in silence
}

// DeliveryState tells how far a text of ours came.
type DeliveryState string

// The states, in the order they may follow each other; see Rank.
const (
	DeliverySending   DeliveryState = "sending" // handed to Twilio, no answer yet
	DeliveryUnknown   DeliveryState = "unknown" // Twilio's answer was lost
	DeliveryQueued    DeliveryState = "queued"
	DeliverySent      DeliveryState = "sent"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed"
	DeliveryDropped   DeliveryState = "dropped" // not sent: not wanted any more, or not allowed
)

var deliveryRanks = map[DeliveryState]int{
	DeliverySending: 0, DeliveryUnknown: 1, DeliveryQueued: 2, DeliverySent: 3, DeliveryDelivered: 4, DeliveryFailed: 4,
	DeliveryDropped: 4,
}

// Rank orders states: Twilio's callbacks arrive in any order, and a state is
// only ever replaced by one of a higher rank.
func (s DeliveryState) Rank() int { return deliveryRanks[s] }

// Delivery is one word from Twilio about a text of ours. Exactly one of Text
// (an answer to that text) and Sending is set.
type Delivery struct {
	Text      TextID
	Sending   SendingID
	SID       string
	State     DeliveryState
	ErrorCode int // Twilio's code; 0 for none
	At        time.Time
}

// Speech is what a caller hears, in one language.
type Speech struct {
	Language string // BCP 47
	Words    string
}
