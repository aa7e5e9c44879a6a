package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Uploads is the flow of pages into a claimed submission.
type Uploads struct {
	Directory Directory
	Limits    Limits
	Records   SubmissionRecords
	Links     LinkStore
	Vault     Vault
	Sealer    Sealer
	Archive   *Archive
	Words     WordsBook
	SameKey   []byte // LinkKey.Subkey(SubkeyPages)
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
}

// SealedPage is a page that the browser sealed.
type SealedPage struct {
	Key    PageKey
	Label  string
	Digest Digest // what the browser says it sent
	Length int64  // likewise; -1 if it did not say
	Body   io.Reader
}

// PlainPage is a page as a form sends it; it is sealed while it streams.
type PlainPage struct {
	Key   PageKey
	Label string
	Body  io.Reader
}

// Session finds the submission that this browser may fill. It may be over:
// ask its link's StateAt. A stranger's is CodeNotFound.
func (u *Uploads) Session(ctx context.Context, id SubmissionID, b Browser) (Session, Office, error) {
	s, err := u.Records.Session(ctx, id, b.Hash())
	if err != nil {
		return Session{}, Office{}, err
	}
	s.Wish = openWish(u.Words, s.Submission.Office, s.Wish)
	return s, u.Directory.Offices[s.Submission.Office], nil
}

// begin checks, before the first byte is read, all that is known by then, and
// finds the page if it was sent before.
func (u *Uploads) begin(ctx context.Context, s Session, key PageKey) (Page, error) {
	if !key.Valid() {
		return Page{}, NewError(CodeBadRequest, errors.New("page key"))
	}
	earlier, err := u.Records.FindPage(ctx, s.Submission.ID, key)
	switch {
	case err == nil && !earlier.RemovedAt.IsZero():
		return Page{}, NewError(CodePageRemoved, nil)
	case err == nil:
		return earlier, nil
	case !Is(err, CodeNotFound):
		return Page{}, err
	}
	if code, over := sessionOver(s, u.Now()); over {
		return Page{}, NewError(code, nil)
	}
	pages := s.Submission.Pages
	if s.Wish.Page != "" { // a full submission takes the page that is asked for once more
		pages = len(s.Pages)
	}
	switch {
	case pages >= u.Limits.LinkPages:
		return Page{}, NewError(CodeTooManyPages, nil)
	case s.Submission.Bytes >= u.Limits.LinkBytes:
		return Page{}, NewError(CodeLinkFull, nil)
	}
	return Page{}, nil
}

func sessionOver(s Session, now time.Time) (Code, bool) {
	switch {
	case s.Submission.State != SubmissionOpen || s.Link.State != LinkClaimed:
		return CodeLinkClosed, true
	case s.Link.StateAt(now) == LinkExpired:
		return CodeLinkExpired, true
	}
	return "", false
}

// AcceptSealed stores what the browser sealed. What is inside cannot be seen
// here: the digest, the length and the header of the sealing are checked, and
// the desk looks at the rest when it opens the page.
func (u *Uploads) AcceptSealed(ctx context.Context, s Session, in SealedPage) (Page, error) {
	earlier, err := u.begin(ctx, s, in.Key)
	if err != nil {
		return Page{}, err
	}
	if earlier.ID != "" {
		if earlier.Same != in.Digest {
			return Page{}, NewError(CodePageConflict, nil)
		}
		return earlier, nil
	}
	most := sealedMost(u.Limits.PageBytes)
	if in.Length > most {
		return Page{}, NewError(CodePageTooBig, nil)
	}
	return u.store(ctx, s, in.Key, in.Label, SealedByBrowser, func(w io.Writer) (int64, *Digest, error) {
		header, sealed, err := u.copySealed(w, s.Submission.Office, in.Body, most)
		if err != nil {
			return 0, nil, err
		}
		if in.Length >= 0 && sealed != in.Length {
			return 0, nil, NewError(CodePageDigest, errors.New("length"))
		}
		plain, err := u.Sealer.PlainSize(header, sealed)
		return plain, &in.Digest, err
	})
}

// sealedMost bounds the sealed length of a page: age adds a header, a nonce
// and 16 bytes to each 64 KiB.
func sealedMost(plain int64) int64 { return plain + plain/4096 + SealHeaderMax + 64 }

// copySealed checks the header of the sealing before anything else is written.
func (u *Uploads) copySealed(w io.Writer, office OfficeID, body io.Reader, most int64) (header, sealed int64, err error) {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	n, err := readPiece(body, (*piece)[:SealHeaderMax])
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	if n == 0 {
		return 0, 0, NewError(CodePageEmpty, nil)
	}
	if header, err = u.Sealer.Check(office, (*piece)[:n]); err != nil {
		return 0, 0, err
	}
	if _, err := w.Write((*piece)[:n]); err != nil {
		return 0, 0, err
	}
	rest, err := copyPieces(w, body, *piece, most-int64(n))
	return header, int64(n) + rest, err
}

// AcceptPlain seals what a form sends while it streams: no plain byte comes
// to rest. Metadata of JPEG, PNG and WebP pictures is dropped on the way.
// An office may refuse what the phone did not seal.
func (u *Uploads) AcceptPlain(ctx context.Context, s Session, in PlainPage) (Page, error) {
	if u.Directory.Offices[s.Submission.Office].BrowserOnly {
		return Page{}, NewError(CodePlainRefused, nil)
	}
	earlier, err := u.begin(ctx, s, in.Key)
	if err != nil {
		return Page{}, err
	}
	if earlier.ID != "" {
		// A reload sent the form again. Whether it is the same page is seen
		// from a keyed hash of its plain bytes, which the body must be read for.
		same, err := u.hashPlain(s, in.Body)
		if err != nil {
			return Page{}, err
		}
		if earlier.Same != same {
			return Page{}, NewError(CodePageConflict, nil)
		}
		return earlier, nil
	}
	var same Digest
	page, err := u.store(ctx, s, in.Key, in.Label, SealedByServer, func(w io.Writer) (int64, *Digest, error) {
		sealing, err := u.Sealer.Seal(s.Submission.Office, w)
		if err != nil {
			return 0, nil, err
		}
		plain, digest, err := u.copyPlain(sealing, s, in.Body)
		if err != nil {
			return 0, nil, err
		}
		same = digest
		return plain, nil, sealing.Close()
	}, func(p *Page) { p.Same = same })
	return page, err
}

func (u *Uploads) hashPlain(s Session, body io.Reader) (Digest, error) {
	_, same, err := u.copyPlain(io.Discard, s, body)
	return same, err
}

func (u *Uploads) copyPlain(w io.Writer, s Session, body io.Reader) (int64, Digest, error) {
	_, clean, err := CleanPage(body, u.Limits.PagePixels)
	if err != nil {
		return 0, Digest{}, err
	}
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	same := hmac.New(sha256.New, u.SameKey)
	same.Write([]byte(s.Submission.ID))
	n, err := copyPieces(io.MultiWriter(w, same), clean, *piece, u.Limits.PageBytes)
	if err == nil && n == 0 {
		err = NewError(CodePageEmpty, nil)
	}
	return n, Digest(same.Sum(nil)), err
}

// store writes the blob, then the page's row. The order is what keeps an
// acknowledged page from being lost: a crash before the row leaves a blob
// that was never acknowledged, and the sweep takes it.
func (u *Uploads) store(ctx context.Context, s Session, key PageKey, label string, by Sealing,
	fill func(io.Writer) (plain int64, want *Digest, err error), finish ...func(*Page),
) (Page, error) {
	now := u.Now()
	blob, err := pageBlob(s.Submission.Office, s.Submission.ID, now, u.Random)
	if err != nil {
		return Page{}, err
	}
	w, err := u.Vault.Create(ctx, blob)
	if err != nil {
		return Page{}, err
	}
	defer w.Abort()
	sum := &digestWriter{to: w, hash: sha256.New()}
	plain, want, err := fill(sum)
	if err != nil {
		return Page{}, err
	}
	digest := sum.digest()
	switch {
	case want != nil && *want != digest:
		return Page{}, NewError(CodePageDigest, nil)
	case plain > u.Limits.PageBytes:
		return Page{}, NewError(CodePageTooBig, nil)
	}
	if err := w.Commit(); err != nil {
		return Page{}, err
	}
	return u.record(ctx, s, blob, Page{
		Key: key, Label: label, Sealing: by, Digest: digest, Same: digest, SealedBytes: sum.bytes, PlainBytes: plain,
	}, finish)
}

// recordPatience is how long a page that arrived whole waits for its record
// where records are slow, even if the line is cut meanwhile: whoever is told to
// send it again may have no signal left for that.
const recordPatience = 15 * time.Second

func (u *Uploads) record(ctx context.Context, s Session, blob BlobName, p Page, finish []func(*Page)) (Page, error) {
	now := u.Now()
	id, err := NewID(now, u.Random)
	if err != nil {
		return Page{}, err
	}
	p.ID, p.Submission, p.Office, p.Link = PageID(id), s.Submission.ID, s.Submission.Office, s.Link.ID
	p.Blob, p.ReceivedAt = blob, now
	p.Again, p.AgainWhy = s.Wish.Page, s.Wish.Reason
	if !u.Directory.Offices[p.Office].Asked(p.Label) {
		p.Label = "" // the office asks for other things by now; the page counts all the same
	}
	for _, set := range finish {
		set(&p)
	}
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	saved, stored, err := u.Records.SavePage(saving, p, u.Limits, AuditEntry{
		At: now, Actor: ActorClient, Action: ActionPageReceived, Object: "page:" + id, Office: p.Office, Outcome: OutcomeDone,
	})
	var refused *Error
	if errors.As(err, &refused) || err == nil && !stored {
		// Nobody will ever ask for this blob. When the records are out of
		// reach it stays: its row may have been written all the same.
		_ = u.Vault.Remove(context.WithoutCancel(ctx), blob)
	}
	return saved, err
}
