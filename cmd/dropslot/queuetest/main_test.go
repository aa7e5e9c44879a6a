// Package queuetest runs the job queue's two sides together, inserts by
// package records and workers by package jobs, on SQLite and on Postgres.
package queuetest

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/jobs"
	"dropslot/gateway/records"
	"dropslot/gateway/records/recordstest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childAddress) != "" {
		childMain()
	}
	code := m.Run()
	recordstest.Stop()
	os.Exit(code)
}

const kind gateway.JobKind = "test"

// patience bounds each wait of a test.
const patience = time.Minute

// house is one set of records and what shows its queue.
type house struct {
	*records.Store
	t     *testing.T
	url   string
	pool  *sql.DB
	board *jobs.Board
}

// onBoth runs a test on SQLite and on Postgres at once: it mostly waits.
func onBoth(t *testing.T, test func(h *house)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(newHouse(t, recordstest.SQLiteReady(t, prepare)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(newHouse(t, recordstest.PostgresReady(t, prepare)))
	})
}

// prepare makes records that tests get copies of.
func prepare(url string) error {
	store, err := open(context.Background(), url)
	if err != nil {
		return err
	}
	return store.Close()
}

func newHouse(t *testing.T, url string) *house {
	t.Helper()
	store, err := open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	pool, dialect := store.Queue()
	board, err := jobs.NewBoard(pool, dialect)
	if err != nil {
		t.Fatal(err)
	}
	return &house{Store: store, t: t, url: url, pool: pool, board: board}
}

func open(ctx context.Context, url string) (*records.Store, error) {
	return records.Open(ctx, url, records.Options{AuditKey: []byte("0123456789abcdef0123456789abcdef"), Patience: patience})
}

func newQueue(s *records.Store, handler jobs.Handler) *jobs.Queue {
	pool, dialect := s.Queue()
	q := jobs.NewQueue(jobs.Config{DB: pool, Dialect: dialect, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	q.Handle(kind, handler)
	return q
}

// work runs a queue; the function that it gives, or the test's end, stops it.
func (h *house) work(handler jobs.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := newQueue(h.Store, handler).Run(ctx); err != nil {
			h.t.Errorf("the queue: %v", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	h.t.Cleanup(stop)
	return stop
}

func (h *house) enqueue(n int) {
	h.t.Helper()
	list := make([]gateway.Job, n)
	for i := range list {
		list[i] = gateway.Job{Kind: kind, Subject: fmt.Sprintf("s%d", i)}
	}
	// Ample time for a disk that is busy with the tests beside this one.
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	for some := range slices.Chunk(list, 50) {
		if err := h.Enqueue(ctx, some...); err != nil {
			h.t.Fatal(err)
		}
	}
}

// wait waits until something holds.
func (h *house) wait(what string, holds func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s does not come about; jobs: %v", what, h.counts())
		}
	}
}

func (h *house) rows() []gateway.JobRow {
	h.t.Helper()
	rows, _, err := h.board.List(context.Background(), true)
	if err != nil {
		h.t.Fatal(err)
	}
	return rows
}

func (h *house) counts() map[gateway.JobState]int {
	counts := map[gateway.JobState]int{}
	for _, row := range h.rows() {
		counts[row.State]++
	}
	return counts
}

// are waits until so many jobs are in a state.
func (h *house) are(n int, state gateway.JobState) {
	h.t.Helper()
	h.wait(fmt.Sprintf("%d %s", n, state), func() bool { return h.counts()[state] == n })
}

// only gives the one job there is.
func (h *house) only() gateway.JobRow {
	h.t.Helper()
	rows := h.rows()
	if len(rows) != 1 {
		h.t.Fatalf("there are %d jobs", len(rows))
	}
	return rows[0]
}

func (h *house) raw(statement string) {
	h.t.Helper()
	if _, err := h.pool.ExecContext(context.Background(), statement); err != nil {
		h.t.Fatal(err)
	}
}

// due lets the pause after a failure be over.
func (h *house) due() {
	h.t.Helper()
	h.raw("UPDATE river_job SET state = 'available', scheduled_at = CURRENT_TIMESTAMP WHERE state = 'retryable'")
}

// ago writes a time in the past as the database does.
func (h *house) ago(amount string) string {
	if _, dialect := h.Queue(); dialect == "sqlite" {
		return "datetime('now', '-" + amount + "')"
	}
	return "now() - interval '" + amount + "'"
}
