package records

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"dropslot/gateway"
)

// The insert side of the job queue, which is River's: its tables lie beside
// ours, and a job becomes part of the transaction that asks for it. The
// workers (package jobs) run on a pool of their own, so that what they do
// never waits inside the writer.

// jobTries is River's own bound on the tries of a job. Package jobs decides
// by age; this one ends what kills its process every time before it could.
const jobTries = 500

// jobArgs is what is stored of a job beside its kind. Package jobs reads it.
type jobArgs struct {
	kind    string
	Subject string `json:"subject"`
}

// Kind is what River files the job under.
func (a jobArgs) Kind() string { return a.kind }

// jobInserter puts jobs into transactions of the writer.
type jobInserter struct {
	dialect dialect
	client  *river.Client[*sql.Tx]
	now     func() time.Time
}

func newJobInserter(d dialect, now func() time.Time) (*jobInserter, error) {
	client, err := river.NewClient(d.river(nil), &river.Config{
		Logger: slog.New(slog.DiscardHandler), MaxAttempts: jobTries,
	})
	if err != nil {
		return nil, fmt.Errorf("records: the job queue: %w", err)
	}
	return &jobInserter{dialect: d, client: client, now: now}, nil
}

// enqueue adds jobs to the transaction. On SQLite each takes the writer about
// half a millisecond: fine beside a few rows, not for thousands at once.
func (x *tx) enqueue(jobs ...gateway.Job) error {
	for _, job := range jobs {
		if err := job.Check(); err != nil {
			return passed{fmt.Errorf("records: a job of kind %q is refused: %w", job.Kind, err)}
		}
	}
	// Unique ones are locked in order, so that two processes do not wait for
	// each other in a circle.
	jobs = slices.SortedStableFunc(slices.Values(jobs), func(a, b gateway.Job) int { return cmp.Compare(jobKey(a), jobKey(b)) })
	var fresh []river.InsertManyParams
	var added string // the last unique one's key
	for _, job := range jobs {
		if key := jobKey(job); job.Unique {
			waits, err := x.jobWaits(job, key)
			if err != nil {
				return err
			}
			if waits || added == key {
				continue
			}
			added = key
		}
		fresh = append(fresh, x.jobs.params(job))
	}
	if len(fresh) == 0 {
		return nil
	}
	_, err := x.jobs.client.InsertManyTx(x.ctx, x.sql, fresh)
	return x.fail(err)
}

func (q *jobInserter) params(job gateway.Job) river.InsertManyParams {
	params := river.InsertManyParams{Args: jobArgs{kind: string(job.Kind), Subject: job.Subject}}
	if job.RunAt.After(q.now()) {
		params.InsertOpts = &river.InsertOpts{ScheduledAt: job.RunAt}
	}
	return params
}

func jobKey(job gateway.Job) string { return string(job.Kind) + "\x00" + job.Subject }

// holdJob finds the job that waits and holds it until the commit: no worker
// can take it before, look at the rows as they were, and be done.
//
// River's own uniqueness is of no use here: it counts a job that runs among
// those that wait, so that what comes in while it runs would be forgotten.
const holdJob = `UPDATE river_job SET kind = kind
	WHERE kind = $1 AND args ->> 'subject' = $2 AND state IN ('available', 'pending', 'retryable', 'scheduled')`

func (x *tx) jobWaits(job gateway.Job, key string) (bool, error) {
	if err := x.jobs.dialect.lockJob(x, key); err != nil {
		return false, err
	}
	n, err := x.exec(holdJob, string(job.Kind), job.Subject)
	return n > 0, err
}

// Enqueue hands jobs to the queue in a transaction of their own.
func (s *Store) Enqueue(ctx context.Context, jobs ...gateway.Job) error {
	_, err := write(ctx, s, "enqueue jobs", "", func(x *tx) (struct{}, error) {
		return struct{}{}, x.enqueue(jobs...)
	})
	return err
}

// Queue gives what the workers of the job queue run on: a pool on these
// records, closed together with them, and the name of its dialect.
func (s *Store) Queue() (pool *sql.DB, dialect string) { return s.workers, s.dialect.name() }
