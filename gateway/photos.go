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
	if Is(err, CodeNotFound) {
		return GiveUp(err)
	}
	if err != nil {
		return err
	}
	now := f.Now()
	if t.Waiting > 0 && now.Sub(t.Since) < tellPatience {
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
	s, err := newSending(f.Random, now, occasion, f.addressee(t))
	if err != nil {
		return err
	}
	s.Link, s.Submission, s.Count = "", id, t.Kept // a link is chosen when it is sent
	silent := f.entry(s)
	silent.Outcome, silent.Reason = OutcomeDenied, string(occasion)+": "+string(ReasonLimit)
	err = f.Records.TellPhotos(ctx, t.Texts, s, f.Limits, []Job{sendJob(s.ID, now)}, silent)
	if Is(err, CodeSendTwice) {
		return Later(0) // another job told of some: look which are left
	}
	return err
}

// addressee is whom the text goes to, as their newest link names them.
func (f *Sendings) addressee(t PhotosToTell) Link {
	s := t.Submission
	newest := t.Link
	if newest.ID == "" { // nothing was ever answered to this sender
		newest = Link{Office: s.Office, Number: s.Number, Sender: s.Sender, Phone: s.Phone, Language: s.Language}
	}
	if newest.Language == "" {
		newest.Language = f.Directory.Offices[s.Office].Languages[0]
	}
	return newest
}

// linkLeast is the least that a link must have left to stand in a text about
// pictures: the person reads it, and takes them once more. A reminder comes at
// an hour that its reader did not choose: see leastFor.
const linkLeast = 30 * time.Minute

// leastFor gives the least that a link must have left to be chosen over a fresh
// one.
func leastFor(o Occasion, fresh Link) time.Duration {
	half := fresh.ExpiresAt.Sub(fresh.IssuedAt) / 2
	if o == OccasionRemindMe {
		return half
	}
	return min(linkLeast, half)
}

// keeps tells whether such a text carries the link that the sender has. A link
// of which most is left was asked for just now: its reader is about to open it,
// and a fresh one would end it under their thumb.
func (o Occasion) keeps(link, fresh Link) bool {
	now := fresh.IssuedAt
	most := link.ExpiresAt.Sub(link.IssuedAt) / 4 * 3
	return link.StateAt(now) == LinkIssued && link.ExpiresAt.Sub(now) >= min(leastFor(o, fresh), most)
}

// offersLink tells whether a text is wanted whatever became of the sender's
// link: it gives the one that works when it is sent.
func (o Occasion) offersLink() bool {
	return o == OccasionPhotosPartly || o == OccasionPhotoNotKept || o == OccasionRemindMe
}

// draft gives a fresh link for such a text, which nobody knows of yet.
func (f *Sendings) draft(s Sending, now time.Time) (Link, error) {
	ttl := f.Directory.Numbers[s.Number].LinkTTL
	if s.Occasion == OccasionRemindMe { // it comes unasked for, like a caseworker's
		ttl = f.Limits.RequestTTL
	}
	return newLink(f.Mint, f.Random, Link{
		Office: s.Office, Number: s.Number, Sender: s.Sender, Phone: s.Phone, Submission: s.Submission, Language: s.Language,
		Origin: OriginText, IssuedAt: now, ExpiresAt: now.Add(ttl),
	})
}

// offer gives the link that such a text carries: the sender's newest if it may
// still be opened for a while, else the fresh one. That happens only once the
// text may go out: until then the link that it would replace is better than none.
func (f *Sendings) offer(ctx context.Context, s Sending, fresh Link) (Link, error) {
	link, err := f.Records.LinkSending(ctx, s.ID, fresh, func(newest Link) bool { return s.Occasion.keeps(newest, fresh) }, AuditEntry{
		At: fresh.IssuedAt, Actor: ActorRole("worker"), Action: ActionLinkIssued, Object: "link:" + string(fresh.ID),
		Office: s.Office, Outcome: OutcomeDone, Reason: string(s.Occasion),
	})
	if err == nil && link.ID == fresh.ID {
		_ = f.Links.Put(ctx, link.Entry(f.Limits.LinkKnown)) // a link that Redis does not know is found in SQL
	}
	return link, err
}
