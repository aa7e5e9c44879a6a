package gateway

import (
	"context"
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
	// RecordsLost says that the records lost rows, where the audit heads cannot
	// tell: they are a minute old at most, and a failover may lose less.
	RecordsLost bool
	behind      bool
	moved       []movedPage
}

// movedPage is a page that a caseworker put into another submission, whose own
// folder may not be read yet.
type movedPage struct {
	page Page
	home Submission
}

// ReindexReport tells what a reindex found.
type ReindexReport struct {
	Submissions int // seen in the vault
	Restored    int // pages that the records lacked
	Erased      int // pages with a tombstone: not brought back
	Gone        int // erased submissions: not brought back
	Held        int // legal holds that the records lacked
	Missing     int // pages of a manifest whose object is gone without a tombstone
	Skipped     int // page objects that were never acknowledged, or are under way
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
	gone      bool       // the whole submission was erased
	holds     []BlobName // oldest first: the last one is what holds it
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
	r.behind = r.RecordsLost || len(lost)+len(report.Damaged) > 0
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
	if err := r.restoreMoved(ctx, &report); err != nil {
		return report, err
	}
	return report, r.noteLostHeads(ctx, lost, &report)
}

func (s *shelf) add(info BlobInfo, name string) {
	switch {
	case name == tombstoneName:
		s.gone = true
	case strings.HasPrefix(name, holdName):
		s.holds = append(s.holds, info.Name)
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
	if s.gone { // what a backup brought back beside the tombstone goes with the worker's next look
		report.Gone++
		return nil
	}
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
	if err != nil || len(pages)+len(submission.Lacks) == 0 && submission.MergedInto == "" {
		return err
	}
	pages = slices.DeleteFunc(pages, func(p Page) bool {
		if p.Home != "" {
			r.moved = append(r.moved, movedPage{p, submission})
		}
		return p.Home != ""
	})
	for _, l := range submission.Lacks {
		submission.LackCount++
		submission.ArrivedAt = earlier(submission.ArrivedAt, l.At)
	}
	for _, p := range pages {
		submission.Pages++
		submission.Bytes += p.PlainBytes
		submission.ArrivedAt = earlier(submission.ArrivedAt, p.ReceivedAt)
		if p.ReceivedAt.After(submission.LastPageAt) {
			submission.LastPageAt = p.ReceivedAt
		}
	}
	if submission.FinishedAt.IsZero() {
		submission.FinishedAt, submission.Unfinished = submission.LastPageAt, true
	}
	hold, err := r.hold(ctx, s, report)
	if err != nil {
		return err
	}
	return r.putBack(ctx, submission, pages, hold, report)
}

func (r *Reindex) putBack(ctx context.Context, s Submission, pages []Page, hold *Hold, report *ReindexReport) error {
	restored, held, err := r.Records.RestoreSubmission(ctx, s, pages, hold, AuditEntry{
		At: r.Now(), Actor: ActorOperator, Action: ActionReindexed, Object: "submission:" + string(s.ID),
		Office: s.Office, Outcome: OutcomeDone,
	})
	report.Restored += restored
	if held {
		report.Held++
	}
	return err
}

// hold tells what the vault says of a legal hold. One that cannot be read holds
// all the same: for nothing is the records' silence worse.
func (r *Reindex) hold(ctx context.Context, s shelf, report *ReindexReport) (*Hold, error) {
	if len(s.holds) == 0 {
		return nil, nil
	}
	name := s.holds[len(s.holds)-1]
	hold := Hold{Submission: s.id, Office: s.office, Reason: HoldUnreadable, At: r.Now()}
	if since, told := heldSince(name); told {
		hold.At = since
	}
	var said holdContent
	err := r.read(ctx, s.office, name, &said)
	switch {
	case err == nil:
		hold.Staff, hold.Reason, hold.At = said.Staff, said.Reason, said.At
	case Is(err, CodeNotFound): // released since the vault was listed
		return nil, nil
	case Is(err, CodeBlobDamaged):
		report.Damaged = append(report.Damaged, name)
	default:
		return nil, err
	}
	return &hold, nil
}

// restoreMoved puts pages where caseworkers had moved them. One whose place is
// gone goes back to where its client sent it.
func (r *Reindex) restoreMoved(ctx context.Context, report *ReindexReport) error {
	for _, m := range r.moved {
		place, _, err := r.Records.SubmissionPages(ctx, m.page.Submission)
		if Is(err, CodeNotFound) {
			place, err, m.page.Home = m.home, nil, ""
		}
		if err == nil {
			err = r.putBack(ctx, place, []Page{m.page}, nil, report)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// earlier is the earlier of two times, of which the first may be none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
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
	if header.Origin.AtCounter() && header.Submission == s.id && header.Office == s.office {
		return Submission{
			ID: s.id, Office: s.office, Number: header.Number, Language: header.Language, State: SubmissionReceived,
			OpenedAt: header.ClaimedAt, Origin: header.Origin, Staff: header.Staff, SealedName: header.SealedName,
		}, nil
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
	damaged, ok := errors.AsType[*DamagedHeads](err)
	if !ok {
		return heads, err
	}
	report.Damaged = append(report.Damaged, damaged.Names...)
	return heads, nil
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
