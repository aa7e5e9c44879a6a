package gateway

import (
	"context"
	"time"
)

// ThreadRecords keeps what caseworkers say of submissions and clients, and
// puts a client's submissions and texts together. Each method names the
// offices the person works for, and finds nothing of any other: CodeNotFound.
type ThreadRecords interface {
	// Submission and Page are DeskRecords'.
	Submission(ctx context.Context, offices []OfficeID, id SubmissionID) (Submission, []Page, error)
	Page(ctx context.Context, offices []OfficeID, id PageID) (Page, error)
	// Look notes that somebody looks at a submission that they may see.
	Look(ctx context.Context, staff StaffID, id SubmissionID, at time.Time) error
	// Beside gives what the desk knows of a submission that the person was
	// allowed to see, beside its papers.
	Beside(ctx context.Context, s Submission) (Beside, error)
	// ChangeSubmission changes what the change names. A stage opens what is done
	// again. CodeForbidden if the submission was merged into another one.
	ChangeSubmission(ctx context.Context, offices []OfficeID, id SubmissionID, change SubmissionChange, audit ...AuditEntry) error
	// AddRemark stores a note by staff; one of this identifier that is there
	// already is fine.
	AddRemark(ctx context.Context, offices []OfficeID, r Remark, audit ...AuditEntry) error
	// NameClient stores what staff call a phone; an empty name takes it back.
	// CodeNotFound if nothing is known of the phone at that office.
	NameClient(ctx context.Context, offices []OfficeID, name ClientName, audit ...AuditEntry) error
	// Merge moves everything of one submission into another: pages, what the
	// client lacks and wrote, notes by staff, and where links and texts that are
	// still on their way lead. CodeNotMergeable unless both ended, neither was
	// merged, the first is not held, the target is not done, and both are of one
	// client or one of them is of the counter. One that was merged there already is fine.
	Merge(ctx context.Context, offices []OfficeID, from, into SubmissionID, audit ...AuditEntry) error
	// MovePage moves a page to another submission of its office, behind the
	// pages that are there. CodeNotMergeable unless both have ended, the first is
	// not held, and the target is neither done nor merged.
	MovePage(ctx context.Context, offices []OfficeID, id PageID, to SubmissionID, audit ...AuditEntry) error
	// FindCase finds submissions by the index that their case number has at each
	// office, or that of one that was merged into them, newest first.
	FindCase(ctx context.Context, indexes map[OfficeID]CaseIndex, limit int) ([]Submission, error)
	// FindReference finds submissions by their reference, newest first.
	FindReference(ctx context.Context, offices []OfficeID, reference string, limit int) ([]Submission, error)
	// FindClient tells at which offices something is known of a phone.
	FindClient(ctx context.Context, indexes map[OfficeID]PhoneIndex) ([]OfficeID, error)
	// Thread gives all of one phone at one office; CodeNotFound if nothing is
	// known of it there.
	Thread(ctx context.Context, offices []OfficeID, sender PhoneIndex, viewer StaffID) (ThreadRows, error)
	// ListStaff is StaffRecords'.
	ListStaff(ctx context.Context) ([]Staff, error)
}

// SubmissionChange changes a submission. What is nil stays.
type SubmissionChange struct {
	Stage    *Stage
	Assigned *StaffID // empty: nobody
	Case     *SealedCase
}

// SealedCase is a case number as the records keep it; the zero value is none.
type SealedCase struct {
	Sealed []byte
	Index  CaseIndex
}

// Remark is a note by staff, sealed to the office.
type Remark struct {
	ID         RemarkID     `json:"id"`
	Submission SubmissionID `json:"-"`
	Staff      StaffID      `json:"staff"`
	At         time.Time    `json:"at"`
	Sealed     []byte       `json:"sealed"`
}

// RemarkID names one note by staff.
type RemarkID string

// ClientName is what staff call a phone.
type ClientName struct {
	Office OfficeID
	Sender PhoneIndex
	Sealed []byte // empty takes it back
	By     StaffID
	At     time.Time
}

// Beside is what the desk knows of a submission beside its papers.
type Beside struct {
	SealedName []byte // what staff call the phone
	Remarks    []Remark
	Others     []Submission // of the same phone that something reached and that are not merged, newest first
	Home       []Submission // that were merged into this one
}

// ThreadRows is all of one phone at one office, newest first.
type ThreadRows struct {
	Office      OfficeID
	Sender      PhoneIndex
	Phone       SealedPhone
	SealedName  []byte
	Submissions []InboxEntry // merged ones too
	Texts       []ThreadText
	Sendings    []Sending
	Links       []Link
	Pages       []ThreadPages
	Looks       []ThreadLook
	Again       map[LinkID]Wish // the page that was asked for once more by a link that brought one
	Places      map[PageID]int  // of each page among those of its submission, from 1
	Takes       []ThreadTake    // oldest first
	Handed      []HandDelivery  // deliveries to partners, oldest first
	Notes       []Note
	Remarks     []Remark
	OptedOutAt  time.Time
}

// ThreadText is an inbound text and what became of it and its answer.
type ThreadText struct {
	ID          TextID
	Submission  SubmissionID
	ReceivedAt  time.Time
	MediaCount  int
	Kept        int
	ErasedAt    time.Time
	Dead        bool // it could not be erased at Twilio
	Link        LinkID
	Occasion    Occasion
	AnswerState DeliveryState
	AnswerError int
	AnswerAt    time.Time
}

// ThreadPages is what came by one link, or with one text.
type ThreadPages struct {
	Submission  SubmissionID // where the pages are now
	Link        LinkID
	Text        TextID
	Pages       []PageID
	First, Last time.Time
}

// ThreadTake is that somebody took pages along at once: by hand, not to a partner.
type ThreadTake struct {
	Staff StaffID
	At    time.Time
	Form  TakeForm // empty for originals, one by one
	Pages []PageID
}

// ThreadLook is that somebody looked at a submission.
type ThreadLook struct {
	Submission  SubmissionID
	Staff       StaffID
	First, Last time.Time
}
