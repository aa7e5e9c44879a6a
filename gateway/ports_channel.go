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
	// gives it: the one the text names if that takes more at this time, else a
	// fresh one, which the sender's unclaimed link then leads to as well.
	PlaceText(ctx context.Context, id TextID, fresh SubmissionID, now time.Time) (Submission, error)
	// SaveCollected stores the pages and the note of a text, whose blobs are
	// durable, and moves it on to be erased. A page whose key is there already
	// is dropped; one above the caps counts as refused. It gives the blobs that
	// nothing refers to. An open submission stays open, a handled one is
	// received again.
	SaveCollected(ctx context.Context, c Collected, l Limits, jobs []Job, audit ...AuditEntry) (unused []BlobName, err error)
	// TextPages gives the keys of the pages that came with a text.
	TextPages(ctx context.Context, id TextID) ([]PageKey, error)
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
	Refused    int       // pictures that could not be kept
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

// Collected is what was fetched of a text and sealed.
type Collected struct {
	Text       TextID
	Office     OfficeID
	Submission SubmissionID // of the pages and the note
	Pages      []Page
	Refused    int    // pictures that could not be kept
	Note       []byte // the words, sealed; nil if they are not kept
	Media      bool   // the pictures are decided
	At         time.Time
}

// Waiting is what still lies at Twilio.
type Waiting struct {
	Texts    int64 // inbound, waiting for their step
	Outgoing int64 // ours
	Dead     int64 // of both, given up
	Unknown  int64 // sendings of late of which nobody knows whether they were sent
	Oldest   time.Time
}
