package gateway

import (
	"context"
	"time"
)

// SendingRecords keeps the texts that Dropslot sends by itself.
type SendingRecords interface {
	// Sending gives one and the link that it carries, zero if none, or CodeNotFound.
	Sending(ctx context.Context, id SendingID) (Sending, Link, error)
	// AttemptSending notes that a sending is being handed to Twilio, for the
	// first time: CodeSendTwice if it was before, CodeOptedOut if the person
	// texted STOP meanwhile, CodeUnwanted if it reminds of a link that needs no
	// reminder any more.
	AttemptSending(ctx context.Context, id SendingID, at time.Time) error
	// ReleaseSending takes that back: Twilio certainly did not take it.
	ReleaseSending(ctx context.Context, id SendingID) error
	// FinishSending notes Twilio's answer to a sending, with jobs that follow.
	// Twilio's code 21610 is remembered as the person's STOP.
	FinishSending(ctx context.Context, d Delivery, jobs []Job, audit ...AuditEntry) error

	// PhotosToTell gives what the client was not told yet of the pictures that
	// were texted into a submission; CodeNotFound if there is no such submission.
	PhotosToTell(ctx context.Context, id SubmissionID) (PhotosToTell, error)
	// TellPhotos stores the sending that tells of them and marks the texts as
	// told. CodeSendTwice if one of them was told. Beyond the sender's limits the
	// sending is stored as dropped, without jobs, and with the audit entry.
	TellPhotos(ctx context.Context, texts []TextID, s Sending, l Limits, jobs []Job, silent AuditEntry) error
	// LinkSending chooses the link that a sending carries and gives it: the
	// sender's newest if there is one to keep, else fresh, which it stores
	// together with the audit entries.
	// CodeOptedOut if the person texted STOP, CodeSendTwice if it was handed over.
	LinkSending(ctx context.Context, id SendingID, fresh Link, keeps func(newest Link) bool, audit ...AuditEntry) (Link, error)

	// Unclaimed gives links of the time [from, to) that are still issued and
	// were not reminded of, by identifier.
	Unclaimed(ctx context.Context, from, to time.Time, limit int) ([]Link, error)
	// RemindLink stores the one reminder of a link. stored is false if it is not
	// wanted any more: the link is no longer issued or no longer the sender's
	// newest, pictures came instead, the person texted STOP, or one was sent.
	RemindLink(ctx context.Context, id LinkID, s Sending, jobs []Job, audit ...AuditEntry) (stored bool, err error)
	// IssueAgain stores a new link in place of one that works no more, and the
	// sending that carries it. It leads where the sender's newest link leads, if
	// that takes more. CodeAgainOften and CodeAgainSoon beyond the limits of the
	// link and of the sender, CodeOptedOut if the person texted STOP.
	IssueAgain(ctx context.Context, old LinkID, l Link, s Sending, limits Limits, jobs []Job, audit ...AuditEntry) error
}

// PhotosToTell is what became of texted pictures that the client was not told of.
type PhotosToTell struct {
	Submission Submission
	Texts      []TextID  // that are decided
	Waiting    int       // texts whose pictures are still on their way
	Since      time.Time // the first of those that wait arrived
	Kept       int
	Refused    int
	Link       Link // the sender's newest; zero if there is none
}

// BudgetRecords grants what may be spent.
type BudgetRecords interface {
	// Grant adds at most n to what is granted of a scope's window without going
	// above most, and gives how much it added. A negative n is returned.
	Grant(ctx context.Context, scope string, begins time.Time, n, most int) (int, error)
}
