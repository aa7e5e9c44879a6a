package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"dropslot/gateway"
)

// The queue is River's. Measured on 2 cores with its SQLite driver on a second
// pool beside the writer of package records (WAL, synchronous FULL): a flood
// of texts by 64 callers was stored at 12,900 a second without River and at
// 0.95 of that with it idle, looking every second (median of 9 interleaved
// runs, which themselves differ by 10 %); by one caller, no difference. No
// write of the records met a lock that it could not wait out; the longest wait
// was 34 ms while jobs were worked, and 160 ms when 10,000 fell due at once.
// The queue itself does 110 jobs a second, 20 under a flood of texts: on
// SQLite it is what waits. After kill -9 every job is done, some twice.
//
// What River does not do as it is needed here, and where that is mended:
// uniqueness that leaves out running jobs (records.holdJob), times in UTC on
// SQLite (the pool's DSN), an age as the bound of tries (judge).
const (
	workers = 4
	// pollEvery is how long a new job may lie unseen; each look takes
	// SQLite's write lock for a moment.
	pollEvery = 2 * time.Second
	// pollPause is the least time between two looks while there is work.
	pollPause = 20 * time.Millisecond
	// jobTime is how long a job may run whose kind names no other time.
	jobTime = 3 * time.Minute
	// lostAfter is when a job that runs is taken for lost with its process, if
	// its kind has no longer time. It must be longer than such jobs run, and
	// short enough that, with the half minute between two looks and the pause
	// before the next try, the job begins again about five minutes after the
	// crash.
	lostAfter = jobTime + 30*time.Second
	// stopGrace is what jobs get to end by themselves at a stop, and stopMost
	// what they get after their context was canceled.
	stopGrace = 3 * time.Second
	stopMost  = 2 * time.Second
	// keepDone is how long jobs that are done or dropped can still be listed.
	keepDone    = time.Hour
	keepDropped = 7 * 24 * time.Hour
	// startPause is the pause between two tries to begin without a database.
	startPause = 5 * time.Second
)

// Config is what a Queue needs.
type Config struct {
	// DB and Dialect are what records.Store.Queue gives. The pool stays open
	// as long as Run runs.
	DB      *sql.DB
	Dialect string
	Log     *slog.Logger
	Now     func() time.Time
}

// Queue works the jobs that package records inserts. Each kind has a handler.
type Queue struct {
	config   Config
	handlers map[gateway.JobKind]Handler
	times    map[gateway.JobKind]time.Duration // of kinds that have one of their own
}

// Handler does one job. It must be safe to do twice, and beside itself: a
// crash after its work and before the note of it makes the job come again.
// try counts from 1.
//
// An error lets the job come again after a pause (see judge), one that has a
// method RetryAfter() time.Duration after that time, gateway.Later without
// counting the try, gateway.GiveUp never. Of the error only the code of a
// gateway.Error is stored. The context ends when the job's time is over or the
// process stops; a job that heeds it then begins anew elsewhere, uncounted.
type Handler func(ctx context.Context, subject string, try int) error

// NewQueue makes a queue without handlers.
func NewQueue(c Config) *Queue {
	return &Queue{config: c, handlers: map[gateway.JobKind]Handler{}, times: map[gateway.JobKind]time.Duration{}}
}

// Handle registers the handler of a kind, before Run.
func (q *Queue) Handle(kind gateway.JobKind, handler Handler) {
	if (gateway.Job{Kind: kind, Subject: "subject"}).Check() != nil || q.handlers[kind] != nil {
		panic("jobs: the kind " + string(kind) + " is malformed or registered twice")
	}
	q.handlers[kind] = handler
}

// HandleLong is Handle for a kind whose jobs may run for that time. One that
// was lost with its process begins again after as long.
func (q *Queue) HandleLong(kind gateway.JobKind, most time.Duration, handler Handler) {
	q.Handle(kind, handler)
	q.times[kind] = most
}

// Run works jobs until ctx ends, then gives those under way a short while. A
// job that does not heed its context comes again after lostAfter.
func (q *Queue) Run(ctx context.Context) error {
	if len(q.handlers) == 0 {
		<-ctx.Done()
		return nil
	}
	client, err := q.client()
	if err != nil {
		return err
	}
	if !q.begin(ctx, client) {
		return nil
	}
	<-ctx.Done()
	return stop(context.WithoutCancel(ctx), client)
}

// begin starts the workers; false if ctx ended before the database answered.
func (q *Queue) begin(ctx context.Context, client *river.Client[*sql.Tx]) bool {
	for {
		err := client.Start(context.WithoutCancel(ctx)) // its end would cut off what is under way
		if err == nil {
			return true
		}
		q.config.Log.ErrorContext(ctx, "the job queue does not start; it is tried again",
			slog.Duration("in", startPause), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return false
		case <-time.After(startPause):
		}
	}
}

func stop(ctx context.Context, client *river.Client[*sql.Tx]) error {
	grace, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	if client.Stop(grace) == nil {
		return nil
	}
	most, cancelMost := context.WithTimeout(ctx, stopMost)
	defer cancelMost()
	if client.StopAndCancel(most) != nil {
		return errors.New("jobs: some did not stop in time; they begin again in about five minutes")
	}
	return nil
}

func (q *Queue) client() (*river.Client[*sql.Tx], error) {
	driver, err := driverOf(q.config.Dialect, q.config.DB)
	if err != nil {
		return nil, err
	}
	bundle := river.NewWorkers()
	for kind := range q.handlers {
		river.AddWorkerArgs(bundle, args{kind: string(kind)}, q.worker(kind))
	}
	return river.NewClient(driver, &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers: bundle, PollOnly: true, FetchPollInterval: pollEvery, FetchCooldown: pollPause,
		JobTimeout: jobTime, RescueStuckJobsAfter: lostAfter, RetryPolicy: retryPolicy{now: q.config.Now},
		CompletedJobRetentionPeriod: keepDone, CancelledJobRetentionPeriod: keepDropped,
		DiscardedJobRetentionPeriod: -1, // a dead job stays until the operator decides
		Logger:                      slog.New(onlyErrors{q.config.Log.Handler()}),
	})
}

func (q *Queue) worker(kind gateway.JobKind) *worker {
	return &worker{kind: kind, handler: q.handlers[kind], most: q.times[kind], now: q.config.Now, log: q.config.Log}
}

func driverOf(dialect string, db *sql.DB) (riverdriver.Driver[*sql.Tx], error) {
	switch dialect {
	case "sqlite":
		return riversqlite.New(db), nil
	case "postgres":
		return riverdatabasesql.New(db), nil
	}
	return nil, fmt.Errorf("jobs: no queue runs on %q", dialect)
}

// retryPolicy paces what River retries by itself: a job that was lost with
// its process, or one of a kind that this process does not know.
type retryPolicy struct{ now func() time.Time }

// NextRetry gives the time of the next try.
func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return p.now().Add(pause(job.Attempt)).UTC()
}

// onlyErrors keeps River's chatter out of the log: failures of jobs are
// logged by worker.
type onlyErrors struct{ slog.Handler }

// Enabled lets errors pass.
func (h onlyErrors) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the filter.
func (h onlyErrors) WithAttrs(attrs []slog.Attr) slog.Handler {
	return onlyErrors{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the filter.
func (h onlyErrors) WithGroup(name string) slog.Handler {
	return onlyErrors{h.Handler.WithGroup(name)}
}
