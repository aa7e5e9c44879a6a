package gateway

import (
	"context"
	"time"
)

// JobTellPhotos tells a client what became of the pictures that they texted;
// its subject is a submission.
const JobTellPhotos JobKind = "tell-photos"

const (
	// tellPause lets the pictures of one burst share one text.
	tellPause = time.Minute
	// tellPatience is how long pictures that are late keep the others' word back.
	tellPatience = 10 * time.Minute
)

func tellPhotos(id SubmissionID, now time.Time) Job {
	return Job{Kind: JobTellPhotos, Subject: string(id), RunAt: now.Add(tellPause), Unique: true}
}

// TellPhotos queues the text that says what became of texted pictures: saved
// once they are durable, and where to send those that could not be kept.
func (f *Sendings) TellPhotos(ctx context.Context, id SubmissionID) error {
	t, err := f.Records.PhotosToTell(ctx, id)
	if err != nil {
		return err
	}
	now := f.Now()
	if t.Waiting > 0 && now.Sub(t.Submission.OpenedAt) < tellPatience {
		return Later(tellPause / 2)
	}
	if t.Kept+t.Refused == 0 {
		return nil
	}
	occasion := OccasionPhotosSaved
	switch {
	case t.Kept == 0:
		occasion = OccasionPhotoNotKept
	case t.Refused > 0:
		occasion = OccasionPhotosPartly
	}
	link, fresh, err := f.linkFor(t, occasion, now)
	if err != nil {
		return err
	}
	s, err := newSending(f.Random, now, occasion, link)
	if err != nil {
		return err
	}
	if occasion == OccasionPhotosSaved {
		s.Link = ""
	}
	s.Submission, s.Count = id, t.Kept
	var audit []AuditEntry
	if fresh != nil {
		audit = append(audit, AuditEntry{
			At: now, Actor: ActorRole("worker"), Action: ActionLinkIssued, Object: "link:" + string(fresh.ID),
			Office: fresh.Office, Outcome: OutcomeDone, Reason: string(occasion),
		})
	}
	err = f.Records.TellPhotos(ctx, t.Texts, s, fresh, []Job{sendJob(s.ID, now)}, audit...)
	if Is(err, CodeSendTwice) {
		return Later(0) // another job told of some: look which are left
	}
	if err == nil && fresh != nil {
		_ = f.Links.Put(ctx, fresh.Entry(f.Limits.LinkKnown)) // a link that Redis does not know is found in SQL
	}
	return err
}

// linkFor gives the link that the text carries: the sender's newest if it may
// still be opened, else a fresh one.
func (f *Sendings) linkFor(t PhotosToTell, o Occasion, now time.Time) (Link, *Link, error) {
	s := t.Submission
	newest := t.Link
	if newest.ID == "" { // nothing was ever answered to this sender
		newest = Link{Office: s.Office, Number: s.Number, Sender: s.Sender, Phone: s.Phone, Submission: s.ID, Language: s.Language}
	}
	if newest.Language == "" {
		newest.Language = f.Directory.Offices[s.Office].Languages[0]
	}
	if !o.carriesLink() || newest.ID != "" && newest.StateAt(now) == LinkIssued {
		return newest, nil, nil
	}
	fresh, err := newLink(f.Mint, f.Random, Link{
		Office: s.Office, Number: newest.Number, Sender: s.Sender, Phone: s.Phone, Submission: s.ID, Language: newest.Language,
		Origin: OriginText, IssuedAt: now, ExpiresAt: now.Add(f.Directory.Numbers[newest.Number].LinkTTL),
	})
	return fresh, &fresh, err
}
