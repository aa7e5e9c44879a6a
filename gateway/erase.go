package gateway

import (
	"context"
	"errors"
	"slices"
)

// erase removes what a text holds at Twilio, now that what is kept of it is
// durable. One piece that fails is in no other's way. Each erasure leaves its
// proof in the audit trail. A crash between an erasure and its proof is met by
// the next try, to which Twilio answers 404.
func (c *Channel) erase(ctx context.Context, t TextWork) error {
	var proofs []AuditEntry
	again, err := c.eraseMedia(ctx, t, &proofs)
	if again {
		return c.Records.CollectAgain(ctx, t, c.Now())
	}
	err = errors.Join(c.eraseWords(ctx, t, &proofs), err)
	noting := context.WithoutCancel(ctx) // what is erased is proven, whoever stops meanwhile
	if err == nil {
		return c.Records.FinishText(noting, t, c.Now(), proofs...)
	}
	if len(proofs) == 0 {
		return err
	}
	return errors.Join(err, c.Records.Append(noting, proofs...))
}

// errNotListed is put off until what the webhook announced is there.
var errNotListed = NewError(CodeNotFound, errors.New("not all pictures are listed yet"))

// eraseMedia gives again when there is a picture that was not looked at yet:
// the text is to be collected once more before anything is erased.
func (c *Channel) eraseMedia(ctx context.Context, t TextWork, proofs *[]AuditEntry) (again bool, err error) {
	if t.Media == MediaNone {
		return false, nil
	}
	list, err := c.Twilio.Media(ctx, t.AccountSID, t.MessageSID)
	if err != nil && (!Is(err, CodeNotFound) || !c.gone(t)) {
		return false, err
	}
	decided, err := c.Records.TextPictures(ctx, t.ID)
	if err != nil {
		return false, err
	}
	sids := make([]string, 0, len(list))
	collected := t.Media != MediaNotKept || t.Refused > 0
	for _, m := range list {
		if collected && !slices.Contains(decided, m.SID) {
			return true, nil
		}
		sids = append(sids, m.SID)
	}
	var failed error
	if c.Now().Sub(t.ReceivedAt) < bodyPatience { // an early list may lack some
		for _, sid := range decided {
			if !slices.Contains(sids, sid) {
				sids = append(sids, sid)
			}
		}
		if len(sids) < t.MediaCount {
			failed = errNotListed
		}
	}
	for _, sid := range sids {
		gone, err := c.Twilio.EraseMedia(ctx, t.AccountSID, t.MessageSID, sid)
		if err != nil {
			failed = err // the last of them stands for all
			continue
		}
		*proofs = append(*proofs, c.erased("media:"+sid, t.Office, gone))
	}
	return false, failed
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
