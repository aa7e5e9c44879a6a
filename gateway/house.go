package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	head, any, err := h.Audit.Head(ctx)
	if err != nil || !any || head.Chain == h.last.Chain && head.Seq == h.last.Seq {
		return err
	}
	content, err := json.Marshal(head)
	if err != nil {
		return err
	}
	name := HeadsPrefix + "/" + BlobName(head.Chain) + ".json"
	if err := h.Vault.Replace(ctx, name, content); err != nil {
		return err
	}
	h.last = head
	return nil
}

// LoadHeads reads all heads of the vault.
func LoadHeads(ctx context.Context, v Vault) ([]AuditHead, error) {
	var heads []AuditHead
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
			return fmt.Errorf("audit head %s is damaged: %w", info.Name, err)
		}
		heads = append(heads, head)
		return nil
	})
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
	Log     *slog.Logger
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
	ended, err := h.Records.Unarchived(ctx, batch)
	if err != nil {
		return err
	}
	var failed error
	for _, s := range ended {
		if err := h.archive(ctx, s.ID); err != nil {
			failed = errors.Join(failed, fmt.Errorf("archive submission %s: %w", s.ID, err))
		}
	}
	return failed
}

func (h *House) archive(ctx context.Context, id SubmissionID) error {
	s, pages, err := h.Records.SubmissionPages(ctx, id)
	if err != nil {
		return err
	}
	if err := h.Archive.WriteManifest(ctx, s, pages); err != nil {
		return err
	}
	return h.Records.MarkArchived(ctx, id, h.Now())
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
	temporary, err := h.Vault.SweepTemporary(ctx, before)
	if err != nil {
		return err
	}
	swept, err := h.sweepPages(ctx, before)
	if err != nil {
		return err
	}
	if swept+temporary == 0 {
		return nil
	}
	return h.Audit.Append(ctx, AuditEntry{
		At: h.Now(), Actor: ActorRole("worker"), Action: ActionSwept, Outcome: OutcomeDone,
		Reason: fmt.Sprintf("%d objects, %d temporary files", swept, temporary),
	})
}

func (h *House) sweepPages(ctx context.Context, before time.Time) (int, error) {
	swept := 0
	var folder BlobName
	var names []BlobName
	flush := func() error {
		n, err := h.sweepFolder(ctx, folder, names)
		swept += n
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
		return swept, err
	}
	return swept, flush()
}

func (h *House) sweepFolder(ctx context.Context, folder BlobName, names []BlobName) (int, error) {
	if len(names) == 0 {
		return 0, nil
	}
	_, id := splitBlob(folder)
	standings, err := h.Records.KnownBlobs(ctx, SubmissionID(id), names)
	if err != nil {
		return 0, err
	}
	swept := 0
	for _, name := range names {
		switch standings[name] {
		case BlobOrphan:
			err = h.Vault.Remove(ctx, name)
		case BlobRemoved:
			err = h.Archive.ErasePage(ctx, name)
		default:
			continue
		}
		if err != nil {
			return swept, err
		}
		swept++
	}
	return swept, nil
}
