package gateway

import (
	"context"
	"log/slog"
	"time"
)

// Remove takes a page back while the session lives. The row goes first: a
// crash before the object is gone leaves a removed page that the sweep erases.
func (u *Uploads) Remove(ctx context.Context, s Session, key PageKey) error {
	now := u.Now()
	if code, over := sessionOver(s, now); over {
		return NewError(code, nil)
	}
	page, err := u.findRemoved(ctx, s, key, now)
	if err == nil && (page.ID == "" || !s.own(page)) {
		// Told apart from a session that is not found: there the page may well be.
		err = NewError(CodePageUnknown, nil)
	}
	if err != nil {
		return err
	}
	page, err = u.Records.RemovePage(ctx, s.Link.ID, s.Submission.ID, key, u.act(now), AuditEntry{
		At: now, Actor: ActorClient, Action: ActionPageRemoved, Object: "page:" + string(page.ID),
		Office: s.Submission.Office, Outcome: OutcomeDone,
	})
	if err != nil {
		return err
	}
	if err := u.Archive.ErasePage(ctx, page.Blob); err != nil {
		u.Log.WarnContext(ctx, "page removed, its object is left to the sweep", slog.String("page", string(page.ID)))
	}
	return nil
}

// findRemoved gives the page that is to be removed, or none: it may still be on
// its way, however slowly, and is refused when it comes.
func (u *Uploads) findRemoved(ctx context.Context, s Session, key PageKey, now time.Time) (Page, error) {
	page, err := u.Records.FindPage(ctx, s.Submission.ID, key)
	if !Is(err, CodeNotFound) {
		return page, err
	}
	there, err := u.Records.RefusePage(ctx, s.Link.ID, s.Submission.ID, key, u.act(now))
	if err != nil || !there {
		return Page{}, err
	}
	return u.Records.FindPage(ctx, s.Submission.ID, key)
}

// Finish ends the session at the client's word. The manifest follows within
// minutes, written by the worker. Finishing again is fine.
func (u *Uploads) Finish(ctx context.Context, s Session, name Name) (Submission, error) {
	now := u.Now()
	if s.Submission.State == SubmissionOpen && s.Link.StateAt(now) == LinkExpired {
		return Submission{}, NewError(CodeLinkExpired, nil)
	}
	sealed, err := name.seal(u.Sealer, s.Submission.Office)
	if err != nil {
		return Submission{}, err
	}
	receipt, err := newSending(u.Random, now, OccasionReceipt, s.Link)
	if err != nil {
		return Submission{}, err
	}
	receipt.Link, receipt.Submission = "", s.Submission.ID
	finish := Finish{SealedName: sealed, Receipt: receipt, Jobs: []Job{sendJob(receipt.ID, now)}, At: now}
	done, err := u.Records.FinishSubmission(ctx, s.Link.ID, s.Submission.ID, finish, AuditEntry{
		At: now, Actor: ActorClient, Action: ActionSubmissionDone, Object: "submission:" + string(s.Submission.ID),
		Office: s.Submission.Office, Outcome: OutcomeDone,
	})
	if err != nil {
		return Submission{}, err
	}
	// SQL has decided; that Redis is told spares the next tap a look there.
	_ = u.Links.Close(ctx, s.Link.Hash)
	return done, nil
}
