package gateway

import "context"

// Again texts a new link to the phone that got this one: the link is used,
// expired, replaced or open in another browser. Whoever holds the old link
// learns nothing by it; the new one goes to the phone alone.
func (f *Sendings) Again(ctx context.Context, l Link) error {
	now := f.Now()
	if l.StateAt(now) == LinkIssued {
		return NewError(CodeBadRequest, nil) // it works: open it
	}
	ttl := f.Directory.Numbers[l.Number].LinkTTL
	if l.Origin == OriginRequest {
		ttl = f.Limits.RequestTTL
	}
	fresh, err := newLink(f.Mint, f.Random, Link{
		Office: l.Office, Number: l.Number, Sender: l.Sender, Phone: l.Phone, Submission: l.Submission, Language: l.Language,
		Origin: l.Origin, IssuedAt: now, ExpiresAt: now.Add(ttl),
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
