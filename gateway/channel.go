package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Channel is the flow of what lies at Twilio: it is fetched, sealed, and then
// erased there. Rows of the records are its queue; any number of processes may
// work it at once.
type Channel struct {
	Directory Directory
	Limits    Limits
	Records   ChannelRecords
	Twilio    TwilioMessages
	Vault     Vault
	Sealer    Sealer
	Archive   *Archive
	SameKey   []byte // LinkKey.Subkey(SubkeyPages)
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
}

const (
	// channelLease is how long a worker has a row for itself. A picture of 5 MB
	// over a slow line takes a minute.
	channelLease = 5 * time.Minute
	// channelPatience bounds the work on one row, well within the lease. What was
	// done by then stays done; the next try goes on with the rest.
	channelPatience = 4 * time.Minute
	// channelHands rows of a kind are worked at once.
	channelHands = 8
	// channelLook is how often a hand that is free looks for more while others
	// work: a slow picture keeps no other text waiting.
	channelLook = time.Second
	// mediaPatience is how long after the webhook a picture that Twilio does not
	// know (yet) is waited for.
	mediaPatience = time.Hour
	goneTries     = 6
	// pictureTries is how often one picture is fetched before it is put off: a
	// person waits to hear that all of them arrived.
	pictureTries = 3
	// bodyPatience likewise, for the message itself.
	bodyPatience = 10 * time.Minute
	// notFinalPause is what Twilio wants before a message that is still on its
	// way is asked for again.
	notFinalPause = time.Minute
	// notFoundPause bounds the wait for what Twilio does not know yet: a person
	// waits to hear that their pictures arrived.
	notFoundPause = 2 * time.Minute
)

// codePanic is the fault of work that ended in a panic.
const codePanic Code = "panic"

// panicTries is how often work that panics is tried: more will not help.
const panicTries = 5

// leastTries are granted however old a row is.
const leastTries = 8

// backoff is the pause after each failure; the last one goes on.
var backoff = []time.Duration{
	5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
	15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// Run works until nothing is due. Failures of single rows are put off and stand
// in their rows; an error means that the records are out of reach.
func (c *Channel) Run(ctx context.Context) error {
	var texts, outgoing error
	var both sync.WaitGroup
	both.Go(func() {
		texts = drain(ctx, func(ctx context.Context, most int) ([]TextWork, error) {
			return c.Records.ClaimTexts(ctx, c.Now(), channelLease, most)
		}, c.text)
	})
	both.Go(func() {
		outgoing = drain(ctx, func(ctx context.Context, most int) ([]OutgoingWork, error) {
			return c.Records.ClaimOutgoing(ctx, c.Now(), channelLease, most)
		}, c.outgoing)
	})
	both.Wait()
	return errors.Join(texts, outgoing)
}

// drain claims rows and works them, several at a time, until none is due. It
// claims no more than it has free hands for: a lease does not run while its row
// waits.
func drain[T any](ctx context.Context, claim func(context.Context, int) ([]T, error), work func(context.Context, T) error) error {
	free, finished := channelHands, make(chan error, channelHands)
	var failed error
	for failed == nil && ctx.Err() == nil {
		if free > 0 {
			rows, err := claim(ctx, free)
			if err != nil || len(rows) == 0 && free == channelHands {
				failed = err
				break
			}
			free -= len(rows)
			for _, row := range rows {
				go func() { finished <- work(ctx, row) }()
			}
		}
		select {
		case failed = <-finished:
			free++
		case <-time.After(channelLook):
		}
	}
	for ; free < channelHands; free++ {
		failed = errors.Join(failed, <-finished)
	}
	return failed
}

// text takes one text's next step. A failure is noted in its row; an error is
// that the row could not be written.
func (c *Channel) text(ctx context.Context, t TextWork) error {
	working, cancel := context.WithTimeout(ctx, channelPatience)
	defer cancel()
	err := guarded(func() error {
		if t.Step == StepCollect {
			return c.collect(working, t)
		}
		return c.erase(working, t)
	})
	if err == nil || ctx.Err() != nil {
		return nil // a process that stops leaves the row to its lease
	}
	p, dead := c.postponed(err, t.Step, t.Tries, t.TakenOnAt)
	var jobs []Job
	var audit []AuditEntry
	if dead {
		audit = append(audit, c.entry(ActionChannelDead, "text:"+string(t.ID), t.Office, OutcomeFailed, string(p.Fault)))
		if t.Media == MediaPending { // the client was told that they are arriving
			s, err := c.place(ctx, t)
			if err != nil {
				return err
			}
			jobs = append(jobs, tellPhotos(s.ID, c.Now()))
		}
	}
	c.Log.LogAttrs(ctx, slog.LevelWarn, "a text's step is put off",
		slog.String("text", string(t.ID)), slog.String("step", string(t.Step)), slog.Int("tries", p.Tries),
		slog.String("fault", string(p.Fault)), slog.Bool("dead", dead))
	return c.Records.PostponeText(ctx, t, p, jobs, audit...)
}

// outgoing erases the words of one of our own texts.
func (c *Channel) outgoing(ctx context.Context, w OutgoingWork) error {
	working, cancel := context.WithTimeout(ctx, channelPatience)
	defer cancel()
	var entry AuditEntry
	err := guarded(func() error {
		rule, ok := c.Directory.Numbers[w.Number]
		if !ok {
			return NewError(CodeForbidden, errors.New("the number is not configured any more"))
		}
		gone, err := c.Twilio.EraseBody(working, rule.Account, w.SID)
		entry = c.erased("message:"+w.SID, w.Office, gone)
		return err
	})
	switch {
	case err == nil:
		return c.Records.FinishOutgoing(ctx, w, c.Now(), entry)
	case ctx.Err() != nil:
		return nil
	}
	p, dead := c.postponed(err, StepErase, w.Tries, w.TakenOnAt)
	var audit []AuditEntry
	if dead {
		audit = append(audit, c.entry(ActionChannelDead, "message:"+w.SID, w.Office, OutcomeFailed, string(p.Fault)))
	}
	return c.Records.PostponeOutgoing(ctx, w, p, audit...)
}

// postponed decides when a failed step is tried again, or that it is not.
func (c *Channel) postponed(err error, step Step, tries int, since time.Time) (Postponed, bool) {
	now := c.Now()
	p := Postponed{Step: step, Tries: tries + 1, Fault: CodeOf(err)}
	pause := backoff[min(tries, len(backoff)-1)]
	switch p.Fault {
	case CodeNotFinal:
		pause = max(pause, notFinalPause)
	case CodeNotFound:
		pause = min(pause, notFoundPause)
	}
	if waits, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok {
		pause = max(pause, waits.RetryAfter())
	}
	p.DueAt = now.Add(pause)
	dead := now.Sub(since) > c.Limits.ErasePatience && p.Tries >= leastTries || p.Fault == codePanic && p.Tries >= panicTries
	if dead {
		p.Step, p.DueAt = StepDead, time.Time{}
	}
	return p, dead
}

// guarded turns a panic into a failure. Its value stays out of the log: it may
// quote what a person sent.
func guarded(work func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = NewError(codePanic, fmt.Errorf("panic of type %T\n%s", value, debug.Stack()))
		}
	}()
	return work()
}

func (c *Channel) entry(action Action, object string, office OfficeID, outcome Outcome, reason string) AuditEntry {
	return AuditEntry{
		At: c.Now(), Actor: ActorRole("worker"), Action: action, Object: object, Office: office, Outcome: outcome, Reason: reason,
	}
}

// erased is the proof of one erasure.
func (c *Channel) erased(object string, office OfficeID, e Erasure) AuditEntry {
	return c.entry(ActionTwilioErased, object, office, OutcomeDone, "Twilio answered "+e.Answer)
}
