package gateway

import (
	"cmp"
	"crypto/sha256"
	"regexp"
	"time"
)

// SubmissionState is where a submission stands.
type SubmissionState string

// The states of a submission.
const (
	SubmissionOpen     SubmissionState = "open"     // the client may still send
	SubmissionReceived SubmissionState = "received" // the client is done, or the time is over and pages are there
	SubmissionEmpty    SubmissionState = "empty"    // the time is over and no page came
	SubmissionHandled  SubmissionState = "handled"  // a caseworker marked it done
)

// HandledAs tells what a caseworker's "done" meant. Retention runs from there.
type HandledAs string

// The meanings of done.
const (
	HandledDelivered HandledAs = "delivered"  // the papers are in the case file
	HandledExported  HandledAs = "exported"   // handed to another system
	HandledNotNeeded HandledAs = "not-needed" // with a reason
)

// Submission is what one link, or several of one sender, brought in.
type Submission struct {
	ID          SubmissionID
	Office      OfficeID
	Number      Number
	Sender      PhoneIndex
	Phone       SealedPhone
	Language    string
	State       SubmissionState
	Unfinished  bool      // received because the time was over, not because the client was done
	OpenedAt    time.Time // the first claim
	ArrivedAt   time.Time // the first page; zero while there is none
	LastPageAt  time.Time
	FinishedAt  time.Time // done, or the time over
	Pages       int       // not removed
	Bytes       int64     // plain bytes of pages not removed
	SealedName  []byte    // whom the papers are for, a Name sealed to the office; may be nil
	LackCount   int       // asks that the client says they do not have
	Lacks       []Lack    // these, where the pages are read too
	Origin      Origin    // of the link that began it, if that is one of the counter; else empty
	Staff       StaffID   // who made that link; else empty
	Revision    int64     // counts what staff changed of it and its pages
	HandledAt   time.Time
	HandledBy   StaffID
	HandledAs   HandledAs
	HandledNote string // only for HandledNotNeeded: one of the reasons the desk offers
	Stage       Stage  // while it is not handled
	Assigned    StaffID
	TurnAt      time.Time    // the client answered what the office asked; zero if not
	LastWordAt  time.Time    // of the client, beside pages
	SealedCase  []byte       // the case number, sealed to the office; may be nil
	CaseIndex   CaseIndex    // its keyed hash; zero if there is none
	MergedInto  SubmissionID // where everything of this one is now; empty if here
	Remarks     []Remark     // notes by staff, where a manifest is written or read
}

// Sealing tells where a page was sealed.
type Sealing string

// Where a page was sealed.
const (
	SealedByBrowser Sealing = "browser"
	SealedByServer  Sealing = "server"
)

// PageKey is the identifier that the sender of a page chose for it (the
// Page-Id header or the hidden field of a form), so that a retry is known.
type PageKey string

var pageKeyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

// Valid tells whether the key has the allowed shape: 16 to 64 characters of
// base64url.
func (k PageKey) Valid() bool { return pageKeyPattern.MatchString(string(k)) }

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// Page is one stored photograph or file.
type Page struct {
	ID          PageID
	Key         PageKey
	Submission  SubmissionID
	Office      OfficeID
	Link        LinkID // empty if it was texted, or if a reindex could not tell
	Text        TextID // that it came with; empty if by a link
	Blob        BlobName
	Digest      Digest // of the sealed bytes
	Same        Digest // equal for the same page sent twice: Digest, or a keyed hash of the plain bytes
	SealedBytes int64
	PlainBytes  int64
	Sealing     Sealing
	Label       string // one of the office's asks, or empty
	Place       int    // from 1 where the pages were put in order; 0 behind these, by arrival
	Rotation    int    // degrees clockwise that staff turned it by: 0, 90, 180 or 270; the sealed bytes stay
	ReceivedAt  time.Time
	RemovedAt   time.Time // by the client; zero while it counts
	// Home is the submission it was sent to, if it was moved since: its object
	// stays in that one's folder.
	Home SubmissionID
	// Again is the page that was asked for once more when this one was sent, which
	// may be gone or elsewhere by now, and why; empty for most.
	Again    PageID
	AgainWhy AgainReason
}

// SentTo is the submission that the client sent the page to.
func (p Page) SentTo() SubmissionID { return cmp.Or(p.Home, p.Submission) }

// BlobName is the name of an object in the vault: slash-separated, lowercase,
// no dots at the start of a segment.
type BlobName string

var blobPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*){0,6}$`)

// Valid tells whether the name may be used in a vault.
func (n BlobName) Valid() bool { return len(n) <= 256 && blobPattern.MatchString(string(n)) }
