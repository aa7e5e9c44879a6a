package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

// PhotosToTell gives what the client was not told of texted pictures; see the port.
func (s *Store) PhotosToTell(ctx context.Context, id gateway.SubmissionID) (gateway.PhotosToTell, error) {
	return snapshot(ctx, s, "list texted pictures", func(v view) (t gateway.PhotosToTell, err error) {
		if t.Submission, err = only(submissionByID(v, id)); err != nil {
			return t, err
		}
		// Nobody was answered about a text that was missed: it stays at that.
		texts, err := all(v, scanTold, `SELECT id, step, media, media_count, kept, refused, received_at FROM texts
			WHERE submission = $1 AND media_count > 0 AND told_at = 0 AND reason <> 'missed'`, string(id))
		if err != nil {
			return t, err
		}
		for _, text := range texts {
			text.add(&t)
		}
		newest, found, err := first(v, scanText[gateway.LinkID], "SELECT link FROM senders WHERE office = $1 AND sender = $2",
			string(t.Submission.Office), t.Submission.Sender[:])
		if err != nil || !found || newest == "" {
			return t, err
		}
		t.Link, _, err = linkByID(v, newest)
		return t, err
	})
}

type toldText struct {
	id            gateway.TextID
	step          gateway.Step
	media         gateway.MediaState
	announced     int
	kept, refused int
	receivedAt    time.Time
}

func scanTold(r scanner) (t toldText, err error) {
	err = r.Scan((*string)(&t.id), (*string)(&t.step), (*string)(&t.media), &t.announced, &t.kept, &t.refused, at(&t.receivedAt))
	return t, err
}

// add counts a text's pictures. Those that a text that was given up still
// lacks were not kept.
func (text toldText) add(t *gateway.PhotosToTell) {
	switch {
	case text.media == gateway.MediaPending && text.step == gateway.StepDead:
		text.refused = max(1, text.announced-text.kept)
	case text.media == gateway.MediaPending:
		if t.Waiting == 0 || text.receivedAt.Before(t.Since) {
			t.Since = text.receivedAt
		}
		t.Waiting++
		return
	case text.kept+text.refused == 0:
		return // discarded: the answer said so at once
	}
	t.Texts = append(t.Texts, text.id)
	t.Kept += text.kept
	t.Refused += text.refused
}

// TellPhotos stores the sending that tells of texted pictures; see the port.
func (s *Store) TellPhotos(ctx context.Context, texts []gateway.TextID, out gateway.Sending, l gateway.Limits, jobs []gateway.Job, silent gateway.AuditEntry) error {
	_, err := write(ctx, s, "tell of pictures", "", func(x *tx) (struct{}, error) {
		standing, err := x.lockSender(out.Office, out.Sender)
		if err != nil {
			return struct{}{}, err
		}
		for _, id := range texts {
			n, err := x.exec("UPDATE texts SET told_at = $2 WHERE id = $1 AND told_at = 0", string(id), ms(out.CreatedAt))
			if err == nil && n == 0 {
				err = refuse(gateway.CodeSendTwice)
			}
			if err != nil {
				return struct{}{}, err
			}
		}
		if standing.OptedOut() {
			return struct{}{}, nil // told in silence
		}
		counted, ok := standing.Count(l, out.CreatedAt)
		if !ok {
			dropped := out
			dropped.State = gateway.DeliveryDropped
			return struct{}{}, x.queueSending(dropped, nil, []gateway.AuditEntry{silent})
		}
		if err := x.updateSender(out.Office, out.Sender, counted); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.queueSending(out, jobs, nil)
	})
	return err
}
