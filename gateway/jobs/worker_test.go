package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dropslot/gateway"
)

type told time.Duration

func (told) Error() string               { return "slow down" }
func (t told) RetryAfter() time.Duration { return time.Duration(t) }

func TestWhatBecomesOfAJobThatWasNotDone(t *testing.T) {
	const day = 24 * time.Hour
	failed := gateway.NewError(gateway.CodeSendFailed, errors.New("refused"))
	tests := map[string]struct {
		err  error
		try  int
		age  time.Duration
		want verdict
	}{
		"first failure":                   {failed, 1, 0, verdict{wait: 30 * time.Second, fault: "send-failed"}},
		"an error without a code":         {errors.New("x"), 2, 0, verdict{wait: time.Minute, fault: "unavailable"}},
		"many failures":                   {failed, 20, 10 * day, verdict{wait: day, fault: "send-failed"}},
		"no time for another try":         {failed, 20, 13*day + time.Hour, verdict{wait: day, fault: "send-failed", dead: true}},
		"told when to come again":         {fmt.Errorf("send: %w", told(7*time.Second)), 1, 0, verdict{wait: 7 * time.Second, fault: "unavailable"}},
		"told no time":                    {told(0), 1, 0, verdict{wait: 30 * time.Second, fault: "unavailable"}},
		"told to come soon":               {told(time.Millisecond), 1, 0, verdict{wait: time.Second, fault: "unavailable"}},
		"told so again and again":         {told(time.Second), 6, 0, verdict{wait: time.Hour, fault: "unavailable"}},
		"told to wait beyond all time":    {told(15 * day), 1, 0, verdict{wait: 15 * day, fault: "unavailable", dead: true}},
		"put off":                         {gateway.Later(time.Hour), 9, day, verdict{wait: time.Hour, fault: faultAge, snooze: true}},
		"put off to the past":             {gateway.Later(-time.Hour), 1, 0, verdict{fault: faultAge, snooze: true}},
		"put off until its time was over": {gateway.Later(day), 1, 13*day + time.Hour, verdict{wait: day, fault: faultAge, dead: true}},
		"given up":                        {gateway.GiveUp(failed), 1, 0, verdict{wait: 30 * time.Second, fault: "send-failed", dead: true}},
		"given up without a word":         {gateway.GiveUp(nil), 1, 0, verdict{wait: 30 * time.Second, fault: "unavailable", dead: true}},
	}
	for name, test := range tests {
		if got := judge(test.err, test.try, test.age); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestAJobIsTriedForTwoWeeks(t *testing.T) {
	age, tries := time.Duration(0), 1
	for ; tries < 100; tries++ {
		v := judge(errors.New("x"), tries, age)
		if v.dead {
			break
		}
		age += v.wait
	}
	if age < 13*24*time.Hour || age > mostAge || tries != 21 {
		t.Errorf("dead after %v and %d tries", age, tries)
	}
}

// work runs one job as River would, and gives the error and what was logged.
func work(ctx context.Context, handler Handler) (job *river.Job[args], said string, err error) {
	var log bytes.Buffer
	w := &worker{kind: "test", handler: handler, now: time.Now, log: slog.New(slog.NewTextHandler(&log, nil))}
	job = &river.Job[args]{
		JobRow: &rivertype.JobRow{ID: 7, Attempt: 1, MaxAttempts: 500, CreatedAt: time.Now()}, Args: args{Subject: "s1"},
	}
	err = w.Work(ctx, job)
	return job, log.String(), err
}

func TestAPanicIsAFaultWhoseValueIsKeptNowhere(t *testing.T) {
	_, said, err := work(t.Context(), func(context.Context, string, int) error { panic("+15551230100 says hello") })
	if err == nil || err.Error() != "panic" {
		t.Errorf("stored as %v", err)
	}
	if strings.Contains(said, "555") || !strings.Contains(said, "panic of type string") {
		t.Errorf("logged as %s", said)
	}
}

func TestOnlyTheCodeOfAFailureIsStored(t *testing.T) {
	_, said, err := work(t.Context(), func(context.Context, string, int) error {
		return gateway.NewError(gateway.CodeNotFinal, errors.New("message SM1 is queued"))
	})
	if err == nil || err.Error() != "not-final" {
		t.Errorf("stored as %v", err)
	}
	if !strings.Contains(said, "SM1") {
		t.Errorf("the log does not tell why: %s", said)
	}
}

func TestAJobThatTheStopCutOffDoesNotCount(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := work(ctx, func(ctx context.Context, _ string, _ int) error {
		cancel()
		return ctx.Err()
	})
	var snooze *river.JobSnoozeError
	if !errors.As(err, &snooze) || snooze.Duration != 0 {
		t.Errorf("%v, want to begin anew", err)
	}
}

func TestAJobOutOfTimeSaysSo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	job, _, err := work(ctx, func(ctx context.Context, _ string, _ int) error { return ctx.Err() })
	if err == nil || err.Error() != "timeout" || time.Until(job.Args.next) < 20*time.Second {
		t.Errorf("%v, next %v", err, job.Args.next)
	}
}

func TestGivingUpMakesTheTryTheLast(t *testing.T) {
	job, _, err := work(t.Context(), func(context.Context, string, int) error { return gateway.GiveUp(nil) })
	if err == nil || job.MaxAttempts != job.Attempt {
		t.Errorf("%v, %d of %d", err, job.Attempt, job.MaxAttempts)
	}
}

func TestRiversWordsAreListedAsOurs(t *testing.T) {
	for stored, want := range map[string]string{
		"not-final":                       "not-final",
		"Stuck job rescued by JobRescuer": "crashed",
		"job kind is not registered in the client's Workers bundle: x": "unknown-kind",
		"some sentence with +15551230100":                              "other",
	} {
		if got := faultText(stored); got != want {
			t.Errorf("%q is listed as %q, want %q", stored, got, want)
		}
	}
}

func TestAKindIsHandledOnce(t *testing.T) {
	q := NewQueue(Config{})
	handler := func(context.Context, string, int) error { return nil }
	q.Handle("erase-media", handler)
	for _, kind := range []gateway.JobKind{"erase-media", "", "No Kind"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken", kind)
				}
			}()
			q.Handle(kind, handler)
		}()
	}
}

// River asks a kind's worker how long its jobs may run, and waits as long
// before it takes one for lost.
func TestAKindMayHaveATimeOfItsOwn(t *testing.T) {
	q := NewQueue(Config{})
	q.Handle("quick", func(context.Context, string, int) error { return nil })
	q.HandleLong("slow", time.Hour, func(context.Context, string, int) error { return nil })
	for kind, want := range map[gateway.JobKind]time.Duration{"quick": 0, "slow": time.Hour} {
		if got := q.worker(kind).Timeout(nil); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}
