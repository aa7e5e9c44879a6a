package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
)

// collect fetches what a text holds and seals it. Each piece is saved as soon
// as it is sealed, its blob before its row: a crash between them leaves a blob
// that nothing refers to, and the text, which comes due again, goes on with
// what is not decided yet. One piece that fails is in no other's way.
func (c *Channel) collect(ctx context.Context, t TextWork) error {
	var submission SubmissionID
	missing := 0
	var err error
	if t.Media == MediaPending {
		submission, missing, err = c.pictures(ctx, t)
	}
	if t.Words == WordsPending {
		err = errors.Join(err, c.words(ctx, t))
	}
	if err != nil {
		return err
	}
	var jobs []Job
	if t.Media == MediaPending {
		jobs = append(jobs, tellPhotos(submission, c.Now()))
	}
	return c.Records.FinishCollecting(ctx, t, missing, c.Now(), jobs)
}

func (c *Channel) words(ctx context.Context, t TextWork) error {
	sealed, err := c.note(ctx, t)
	if err != nil {
		return err
	}
	return c.Records.SaveNote(ctx, t.ID, sealed)
}

// note fetches the words of a text and seals them.
func (c *Channel) note(ctx context.Context, t TextWork) ([]byte, error) {
	m, err := c.Twilio.Message(ctx, t.AccountSID, t.MessageSID)
	if Is(err, CodeNotFound) && c.gone(t) {
		return sealBytes(c.Sealer, t.Office, []byte("[Twilio does not hold these words any more]"))
	}
	if err != nil {
		return nil, err
	}
	return sealBytes(c.Sealer, t.Office, []byte(strings.TrimSpace(m.Words)))
}

// pictures decides on a text's pictures, and gives where they belong and how
// many of them Twilio never listed. It lists them late at times: fewer than
// its webhook announced are waited for, long after those that are there.
func (c *Channel) pictures(ctx context.Context, t TextWork) (SubmissionID, int, error) {
	s, err := c.place(ctx, t)
	if err != nil {
		return s.ID, 0, err
	}
	if err := c.Archive.WriteTextHeader(ctx, t, s); err != nil {
		return s.ID, 0, err
	}
	list, err := c.Twilio.Media(ctx, t.AccountSID, t.MessageSID)
	if err != nil && (!Is(err, CodeNotFound) || !c.gone(t)) {
		return s.ID, 0, err
	}
	decided, err := c.Records.TextPictures(ctx, t.ID)
	if err != nil {
		return s.ID, 0, err
	}
	var failed error
	for _, m := range list {
		if slices.Contains(decided, m.SID) {
			continue
		}
		if ctx.Err() != nil { // what is saved counts; the next try takes on the rest
			return s.ID, 0, ctx.Err()
		}
		if err := c.picture(ctx, t, s, m); err != nil {
			failed = err // the last of them stands for all
		}
		decided = append(decided, m.SID)
	}
	missing := max(0, t.MediaCount-len(decided))
	if failed == nil && missing > 0 && !c.gone(t) {
		failed = errNotListed
	}
	return s.ID, missing, failed
}

// place chooses where a text's pictures belong.
func (c *Channel) place(ctx context.Context, t TextWork) (Submission, error) {
	now := c.Now()
	fresh, err := NewID(now, c.Random)
	if err != nil {
		return Submission{}, err
	}
	return c.Records.PlaceText(ctx, t.ID, SubmissionID(fresh), now)
}

// picture fetches, seals and saves one picture, or notes that it cannot be
// kept. What Twilio listed and then says it does not know is tried again: only
// what it does not list for long is believed to be gone.
func (c *Channel) picture(ctx context.Context, t TextWork, s Submission, m TwilioMedia) error {
	page, err := c.fetch(ctx, t, s, m)
	for try := 1; try < pictureTries && Is(err, CodeUnavailable) && ctx.Err() == nil; try++ { // a stream that broke off
		page, err = c.fetch(ctx, t, s, m)
	}
	var refused Code
	switch {
	case Is(err, CodeNotFound):
		return NewError(CodeUnavailable, err)
	case unkeepable[CodeOf(err)]:
		refused = CodeOf(err)
		page = Page{Key: PageKey(m.SID), Submission: s.ID, Office: s.Office, Text: t.ID}
	case err != nil:
		return err
	}
	stored, err := c.Records.SavePicture(ctx, page, refused, c.Limits, func(refused Code) AuditEntry {
		entry := c.entry(ActionPageReceived, "page:"+string(page.ID), page.Office, OutcomeDone, "texted")
		if refused != "" {
			entry = c.entry(ActionPageReceived, "media:"+m.SID, page.Office, OutcomeDenied, string(refused))
		}
		entry.Actor = ActorClient
		return entry
	})
	if _, sure := errors.AsType[*Error](err); page.Blob != "" && (sure || err == nil && !stored) {
		// Nobody will ever ask for this blob. When the records are out of
		// reach it stays: its row may have been written all the same.
		_ = c.Vault.Remove(context.WithoutCancel(ctx), page.Blob)
	}
	return err
}

// unkeepable are the faults of a file that no second try mends. An error
// without a code is CodeUnavailable and not among them.
var unkeepable = map[Code]bool{
	CodePageType: true, CodePageEmpty: true, CodePageDamaged: true, CodePagePixels: true, CodePageTooBig: true,
}

// gone tells whether what Twilio says it does not know may be believed: long
// after the webhook, and after many tries of which the last one heard the same.
// A single such answer proves nothing, however late it comes.
func (c *Channel) gone(t TextWork) bool {
	return t.Tries >= goneTries && t.Fault == CodeNotFound && c.Now().Sub(t.ReceivedAt) > mediaPatience
}

// fetch streams one picture through the cleaning and the sealing into the
// vault: no plain byte comes to rest.
func (c *Channel) fetch(ctx context.Context, t TextWork, s Submission, m TwilioMedia) (_ Page, err error) {
	body, err := c.Twilio.OpenMedia(ctx, t.AccountSID, t.MessageSID, m)
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = body.Close() }()
	now := c.Now()
	blob, err := pageBlob(s.Office, s.ID, now, c.Random)
	if err != nil {
		return Page{}, err
	}
	w, err := c.Vault.Create(ctx, blob)
	if err != nil {
		return Page{}, err
	}
	defer w.Abort()
	sum := &digestWriter{to: w, hash: sha256.New()}
	sealing, err := c.Sealer.Seal(s.Office, sum)
	if err != nil {
		return Page{}, err
	}
	plain, same, err := c.seal(sealing, s.ID, body)
	if err != nil {
		return Page{}, err
	}
	if err := sealing.Close(); err != nil {
		return Page{}, err
	}
	if err := w.Commit(); err != nil {
		return Page{}, err
	}
	id, err := NewID(now, c.Random)
	return Page{
		ID: PageID(id), Key: PageKey(m.SID), Submission: s.ID, Office: s.Office, Text: t.ID, Blob: blob,
		Digest: sum.digest(), Same: same, SealedBytes: sum.bytes, PlainBytes: plain, Sealing: SealedByServer, ReceivedAt: now,
	}, err
}

func (c *Channel) seal(w io.Writer, id SubmissionID, body io.Reader) (int64, Digest, error) {
	_, clean, err := CleanPage(body, c.Limits.PagePixels)
	if err != nil {
		return 0, Digest{}, err
	}
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	same := hmac.New(sha256.New, c.SameKey)
	same.Write([]byte(id))
	n, err := copyPieces(io.MultiWriter(w, same), clean, *piece, c.Limits.PageBytes)
	if err == nil && n == 0 {
		err = NewError(CodePageEmpty, nil)
	}
	return n, Digest(same.Sum(nil)), err
}
