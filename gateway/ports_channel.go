package gateway

import (
	"context"
	"time"
)

// ChannelRecords is the queue of what is to be sealed and erased at Twilio.
// The rows themselves are the queue: whoever claims one has it until the lease
// ends, after which it comes due again. A write by a worker whose lease was
// over, and whose row another has taken on, changes nothing in the row.
type ChannelRecords interface {
	// ClaimTexts gives at most limit texts whose step is due, the longest due
	// first, and moves their due time to the end of the lease.
	ClaimTexts(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]TextWork, error)
	// PlaceText chooses the submission that a text's pictures belong to and
	// gives it: the one the text names if that takes more at this time, else
	// the one of the sender's newest link, else a fresh one, which the sender's
	// unclaimed link then leads to as well.
	PlaceText(ctx context.Context, id TextID, fresh SubmissionID, now time.Time) (Submission, error)
	// TextPictures gives the SIDs of a text's pictures that are decided: those
	// that are pages, in whatever submission, and those that cannot be kept.
	TextPictures(ctx context.Context, id TextID) ([]string, error)
	// SavePicture stores a picture of a text: a page whose blob is durable, or,
	// if refused is set, that it cannot be kept. One that is decided already
	// changes nothing, one above the caps is refused here. An open submission
	// stays open, a handled one is received again. The audit entry is made for
	// what was written, with the code of a refusal. stored is false if nothing
	// refers to the page's blob.
	SavePicture(ctx context.Context, p Page, refused Code, l Limits, audit func(refused Code) AuditEntry) (stored bool, err error)
	// SaveNote stores what a client wrote with a text, once.
	SaveNote(ctx context.Context, id TextID, sealed []byte) error
	// FinishCollecting notes what became of a text's pictures, of which Twilio
	// never listed some, and moves the text on to be erased.
	FinishCollecting(ctx context.Context, t TextWork, missing int, at time.Time, jobs []Job) error
	// PostponeText puts a text off, or gives it up if p.Step is StepDead.
	PostponeText(ctx context.Context, t TextWork, p Postponed, jobs []Job, audit ...AuditEntry) error
	// CollectAgain sends a text back: it holds pictures that were not seen.
	CollectAgain(ctx context.Context, t TextWork, now time.Time) error
	// FinishText notes that nothing of a text lies at Twilio any more. The audit
	// entries, proofs of what was done, are written in any case.
	FinishText(ctx context.Context, t TextWork, at time.Time, audit ...AuditEntry) error

	// ClaimOutgoing, PostponeOutgoing and FinishOutgoing do the same for the
	// texts of ours.
	ClaimOutgoing(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]OutgoingWork, error)
	PostponeOutgoing(ctx context.Context, w OutgoingWork, p Postponed, audit ...AuditEntry) error
	FinishOutgoing(ctx context.Context, w OutgoingWork, at time.Time, audit ...AuditEntry) error
	// Append writes audit entries.
	Append(ctx context.Context, entries ...AuditEntry) error
}

// TextWork is a text that something is to be done about at Twilio.
type TextWork struct {
	Text
	Keeping
	Submission SubmissionID
	Tries      int       // of this step
	Fault      Code      // of the last try
	Refused    int       // pictures that could not be kept, or that Twilio never listed
	TakenOnAt  time.Time // that patience counts from: received, or asked for again
	Lease      time.Time // its end, by which the claim is known
}

// OutgoingWork is a text of ours whose words are to be erased.
type OutgoingWork struct {
	SID       string
	Office    OfficeID
	Number    Number
	TakenOnAt time.Time
	Lease     time.Time
	Tries     int
}

// Postponed is when to try again, and why it did not go.
type Postponed struct {
	Step  Step
	DueAt time.Time
	Tries int
	Fault Code
}

// Waiting is what still lies at Twilio.
type Waiting struct {
	Texts    int64 // inbound, waiting for their step
	Outgoing int64 // ours
	Dead     int64 // of both, given up
	Unknown  int64 // sendings of late of which nobody knows whether they were sent
	Oldest   time.Time
}
