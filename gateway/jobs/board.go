package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dropslot/gateway"
)

// Board shows the queue to the operator.
type Board struct {
	db     *sql.DB
	client *river.Client[*sql.Tx]
}

var _ gateway.JobBoard = (*Board)(nil)

// NewBoard makes the board of a queue; it needs no workers.
func NewBoard(db *sql.DB, dialect string) (*Board, error) {
	driver, err := driverOf(dialect, db)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(driver, &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Board{db: db, client: client}, nil
}

// stateOf gives our word for River's state of a job.
var stateOf = map[rivertype.JobState]gateway.JobState{
	rivertype.JobStateAvailable: gateway.JobWaiting,
	rivertype.JobStatePending:   gateway.JobWaiting,
	rivertype.JobStateScheduled: gateway.JobWaiting,
	rivertype.JobStateRetryable: gateway.JobFailing,
	rivertype.JobStateRunning:   gateway.JobRunning,
	rivertype.JobStateDiscarded: gateway.JobDead,
	rivertype.JobStateCompleted: gateway.JobDone,
	rivertype.JobStateCancelled: gateway.JobDropped,
}

// worstFirst is the order of a list.
var worstFirst = []gateway.JobState{
	gateway.JobDead, gateway.JobFailing, gateway.JobWaiting, gateway.JobRunning, gateway.JobDropped, gateway.JobDone,
}

// listPage is how many jobs are read at once.
const listPage = 1000

// List gives all of what is dead, failing or waiting, the worst first.
func (b *Board) List(ctx context.Context, all bool) (rows []gateway.JobRow, more int, err error) {
	params := river.NewJobListParams().First(listPage).OrderBy(river.JobListOrderByID, river.SortOrderAsc)
	if !all {
		params = params.States(rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateScheduled,
			rivertype.JobStateRetryable, rivertype.JobStateDiscarded)
	}
	for {
		page, err := b.client.JobList(ctx, params)
		if err != nil {
			return nil, 0, fmt.Errorf("jobs: list: %w", err)
		}
		for _, job := range page.Jobs {
			rows = append(rows, rowOf(job))
		}
		if len(page.Jobs) < listPage {
			break
		}
		params = params.After(page.LastCursor)
	}
	slices.SortStableFunc(rows, func(a, b gateway.JobRow) int {
		return cmp.Or(cmp.Compare(slices.Index(worstFirst, a.State), slices.Index(worstFirst, b.State)), a.NextAt.Compare(b.NextAt))
	})
	return rows, 0, nil
}

func rowOf(job *rivertype.JobRow) gateway.JobRow {
	row := gateway.JobRow{
		ID: strconv.FormatInt(job.ID, 10), Kind: gateway.JobKind(job.Kind), Subject: subjectOf(job.EncodedArgs),
		State: stateOf[job.State], Tries: job.Attempt, Since: job.CreatedAt,
	}
	if n := len(job.Errors); n > 0 {
		row.Fault = faultText(job.Errors[n-1].Error)
		if row.State == gateway.JobWaiting && job.Attempt > 0 {
			row.State = gateway.JobFailing // its next try is due
		}
	}
	if row.State == gateway.JobWaiting || row.State == gateway.JobFailing {
		row.NextAt = job.ScheduledAt
	}
	return row
}

var faultPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)

// faultText keeps our own words and puts River's sentences into one.
func faultText(stored string) string {
	switch {
	case faultPattern.MatchString(stored):
		return stored
	case strings.Contains(stored, "rescued"):
		return "crashed" // its process died, or it ran for longer than it may
	case strings.Contains(stored, "not registered"):
		return "unknown-kind"
	}
	return "other"
}

// numbered gives River's number of a job, or CodeNotFound for what cannot be one.
func numbered(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, gateway.NewError(gateway.CodeNotFound, nil)
	}
	return n, nil
}

// Both statements leave alone what runs: whoever runs it writes its state.
const (
	retryJob = `UPDATE river_job SET state = 'available', attempt = 0, created_at = CURRENT_TIMESTAMP,
		scheduled_at = CURRENT_TIMESTAMP, finalized_at = NULL WHERE id = $1 AND state NOT IN ('running', 'completed')`
	// The row stays for a while as dropped: a worker that was taken for lost
	// may still come back to it.
	dropJob = `UPDATE river_job SET state = 'cancelled', finalized_at = CURRENT_TIMESTAMP
		WHERE id = $1 AND state NOT IN ('running', 'completed', 'cancelled')`
	countJobs = `SELECT kind, CAST(state AS TEXT), COUNT(*) FROM river_job
		WHERE state NOT IN ('completed', 'cancelled') GROUP BY kind, state`
)

// Retry lets a job begin now, as if it were new.
func (b *Board) Retry(ctx context.Context, id string) error { return b.change(ctx, retryJob, id) }

// Drop ends a job without its being done.
func (b *Board) Drop(ctx context.Context, id string) error { return b.change(ctx, dropJob, id) }

func (b *Board) change(ctx context.Context, statement, id string) error {
	number, err := numbered(id)
	if err != nil {
		return err
	}
	result, err := b.db.ExecContext(ctx, statement, number)
	if err != nil {
		return fmt.Errorf("jobs: change job %d: %w", number, err)
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	var known int
	err = b.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM river_job WHERE id = $1", number).Scan(&known)
	switch {
	case err != nil:
		return fmt.Errorf("jobs: find job %d: %w", number, err)
	case known == 0:
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	return gateway.NewError(gateway.CodeForbidden, nil)
}

// Count counts what is not done.
func (b *Board) Count(ctx context.Context) ([]gateway.JobCount, error) {
	rows, err := b.db.QueryContext(ctx, countJobs)
	if err != nil {
		return nil, fmt.Errorf("jobs: count: %w", err)
	}
	defer rows.Close()
	var counts []gateway.JobCount
	for rows.Next() {
		var c gateway.JobCount
		var state string
		if err := rows.Scan((*string)(&c.Kind), &state, &c.Count); err != nil {
			return nil, fmt.Errorf("jobs: count: %w", err)
		}
		c.State = stateOf[rivertype.JobState(state)]
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

func subjectOf(encoded []byte) string {
	var a args
	if err := json.Unmarshal(encoded, &a); err != nil {
		return "?"
	}
	return a.Subject
}
