package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Sendings is the flow of the texts that Dropslot sends by itself: each is a
// row first, then a job hands it to Twilio, once.
type Sendings struct {
	Directory Directory
	Limits    Limits
	Records   SendingRecords
	Links     LinkStore
	Phones    PhoneBook
	Mint      TokenMint
	Wording   Wording
	Texter    Texter
	Budget    *Budget
	Limiter   Limiter
	PublicURL string
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
}

// JobSend hands a sending to Twilio; its subject is the sending.
const JobSend JobKind = "send"

// TwilioOptedOut is Twilio's code for a phone that texted STOP.
const TwilioOptedOut = 21610

// settled tells whether nothing is left to do about a sending.
func (s Sending) settled() bool {
	return s.SID != "" || s.State != DeliverySending && s.State != DeliveryUnknown
}

const (
	// findPause is how long after a lost answer Twilio's list is looked at
	// first, and findPatience until when.
	findPause    = 30 * time.Second
	findPatience = 5 * time.Minute
	// sendLifetime is how long a text that could not be sent is still wanted:
	// longer than the longest day, after which a ceiling renews.
	sendLifetime = 26 * time.Hour
)

// newSending fills what all sendings to a phone have in common.
func newSending(random io.Reader, now time.Time, o Occasion, l Link) (Sending, error) {
	id, err := NewID(now, random)
	return Sending{
		ID: SendingID(id), Link: l.ID, Office: l.Office, Number: l.Number, Sender: l.Sender, Phone: l.Phone,
		Submission: l.Submission, Language: l.Language, Occasion: o, State: DeliverySending, CreatedAt: now, UpdatedAt: now,
	}, err
}

// sendJob is the job that hands a sending to Twilio.
func sendJob(id SendingID, at time.Time) Job {
	return Job{Kind: JobSend, Subject: string(id), RunAt: at}
}

// Send works the job of a sending. A sending that was handed to Twilio before,
// whose answer was lost in a crash or on the way, is looked for in Twilio's
// list and never sent a second time.
func (f *Sendings) Send(ctx context.Context, id SendingID) error {
	s, link, err := f.Records.Sending(ctx, id)
	if err != nil {
		return err
	}
	now := f.Now()
	office, ours := f.Directory.Offices[s.Office]
	_, known := f.Directory.Numbers[s.Number]
	switch {
	case s.settled():
		return nil
	case !s.AttemptedAt.IsZero():
		return f.find(ctx, s, link)
	case !ours || !known:
		return f.drop(ctx, s, "the office or the number is not configured any more")
	case now.Sub(s.CreatedAt) > lifetimeOf(s.Occasion) || stale(s, link, now):
		return f.drop(ctx, s, "no longer wanted")
	}
	if s.Occasion == OccasionRemindMe {
		if wait := untilDay(office.Location, now); wait > 0 {
			return Later(wait)
		}
	}
	switch {
	case s.Occasion == OccasionReminder:
		wait := untilDay(office.Location, now)
		if link.ExpiresAt.Sub(now.Add(wait)) < remindLeft {
			return f.drop(ctx, s, "no longer wanted")
		}
		if wait > 0 {
			return Later(wait)
		}
	case s.Occasion.offersLink():
		if link, err = f.draft(s, now); err != nil {
			return err
		}
	}
	return f.hand(ctx, s, link, f.entry(s))
}

// stale tells whether what a text says is true no more.
func stale(s Sending, l Link, now time.Time) bool {
	switch s.Occasion {
	case OccasionReminder, OccasionAgain, OccasionRequest:
		return l.StateAt(now) != LinkIssued
	}
	return false
}

func (f *Sendings) entry(s Sending) AuditEntry {
	return AuditEntry{
		At: f.Now(), Actor: ActorRole("worker"), Action: ActionTextSent, Object: "sending:" + string(s.ID),
		Office: s.Office, Outcome: OutcomeDone, Reason: string(s.Occasion),
	}
}

// drop ends a sending that nobody wants any more.
func (f *Sendings) drop(ctx context.Context, s Sending, why string) error {
	entry := f.entry(s)
	entry.Outcome, entry.Reason = OutcomeDenied, string(s.Occasion)+": "+why
	return f.Records.FinishSending(ctx, Delivery{Sending: s.ID, State: DeliveryDropped, At: f.Now()}, nil, entry)
}

// hand gives one text to Twilio, now. Permission to send is asked for at the
// last moment: the budget, the number's pace, and whether the person texted
// STOP, which is decided in the transaction that notes the attempt.
func (f *Sendings) hand(ctx context.Context, s Sending, l Link, entry AuditEntry) error {
	s.AttemptedAt = f.Now().Truncate(time.Millisecond) // as the records keep it: find makes the same words
	text, err := f.outgoing(s, l)
	if err != nil {
		return err
	}
	segments := f.Wording.Segments(text.Body)
	taken, err := f.Budget.Take(ctx, s.Office, s.Number, segments)
	if err != nil {
		return err
	}
	if !taken.OK {
		// A job comes again when there is more to spend.
		return NewError(CodeCeiling, Later(taken.Renews.Sub(f.Now())+f.spread()))
	}
	if text, err = f.attempt(ctx, s, l, text); err != nil {
		f.Budget.GiveBack(taken, segments, 1)
		return f.refused(ctx, s, err)
	}
	sid, state, err := f.Texter.Send(ctx, text)
	if err != nil && !Is(err, CodeSendUnknown) {
		f.Budget.GiveBack(taken, segments, 1) // Twilio certainly did not take it
	}
	return f.told(ctx, s, sid, state, err, entry)
}

// attempt waits for the number's turn, chooses the link of a text that offers
// one, and notes that the text, which it gives, is being handed over.
func (f *Sendings) attempt(ctx context.Context, s Sending, l Link, text OutgoingText) (OutgoingText, error) {
	if err := f.pace(ctx, s.Number); err != nil {
		return text, err
	}
	if s.Occasion.offersLink() {
		link, err := f.offer(ctx, s, l)
		if err != nil {
			return text, err
		}
		if text, err = f.outgoing(s, link); err != nil { // of the same length, for all links are
			return text, err
		}
	}
	return text, f.Records.AttemptSending(ctx, s.ID, s.AttemptedAt)
}

// refused is what becomes of a sending that the records do not let go out.
func (f *Sendings) refused(ctx context.Context, s Sending, err error) error {
	switch code := CodeOf(err); code {
	case CodeOptedOut, CodeUnwanted:
		return f.drop(ctx, s, string(code))
	case CodeSendTwice:
		return Later(findPause) // another worker has it, and may die before it notes the answer
	}
	return err
}

// spread gives up to four minutes, so that what waits for the same hour does
// not all come in the same moment.
func (f *Sendings) spread() time.Duration {
	var b [1]byte
	_, _ = io.ReadFull(f.Random, b[:]) // without luck they all come at once
	return time.Duration(b[0]) * time.Second
}

// told notes what Twilio said, even when whoever waited for it went away.
func (f *Sendings) told(ctx context.Context, s Sending, sid string, state DeliveryState, sent error, entry AuditEntry) error {
	ctx = context.WithoutCancel(ctx)
	now := f.Now()
	d := Delivery{Sending: s.ID, SID: sid, State: state, At: now}
	var jobs []Job
	if sent != nil {
		if retry, ok := errors.AsType[interface {
			error
			Retry() bool
		}](sent); ok && retry.Retry() && s.Staff == "" {
			return errors.Join(sent, f.Records.ReleaseSending(ctx, s.ID))
		}
		entry.Outcome, entry.Reason = OutcomeFailed, string(CodeOf(sent))
		d.State = DeliveryFailed
		if Is(sent, CodeSendUnknown) {
			d.State = DeliveryUnknown
			jobs = append(jobs, sendJob(s.ID, now.Add(findPause)))
		}
		if coded, ok := errors.AsType[interface {
			error
			TwilioCode() int
		}](sent); ok {
			d.ErrorCode = coded.TwilioCode()
		}
	}
	return f.Records.FinishSending(ctx, d, jobs, entry)
}

// find looks for a text whose answer was lost. What is not there after some
// minutes stays unknown: to send it again could send it twice.
func (f *Sendings) find(ctx context.Context, s Sending, l Link) error {
	now := f.Now()
	if wait := s.AttemptedAt.Add(findPause).Sub(now); wait > 0 {
		return Later(wait)
	}
	text, err := f.outgoing(s, l)
	if err != nil {
		return err
	}
	sid, state, found, err := f.Texter.Find(ctx, text, s.AttemptedAt.Add(-time.Minute))
	late := now.Sub(s.AttemptedAt) > findPatience
	switch {
	case err == nil && found:
		return f.Records.FinishSending(ctx, Delivery{Sending: s.ID, SID: sid, State: state, At: now}, nil, f.entry(s))
	case !late:
		return Later(findPause)
	case err != nil && now.Sub(s.AttemptedAt) < sendLifetime:
		return err
	}
	entry := f.entry(s)
	entry.Outcome, entry.Reason = OutcomeFailed, string(CodeSendUnknown)
	return f.Records.FinishSending(ctx, Delivery{Sending: s.ID, State: DeliveryUnknown, At: now}, nil, entry)
}

// pace keeps a number within what the carriers take of it. The count is in
// Redis, for all processes; when that is out of reach, Twilio's queue does.
func (f *Sendings) pace(ctx context.Context, n Number) error {
	for {
		ok, wait, err := f.Limiter.Allow(ctx, "send", string(n), 1, f.Directory.Numbers[n].Pace)
		if err != nil {
			f.Log.WarnContext(ctx, "a number's pace could not be kept: Redis is out of reach", slog.Any("error", err))
			ok = true
		}
		if ok {
			return nil
		}
		if wait > maxPaceWait {
			return Later(wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// maxPaceWait is how long a text waits for its number with a worker in hand.
const maxPaceWait = 3 * time.Second

// outgoing makes the words of a sending.
func (f *Sendings) outgoing(s Sending, l Link) (OutgoingText, error) {
	phone, err := f.Phones.Open(s.Phone)
	if err != nil {
		return OutgoingText{}, err
	}
	filling := Filling{Occasion: s.Occasion, Count: s.Count, Reference: s.Submission.Reference()}
	if s.Occasion.carriesLink() && l.ID != "" {
		filling.Link = LinkURL(f.PublicURL, f.Mint.Token(l.ID, l.Nonce))
		// What is left when it is sent; the seconds that it took cost no hour.
		filling.TTL = l.ExpiresAt.Sub(s.AttemptedAt).Round(time.Minute)
	}
	body, err := f.Wording.Text(f.Directory.Offices[s.Office], s.Language, filling)
	return OutgoingText{From: s.Number, To: phone, Body: body, StatusURL: f.PublicURL + StatusPath(s.ID)}, err
}

// carriesLink tells whether a text of the occasion has a link in it.
func (o Occasion) carriesLink() bool {
	switch o {
	case OccasionPhotosSaved, OccasionReceipt, OccasionVoice:
		return false
	}
	return true
}
