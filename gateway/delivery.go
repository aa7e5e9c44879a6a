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
	Whole       int // how many pages there were, if of all others came another since; else 0
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
	Page    PageID `json:"page,omitempty"` // that it is the original of; empty for the PDF
	Path    string `json:"path"`           // as the first try chose it, whatever is renamed since
	Part    string `json:"part,omitempty"` // its name until it is whole
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`  // of what lies there, sealed to the partner or not; empty until it is whole
	Arrived bool   `json:"arrived"` // it got its name, also if the partner took it away since
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
	// Rename gives a file its name, over none that is there. Its folder is there.
	// CodePartnerDown if it may have got it and the answer was lost.
	Rename(from, to string) error
	// Remove takes a file away. One that is not there is no error.
	Remove(path string) error
	Close() error
}

// DeliveryRecords keeps deliveries.
type DeliveryRecords interface {
	// AskDelivery stores one that is due now. One of this identifier that is
	// there already stays as it is, without an error. CodeSendTwice if another
	// one of the submission waits.
	AskDelivery(ctx context.Context, d HandDelivery, audit ...AuditEntry) error
	// TakeDelivery gives one of the offices' that is due, or of all others',
	// counts a try and puts its next one to the end of the lease; false if none is.
	// One that was dropped comes too, without a try, until CloseDelivery: what it
	// left at the partner is to be taken away.
	TakeDelivery(ctx context.Context, offices []OfficeID, others bool, now, lease time.Time) (HandDelivery, bool, error)
	// NoteDelivery keeps what is known of the files of one that is under way, and
	// DueAt as the end of its lease.
	// CodeNotFound if it is not under way in this try any more.
	NoteDelivery(ctx context.Context, d HandDelivery) error
	// FinishDelivery stores the receipt; if whole, the submission is handled
	// with it unless it is already or the client may still add to it. What was
	// dropped meanwhile arrived nevertheless. The audit rows are kept in any case.
	FinishDelivery(ctx context.Context, d HandDelivery, audit ...AuditEntry) error
	// FailDelivery stores why a try failed and when the next one is; none if
	// that is zero. Nothing, if it is not under way in this try any more.
	FailDelivery(ctx context.Context, d HandDelivery, audit ...AuditEntry) error
	// CloseDelivery notes that nothing of one that was dropped is left to be done.
	CloseDelivery(ctx context.Context, id DeliveryID) error
	// RetryDelivery makes one that waits or is dead due now, or CodeNotFound;
	// CodeSendTwice while a try is under way.
	RetryDelivery(ctx context.Context, offices []OfficeID, submission SubmissionID, id DeliveryID, now time.Time, audit ...AuditEntry) error
	// Deliveries lists those of a submission, oldest first.
	Deliveries(ctx context.Context, submission SubmissionID) ([]HandDelivery, error)
}
