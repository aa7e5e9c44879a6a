package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The name of a whole submission's tombstone within its folder. Whoever copies
// an old vault over this one brings back the objects beside it, and they go
// again.
const tombstoneName = "erased"

func submissionTombstone(office OfficeID, id SubmissionID) BlobName {
	return SubmissionPrefix(office, id) + "/" + tombstoneName
}

// empty leaves the tombstone in the vault, removes everything beside it, and
// notes that. Each step may be done again after a crash.
func (r *Retention) empty(ctx context.Context, t Tombstone) error {
	if err := r.Archive.EraseSubmission(ctx, t); err != nil {
		return err
	}
	return r.Records.Emptied(ctx, t.Submission, r.Now())
}

// EraseSubmission leaves a submission's tombstone, then removes all else that
// the vault holds of it: pages, headers, manifests, the tombstones of pages.
func (a *Archive) EraseSubmission(ctx context.Context, t Tombstone) error {
	stone := submissionTombstone(t.Office, t.Submission)
	if err := a.Vault.Replace(ctx, stone, []byte(t.At.UTC().Format(time.RFC3339)+" "+string(t.Why)+"\n")); err != nil {
		return fmt.Errorf("write tombstone: %w", err)
	}
	var names []BlobName
	err := a.Vault.List(ctx, SubmissionPrefix(t.Office, t.Submission), func(info BlobInfo) error {
		if info.Name != stone {
			names = append(names, info.Name)
		}
		return nil
	})
	for _, name := range names {
		err = errors.Join(err, a.Vault.Remove(ctx, name))
	}
	return err
}

// finishErasures empties what a crash left in the vault of submissions whose
// rows are gone.
func (r *Retention) finishErasures(ctx context.Context) error {
	var failed error
	var after SubmissionID
	for {
		stones, err := r.Records.FullTombstones(ctx, after, batch)
		if err != nil || len(stones) == 0 {
			return errors.Join(failed, err)
		}
		for _, t := range stones {
			if err := r.empty(ctx, t); err != nil {
				failed = errors.Join(failed, fmt.Errorf("erase submission %s: %w", t.Submission, err))
			}
			after = t.Submission
		}
	}
}

// stone is one folder of the vault as the look for tombstones sees it.
type stone struct {
	office OfficeID
	id     SubmissionID
	erased bool // the vault holds its tombstone
	more   bool // and something else
}

// eraseAnew goes through the vault and erases once more what a restored backup
// brought back: of the vault, where the records know of the erasure, and of the
// records, where the vault does.
func (r *Retention) eraseAnew(ctx context.Context) error {
	var folders []stone
	var failed error
	flush := func() error {
		err := r.compare(ctx, folders)
		folders = folders[:0]
		return err
	}
	err := r.Vault.List(ctx, ArchivePrefix, func(info BlobInfo) error {
		parts := strings.Split(string(info.Name), "/")
		if len(parts) != 4 || !ValidID(parts[2]) {
			return nil
		}
		if n := len(folders); n == 0 || folders[n-1].id != SubmissionID(parts[2]) {
			if n == batch {
				failed = errors.Join(failed, flush())
			}
			folders = append(folders, stone{office: OfficeID(parts[1]), id: SubmissionID(parts[2])})
		}
		at := &folders[len(folders)-1]
		if parts[3] == tombstoneName {
			at.erased = true
		} else {
			at.more = true
		}
		return ctx.Err()
	})
	return errors.Join(failed, err, flush())
}

// compare looks at folders whose listing is complete.
func (r *Retention) compare(ctx context.Context, folders []stone) error {
	if len(folders) == 0 {
		return nil
	}
	ids := make([]SubmissionID, 0, len(folders))
	for _, f := range folders {
		ids = append(ids, f.id)
	}
	known, err := r.Records.Tombstoned(ctx, ids)
	if err != nil {
		return err
	}
	var failed error
	for _, f := range folders {
		t, inRecords := known[f.id]
		if !f.erased && !inRecords || f.erased && inRecords && !f.more {
			continue
		}
		if err := r.again(ctx, f, t, inRecords); err != nil {
			failed = errors.Join(failed, fmt.Errorf("erase submission %s anew: %w", f.id, err))
		}
	}
	return failed
}

// again erases one that a backup brought back. What is held meanwhile, or has
// pages that other submissions show, is left for a person to decide.
func (r *Retention) again(ctx context.Context, f stone, t Tombstone, inRecords bool) error {
	entry := r.entry(ActionErased, "submission:"+string(f.id), f.office)
	entry.Reason = "anew: a backup had brought it back"
	if !inRecords {
		var err error
		if t, err = r.tombstone(ctx, f); err != nil {
			return err
		}
		if _, err = r.Records.EraseAnew(ctx, t, r.terms(), entry); Is(err, CodeForbidden) {
			return fmt.Errorf("the vault says that it was erased, but it is held, or other submissions have pages of it: release it at the desk if it may go: %w", err)
		}
		if err != nil {
			return err
		}
	} else if err := r.Audit.Append(ctx, entry); err != nil {
		return err
	}
	return r.empty(ctx, t)
}

// tombstone reads what the vault says of an erasure. Rows go by it alone, so
// that a file which only has its name erases nothing.
func (r *Retention) tombstone(ctx context.Context, f stone) (Tombstone, error) {
	t := Tombstone{Submission: f.id, Office: f.office}
	blob, err := r.Vault.Open(ctx, submissionTombstone(f.office, f.id))
	if err != nil {
		return t, err
	}
	content, err := io.ReadAll(io.NewSectionReader(blob, 0, min(blob.Size(), 100)))
	if err = errors.Join(err, blob.Close()); err != nil {
		return t, err
	}
	at, why, _ := strings.Cut(strings.TrimSuffix(string(content), "\n"), " ")
	t.At, err = time.Parse(time.RFC3339, at)
	t.Why = ErasureReason(why)
	if err != nil || t.Why != ErasedDone && t.Why != ErasedUnfinished && t.Why != ErasedEmpty {
		return t, errors.New("the vault's tombstone is damaged: nothing is erased by it")
	}
	return t, nil
}
