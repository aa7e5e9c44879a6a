package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// HeadsPrefix begins the names of the audit heads in the vault.
const HeadsPrefix BlobName = "audit"

// Heads keeps the ends of audit chains in the vault, apart from the rows.
type Heads struct {
	Audit AuditTrail
	Vault Vault
	last  AuditHead
}

// Save writes the head of this process's chain if it moved.
func (h *Heads) Save(ctx context.Context) error {
	head, begun, err := h.Audit.Head(ctx)
	if err != nil || !begun || head.Chain == h.last.Chain && head.Seq == h.last.Seq {
		return err
	}
	content, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if err := h.Vault.Replace(ctx, headBlob(head.Chain), content); err != nil {
		return err
	}
	h.last = head
	return nil
}

func headBlob(chain string) BlobName { return HeadsPrefix + "/" + BlobName(chain) + ".json" }

// DamagedHeads names audit heads that cannot be read: somebody changed them.
type DamagedHeads struct{ Names []BlobName }

func (e *DamagedHeads) Error() string {
	return fmt.Sprintf("%d audit heads in the vault are damaged, the first is %s: restore them from the vault's backup", len(e.Names), e.Names[0])
}

// LoadHeads reads all heads of the vault. It gives the others when some are
// damaged, together with *DamagedHeads.
func LoadHeads(ctx context.Context, v Vault) ([]AuditHead, error) {
	var heads []AuditHead
	var damaged []BlobName
	err := v.List(ctx, HeadsPrefix, func(info BlobInfo) error {
		blob, err := v.Open(ctx, info.Name)
		if err != nil {
			return err
		}
		defer func() { _ = blob.Close() }()
		content, err := io.ReadAll(io.NewSectionReader(blob, 0, min(blob.Size(), 4096)))
		if err != nil {
			return err
		}
		var head AuditHead
		if err := json.Unmarshal(content, &head); err != nil {
			damaged = append(damaged, info.Name)
			return nil
		}
		heads = append(heads, head)
		return nil
	})
	if err == nil && len(damaged) > 0 {
		err = &DamagedHeads{Names: damaged}
	}
	return heads, err
}

// House is the flow of the clock: what happens without anybody asking.
type House struct {
	Limits  Limits
	Records HouseRecords
	Audit   AuditTrail
	Vault   Vault
	Archive *Archive
	Now     func() time.Time
}

// batch bounds how much one run of a periodic job takes on.
const batch = 100

// Expire turns what abandoned sessions left into submissions.
func (h *House) Expire(ctx context.Context) error {
	now := h.Now()
	for {
		ended, err := h.Records.ExpireSubmissions(ctx, now, h.Limits.CommitGrace, batch, func(s Submission) AuditEntry {
			return AuditEntry{
				At: now, Actor: ActorRole("worker"), Action: ActionSubmissionExpired,
				Object: "submission:" + string(s.ID), Office: s.Office, Outcome: OutcomeDone,
			}
		})
		if err != nil || len(ended) == 0 {
			return err
		}
	}
}

// ArchiveEnded writes the manifests of submissions that ended. A crash
// between manifest and mark writes the manifest once more: the later counts.
func (h *House) ArchiveEnded(ctx context.Context) error {
	var failed error
	var after SubmissionID
	for {
		ended, err := h.Records.Unarchived(ctx, after, batch)
		if err != nil || len(ended) == 0 {
			return errors.Join(failed, err)
		}
		for _, s := range ended { // one that fails is in nobody's way
			if err := h.archive(ctx, s.ID); err != nil {
				failed = errors.Join(failed, fmt.Errorf("archive submission %s: %w", s.ID, err))
			}
			after = s.ID
		}
	}
}

func (h *House) archive(ctx context.Context, id SubmissionID) error {
	s, pages, err := h.Records.SubmissionPages(ctx, id)
	if err != nil {
		return err
	}
	if err := h.Archive.WriteManifest(ctx, s, pages); err != nil {
		return err
	}
	return h.Records.MarkArchived(ctx, s, h.Now())
}

// ErrRecordsBehind means that the records are older than the vault.
var ErrRecordsBehind = errors.New("the records are older than the vault (was a backup restored?): run `dropslot reindex` before anything is swept")

// Sweep removes what unfinished uploads left behind and finishes removals
// that a crash cut short. It touches nothing when the vault knows of audit
// rows that the records lack: pages that were acknowledged would look like
// leftovers then. What belongs to a submission that the records do not know
// is never touched.
func (h *House) Sweep(ctx context.Context) error {
	heads, err := LoadHeads(ctx, h.Vault)
	if err != nil {
		return err
	}
	lost, err := h.Audit.LostHeads(ctx, heads)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		return ErrRecordsBehind
	}
	before := h.Now().Add(-h.Limits.SweepAge)
	// What an unfinished upload left was never an object: it is counted, no more.
	temporary, err := h.Vault.SweepTemporary(ctx, before)
	if err == nil && temporary > 0 {
		err = h.Audit.Append(ctx, AuditEntry{
			At: h.Now(), Actor: ActorRole("worker"), Action: ActionSwept, Outcome: OutcomeDone,
			Reason: fmt.Sprintf("%d unfinished uploads", temporary),
		})
	}
	if err != nil {
		return err
	}
	return h.sweepPages(ctx, before)
}

func (h *House) sweepPages(ctx context.Context, before time.Time) error {
	var folder BlobName
	var names []BlobName
	flush := func() error {
		err := h.sweepFolder(ctx, folder, names)
		names = names[:0]
		return err
	}
	err := h.Vault.List(ctx, ArchivePrefix, func(info BlobInfo) error {
		in, name := splitBlob(info.Name)
		if in != folder {
			if err := flush(); err != nil {
				return err
			}
			folder = in
		}
		if strings.HasPrefix(name, "page-") && info.Modified.Before(before) {
			names = append(names, info.Name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// sweepFolder writes the audit row of what goes, then lets it go.
func (h *House) sweepFolder(ctx context.Context, folder BlobName, names []BlobName) error {
	if len(names) == 0 {
		return nil
	}
	_, id := splitBlob(folder)
	standings, err := h.Records.KnownBlobs(ctx, SubmissionID(id), names)
	if err != nil {
		return err
	}
	var orphans, removed []BlobName
	for _, name := range names {
		switch standings[name] {
		case BlobOrphan:
			orphans = append(orphans, name)
		case BlobRemoved:
			removed = append(removed, name)
		}
	}
	if len(orphans)+len(removed) == 0 {
		return nil
	}
	err = h.Audit.Append(ctx, AuditEntry{
		At: h.Now(), Actor: ActorRole("worker"), Action: ActionSwept, Object: "submission:" + id, Outcome: OutcomeDone,
		Reason: fmt.Sprintf("%d never acknowledged, %d removed by the client", len(orphans), len(removed)),
	})
	if err != nil {
		return err
	}
	for _, name := range orphans {
		err = errors.Join(err, h.Vault.Remove(ctx, name))
	}
	for _, name := range removed {
		err = errors.Join(err, h.Archive.ErasePage(ctx, name))
	}
	return err
}
