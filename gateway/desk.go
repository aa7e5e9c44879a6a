package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"
)

// Desk is the flow of a caseworker who looks at what arrived. Each call asks
// for permission, then writes its audit row, then acts: an audit that cannot
// be written refuses the act.
type Desk struct {
	Directory Directory
	Limits    Limits
	Records   DeskRecords
	Audit     AuditTrail
	Vault     Vault
	Opener    Opener
	Scanner   Scanner // nil if nothing is scanned
	Phones    PhoneBook
	Opened    *Opened
	Shrinker  Shrinker
	// Emergencies tells whether access in an emergency still runs while a page
	// is read; nil where nobody has any.
	Emergencies EmergencyRecords
	Now         func() time.Time
}

// Actor is the person at the desk, or the operator at the command line.
type Actor struct {
	Staff   Staff     // of the operator, the roles alone
	From    string    // network address
	Role    string    // of a process that acts by itself; else empty
	Session SessionID // of a person at the desk
}

// own names the person's own account as the object of an act.
func (a Actor) own() string { return "staff:" + string(a.Staff.ID) }

func (a Actor) entry(now time.Time, action Action, object string, office OfficeID) AuditEntry {
	actor := ActorOperator
	if a.Staff.ID != "" {
		actor = ActorStaff(a.Staff.ID)
	} else if a.Role != "" {
		actor = ActorRole(a.Role)
	}
	return AuditEntry{
		At: now, Actor: actor, Action: action, Object: object, Office: office, From: a.From, Outcome: OutcomeDone,
	}
}

// SubmissionView is one submission with its pages.
type SubmissionView struct {
	InboxRow
	Pages    []Page // in the client's order
	Notes    []NoteView
	Sendings []Sending // texts that Dropslot sent by itself
	OptedOut time.Time // the client texted STOP; zero if not
	Again    Again
}

// NoteView is what a client wrote.
type NoteView struct {
	At    time.Time
	Words string // empty if they cannot be opened
}

// openBytes opens a small thing whole.
func openBytes(o Opener, office OfficeID, sealed []byte) ([]byte, error) {
	plain, size, err := o.Open(office, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(plain, 0, size))
}

// Submission gives one with its pages.
func (d *Desk) Submission(ctx context.Context, who Actor, id SubmissionID) (SubmissionView, error) {
	object := "submission:" + string(id)
	s, pages, err := d.Records.Submission(ctx, who.Staff.OfficesWith(RightPapers), id)
	if err != nil {
		return SubmissionView{}, d.denied(ctx, who, ActionSubmissionViewed, object, err)
	}
	if err := d.Audit.Append(ctx, who.look(d.Now(), ActionSubmissionViewed, object, s.Office)); err != nil {
		return SubmissionView{}, err
	}
	said, err := d.Records.Correspondence(ctx, s)
	if err != nil {
		return SubmissionView{}, err
	}
	view := SubmissionView{InboxRow: d.row(s), Pages: pages, Sendings: said.Sendings, OptedOut: said.OptedOutAt, Again: againOf(pages)}
	for _, n := range said.Notes {
		words, err := openBytes(d.Opener, s.Office, n.Sealed)
		if err != nil {
			words = nil // a note is never in the way of the papers
		}
		view.Notes = append(view.Notes, NoteView{At: n.At, Words: string(words)})
	}
	return view, nil
}

// denied writes the audit row of something asked for in vain, and gives the
// error back. What belongs to another office looks like what does not exist.
func (d *Desk) denied(ctx context.Context, who Actor, action Action, object string, cause error) error {
	if !Is(cause, CodeNotFound) {
		return cause
	}
	entry := who.entry(d.Now(), action, object, "")
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeNotFound)
	return errors.Join(cause, d.Audit.Append(ctx, entry))
}

// Handle marks a submission done.
func (d *Desk) Handle(ctx context.Context, who Actor, id SubmissionID, as HandledAs, note string) error {
	now := d.Now()
	object := "submission:" + string(id)
	entry := who.entry(now, ActionSubmissionHandled, object, "")
	entry.Reason = string(as)
	if note != "" {
		entry.Reason += ": " + note
	}
	s, _, err := d.Records.Submission(ctx, who.Staff.OfficesWith(RightChange), id)
	if err != nil {
		return d.denied(ctx, who, ActionSubmissionHandled, object, err)
	}
	entry.Office = s.Office
	err = d.Records.HandleSubmission(ctx, who.Staff.OfficesWith(RightChange), id, who.Staff.ID, as, note, now, entry)
	if Is(err, CodeForbidden) {
		entry.Outcome, entry.Reason = OutcomeDenied, string(CodeForbidden)
		return errors.Join(err, d.Audit.Append(ctx, entry))
	}
	return err
}

// OpenedPage is a page ready to be shown. Close it.
type OpenedPage struct {
	Page      Page
	Type      string // media type, from the content
	Extension string // with a dot
	Inline    bool   // may be shown in the browser
	Content   io.ReadSeeker
	Size      int64
	blob      Blob
}

// Close ends reading.
func (p *OpenedPage) Close() error { return p.blob.Close() }

// OpenPage opens a page: permission, audit row, length and digest of the
// sealed file against the record, and only then the first byte. age tells of
// a truncation only at the end of a stream, hence the digest beforehand.
func (d *Desk) OpenPage(ctx context.Context, who Actor, id PageID, download bool) (*OpenedPage, error) {
	action, right := ActionPageViewed, RightPapers
	if download {
		action, right = ActionPageDownloaded, RightDownload
	}
	object := "page:" + string(id)
	page, err := d.Records.Page(ctx, who.Staff.OfficesWith(right), id)
	if err != nil {
		return nil, d.denied(ctx, who, action, object, err)
	}
	entry := who.look(d.Now(), action, object, page.Office)
	if download {
		if err := d.mayDownload(ctx, who, entry); err != nil {
			return nil, err
		}
	}
	if err := d.Audit.Append(ctx, entry); err != nil {
		return nil, err
	}
	opened, err := d.openStored(ctx, page)
	if err != nil {
		return nil, err
	}
	if !download && !opened.Inline { // no browser shows it: what leaves is a file
		if err := opened.Close(); err != nil {
			return nil, err
		}
		return d.OpenPage(ctx, who, id, true)
	}
	if err := d.scan(ctx, who, opened); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	if !download {
		d.endWithEmergency(ctx, who, opened)
	}
	return opened, nil
}

// openStored opens what the vault holds of a page, once its length and digest
// are proven. Whoever shows what is inside asks for permission, writes the
// audit row and has it scanned.
func (d *Desk) openStored(ctx context.Context, page Page) (*OpenedPage, error) {
	blob, err := d.Vault.Open(ctx, page.Blob)
	if err != nil {
		return nil, err
	}
	opened, err := d.open(page, blob)
	if err != nil {
		return nil, errors.Join(err, blob.Close())
	}
	return opened, nil
}

func (d *Desk) open(page Page, blob Blob) (*OpenedPage, error) {
	if err := checkBlob(blob, page); err != nil {
		return nil, err
	}
	plain, size, err := d.Opener.Open(page.Office, blob, blob.Size())
	if err != nil {
		return nil, err
	}
	content := io.NewSectionReader(plain, 0, size)
	opened := &OpenedPage{
		Page: page, Type: "application/octet-stream", Extension: ".bin", Content: content, Size: size, blob: blob,
	}
	start := make([]byte, min(size, 4096))
	if _, err := io.ReadFull(content, start); err != nil {
		return nil, NewError(CodeBlobDamaged, err)
	}
	if kind, known := SniffType(start); known {
		opened.Type, opened.Extension = kind.Media, kind.Extension
		opened.Inline = kind.Inline && (!kind.Picture || d.pixelsFit(content))
	}
	_, err = content.Seek(0, io.SeekStart)
	return opened, err
}

// pixelsFit bounds a picture before any browser decodes it: a browser-sealed
// one was never seen by a server.
func (d *Desk) pixelsFit(content *io.SectionReader) bool {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return false
	}
	width, height, err := PictureSize(content)
	return err == nil && width > 0 && height > 0 && int64(width)*int64(height) <= d.Limits.PagePixels
}

// checkBlob compares length and digest of a sealed object with its record.
func checkBlob(blob Blob, page Page) error {
	if blob.Size() != page.SealedBytes {
		return NewError(CodeBlobDamaged, errors.New("length differs from the record"))
	}
	digest, err := digestOf(blob)
	if err != nil {
		return err
	}
	if digest != page.Digest {
		return NewError(CodeBlobDamaged, errors.New("digest differs from the record"))
	}
	return nil
}

func digestOf(blob Blob) (Digest, error) {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	sum := sha256.New()
	if _, err := copyPieces(sum, io.NewSectionReader(blob, 0, blob.Size()), *piece, blob.Size()); err != nil {
		return Digest{}, err
	}
	return Digest(sum.Sum(nil)), nil
}
