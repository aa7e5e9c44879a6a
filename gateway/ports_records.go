package gateway

import (
	"context"
	"time"
)

// The records' ports. Each method is one transaction, and the audit
// entries handed to it are written in that transaction or nothing is.
// Errors that a caller must tell apart are *Error; every other error means
// that the part behind the port is out of reach.

// TextRecords keeps texts and the standing of senders.
type TextRecords interface {
	// ReceiveText stores an inbound text, exactly once by AccountSID and
	// MessageSID. It holds the sender's row against every other text of that
	// sender, hands the standing to decide (which must be pure: it may be
	// called again), then writes the outcome: the text's row, the sender's
	// standing, the link (superseding the standing's link if that is still
	// issued) and the audit entries. When the message came before, decide is
	// not called or its outcome is dropped, and earlier is what was stored.
	// A text whose Sender is zero has no standing and leaves none.
	ReceiveText(ctx context.Context, t Text, decide func(Standing) (TextOutcome, error)) (outcome TextOutcome, earlier *EarlierText, err error)
	// ForgetAnswer takes back, in the sender's standing, an answer that never
	// left: its pause and its place in the limits. Nothing happens if a newer
	// answer was given meanwhile.
	ForgetAnswer(ctx context.Context, link Link) error
	// RecallAnswer counts a forgotten answer after all: the message came again
	// and was answered. Nothing happens if it was not forgotten.
	RecallAnswer(ctx context.Context, link Link, pictures bool, at time.Time) error
	// SaveDelivery notes what became of a text of ours; states only move up
	// in rank. CodeNotFound if there is no such text.
	SaveDelivery(ctx context.Context, d Delivery) error
}

// LinkRecords keeps links. Its word decides over Redis.
type LinkRecords interface {
	// LinkByHash finds a link by its token's hash, or CodeLinkUnknown.
	LinkByHash(ctx context.Context, hash TokenHash) (Link, error)
	// ClaimLink binds the link to the browser if it is issued and not expired
	// at c.At, and gives the link as it stands afterwards: the caller compares
	// the browser to see who won. The first claim opens the submission; if
	// the link's submission is no longer open, the link is moved to
	// c.Fresh first. Audit entries are written only when this call claimed; one
	// that names no object tells of the link. CodeLinkUnknown if there is none.
	ClaimLink(ctx context.Context, hash TokenHash, c Claim, audit ...AuditEntry) (Link, error)
	// IssueRequest stores a link that staff asked for, superseding the
	// sender's newest link if unclaimed, and the sending that carries it, and
	// remembers both in the sender's standing. CodeOptedOut if nothing may
	// be sent; CodeSendTwice if there is a sending of this identifier.
	// CodeUnasked if the sender texted nothing since then; a zero time asks for
	// no text of theirs. A wish for a page once more leads into its submission,
	// which the claim opens again.
	IssueRequest(ctx context.Context, l Link, w Wish, since time.Time, s Sending, jobs []Job, audit ...AuditEntry) error
	// CancelLink takes back the link of a sending with all that came instead of
	// it, and gives what it took: superseded if nobody opened it, else closed.
	// CodeNotFound outside of the offices, CodeLinkClosed if nothing is left to
	// take back.
	CancelLink(ctx context.Context, offices []OfficeID, id SendingID, at time.Time, audit ...AuditEntry) ([]Link, error)
	// CancelCounter takes back a link that its maker shows at the desk. CodeNotFound
	// for anybody else, CodeLinkClosed if nothing can come through it any more.
	CancelCounter(ctx context.Context, offices []OfficeID, maker StaffID, id LinkID, at time.Time, audit ...AuditEntry) (Link, error)
	// IssueCounter stores a link that is shown at the desk. It belongs to no
	// sender and replaces no other link. Its submission gets origin, staff and
	// name with the claim.
	IssueCounter(ctx context.Context, l Link, c Counter, audit ...AuditEntry) error
	// Counter gives what was kept of such a link, or CodeNotFound.
	Counter(ctx context.Context, id LinkID) (Counter, error)
}

// Claim is one browser's wish to have a link.
type Claim struct {
	Browser BrowserHash
	At      time.Time
	IdleAt  time.Time
	EndsAt  time.Time
	Fresh   SubmissionID
}

// Sending is one text that Dropslot sends by itself. What it says is made
// from the occasion when it is sent.
type Sending struct {
	ID          SendingID
	Link        LinkID // that it carries; empty if none
	Office      OfficeID
	Number      Number // that it is sent from
	Sender      PhoneIndex
	Phone       SealedPhone // whom it goes to
	Submission  SubmissionID
	Language    string
	Occasion    Occasion
	Count       int     // of pages or pictures that it speaks of
	Staff       StaffID // who asked; empty if nobody did
	State       DeliveryState
	SID         string
	ErrorCode   int
	CreatedAt   time.Time
	AttemptedAt time.Time // handed to Twilio for the first time
	UpdatedAt   time.Time
}

// SubmissionRecords keeps submissions and pages, for the client's side.
type SubmissionRecords interface {
	// Session finds the claimed link of this submission and browser together
	// with the submission and its pages, or CodeNotFound. If there are
	// several, the newest.
	Session(ctx context.Context, id SubmissionID, browser BrowserHash) (Session, error)
	// NoteCamera remembers that the page's camera ran, the first time.
	NoteCamera(ctx context.Context, link LinkID, at time.Time) error
	// FindPage gives the page of this key, removed or not, or CodeNotFound.
	FindPage(ctx context.Context, id SubmissionID, key PageKey) (Page, error)
	// SavePage stores a page whose blob is durable. In the transaction it
	// checks, in this order: the key (the same page again gives that page
	// and stored=false; CodePageConflict; CodePageRemoved), the link (claimed,
	// not closed, else CodeLinkClosed; now within Deadline plus grace, else
	// CodeLinkExpired), the submission (open, else CodeLinkClosed) and the
	// caps (CodeTooManyPages, CodeLinkFull). It moves the link's IdleAt.
	SavePage(ctx context.Context, p Page, l Limits, audit ...AuditEntry) (saved Page, stored bool, err error)
	// This and what follows moves the link's IdleAt as SavePage does.
	//
	// RemovePage marks a page removed while the session lives and gives it.
	// Removing it again gives it again.
	RemovePage(ctx context.Context, link LinkID, id SubmissionID, key PageKey, act Act, audit ...AuditEntry) (Page, error)
	// RefusePage is for a page that is taken back while it is still on its way:
	// SavePage refuses it from then on with CodePageRemoved. Where a page of the
	// key has come meanwhile, it tells so and leaves it.
	RefusePage(ctx context.Context, link LinkID, id SubmissionID, key PageKey, act Act) (there bool, err error)
	// LabelPage sets a page's label while the session lives; CodeNotFound if no
	// page that counts has the key.
	LabelPage(ctx context.Context, link LinkID, id SubmissionID, key PageKey, label string, act Act, audit ...AuditEntry) error
	// OrderPages puts the pages in the order of the keys while the session
	// lives, the others behind them; CodeNotFound if no page that counts has one
	// of them.
	OrderPages(ctx context.Context, link LinkID, id SubmissionID, keys []PageKey, act Act, audit ...AuditEntry) error
	// SaveLack notes or takes back what the client does not have while the
	// session lives. The reminder is stored unless the submission has one:
	// CodeOptedOut if the person texted STOP.
	SaveLack(ctx context.Context, link LinkID, id SubmissionID, said LackSaid, audit ...AuditEntry) error
	// FinishSubmission ends the session: closes every claimed link of the
	// submission, marks it received, and stores the receipt that is texted with
	// its count of pages, unless the person texted STOP. CodeNoPages if the
	// submission holds none. Finishing again gives the submission again.
	FinishSubmission(ctx context.Context, link LinkID, id SubmissionID, f Finish, audit ...AuditEntry) (Submission, error)
}

// Act is when a client did something in a session, and until when the session
// then waits for the next thing.
type Act struct {
	At     time.Time
	IdleAt time.Time
}

// LackSaid is a client's word about one ask.
type LackSaid struct {
	Lack
	IdleAt   time.Time // see Act
	Reminder Sending   // only for LackRemind
	Jobs     []Job
}

// Finish is a client's "I'm done".
type Finish struct {
	SealedName []byte // nil if none was given: the one that is there stays
	Receipt    Sending
	Jobs       []Job
	At         time.Time
}

// HouseRecords serves the periodic jobs.
type HouseRecords interface {
	// ExpireSubmissions ends at most limit open submissions none of whose
	// links may still bring a page at the time (deadline plus grace): received
	// and unfinished if something reached them, empty if not; and gives the
	// former. The audit entry is made for each.
	ExpireSubmissions(ctx context.Context, at time.Time, grace time.Duration, limit int, audit func(Submission) AuditEntry) ([]Submission, error)
	// SubmissionPages gives the pages that were sent to a submission and count,
	// wherever caseworkers moved them, in the client's order.
	SubmissionPages(ctx context.Context, id SubmissionID) (Submission, []Page, error)
	// Unarchived gives at most limit ended submissions that something reached
	// and whose manifest is not in the vault yet, by identifier, those after the
	// given one.
	Unarchived(ctx context.Context, after SubmissionID, limit int) ([]Submission, error)
	// MarkArchived notes that the manifest is in the vault, unless the
	// submission changed since it was read.
	MarkArchived(ctx context.Context, as Submission, at time.Time) error
	// KnownBlobs tells for each name whether it may be swept.
	KnownBlobs(ctx context.Context, submission SubmissionID, names []BlobName) (map[BlobName]BlobStanding, error)
	// RestoreSubmission puts back what the vault told of a submission; rows
	// that exist are left as they are, but for a hold that could not be read
	// before. Its hold, if any, is there from the first moment. It gives how many
	// pages were new and whether the hold was. What the records know to be erased
	// stays erased.
	RestoreSubmission(ctx context.Context, s Submission, pages []Page, hold *Hold, audit ...AuditEntry) (restored int, held bool, err error)
}

// BlobStanding is what the records say of a blob.
type BlobStanding string

// What the records say of a blob.
const (
	BlobCounts  BlobStanding = "counts"  // a page that is not removed
	BlobRemoved BlobStanding = "removed" // a removed page
	BlobOrphan  BlobStanding = "orphan"  // its submission is known, the blob is not
	BlobUnknown BlobStanding = "unknown" // its submission is not known: never swept
)

// Cursor is a place in the inbox, newest first. The zero value is its start.
type Cursor struct {
	ArrivedAt time.Time
	ID        SubmissionID
}

// DeskRecords serves caseworkers. Each query names the offices the person
// works for, and finds nothing of any other: CodeNotFound.
type DeskRecords interface {
	// Inbox lists submissions that something reached, a page or word of what the
	// client does not have, newest first by the first of it.
	Inbox(ctx context.Context, q InboxQuery) ([]InboxEntry, error)
	// Submission gives one with its pages that count, in the client's order.
	Submission(ctx context.Context, offices []OfficeID, id SubmissionID) (Submission, []Page, error)
	// Correspondence gives what was texted around a submission that the person
	// was allowed to see, and what its sender wrote that no submission at the
	// desk shows.
	Correspondence(ctx context.Context, s Submission) (Correspondence, error)
	// Page gives one page that counts.
	Page(ctx context.Context, offices []OfficeID, id PageID) (Page, error)
	// ChangePage turns, labels or moves a page that counts, and has the manifest
	// written once more.
	ChangePage(ctx context.Context, offices []OfficeID, id PageID, change PageChange, audit ...AuditEntry) error
	// HandleSubmission marks a submission done. One that is done already is
	// left as it is, without an error; one the client may still add to is
	// CodeForbidden.
	HandleSubmission(ctx context.Context, offices []OfficeID, id SubmissionID, by StaffID, as HandledAs, note string, at time.Time, audit ...AuditEntry) error
	// Requests lists links that staff sent, newest first.
	Requests(ctx context.Context, offices []OfficeID, limit int) ([]RequestRow, error)
	// Request gives one of them.
	Request(ctx context.Context, offices []OfficeID, id SendingID) (RequestRow, error)
	// CounterLink gives a link that is shown at the desk.
	CounterLink(ctx context.Context, offices []OfficeID, id LinkID) (CounterRow, error)
}

// Correspondence is what was texted around a submission.
type Correspondence struct {
	Notes      []Note    // what the client wrote, oldest first
	Sendings   []Sending // what Dropslot sent by itself, oldest first
	OptedOutAt time.Time // the client texted STOP; zero if not
}

// Note is what a client wrote, sealed to the office.
type Note struct {
	Text   TextID
	At     time.Time
	Sealed []byte
}

// RequestRow is one link that staff sent and how far it came.
type RequestRow struct {
	Sending    Sending
	Link       Link
	Phone      SealedPhone
	Submission SubmissionID
	Opened     bool // some link of the submission was claimed since
	Camera     bool // and its page's camera ran
	Followed   bool // a link that came instead of this one is not over
	Wish       Wish
	State      SubmissionState // of the submission; empty before the claim
	Unfinished bool
	Pages      int // that came since
	Lacks      int // likewise
}

// StaffRecords keeps the accounts.
type StaffRecords interface {
	// AddStaff stores an account; CodeBadRequest if its login or identity is taken.
	AddStaff(ctx context.Context, s Staff, audit ...AuditEntry) error
	// ChangeStaff changes what the change names, by login, or CodeNotFound.
	ChangeStaff(ctx context.Context, login string, change StaffChange, audit ...AuditEntry) error
	// StaffByLogin finds an account, or CodeNotFound.
	StaffByLogin(ctx context.Context, login string) (Staff, error)
	// StaffByID finds an account, or CodeNotFound.
	StaffByID(ctx context.Context, id StaffID) (Staff, error)
	// ListStaff lists all accounts by login.
	ListStaff(ctx context.Context) ([]Staff, error)
}

// AuditTrail is written before an act and proven afterwards.
type AuditTrail interface {
	// Append writes entries. An act that must be audited happens only after
	// Append returned nil.
	Append(ctx context.Context, entries ...AuditEntry) error
	// Head is the end of this process's chain; false while it is empty.
	Head(ctx context.Context) (AuditHead, bool, error)
	// LostHeads tells which of the heads the rows no longer bear out.
	LostHeads(ctx context.Context, heads []AuditHead) ([]AuditHead, error)
}
