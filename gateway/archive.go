package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Archive is what the vault holds of a submission beside its pages, so that
// the records can be rebuilt from the vault and the office's identity alone:
//
//	submissions/<office>/<submission>/header-<link>.age    sealed, at each claim
//	submissions/<office>/<submission>/page-<random>.age    sealed pages
//	submissions/<office>/<submission>/manifest-<time>.age  sealed, after the end
//	submissions/<office>/<submission>/hold-<time>.age      sealed, while it is held
//	submissions/<office>/<submission>/erased-<page blob>   tombstone, empty of content
type Archive struct {
	Vault  Vault
	Sealer Sealer
	Phones PhoneBook
	Now    func() time.Time
}

// ArchivePrefix begins the names of everything in the archive.
const ArchivePrefix BlobName = "submissions"

// Header is the plain content of a header object.
type Header struct {
	Version    int          `json:"version"`
	Office     OfficeID     `json:"office"`
	Submission SubmissionID `json:"submission"`
	Link       LinkID       `json:"link"`
	Number     Number       `json:"number"`
	Phone      string       `json:"phone"`                 // E.164: sealed to the office like its pages; empty at the counter
	Origin     Origin       `json:"origin,omitempty"`      // staff or counter
	Staff      StaffID      `json:"staff,omitempty"`       // who made the link at the counter
	SealedName []byte       `json:"sealed_name,omitempty"` // that they gave it, sealed once more on its own
	Language   string       `json:"language"`
	ClaimedAt  time.Time    `json:"claimed_at"`
}

// Manifest is the plain content of a manifest object.
type Manifest struct {
	Version    int            `json:"version"`
	Submission SubmissionID   `json:"submission"`
	FinishedAt time.Time      `json:"finished_at"`
	Unfinished bool           `json:"unfinished"`
	SealedName []byte         `json:"sealed_name,omitempty"` // the client's name, sealed once more on its own
	Lacks      []ManifestLack `json:"lacks,omitempty"`
	Staff      StaffID        `json:"staff,omitempty"` // who made the link at the counter
	SealedCase []byte         `json:"sealed_case,omitempty"`
	CaseIndex  []byte         `json:"case_index,omitempty"`
	Remarks    []Remark       `json:"remarks,omitempty"`     // notes by staff, each sealed once more on its own
	MergedInto SubmissionID   `json:"merged_into,omitempty"` // where caseworkers put everything of this one
	Done       *ManifestDone  `json:"done,omitempty"`        // a caseworker marked it done
	Stage      Stage          `json:"stage,omitempty"`
	Assigned   StaffID        `json:"assigned,omitempty"`
	Pages      []ManifestPage `json:"pages"`
}

// ManifestDone is what a caseworker did with the papers. Their retention runs
// from then.
type ManifestDone struct {
	At   time.Time `json:"at"`
	By   StaffID   `json:"by"`
	As   HandledAs `json:"as"`
	Note string    `json:"note,omitempty"`
}

// ManifestLack is one ask that the client has no paper for.
type ManifestLack struct {
	Ask    string     `json:"ask"`
	Reason LackReason `json:"reason"`
	At     time.Time  `json:"at"`
}

// ManifestPage is one page that was sent to the submission, in the order of the
// manifest. Its object lies in the folder of the manifest.
type ManifestPage struct {
	ID          PageID    `json:"id"`
	Key         PageKey   `json:"key"`
	Link        LinkID    `json:"link"`
	Blob        BlobName  `json:"blob"`
	SHA256      string    `json:"sha256"` // of the sealed bytes, hex
	Same        string    `json:"same"`
	SealedBytes int64     `json:"sealed_bytes"`
	PlainBytes  int64     `json:"plain_bytes"`
	Sealing     Sealing   `json:"sealing"`
	Label       string    `json:"label,omitempty"`
	Place       int       `json:"place,omitempty"`
	Rotation    int       `json:"rotation,omitempty"` // degrees clockwise
	ReceivedAt  time.Time `json:"received_at"`
	// Moved is the submission that a caseworker moved it to.
	Moved    SubmissionID `json:"moved,omitempty"`
	Again    PageID       `json:"again,omitempty"` // that was asked for once more when this one was sent
	AgainWhy AgainReason  `json:"again_why,omitempty"`
}

// archiveVersion counts changes to the form of headers and manifests.
const archiveVersion = 1

// SubmissionPrefix begins the names of one submission's objects.
func SubmissionPrefix(office OfficeID, id SubmissionID) BlobName {
	return ArchivePrefix + "/" + BlobName(office) + "/" + BlobName(id)
}

// pageBlob names a new page's object. The name begins with the time, so that
// a submission without a manifest still has an order, and ends at random.
func pageBlob(office OfficeID, id SubmissionID, now time.Time, random io.Reader) (BlobName, error) {
	unique, err := NewID(now, random)
	return SubmissionPrefix(office, id) + "/page-" + BlobName(unique) + ".age", err
}

func headerBlob(office OfficeID, id SubmissionID, link LinkID) BlobName {
	return SubmissionPrefix(office, id) + "/header-" + BlobName(link) + ".age"
}

// tombstoneBlob names what stays of an erased page: proof that it is gone on
// purpose, so that neither a restore nor a reindex brings it back.
func tombstoneBlob(page BlobName) BlobName {
	folder, name := splitBlob(page)
	return folder + "/erased-" + BlobName(name)
}

func splitBlob(name BlobName) (folder BlobName, last string) {
	i := strings.LastIndexByte(string(name), '/')
	if i < 0 {
		return "", string(name)
	}
	return name[:i], string(name[i+1:])
}

// WriteHeader seals and stores the header of a claimed link, made what the
// records keep of one from the counter: only there nothing but this tells,
// until the session ends, whose papers they are. A header that is there already
// is fine: the claim was repeated.
func (a *Archive) WriteHeader(ctx context.Context, l Link, made Counter) error {
	header := Header{
		Version: archiveVersion, Office: l.Office, Submission: l.Submission, Link: l.ID, Number: l.Number,
		Language: l.Language, ClaimedAt: l.ClaimedAt.UTC(),
	}
	if l.Origin.AtCounter() {
		header.Origin, header.Staff, header.SealedName = l.Origin, made.Staff, made.SealedName
	} else {
		phone, err := a.Phones.Open(l.Phone)
		if err != nil {
			return err
		}
		header.Phone = phone.E164()
	}
	return a.writeOnce(ctx, l.Office, headerBlob(l.Office, l.Submission, l.ID), header)
}

// WriteTextHeader is WriteHeader for a submission that texted pictures begin.
func (a *Archive) WriteTextHeader(ctx context.Context, t TextWork, s Submission) error {
	phone, err := a.Phones.Open(t.Phone)
	if err != nil {
		return err
	}
	return a.writeOnce(ctx, t.Office, headerBlob(t.Office, s.ID, LinkID(t.ID)), Header{
		Version: archiveVersion, Office: t.Office, Submission: s.ID, Number: t.Number,
		Phone: phone.E164(), Language: s.Language, ClaimedAt: t.ReceivedAt.UTC(),
	})
}

// writeOnce is write where whatever lies under the name is fine. It looks first:
// whoever taps a link a thousand times makes the disk write once.
func (a *Archive) writeOnce(ctx context.Context, office OfficeID, name BlobName, content any) error {
	if there, err := a.Vault.Open(ctx, name); err == nil {
		return there.Close()
	}
	err := a.write(ctx, office, name, content)
	if Is(err, CodeBlobExists) {
		return nil
	}
	return err
}

// WriteManifest seals and stores what a submission holds. A later manifest of
// the same submission counts over an earlier one.
func (a *Archive) WriteManifest(ctx context.Context, s Submission, pages []Page) error {
	m := Manifest{
		Version: archiveVersion, Submission: s.ID, FinishedAt: s.FinishedAt.UTC(), Unfinished: s.Unfinished,
		SealedName: s.SealedName, Staff: s.Staff, SealedCase: s.SealedCase, Remarks: s.Remarks, MergedInto: s.MergedInto, Pages: make([]ManifestPage, 0, len(pages)),
	}
	if !s.CaseIndex.IsZero() {
		m.CaseIndex = s.CaseIndex[:]
	}
	if s.State == SubmissionHandled {
		m.Done = &ManifestDone{At: s.HandledAt.UTC(), By: s.HandledBy, As: s.HandledAs, Note: s.HandledNote}
	}
	m.Stage, m.Assigned = s.Stage, s.Assigned
	for _, l := range s.Lacks {
		m.Lacks = append(m.Lacks, ManifestLack{Ask: l.Ask, Reason: l.Reason, At: l.At.UTC()})
	}
	for _, p := range pages {
		moved := p.Submission
		if moved == s.ID {
			moved = ""
		}
		m.Pages = append(m.Pages, ManifestPage{
			Moved: moved, ID: p.ID, Key: p.Key, Link: p.Link, Blob: p.Blob, SHA256: hex.EncodeToString(p.Digest[:]),
			Same: hex.EncodeToString(p.Same[:]), SealedBytes: p.SealedBytes, PlainBytes: p.PlainBytes,
			Sealing: p.Sealing, Label: p.Label, Place: p.Place, Rotation: p.Rotation, ReceivedAt: p.ReceivedAt.UTC(),
			Again: p.Again, AgainWhy: p.AgainWhy,
		})
	}
	// Two within a millisecond are both written: what a caseworker did may
	// stand in the later alone.
	for at := a.Now().UnixMilli(); ; at++ {
		err := a.write(ctx, s.Office, BlobName(fmt.Sprintf("%s/manifest-%013d.age", SubmissionPrefix(s.Office, s.ID), at)), m)
		if !Is(err, CodeBlobExists) {
			return err
		}
	}
}

func (a *Archive) write(ctx context.Context, office OfficeID, name BlobName, content any) error {
	plain, err := json.Marshal(content)
	if err != nil {
		return err
	}
	sealed, err := sealBytes(a.Sealer, office, plain)
	if err != nil {
		return err
	}
	w, err := a.Vault.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(sealed); err != nil {
		return err
	}
	return w.Commit()
}

// ErasePage leaves the tombstone, then removes the page's object. Both may be
// done again after a crash between them.
func (a *Archive) ErasePage(ctx context.Context, page BlobName) error {
	if err := a.Vault.Replace(ctx, tombstoneBlob(page), []byte(a.Now().UTC().Format(time.RFC3339)+"\n")); err != nil {
		return fmt.Errorf("write tombstone: %w", err)
	}
	return a.Vault.Remove(ctx, page)
}
