package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
)

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
	for n, rule := range f.Directory.Numbers {
		since := now.Add(-f.Limits.ErasePatience - leftoversEvery)
		var missed error
		err := f.Twilio.List(ctx, n, since, now.Add(-leftoversAge), func(m TwilioMessage) error {
			if err := f.look(ctx, m, rule, &count); err != nil {
				missed = err // the last of them stands for all
				count.failed++
			}
			return ctx.Err()
		})
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
	if err := f.Records.Append(ctx, entry); err != nil || failed != nil {
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
// that were deleted, so those of a message without words are listed.
func (f *Leftovers) left(ctx context.Context, m *TwilioMessage) (bool, error) {
	if m.Words != "" || m.MediaCount == 0 {
		return m.Words != "", nil
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
// silence: it is sealed and erased like any other. A STOP counts.
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
	in := Message{Sender: SenderChannel, Words: m.Words, MediaCount: m.MediaCount}
	reason := ReasonChannel
	if from, err := ParsePhone(m.From); err == nil {
		in.Sender, in.From, reason = SenderPhone, from, ReasonMissed
		t.Sender = f.Phones.Index(rule.Office, from)
		if t.Phone, err = f.Phones.Seal(from); err != nil {
			return err
		}
	}
	_, _, err = f.Records.ReceiveText(ctx, t, func(s Standing) (TextOutcome, error) {
		d := Decision{Reason: reason, Standing: s}
		if reason == ReasonMissed {
			d = keyword(in, s, now, d)
		}
		return TextOutcome{
			Decision: d, Keeping: Keep(in, d.Reason, rule.MMS, rule.Words), Submission: s.Submission,
			Audit: []AuditEntry{{
				At: now, Actor: ActorRole("worker"), Action: ActionTwilioAdopted, Object: "text:" + id, Office: rule.Office,
				Outcome: OutcomeDone, Reason: string(d.Reason),
			}},
		}, nil
	})
	return err
}
