package gateway

import (
	"context"
	"io"
	"time"
)

// DeliveryID names one delivery of papers to a partner.
type DeliveryID string

// HandDelivery is one delivery of papers to an office's partner.
type HandDelivery struct {
	ID          DeliveryID
	Submission  SubmissionID
	Office      OfficeID
	Staff       StaffID // who asked
	Pages       []PageID
	Whole       bool // these were all pages that counted
	State       HandState
	Fault       Code
	Tries       int
	AskedAt     time.Time
	DueAt       time.Time
	DeliveredAt time.Time
	Files       int    // that arrived
	Sealed      []byte // []HandedFile as JSON, sealed to the office
}

// HandState is how far a delivery came.
type HandState string

// The states of a delivery.
const (
	HandWaiting   HandState = "waiting"
	HandDelivered HandState = "delivered"
	HandDead      HandState = "dead"
	HandDropped   HandState = "dropped" // by the operator
)

// HandedFile is one file at a partner: the receipt. It is written before the
// file gets its name there, so that a try after a crash knows it again.
type HandedFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of what lies there, sealed to the partner or not
}

// DeliveryRule is where and how an office hands papers over.
type DeliveryRule struct {
	Partner string // its name, as the desk shows it
	Path    string // with placeholders; see DeliveryPath
	Form    DeliveryForm
	Sealed  bool // to a key of the partner's
}

// DeliveryForm is what a partner gets.
type DeliveryForm string

// The forms.
const (
	DeliverPDF       DeliveryForm = "pdf" // and the originals of what cannot be in it
	DeliverOriginals DeliveryForm = "originals"
)

// Courier reaches one partner.
type Courier interface {
	// Connect gives a connection that ends with the context.
	Connect(ctx context.Context) (Handover, error)
	// Seal gives a writer that seals to the partner's key; the same writer if
	// it has none. Close ends the sealing and leaves w open.
	Seal(w io.Writer) (io.WriteCloser, error)
}

// Handover is a connection to a partner. Its errors tell no path, since there
// may be a case number in it.
type Handover interface {
	// Size tells how large a file is; false if there is none.
	Size(path string) (bytes int64, found bool, err error)
	// Put writes a file, over one that is there, makes it durable, and proves
	// that it has as many bytes as were written.
	Put(path string, write func(io.Writer) error) error
	// Rename gives a file its name. Its folder is there.
	Rename(from, to string) error
	Close() error
}

// DeliveryRecords keeps deliveries.
type DeliveryRecords interface {
	// AskDelivery stores one that is due now. One of this identifier that is
	// there already stays as it is, without an error. CodeSendTwice if another
	// one of the submission waits.
	AskDelivery(ctx context.Context, d HandDelivery, audit ...AuditEntry) error
	// TakeDelivery gives one of the offices' that is due, counts a try and puts
	// its next one to the end of the lease; false if none is.
	TakeDelivery(ctx context.Context, offices []OfficeID, now, lease time.Time) (HandDelivery, bool, error)
	// NoteDelivery keeps what is known of the files of one that is under way.
	// CodeNotFound if it is not under way in this try any more.
	NoteDelivery(ctx context.Context, d HandDelivery) error
	// FinishDelivery stores the receipt; if whole, the submission is handled
	// with it unless it is already or the client may still add to it.
	FinishDelivery(ctx context.Context, d HandDelivery, audit ...AuditEntry) error
	// FailDelivery stores why a try failed and when the next one is; none if
	// that is zero.
	FailDelivery(ctx context.Context, d HandDelivery, audit ...AuditEntry) error
	// RetryDelivery makes one that waits or is dead due now, or CodeNotFound.
	RetryDelivery(ctx context.Context, offices []OfficeID, submission SubmissionID, id DeliveryID, now time.Time, audit ...AuditEntry) error
	// Deliveries lists those of a submission, oldest first.
	Deliveries(ctx context.Context, submission SubmissionID) ([]HandDelivery, error)
}
