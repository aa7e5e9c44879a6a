package queuetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway"
)

func TestEveryJobIsDoneThoughEachFailsOnce(t *testing.T) {
	onBoth(t, func(h *house) {
		const n = 200
		var tries [3]atomic.Int64
		h.enqueue(n)
		h.work(func(_ context.Context, _ string, try int) error {
			tries[min(try, 2)].Add(1)
			if try == 1 {
				return gateway.NewError(gateway.CodeNotFinal, errors.New("+15551230100"))
			}
			return nil
		})
		h.are(n, gateway.JobFailing)
		for _, row := range h.rows() {
			if wait := time.Until(row.NextAt); row.Fault != "not-final" || row.Tries != 1 || wait < 5*time.Second || wait > 31*time.Second {
				t := row
				h.t.Fatalf("a job that failed is listed as %+v, next in %v", t, wait)
			}
		}
		h.due()
		h.are(n, gateway.JobDone)
		if tries[1].Load() != n || tries[2].Load() != n {
			h.t.Errorf("%d first and %d second tries", tries[1].Load(), tries[2].Load())
		}
		var kept int
		if err := h.pool.QueryRowContext(h.t.Context(), "SELECT COUNT(*) FROM river_job WHERE CAST(errors AS TEXT) LIKE '%+1555%'").Scan(&kept); err != nil || kept != 0 {
			h.t.Errorf("%d rows hold the words of an error, %v", kept, err)
		}
	})
}

func TestAJobThatGivesUpIsDeadUntilItIsRetried(t *testing.T) {
	onBoth(t, func(h *house) {
		var mended atomic.Bool
		h.enqueue(1)
		h.work(func(_ context.Context, _ string, try int) error {
			if mended.Load() && try == 1 {
				return nil
			}
			return gateway.GiveUp(gateway.NewError(gateway.CodeSendFailed, nil))
		})
		h.are(1, gateway.JobDead)
		dead := h.only()
		if dead.Kind != kind || dead.Subject != "s0" || dead.Fault != "send-failed" || !dead.NextAt.IsZero() {
			h.t.Errorf("listed as %+v", dead)
		}
		mended.Store(true)
		if err := h.board.Retry(h.t.Context(), dead.ID); err != nil {
			h.t.Fatal(err)
		}
		h.are(1, gateway.JobDone)
		for name, act := range map[string]func(context.Context, string) error{"retry": h.board.Retry, "drop": h.board.Drop} {
			if err := act(h.t.Context(), dead.ID); !gateway.Is(err, gateway.CodeForbidden) {
				h.t.Errorf("%s of what is done: %v", name, err)
			}
			for _, id := range []string{"999999", "no-number", "-1"} {
				if err := act(h.t.Context(), id); !gateway.Is(err, gateway.CodeNotFound) {
					h.t.Errorf("%s of job %s: %v", name, id, err)
				}
			}
		}
	})
}

func TestAPoisonedJobIsDeadAfterTwoWeeks(t *testing.T) {
	onBoth(t, func(h *house) {
		var ran atomic.Int64
		h.enqueue(1)
		h.work(func(context.Context, string, int) error {
			ran.Add(1)
			panic("+15551230100")
		})
		h.are(1, gateway.JobFailing)
		h.raw("UPDATE river_job SET created_at = " + h.ago("14 days"))
		h.due()
		h.are(1, gateway.JobDead)
		if row := h.only(); row.Fault != "panic" || row.Tries != 2 {
			h.t.Errorf("listed as %+v", row)
		}
		counts, err := h.board.Count(h.t.Context())
		if err != nil || len(counts) != 1 || counts[0] != (gateway.JobCount{Kind: kind, State: gateway.JobDead, Count: 1}) {
			h.t.Errorf("counted as %v, %v", counts, err)
		}
		// Retrying gives it all of its time again.
		if err := h.board.Retry(h.t.Context(), h.only().ID); err != nil {
			h.t.Fatal(err)
		}
		h.are(1, gateway.JobFailing)
		if err := h.board.Drop(h.t.Context(), h.only().ID); err != nil {
			h.t.Fatal(err)
		}
		if row := h.only(); row.State != gateway.JobDropped || ran.Load() != 3 {
			h.t.Errorf("after %d tries: %+v", ran.Load(), row)
		}
		if rows, _, err := h.board.List(h.t.Context(), false); err != nil || len(rows) != 0 {
			h.t.Errorf("what needs a look: %v, %v", rows, err)
		}
	})
}

func TestAJobThatIsPutOffDoesNotCountTheTry(t *testing.T) {
	onBoth(t, func(h *house) {
		var first atomic.Int64
		h.enqueue(1)
		h.work(func(_ context.Context, _ string, try int) error {
			if try != 1 {
				h.t.Errorf("try %d", try)
			}
			if first.Add(1) < 3 {
				return gateway.Later(10 * time.Millisecond)
			}
			return gateway.Later(time.Hour)
		})
		h.wait("the third look", func() bool { return first.Load() == 3 })
		h.are(1, gateway.JobWaiting)
		row := h.only()
		if wait := time.Until(row.NextAt); row.Tries != 0 || row.Fault != "" || wait < 59*time.Minute || wait > time.Hour {
			h.t.Errorf("listed as %+v", row)
		}
	})
}

// River writes some times in the machine's zone, and SQLite compares text.
func TestPausesHoldInEveryZone(t *testing.T) {
	before := time.Local
	defer func() { time.Local = before }()
	for _, zone := range []string{"America/Chicago", "Asia/Tokyo"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		time.Local = location
		t.Run(zone, func(t *testing.T) {
			h := newHouse(t, "sqlite:"+t.TempDir()+"/records.db")
			var looks atomic.Int64
			h.enqueue(1)
			stop := h.work(func(context.Context, string, int) error {
				if looks.Add(1) == 1 {
					return gateway.Later(7 * time.Second) // beyond what River keeps in memory
				}
				return gateway.Later(time.Hour)
			})
			begin := time.Now()
			h.wait("the second look", func() bool { return looks.Load() == 2 })
			if took := time.Since(begin); took < 6*time.Second {
				t.Errorf("put off by 7 s, it came after %v", took)
			}
			time.Sleep(2500 * time.Millisecond) // one more look into the queue
			stop()
			if looks.Load() != 2 {
				t.Errorf("put off by an hour, it came %d times", looks.Load()-1)
			}
		})
	}
}

func TestTwoProcessesShareTheJobs(t *testing.T) {
	onBoth(t, func(h *house) {
		const n = 200
		var lock sync.Mutex
		seen := map[string]int{}
		count := func(_ context.Context, subject string, _ int) error {
			lock.Lock()
			defer lock.Unlock()
			seen[subject]++
			return nil
		}
		h.enqueue(n)
		h.work(count)
		newHouse(h.t, h.url).work(count)
		h.are(n, gateway.JobDone)
		lock.Lock()
		defer lock.Unlock()
		if len(seen) != n {
			h.t.Errorf("%d of %d jobs were done", len(seen), n)
		}
		for subject, times := range seen {
			if times != 1 {
				h.t.Errorf("%s was done %d times", subject, times)
			}
		}
	})
}

func TestAStopPutsBackWhatIsUnderWay(t *testing.T) {
	onBoth(t, func(h *house) {
		began := make(chan struct{})
		h.enqueue(1)
		stop := h.work(func(ctx context.Context, _ string, _ int) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		})
		<-began
		at := time.Now()
		stop()
		if took := time.Since(at); took > 6*time.Second {
			h.t.Errorf("the stop took %v", took)
		}
		if row := h.only(); row.State != gateway.JobWaiting || row.Tries != 0 {
			h.t.Errorf("left as %+v", row)
		}
		h.work(func(context.Context, string, int) error { return nil })
		h.are(1, gateway.JobDone)
	})
}

func TestAUniqueJobHandedInWhileOneRunsIsDoneAfterIt(t *testing.T) {
	onBoth(t, func(h *house) {
		job := gateway.Job{Kind: kind, Subject: "s1", Unique: true}
		began, goOn := make(chan struct{}, 9), make(chan struct{})
		h.work(func(context.Context, string, int) error {
			began <- struct{}{}
			<-goOn
			return nil
		})
		if err := h.Enqueue(h.t.Context(), job); err != nil {
			h.t.Fatal(err)
		}
		<-began
		for range 5 {
			if err := h.Enqueue(h.t.Context(), job); err != nil {
				h.t.Fatal(err)
			}
		}
		close(goOn)
		h.are(2, gateway.JobDone)
		if n := len(h.rows()); n != 2 {
			h.t.Errorf("%d jobs, want the first and one for the five", n)
		}
	})
}

// The audit trail stands for every write of the records here.
func TestNoWriteFailsBesideTheQueue(t *testing.T) {
	onBoth(t, func(h *house) {
		h.enqueue(100)
		h.work(func(context.Context, string, int) error { return nil })
		var callers sync.WaitGroup
		for range 16 {
			callers.Go(func() {
				for range 150 {
					if err := h.Append(h.t.Context(), gateway.AuditEntry{Actor: "test", Action: "test", Outcome: gateway.OutcomeDone}); err != nil {
						h.t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
		h.are(100, gateway.JobDone)
	})
}
