package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Reindex rebuilds the records from the vault, with the office's identity.
type Reindex struct {
	Directory Directory
	Records   HouseRecords
	Audit     AuditTrail
	Vault     Vault
	Opener    Opener
	Phones    PhoneBook
	Now       func() time.Time
	behind    bool // the records lack rows that the vault knows of
}

// ReindexReport tells what a reindex found.
type ReindexReport struct {
	Submissions int // seen in the vault
	Restored    int // pages that the records lacked
	Erased      int // pages with a tombstone: not brought back
	Missing     int // pages of a manifest whose object is gone without a tombstone
	Damaged     []BlobName
	LostHeads   int // audit chains whose rows are gone, noted as such
}

// shelf is what the vault holds of one submission.
type shelf struct {
	office    OfficeID
	id        SubmissionID
	headers   []BlobName
	manifests []BlobName // oldest first
	pages     []BlobInfo
	erased    map[BlobName]bool
}

// Run reads the whole vault. Rows that exist are left as they are, so it may
// be run again after a crash. Page objects that no manifest lists are taken
// into a submission that the records know only where the records lost rows:
// elsewhere they are uploads that were never acknowledged, or are under way.
func (r *Reindex) Run(ctx context.Context, reason string) (ReindexReport, error) {
	var report ReindexReport
	entry := AuditEntry{At: r.Now(), Actor: ActorOperator, Action: ActionReindexed, Outcome: OutcomeDone, Reason: reason}
	if err := r.Audit.Append(ctx, entry); err != nil {
		return report, err
	}
	heads, err := r.heads(ctx, &report)
	if err != nil {
		return report, err
	}
	lost, err := r.Audit.LostHeads(ctx, heads)
	if err != nil {
		return report, err
	}
	r.behind = len(lost) > 0
	current := shelf{}
	flush := func() error {
		if current.id == "" {
			return nil
		}
		report.Submissions++
		return r.restore(ctx, current, &report)
	}
	err = r.Vault.List(ctx, ArchivePrefix, func(info BlobInfo) error {
		parts := strings.Split(string(info.Name), "/")
		if len(parts) != 4 || !ValidID(parts[2]) {
			return nil
		}
		if SubmissionID(parts[2]) != current.id {
			if err := flush(); err != nil {
				return err
			}
			current = shelf{office: OfficeID(parts[1]), id: SubmissionID(parts[2]), erased: map[BlobName]bool{}}
		}
		current.add(info, parts[3])
		return nil
	})
	if err != nil {
		return report, err
	}
	if err := flush(); err != nil {
		return report, err
	}
	return report, r.noteLostHeads(ctx, lost, &report)
}

func (s *shelf) add(info BlobInfo, name string) {
	switch {
	case strings.HasPrefix(name, "header-"):
		s.headers = append(s.headers, info.Name)
	case strings.HasPrefix(name, "manifest-"):
		s.manifests = append(s.manifests, info.Name)
	case strings.HasPrefix(name, "page-"):
		s.pages = append(s.pages, info)
	case strings.HasPrefix(name, "erased-"):
		folder, _ := splitBlob(info.Name)
		s.erased[folder+"/"+BlobName(strings.TrimPrefix(name, "erased-"))] = true
	}
}

func (r *Reindex) restore(ctx context.Context, s shelf, report *ReindexReport) error {
	if _, known := r.Directory.Offices[s.office]; !known {
		return fmt.Errorf("the vault holds submissions of office %q, which the configuration does not name: add the office and run again", s.office)
	}
	submission, err := r.fromHeaders(ctx, s)
	if err != nil {
		if Is(err, CodeBlobDamaged) || Is(err, CodeNotFound) {
			report.Damaged = append(report.Damaged, SubmissionPrefix(s.office, s.id))
			return nil
		}
		return err
	}
	pages, err := r.pages(ctx, s, &submission, report)
	if err != nil || len(pages) == 0 {
		return err
	}
	submission.ArrivedAt, submission.LastPageAt = pages[0].ReceivedAt, pages[len(pages)-1].ReceivedAt
	for _, p := range pages {
		submission.Pages++
		submission.Bytes += p.PlainBytes
	}
	if submission.FinishedAt.IsZero() {
		submission.FinishedAt, submission.Unfinished = submission.LastPageAt, true
	}
	restored, err := r.Records.RestoreSubmission(ctx, submission, pages, AuditEntry{
		At: r.Now(), Actor: ActorOperator, Action: ActionReindexed, Object: "submission:" + string(s.id),
		Office: s.office, Outcome: OutcomeDone,
	})
	report.Restored += restored
	return err
}

// fromHeaders takes the first header that opens.
func (r *Reindex) fromHeaders(ctx context.Context, s shelf) (Submission, error) {
	var header Header
	err := error(NewError(CodeNotFound, errors.New("no header")))
	for _, name := range s.headers {
		if err = r.read(ctx, s.office, name, &header); err == nil {
			break
		}
	}
	if err != nil {
		return Submission{}, err
	}
	phone, err := ParsePhone(header.Phone)
	if err != nil || header.Submission != s.id || header.Office != s.office {
		return Submission{}, NewError(CodeBlobDamaged, errors.New("header of another submission"))
	}
	sealed, err := r.Phones.Seal(phone)
	return Submission{
		ID: s.id, Office: s.office, Number: header.Number, Sender: r.Phones.Index(s.office, phone), Phone: sealed,
		Language: header.Language, State: SubmissionReceived, OpenedAt: header.ClaimedAt,
	}, err
}

// pages gives what the latest manifest lists, or, where none can be read,
// every page object that opens.
func (r *Reindex) pages(ctx context.Context, s shelf, submission *Submission, report *ReindexReport) ([]Page, error) {
	for _, name := range slices.Backward(s.manifests) {
		var m Manifest
		err := r.read(ctx, s.office, name, &m)
		if Is(err, CodeBlobDamaged) {
			report.Damaged = append(report.Damaged, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		submission.FinishedAt, submission.Unfinished, submission.SealedName = m.FinishedAt, m.Unfinished, m.SealedName
		return r.listed(s, m, report), nil
	}
	return r.allUnlisted(ctx, s, report)
}

func (r *Reindex) allUnlisted(ctx context.Context, s shelf, report *ReindexReport) ([]Page, error) {
	names := make([]BlobName, 0, len(s.pages))
	for _, info := range s.pages {
		names = append(names, info.Name)
	}
	standings, err := r.Records.KnownBlobs(ctx, s.id, names)
	if err != nil {
		return nil, err
	}
	var pages []Page
	for _, info := range s.pages {
		standing := standings[info.Name]
		switch {
		case s.erased[info.Name]:
			report.Erased++
			continue
		case standing == BlobUnknown, standing == BlobOrphan && r.behind:
		default:
			continue
		}
		page, err := r.unlisted(ctx, s, info)
		switch {
		case Is(err, CodeBlobDamaged):
			report.Damaged = append(report.Damaged, info.Name)
		case err != nil:
			return nil, err
		default:
			pages = append(pages, page)
		}
	}
	return pages, nil
}

func (r *Reindex) listed(s shelf, m Manifest, report *ReindexReport) []Page {
	there := map[BlobName]int64{}
	for _, info := range s.pages {
		there[info.Name] = info.Size
	}
	var pages []Page
	for _, listed := range m.Pages {
		size, present := there[listed.Blob]
		digest, same := Digest{}, Digest{}
		_, err1 := hex.Decode(digest[:], []byte(listed.SHA256))
		_, err2 := hex.Decode(same[:], []byte(listed.Same))
		switch {
		case s.erased[listed.Blob]:
			report.Erased++
		case !present:
			report.Missing++
		case err1 != nil, err2 != nil, size != listed.SealedBytes:
			report.Damaged = append(report.Damaged, listed.Blob)
		default:
			pages = append(pages, Page{
				ID: listed.ID, Key: listed.Key, Submission: s.id, Office: s.office, Link: listed.Link, Blob: listed.Blob,
				Digest: digest, Same: same, SealedBytes: listed.SealedBytes, PlainBytes: listed.PlainBytes,
				Sealing: listed.Sealing, Label: listed.Label, ReceivedAt: listed.ReceivedAt,
			})
		}
	}
	return pages
}

// unlisted rebuilds a page's row from its object alone. Its identifier is the
// one in the object's name, so that running again finds the same page.
func (r *Reindex) unlisted(ctx context.Context, s shelf, info BlobInfo) (Page, error) {
	blob, err := r.Vault.Open(ctx, info.Name)
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = blob.Close() }()
	digest, err := digestOf(blob)
	if err != nil {
		return Page{}, err
	}
	plain, size, err := r.Opener.Open(s.office, blob, blob.Size())
	if err != nil {
		return Page{}, err
	}
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	if _, err := copyPieces(io.Discard, io.NewSectionReader(plain, 0, size), *piece, size); err != nil {
		return Page{}, NewError(CodeBlobDamaged, errors.New("the sealed content is cut or changed"))
	}
	_, name := splitBlob(info.Name)
	id := strings.TrimSuffix(strings.TrimPrefix(name, "page-"), ".age")
	return Page{
		ID: PageID(id), Key: PageKey(id), Submission: s.id, Office: s.office, Blob: info.Name, Digest: digest, Same: digest,
		SealedBytes: blob.Size(), PlainBytes: size, Sealing: SealedByServer, ReceivedAt: info.Modified,
	}, nil
}

func (r *Reindex) read(ctx context.Context, office OfficeID, name BlobName, into any) error {
	blob, err := r.Vault.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }()
	plain, size, err := r.Opener.Open(office, blob, blob.Size())
	if err != nil {
		return err
	}
	if err := json.NewDecoder(io.NewSectionReader(plain, 0, size)).Decode(into); err != nil {
		return NewError(CodeBlobDamaged, errors.New("the content is not what Dropslot writes"))
	}
	return nil
}

// heads reads the audit heads; a damaged one is in nobody's way here.
func (r *Reindex) heads(ctx context.Context, report *ReindexReport) ([]AuditHead, error) {
	heads, err := LoadHeads(ctx, r.Vault)
	if damaged, ok := errors.AsType[*DamagedHeads](err); ok {
		report.Damaged = append(report.Damaged, damaged.Names...)
		err = nil
	}
	return heads, err
}

// noteLostHeads puts on record which audit rows are gone, so that the sweep
// may work again and `audit verify` names them.
func (r *Reindex) noteLostHeads(ctx context.Context, lost []AuditHead, report *ReindexReport) error {
	for _, head := range lost {
		err := r.Audit.Append(ctx, AuditEntry{
			At: r.Now(), Actor: ActorOperator, Action: ActionHeadLost, Object: "chain:" + head.Chain,
			Outcome: OutcomeDone, Reason: fmt.Sprintf("rows up to %d were gone", head.Seq),
		})
		if err != nil {
			return err
		}
		report.LostHeads++
	}
	return nil
}
