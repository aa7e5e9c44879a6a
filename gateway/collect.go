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

// collect fetches what a text holds and seals it. Blobs first, then one
// transaction: a crash before it leaves blobs that nothing refers to, and the
// text comes due again.
func (c *Channel) collect(ctx context.Context, t TextWork) error {
	got := Collected{Text: t.ID, Office: t.Office, Submission: t.Submission, Media: t.Media == MediaPending}
	var audit []AuditEntry
	var err error
	defer func() {
		if err != nil {
			c.discard(ctx, got.Pages)
		}
	}()
	if t.Words == WordsPending {
		if got.Note, err = c.note(ctx, t); err != nil {
			return err
		}
	}
	var jobs []Job
	if got.Media {
		if err = c.pictures(ctx, t, &got); err != nil {
			return err
		}
		jobs = append(jobs, tellPhotos(got.Submission, c.Now()))
		for _, p := range got.Pages {
			entry := c.entry(ActionPageReceived, "page:"+string(p.ID), p.Office, OutcomeDone, "texted")
			entry.Actor = ActorClient
			audit = append(audit, entry)
		}
	}
	got.At = c.Now()
	unused, err := c.Records.SaveCollected(ctx, got, c.Limits, jobs, audit...)
	if err != nil {
		if _, refused := errors.AsType[*Error](err); !refused {
			got.Pages = nil // the rows may have been written all the same
		}
		return err
	}
	for _, blob := range unused {
		_ = c.Vault.Remove(ctx, blob) // the sweep takes what is left
	}
	return nil
}

// discard removes blobs of a try that failed; the sweep takes what is left.
func (c *Channel) discard(ctx context.Context, pages []Page) {
	for _, p := range pages {
		_ = c.Vault.Remove(context.WithoutCancel(ctx), p.Blob)
	}
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

// pictures fetches and seals a text's pictures, each streamed. Twilio lists
// them late at times: fewer than its webhook announced are waited for.
func (c *Channel) pictures(ctx context.Context, t TextWork, got *Collected) error {
	list, err := c.media(ctx, t)
	if err != nil {
		return err
	}
	now := c.Now()
	fresh, err := NewID(now, c.Random)
	if err != nil {
		return err
	}
	submission, err := c.Records.PlaceText(ctx, t.ID, SubmissionID(fresh), now)
	if err != nil {
		return err
	}
	got.Submission = submission.ID
	if err := c.Archive.WriteTextHeader(ctx, t, submission); err != nil {
		return err
	}
	kept, err := c.Records.TextPages(ctx, t.ID)
	if err != nil {
		return err
	}
	for _, m := range list {
		if slices.Contains(kept, PageKey(m.SID)) {
			continue
		}
		page, err := c.picture(ctx, t, submission, m)
		for try := 1; try < pictureTries && Is(err, CodeUnavailable); try++ { // a stream that broke off
			page, err = c.picture(ctx, t, submission, m)
		}
		switch {
		case err == nil:
			got.Pages = append(got.Pages, page)
		case unkeepable[CodeOf(err)], Is(err, CodeNotFound) && c.gone(t):
			got.Refused++
		default:
			return err
		}
	}
	got.Refused += max(0, t.MediaCount-len(list))
	return nil
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

// media lists a text's pictures once all that were announced are there, or
// after a while those that are.
func (c *Channel) media(ctx context.Context, t TextWork) ([]TwilioMedia, error) {
	list, err := c.Twilio.Media(ctx, t.AccountSID, t.MessageSID)
	switch {
	case Is(err, CodeNotFound) && c.gone(t):
		return nil, nil
	case err == nil && len(list) < t.MediaCount && !c.gone(t):
		return nil, errNotListed
	}
	return list, err
}

// picture streams one picture through the cleaning and the sealing into the
// vault: no plain byte comes to rest.
func (c *Channel) picture(ctx context.Context, t TextWork, s Submission, m TwilioMedia) (_ Page, err error) {
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
