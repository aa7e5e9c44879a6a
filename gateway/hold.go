package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HoldReason is why a submission must not be erased. A person chooses one: a
// field for words of their own would fill with names and case numbers, which
// belong into no audit trail.
type HoldReason string

// The reasons, in the order of the page.
const (
	HoldHearing HoldReason = "hearing" // a fair hearing or an appeal
	HoldLawsuit HoldReason = "lawsuit"
	HoldAudit   HoldReason = "audit"
	HoldInquiry HoldReason = "inquiry" // an investigation
	HoldRequest HoldReason = "request" // a request for records
	// HoldUnreadable is no choice of a person: what the vault said of the hold
	// could not be read when the records were rebuilt. It holds until somebody
	// who knows why releases it.
	HoldUnreadable HoldReason = "unreadable"
)

// HoldReasons are those that a person may choose.
func HoldReasons() []HoldReason {
	return []HoldReason{HoldHearing, HoldLawsuit, HoldAudit, HoldInquiry, HoldRequest}
}

// Hold keeps a submission from being erased, whatever its time says.
type Hold struct {
	Submission SubmissionID
	Office     OfficeID
	Staff      StaffID // who asked for it; empty for a reindex
	Reason     HoldReason
	At         time.Time
	ReleasedAt time.Time // zero while it holds
}

// HoldRecords keeps the holds.
type HoldRecords interface {
	// SaveHold holds a submission and gives the hold that stands: one that is
	// held already stays as it is. Each hold of a submission has a later time
	// than the one before, whatever the clock says.
	SaveHold(ctx context.Context, offices []OfficeID, h Hold, audit AuditEntry) (Hold, error)
	// ReleaseHold ends a hold and gives it. CodeNotFound if there is none.
	ReleaseHold(ctx context.Context, offices []OfficeID, id SubmissionID, at time.Time, audit AuditEntry) (Hold, error)
	// UnstoredHolds gives at most limit holds that the vault does not tell of
	// yet as the records do, after the given one.
	UnstoredHolds(ctx context.Context, after SubmissionID, limit int) ([]Hold, error)
	// StoredHold notes that the vault says the same, and tells whether the
	// hold still stands as given.
	StoredHold(ctx context.Context, h Hold, at time.Time) (stands bool, err error)
}

// holdName begins the name of a hold's twin within its submission's folder.
const holdName = "hold-"

// heldBlob names the vault's twin of a hold. The name is that of no other hold
// of the submission: whoever removes the twin of a hold that is over, however
// late, leaves that of a newer one.
func heldBlob(h Hold) BlobName {
	return SubmissionPrefix(h.Office, h.Submission) + BlobName(fmt.Sprintf("/%s%013d.age", holdName, h.At.UnixMilli()))
}

// heldSince is the time in such a name; false if it has none.
func heldSince(name BlobName) (time.Time, bool) {
	_, last := splitBlob(name)
	number, is := strings.CutPrefix(strings.TrimSuffix(last, ".age"), holdName)
	at, err := strconv.ParseInt(number, 10, 64)
	return time.UnixMilli(at), is && err == nil
}

// twins lists what the vault has of a submission's holds.
func (a *Archive) twins(ctx context.Context, office OfficeID, id SubmissionID) (names []BlobName, err error) {
	folder := SubmissionPrefix(office, id)
	err = a.Vault.List(ctx, folder, func(info BlobInfo) error {
		if strings.HasPrefix(string(info.Name), string(folder)+"/"+holdName) {
			names = append(names, info.Name)
		}
		return nil
	})
	return names, err
}

// holdContent is the plain content of that object.
type holdContent struct {
	Version int        `json:"version"`
	Staff   StaffID    `json:"staff"`
	Reason  HoldReason `json:"reason"`
	At      time.Time  `json:"at"`
}

// storeHold lets the vault say what the records say of a hold. With one that is
// released goes what an earlier one left.
func (a *Archive) storeHold(ctx context.Context, h Hold) error {
	if !h.ReleasedAt.IsZero() {
		names, err := a.twins(ctx, h.Office, h.Submission)
		for _, name := range names {
			if since, told := heldSince(name); !told || !since.After(h.At) {
				err = errors.Join(err, a.Vault.Remove(ctx, name))
			}
		}
		return err
	}
	plain, err := json.Marshal(holdContent{Version: archiveVersion, Staff: h.Staff, Reason: h.Reason, At: h.At.UTC()})
	if err != nil {
		return err
	}
	sealed, err := sealBytes(a.Sealer, h.Office, plain)
	if err != nil {
		return err
	}
	return a.Vault.Replace(ctx, heldBlob(h), sealed)
}

// held tells whether the vault says that a submission is held.
func (a *Archive) held(ctx context.Context, office OfficeID, id SubmissionID) (bool, error) {
	names, err := a.twins(ctx, office, id)
	return len(names) > 0, err
}

// settleHolds finishes in the vault what a crash cut short.
func (r *Retention) settleHolds(ctx context.Context) error {
	var failed error
	var after SubmissionID
	for {
		holds, err := r.Records.UnstoredHolds(ctx, after, batch)
		if err != nil || len(holds) == 0 {
			return errors.Join(failed, err)
		}
		for _, h := range holds {
			if err := settleHold(ctx, r.Archive, r.Records, h, r.Now()); err != nil {
				failed = errors.Join(failed, fmt.Errorf("hold of submission %s: %w", h.Submission, err))
			}
			after = h.Submission
		}
	}
}

func settleHold(ctx context.Context, a *Archive, records HoldRecords, h Hold, now time.Time) error {
	if err := a.storeHold(ctx, h); err != nil {
		return err
	}
	stands, err := records.StoredHold(ctx, h, now)
	if err != nil || stands || !h.ReleasedAt.IsZero() {
		return err
	}
	return a.Vault.Remove(ctx, heldBlob(h)) // it was released meanwhile
}

// Holds is the flow of the desk's page of what goes and what is held.
type Holds struct {
	Desk    *Desk
	Records HoldDeskRecords
	Archive *Archive
}

// HoldDeskRecords is what that page needs of the records.
type HoldDeskRecords interface {
	HoldRecords
	// Going lists what goes until a time, the first to go first; unfinished
	// submissions that are warned of whenever they go; and what is held: at most
	// limit of each.
	Going(ctx context.Context, offices []OfficeID, t Terms, until time.Time, limit int) ([]Going, error)
	// GoingOne tells the same of one submission.
	GoingOne(ctx context.Context, offices []OfficeID, id SubmissionID, t Terms) (Going, error)
}

// Going is a submission and when it goes.
type Going struct {
	Submission Submission
	Why        ErasureReason
	At         time.Time // zero while it is held, or if its time does not run
	Hold       *Hold
	HeldBy     string // login
}

// GoingRow is one line of the page.
type GoingRow struct {
	InboxRow
	Going
}

// goingSoon is how far the page looks ahead.
const goingSoon = 7 * 24 * time.Hour

// GoingMost bounds each of the page's lists: the name in each line costs as
// much to open as a photograph.
const GoingMost = 100

// List gives what goes within a week, what is warned of, and what is held.
func (h *Holds) List(ctx context.Context, who Actor) ([]GoingRow, error) {
	d := h.Desk
	now := d.Now()
	if err := d.Audit.Append(ctx, who.entry(now, ActionRetentionViewed, "", "")); err != nil {
		return nil, err
	}
	list, err := h.Records.Going(ctx, who.Staff.OfficesWith(RightHold), TermsAt(now, d.Directory, d.Limits), now.Add(goingSoon), GoingMost)
	if err != nil {
		return nil, err
	}
	rows := make([]GoingRow, 0, len(list))
	for _, g := range list {
		rows = append(rows, GoingRow{InboxRow: d.row(g.Submission), Going: g})
	}
	return rows, nil
}

// One tells of a submission that the person looks at.
func (h *Holds) One(ctx context.Context, who Actor, id SubmissionID) (Going, error) {
	return h.Records.GoingOne(ctx, who.Staff.OfficesWith(RightHold), id, TermsAt(h.Desk.Now(), h.Desk.Directory, h.Desk.Limits))
}

// Hold keeps a submission from being erased. The records decide; the vault is
// told at once or, should that fail, by the worker.
func (h *Holds) Hold(ctx context.Context, who Actor, id SubmissionID, reason HoldReason) error {
	if !slices.Contains(HoldReasons(), reason) {
		return NewError(CodeBadRequest, nil)
	}
	d := h.Desk
	now := d.Now()
	entry := who.entry(now, ActionHeld, "submission:"+string(id), "")
	entry.Reason = string(reason)
	held, err := h.Records.SaveHold(ctx, who.Staff.OfficesWith(RightHold), Hold{
		Submission: id, Staff: who.Staff.ID, Reason: reason, At: now,
	}, entry)
	if err != nil {
		return d.denied(ctx, who, ActionHeld, entry.Object, err)
	}
	return settleHold(context.WithoutCancel(ctx), h.Archive, h.Records, held, now)
}

// Release lets a submission's time run again.
func (h *Holds) Release(ctx context.Context, who Actor, id SubmissionID) error {
	d := h.Desk
	now := d.Now()
	entry := who.entry(now, ActionReleased, "submission:"+string(id), "")
	held, err := h.Records.ReleaseHold(ctx, who.Staff.OfficesWith(RightHold), id, now, entry)
	if err != nil {
		return d.denied(ctx, who, ActionReleased, entry.Object, err)
	}
	return settleHold(context.WithoutCancel(ctx), h.Archive, h.Records, held, now)
}
