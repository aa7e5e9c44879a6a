package gateway

import (
	"context"
	"time"
)

// AuditRecords reads the audit trail and what belongs to a client, for people
// who look into what was done.
type AuditRecords interface {
	// AuditRows gives at most limit rows before the cursor, newest first.
	AuditRows(ctx context.Context, q AuditQuery, before AuditCursor, limit int) ([]AuditRow, error)
	// ClientObjects gives what rows of the trail call the things of a client:
	// submissions with their pages, links and texts. The client is known by a
	// submission's reference, or by the phone's index at each office. senders are
	// the phones that those submissions came from.
	ClientObjects(ctx context.Context, offices []OfficeID, reference string, phones map[OfficeID]PhoneIndex) (objects []string, senders []PhoneIndex, err error)
	// AuditActions gives the actions that the trail tells of.
	AuditActions(ctx context.Context) ([]Action, error)
	// ListStaff lists all accounts by login.
	ListStaff(ctx context.Context) ([]Staff, error)
}

// AuditQuery chooses rows of the audit trail. What is empty is not asked for.
type AuditQuery struct {
	Offices []OfficeID
	// Rows of no office (sign-ins, lists, what was refused) are seen if one of
	// these people did it or it was done to their account; and all of them by
	// who may see every office.
	People []StaffID
	Whole  bool

	Actor    string
	Action   Action
	Outcome  Outcome
	Objects  []string // any of these; not nil and empty: none
	From, To time.Time
}

// AuditRow is one row as it stands in the trail.
type AuditRow struct {
	AuditEntry
	Chain string
	Seq   int64
}

// AuditCursor is a place in the trail, newest first. The zero value is its start.
type AuditCursor struct {
	At    time.Time
	Chain string
	Seq   int64
}

// Cursor gives the place of a row.
func (r AuditRow) Cursor() AuditCursor { return AuditCursor{r.At, r.Chain, r.Seq} }
