package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// JobLeftovers looks once a day through what lies at Twilio; its subject is
// JobLeftoversSubject. When it is done it asks for its next turn.
const JobLeftovers JobKind = "leftovers"

// JobLeftoversSubject is the only subject of JobLeftovers.
const JobLeftoversSubject = "twilio"

const (
	leftoversEvery = 24 * time.Hour
	// leftoversAge: what is younger is the queue's.
	leftoversAge = time.Hour
	// leftoversBack is how much further than ErasePatience the look reaches
	// back: what was given up is seen a few times more.
	leftoversBack = 3 * 24 * time.Hour
	// leftoversProven: the media of what is older and proven to be erased are
	// not asked for each day anew.
	leftoversProven = 2 * 24 * time.Hour
)

// LeftoversTime is how long a look may take: it lists weeks of messages, and
// asks once more for each that has nothing but pictures.
const LeftoversTime = time.Hour

// Leftovers is the flow of the daily look at Twilio: whatever a lost webhook, a
// lost callback or a row given up left there is taken on (again).
type Leftovers struct {
	Directory Directory
	Limits    Limits
	Records   LeftoverRecords
	Twilio    TwilioMessages
	Phones    PhoneBook
	Now       func() time.Time
	NewID     func(time.Time) (string, error)
}

// LeftoverRecords is what the look at Twilio needs of the records.
type LeftoverRecords interface {
	// ReviveText takes a text on again whose content still lies at Twilio though
	// its row is done or dead. known is false if there is no such row.
	ReviveText(ctx context.Context, account, message string, now time.Time) (known, revived bool, err error)
	// ErasedText tells whether a text is done and proven to be erased.
	ErasedText(ctx context.Context, account, message string) (bool, error)
	// StartedSince tells whether a START of the sender came after that time.
	StartedSince(ctx context.Context, office OfficeID, sender PhoneIndex, since time.Time) (bool, error)
	// ReceiveText is TextRecords'.
	ReceiveText(ctx context.Context, t Text, decide func(Standing) (TextOutcome, error)) (TextOutcome, *EarlierText, error)
	// ReviveOutgoing takes a text of ours on, known or not, unless it waits for
	// its turn already.
	ReviveOutgoing(ctx context.Context, sid string, office OfficeID, n Number, now time.Time) (revived bool, err error)
	// Enqueue adds jobs to the queue.
	Enqueue(ctx context.Context, jobs ...Job) error
	// Append writes audit entries.
	Append(ctx context.Context, entries ...AuditEntry) error
}

// LeftoversJob is the first turn, unless one waits already.
func LeftoversJob(at time.Time) Job {
	return Job{Kind: JobLeftovers, Subject: JobLeftoversSubject, RunAt: at, Unique: true}
}

// Run looks at every number. A number or a message that fails is in no other's
// way; the job tries all of them again.
func (f *Leftovers) Run(ctx context.Context) error {
	now := f.Now()
	var failed error
	count := leftovers{}
	for _, n := range slices.Sorted(maps.Keys(f.Directory.Numbers)) {
		rule := f.Directory.Numbers[n]
		since := now.Add(-f.Limits.ErasePatience - leftoversBack)
		var missed error
		err := f.Twilio.List(ctx, n, since, now.Add(-leftoversAge), func(m TwilioMessage) error {
			if err := f.look(ctx, m, rule, &count); err != nil {
				missed = err // the last of them stands for all
				count.failed++
			}
			return ctx.Err()
		})
		if err != nil {
			count.failed++
		}
		if err := cmp.Or(err, missed); err != nil {
			failed = errors.Join(failed, fmt.Errorf("look at what lies at Twilio of %s: %w", n, err))
		}
	}
	entry := AuditEntry{
		At: f.Now(), Actor: ActorRole("worker"), Action: ActionTwilioSwept, Outcome: OutcomeDone,
		Reason: fmt.Sprintf("%d hold something, %d taken on again, %d whose webhook never came, %d could not be looked at",
			count.held, count.revived, count.adopted, count.failed),
	}
	if failed != nil {
		entry.Outcome = OutcomeFailed
	}
	// A look that ran out of its time leaves its row all the same.
	if err := f.Records.Append(context.WithoutCancel(ctx), entry); err != nil || failed != nil {
		return errors.Join(failed, err)
	}
	return f.Records.Enqueue(ctx, LeftoversJob(now.Add(leftoversEvery)))
}

type leftovers struct{ held, revived, adopted, failed int }

func (f *Leftovers) look(ctx context.Context, m TwilioMessage, rule NumberRule, count *leftovers) error {
	left, err := f.left(ctx, &m)
	if err != nil || !left {
		return err
	}
	return f.take(ctx, m, rule, count)
}

// left tells whether a message holds anything. Twilio goes on to count media
// that were deleted, so those of a message without words are listed, unless the
// records hold the proof.
func (f *Leftovers) left(ctx context.Context, m *TwilioMessage) (bool, error) {
	if m.Words != "" || m.MediaCount == 0 {
		return m.Words != "", nil
	}
	if f.Now().Sub(m.CreatedAt) > leftoversProven {
		if erased, err := f.Records.ErasedText(ctx, m.Account, m.SID); err != nil || erased {
			return false, err
		}
	}
	list, err := f.Twilio.Media(ctx, m.Account, m.SID)
	if Is(err, CodeNotFound) {
		return false, nil
	}
	m.MediaCount = len(list)
	return len(list) > 0, err
}

func (f *Leftovers) take(ctx context.Context, m TwilioMessage, rule NumberRule, count *leftovers) error {
	count.held++
	now := f.Now()
	if !m.Inbound {
		revived, err := f.Records.ReviveOutgoing(ctx, m.SID, rule.Office, rule.Number, now)
		if revived {
			count.revived++
		}
		return err
	}
	known, revived, err := f.Records.ReviveText(ctx, m.Account, m.SID, now)
	if revived {
		count.revived++
	}
	if err != nil || known {
		return err
	}
	count.adopted++
	return f.adopt(ctx, m, rule)
}

// adopt stores a text that Twilio holds and whose webhook never came, in
// silence: it is sealed and erased like any other, and nothing is ever told of it.
func (f *Leftovers) adopt(ctx context.Context, m TwilioMessage, rule NumberRule) error {
	now := f.Now()
	id, err := f.NewID(now)
	if err != nil {
		return err
	}
	t := Text{
		ID: TextID(id), AccountSID: m.Account, MessageSID: m.SID, Office: rule.Office, Number: rule.Number,
		ReceivedAt: now, MediaCount: m.MediaCount,
	}
	in := Message{Sender: m.Sender, From: m.Phone, Country: m.Country, Words: m.Words, MediaCount: m.MediaCount}
	if in.Keyword() == KeywordStart {
		t.ReceivedAt = m.CreatedAt // so that StartedSince knows when
	}
	started := false
	if in.Sender == SenderPhone {
		t.Sender = f.Phones.Index(rule.Office, in.From)
		if t.Phone, err = f.Phones.Seal(in.From); err != nil {
			return err
		}
		if in.Keyword() == KeywordStop {
			if started, err = f.Records.StartedSince(ctx, rule.Office, t.Sender, m.CreatedAt); err != nil {
				return err
			}
		}
	}
	_, _, err = f.Records.ReceiveText(ctx, t, func(s Standing) (TextOutcome, error) {
		d, kept := f.decide(in, s, m.CreatedAt, started)
		return TextOutcome{
			Decision: d, Keeping: Keep(in, kept, rule.MMS, rule.Words), Submission: s.Submission,
			Audit: []AuditEntry{{
				At: now, Actor: ActorRole("worker"), Action: ActionTwilioAdopted, Object: "text:" + id, Office: rule.Office,
				Outcome: OutcomeDone, Reason: string(d.Reason),
			}},
		}, nil
	})
	return err
}

// decide decides on an adopted text, and gives the reason by which its content
// is kept. Messages come to light in any order, and of STOP and START the later
// counts by Twilio's dates: a STOP unless a START is known that was later, a
// START unless the opt-out is as late. Dates are whole seconds, and of a tie the
// opt-out counts: who wants texts again can text START again.
func (f *Leftovers) decide(m Message, s Standing, made time.Time, started bool) (d Decision, kept Reason) {
	d = Decision{Reason: ReasonMissed, Standing: s}
	reason, unanswerable := senderReason(m, Rules{Countries: f.Directory.Countries, Own: f.Directory.Own()})
	if unanswerable && (reason != ReasonCountry || m.Keyword() == KeywordNone) { // who texts STOP from abroad means it, too
		d.Reason = reason
		return d, reason
	}
	switch m.Keyword() {
	case KeywordStop:
		d.Reason = ReasonStop
		if !started && !s.OptedOut() {
			d.Standing.OptedOutAt = made
		}
	case KeywordStart:
		d.Reason = ReasonStart
		if made.After(s.OptedOutAt) {
			d.Standing.OptedOutAt = time.Time{}
		}
	case KeywordHelp:
		d.Reason = ReasonHelp
	}
	return d, d.Reason
}
