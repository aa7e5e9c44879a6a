package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ErasureReason tells why a submission's time is over.
type ErasureReason string

// The reasons.
const (
	ErasedDone       ErasureReason = "done"       // its office's retention after a caseworker was done is over
	ErasedUnfinished ErasureReason = "unfinished" // nobody finished it, and a supervisor was warned in time
	ErasedEmpty      ErasureReason = "empty"      // nothing ever came
)

// Terms are the lengths of time by which things go, at one moment.
type Terms struct {
	Now        time.Time
	Offices    map[OfficeID]time.Duration // after done; what belongs to an office not named here stays
	Warned     time.Duration              // an unfinished submission is warned of when nothing moved for this long
	Unfinished time.Duration              // and goes after this long,
	LeastWarn  time.Duration              // but never sooner than this after the warning
	Rows       time.Duration              // texts, links and sendings that brought nothing
	LinkKnown  time.Duration              // links younger than this that nobody opened are moved, not erased
}

// TermsAt gives the terms that the configuration sets.
func TermsAt(now time.Time, d Directory, l Limits) Terms {
	t := Terms{
		Now: now, Offices: map[OfficeID]time.Duration{}, Warned: l.UnfinishedWarned, Unfinished: l.UnfinishedKept,
		LeastWarn: l.WarnedLeast, Rows: l.RowsKept, LinkKnown: l.LinkKnown,
	}
	for id, office := range d.Offices {
		t.Offices[id] = office.Retention
	}
	return t
}

// Tombstone is what stays of an erased submission beside its audit rows.
type Tombstone struct {
	Submission SubmissionID
	Office     OfficeID
	Why        ErasureReason
	At         time.Time
}

// Due is a submission whose time is over.
type Due struct {
	ID     SubmissionID
	Office OfficeID
	Why    ErasureReason
}

// RetentionRecords is what the retention needs of the records. Each method
// that erases is one transaction with its audit entries.
type RetentionRecords interface {
	// SeeClock notes the time. In the same transaction judge is told when the
	// retention last saw it, zero if never, and until when it rests, and gives
	// until when it is to rest, with audit entries.
	SeeClock(ctx context.Context, now time.Time, judge func(before, rests time.Time) (time.Time, []AuditEntry)) (rests time.Time, err error)
	// RunDone notes the end of a run without faults.
	RunDone(ctx context.Context, at time.Time) error
	// WarnUnfinished warns of at most limit submissions, and gives how many.
	WarnUnfinished(ctx context.Context, t Terms, limit int, audit func(Due) AuditEntry) (int, error)
	// DueSubmissions gives at most limit of an office whose time is over, by
	// identifier, those after the given one. What is held is never among them.
	DueSubmissions(ctx context.Context, office OfficeID, t Terms, after SubmissionID, limit int) ([]Due, error)
	// EraseDue erases the rows of a submission if its time is still over, and
	// leaves a tombstone.
	EraseDue(ctx context.Context, d Due, t Terms, audit AuditEntry) (erased bool, err error)
	// GoAlong gives those whose papers, or pages of them, go with a submission:
	// they were merged or moved into it.
	GoAlong(ctx context.Context, id SubmissionID) ([]SubmissionID, error)
	// EraseAnew does so for one that the vault has a tombstone of, whatever its
	// time says. It notes the tombstone even if there are no rows. CodeForbidden
	// if it is held, or other submissions have pages in its folder.
	EraseAnew(ctx context.Context, s Tombstone, t Terms, audit AuditEntry) (erased bool, err error)
	// FullTombstones gives at most limit erased submissions of which the vault
	// may still hold something, after the given one.
	FullTombstones(ctx context.Context, after SubmissionID, limit int) ([]Tombstone, error)
	// Tombstoned gives those of the submissions that were erased.
	Tombstoned(ctx context.Context, ids []SubmissionID) (map[SubmissionID]Tombstone, error)
	// Emptied notes that the vault holds nothing of an erased submission any more.
	Emptied(ctx context.Context, id SubmissionID, at time.Time) error
	// EraseOldRows erases about so many rows that brought nothing and are older
	// than the terms keep them, some in each transaction, and gives how many went.
	// The reasons of emergencies go first, and no later than the office's papers.
	EraseOldRows(ctx context.Context, t Terms, most int) (int, error)
	// PruneAudit takes rows from the old ends of the audit chains that are
	// before a time, and leaves checkpoints. It gives how many went.
	PruneAudit(ctx context.Context, before time.Time, audit func(chain string, rows int64) AuditEntry) (int64, error)
	// PrunedHead tells whether the rows of a head went with the retention.
	PrunedHead(ctx context.Context, h AuditHead) (bool, error)

	HoldRecords
}

// Retention is the flow of what goes when its time is over. It needs no key
// that opens.
type Retention struct {
	Directory Directory
	Limits    Limits
	Records   RetentionRecords
	Audit     AuditTrail
	Vault     Vault
	Archive   *Archive
	Now       func() time.Time
	Log       *slog.Logger
}

const (
	// clockGap is how long the retention may not have run before its clock is
	// doubted: a machine that was off, or a clock that jumped years ahead, which
	// would make everything's time over.
	clockGap = 7 * 24 * time.Hour
	// clockRest is how long nothing is erased then: time to see the warning.
	clockRest = 24 * time.Hour
	// retentionMost bounds what one run erases; the next goes on.
	retentionMost = 10_000
)

// Run does what is due. What a crash leaves half done is finished first. One
// submission that fails is in no other's way.
func (r *Retention) Run(ctx context.Context) error {
	err := errors.Join(r.finishErasures(ctx), r.eraseAnew(ctx))
	behind, checked := r.recordsBehind(ctx)
	if checked != nil || behind { // a hold may be among what the records lost
		return errors.Join(err, checked, behindError(behind))
	}
	err = errors.Join(err, r.settleHolds(ctx))
	resting, failed := r.resting(ctx)
	if failed != nil || resting {
		return errors.Join(err, failed)
	}
	err = errors.Join(err, r.warn(ctx), r.eraseDue(ctx), r.eraseRows(ctx), r.pruneAudit(ctx))
	if err != nil {
		return err
	}
	return r.Records.RunDone(ctx, r.Now())
}

func behindError(behind bool) error {
	if behind {
		return fmt.Errorf("nothing is erased: %w", ErrRecordsBehind)
	}
	return nil
}

func (r *Retention) recordsBehind(ctx context.Context) (bool, error) {
	heads, err := LoadHeads(ctx, r.Vault)
	if err != nil {
		return false, err
	}
	lost, err := r.Audit.LostHeads(ctx, heads)
	return len(lost) > 0, err
}

// resting tells whether nothing may be erased for now.
func (r *Retention) resting(ctx context.Context) (bool, error) {
	now := r.Now()
	jumped := false
	rests, err := r.Records.SeeClock(ctx, now, func(before, rests time.Time) (time.Time, []AuditEntry) {
		jumped = !before.IsZero() && (now.Sub(before) > clockGap || before.Sub(now) > time.Hour)
		if !jumped {
			return rests, nil
		}
		entry := r.entry(ActionRetentionRests, "", "")
		entry.Reason = "the clock was last seen at " + before.UTC().Format(time.RFC3339)
		return now.Add(clockRest), []AuditEntry{entry}
	})
	if err != nil {
		return false, err
	}
	if jumped {
		r.Log.WarnContext(ctx, "the clock jumped, or the worker was off for long: nothing is erased before it rested; see that the time is right",
			slog.Time("till", rests))
	}
	// A rest that lies further ahead than any is of a clock that was set back.
	return now.Before(rests) && rests.Sub(now) <= clockRest, nil
}

func (r *Retention) entry(action Action, object string, office OfficeID) AuditEntry {
	return AuditEntry{
		At: r.Now(), Actor: ActorRole("worker"), Action: action, Object: object, Office: office, Outcome: OutcomeDone,
	}
}

func (r *Retention) terms() Terms { return TermsAt(r.Now(), r.Directory, r.Limits) }

func (r *Retention) warn(ctx context.Context) error {
	for {
		n, err := r.Records.WarnUnfinished(ctx, r.terms(), batch, func(d Due) AuditEntry {
			return r.entry(ActionErasureWarned, "submission:"+string(d.ID), d.Office)
		})
		if err != nil || n < batch {
			return err
		}
	}
}

func (r *Retention) eraseDue(ctx context.Context) error {
	var failed error
	erased := 0
	for office := range r.Directory.Offices {
		var after SubmissionID
		for erased < retentionMost {
			due, err := r.Records.DueSubmissions(ctx, office, r.terms(), after, batch)
			if err != nil {
				return errors.Join(failed, err)
			}
			for _, d := range due {
				if err := r.erase(ctx, d); err != nil {
					failed = errors.Join(failed, fmt.Errorf("erase submission %s: %w", d.ID, err))
				}
				erased++
				after = d.ID
			}
			if len(due) < batch {
				break
			}
		}
	}
	return failed
}

// erase erases one submission: its rows with the audit row and the tombstone
// in one transaction, then the vault. A crash between them is met by
// finishErasures; meanwhile nobody can open what is left.
func (r *Retention) erase(ctx context.Context, d Due) error {
	along, err := r.Records.GoAlong(ctx, d.ID)
	if err != nil {
		return err
	}
	for _, id := range append(along, d.ID) {
		held, err := r.Archive.held(ctx, d.Office, id)
		if err != nil {
			return err
		}
		if held { // DueSubmissions gives none that the records know to be held
			return errors.New("the vault says that it is held, or what was put together with it; the records do not: run `dropslot reindex`")
		}
	}
	entry := r.entry(ActionErased, "submission:"+string(d.ID), d.Office)
	entry.Reason = string(d.Why)
	erased, err := r.Records.EraseDue(ctx, d, r.terms(), entry)
	if err != nil || !erased {
		return err
	}
	return r.empty(ctx, Tombstone{Submission: d.ID, Office: d.Office, Why: d.Why, At: r.Now()})
}

func (r *Retention) eraseRows(ctx context.Context) error {
	_, err := r.Records.EraseOldRows(ctx, r.terms(), retentionMost)
	return err
}

// pruneAudit takes what is older than the trail is kept, then the heads in the
// vault that nothing is left to prove of.
func (r *Retention) pruneAudit(ctx context.Context) error {
	before := r.Now().Add(-r.Limits.AuditKept)
	_, err := r.Records.PruneAudit(ctx, before, func(chain string, rows int64) AuditEntry {
		entry := r.entry(ActionAuditPruned, "chain:"+chain, "")
		entry.Reason = fmt.Sprintf("rows up to %d, older than %s", rows, before.UTC().Format(time.DateOnly))
		return entry
	})
	if err != nil {
		return err
	}
	heads, err := LoadHeads(ctx, r.Vault)
	if err != nil {
		return err
	}
	for _, head := range heads {
		if !head.At.Before(before) {
			continue
		}
		pruned, err := r.Records.PrunedHead(ctx, head)
		if err == nil && pruned {
			err = r.Vault.Remove(ctx, headBlob(head.Chain))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
