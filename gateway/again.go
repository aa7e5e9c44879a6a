package gateway

import (
	"context"
	"errors"
)

// Again texts a new link to the phone that got this one: the link is used,
// expired, replaced or open in another browser. The new one goes to the phone
// alone. Whoever holds the old link learns no more by it than whether the phone
// texted STOP: its owner must hear of START, or they wait for a text that
// never comes.
func (f *Sendings) Again(ctx context.Context, l Link) error {
	now := f.Now()
	rule, ok := f.Directory.Numbers[l.Number]
	switch {
	case now.Sub(l.IssuedAt) > f.Limits.LinkKnown:
		return NewError(CodeLinkUnknown, nil)
	case !l.CanceledAt.IsZero():
		return NewError(CodeLinkCanceled, nil) // perhaps it went to a stranger
	case l.StateAt(now) == LinkIssued:
		return NewError(CodeBadRequest, nil) // it works: open it
	case l.Sender.IsZero():
		return NewError(CodeAgainOften, errors.New("the link was shown at the desk, not texted"))
	case !ok:
		// The page says to call.
		return NewError(CodeAgainOften, errors.New("the number is not configured any more"))
	}
	ttl := rule.LinkTTL
	if l.Origin == OriginRequest {
		ttl = f.Limits.RequestTTL
	}
	fresh, err := newLink(f.Mint, f.Random, Link{
		Office: l.Office, Number: l.Number, Sender: l.Sender, Phone: l.Phone, Submission: l.Submission, Language: l.Language,
		Origin: l.Origin, IssuedAt: now, ExpiresAt: now.Add(ttl), Root: l.First(),
	})
	if err != nil {
		return err
	}
	s, err := newSending(f.Random, now, OccasionAgain, fresh)
	if err != nil {
		return err
	}
	entry := AuditEntry{
		At: now, Actor: ActorClient, Action: ActionLinkIssued, Object: "link:" + string(fresh.ID), Office: l.Office,
		Outcome: OutcomeDone, Reason: "again, after link:" + string(l.ID),
	}
	if err := f.Records.IssueAgain(ctx, l.ID, fresh, s, f.Limits, []Job{sendJob(s.ID, now)}, entry); err != nil {
		return err
	}
	_ = f.Links.Put(ctx, fresh.Entry(f.Limits.LinkKnown)) // a link that Redis does not know is found in SQL
	return nil
}
