package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"

	"dropslot/gateway"
)

// args is what is stored of a job beside its kind, as package records writes
// it. River hands the same value to Work and, after a failure, to NextRetry.
type args struct {
	kind    string
	Subject string `json:"subject"`
	next    time.Time
}

// Kind is what River files the job under.
func (a args) Kind() string { return a.kind }

// fault is an error as it is stored: a word that is no one's data.
type fault string

func (f fault) Error() string { return string(f) }

// The faults that are no codes of package gateway.
const (
	faultPanic   fault = "panic"
	faultTimeout fault = "timeout"
	faultAge     fault = "too-old" // it was put off until its time was over
)

// worker runs one handler for River.
type worker struct {
	river.WorkerDefaults[args]
	kind    gateway.JobKind
	handler Handler
	most    time.Duration // that it may run; 0 for jobTime
	now     func() time.Time
	log     *slog.Logger
}

// Timeout is how long the job may run; River looks it up too before it takes
// one for lost.
func (w *worker) Timeout(*river.Job[args]) time.Duration { return w.most }

// Work does a job and tells River what becomes of it.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	err := w.do(ctx, job)
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return river.JobSnooze(0) // the process stops
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(faultTimeout, err)
	}
	v := judge(err, job.Attempt, w.now().Sub(job.CreatedAt))
	if v.snooze {
		return river.JobSnooze(v.wait)
	}
	said := []any{
		slog.String("kind", string(w.kind)), slog.String("subject", job.Args.Subject), slog.Int64("job", job.ID),
		slog.Int("try", job.Attempt), slog.Any("error", err),
	}
	if v.dead {
		w.log.ErrorContext(ctx, "a job failed for good; see `dropslot jobs`", said...)
		job.MaxAttempts = job.Attempt // River keeps it as discarded, which is our dead
	} else {
		w.log.WarnContext(ctx, "a job failed; it is tried again", append(said, slog.Duration("in", v.wait))...)
		job.Args.next = w.now().Add(v.wait).UTC()
	}
	return v.fault
}

// do turns a panic into an error. The panic's value is not kept: it may quote
// what a person sent.
func (w *worker) do(ctx context.Context, job *river.Job[args]) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("%w of type %T\n%s", faultPanic, value, debug.Stack())
		}
	}()
	return w.handler(ctx, job.Args.Subject, job.Attempt)
}

// NextRetry gives the time that Work found; none if the process died in it.
func (w *worker) NextRetry(job *river.Job[args]) time.Time { return job.Args.next }

// verdict is what becomes of a job that was not done.
type verdict struct {
	snooze, dead bool
	wait         time.Duration
	fault        fault
}

const (
	// mostAge is how long a job is tried, from its being handed in.
	mostAge = 14 * 24 * time.Hour
	// freeTries is how many tries go at the pace that the other side names;
	// from then on it is the slower one of that and our own.
	freeTries = 5
)

// pauses are those after each try; the last one stays.
var pauses = []time.Duration{
	30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

func pause(try int) time.Duration { return pauses[min(max(try, 1), len(pauses))-1] }

// judge decides on a job that failed in its try of this number at this age.
func judge(err error, try int, age time.Duration) verdict {
	if later, ok := errors.AsType[*gateway.LaterError](err); ok {
		wait := max(later.Wait, 0)
		return verdict{snooze: age+wait <= mostAge, dead: age+wait > mostAge, wait: wait, fault: faultAge}
	}
	v := verdict{wait: pause(try), fault: faultOf(err)}
	var told interface{ RetryAfter() time.Duration }
	if errors.As(err, &told) && told.RetryAfter() > 0 { // 0: the other side names no time
		wait := max(told.RetryAfter(), time.Second)
		if try > freeTries {
			wait = max(wait, v.wait)
		}
		v.wait = wait
	}
	_, given := errors.AsType[*gateway.GiveUpError](err)
	v.dead = given || age+v.wait > mostAge
	return v
}

func faultOf(err error) fault {
	if f, ok := errors.AsType[fault](err); ok {
		return f
	}
	return fault(gateway.CodeOf(err))
}
