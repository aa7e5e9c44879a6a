package gateway

import (
	"context"
	"errors"
	"slices"
)

// erase removes what a text holds at Twilio, now that what is kept of it is
// durable. Each erasure leaves its proof in the audit trail. A crash between
// an erasure and its proof is met by the next try, to which Twilio answers 404.
func (c *Channel) erase(ctx context.Context, t TextWork) error {
	var proofs []AuditEntry
	gone, err := c.eraseMedia(ctx, t, &proofs)
	if err == nil && gone {
		err = c.eraseWords(ctx, t, &proofs)
	}
	switch {
	case err != nil && len(proofs) > 0:
		return errors.Join(err, c.Records.Append(context.WithoutCancel(ctx), proofs...))
	case err != nil || !gone:
		return err
	}
	return c.Records.FinishText(ctx, t.ID, c.Now(), proofs...)
}

// eraseMedia gives false when there is a picture that was not looked at yet:
// the text is collected once more instead.
func (c *Channel) eraseMedia(ctx context.Context, t TextWork, proofs *[]AuditEntry) (bool, error) {
	if t.Media == MediaNone {
		return true, nil
	}
	list, err := c.media(ctx, t)
	if err != nil {
		return false, err
	}
	kept, err := c.Records.TextPages(ctx, t.ID)
	if err != nil {
		return false, err
	}
	sids := make([]string, 0, len(list))
	unseen := -t.Refused
	for _, m := range list {
		sids = append(sids, m.SID)
		if !slices.Contains(kept, PageKey(m.SID)) {
			unseen++
		}
	}
	if collected := t.Media != MediaNotKept || t.Refused > 0; collected && unseen > 0 {
		return false, c.Records.CollectAgain(ctx, t.ID, c.Now())
	}
	for _, key := range kept { // also what an early list lacks
		if !slices.Contains(sids, string(key)) {
			sids = append(sids, string(key))
		}
	}
	for _, sid := range sids {
		gone, err := c.Twilio.EraseMedia(ctx, t.AccountSID, t.MessageSID, sid)
		if err != nil {
			return false, err
		}
		*proofs = append(*proofs, c.erased("media:"+sid, t.Office, gone))
	}
	return true, nil
}

// eraseWords redacts the message. Just after the webhook Twilio may not know
// it yet: an early 404 proves nothing.
func (c *Channel) eraseWords(ctx context.Context, t TextWork, proofs *[]AuditEntry) error {
	if t.Words == WordsNone {
		return nil
	}
	gone, err := c.Twilio.EraseBody(ctx, t.AccountSID, t.MessageSID)
	if err != nil {
		return err
	}
	if gone.Answer == "404" && c.Now().Sub(t.ReceivedAt) < bodyPatience {
		return NewError(CodeNotFound, errors.New("the message is not known yet"))
	}
	*proofs = append(*proofs, c.erased("message:"+t.MessageSID, t.Office, gone))
	return nil
}
