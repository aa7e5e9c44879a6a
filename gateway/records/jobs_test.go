package records

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
)

const waitingJobs = "river_job WHERE state IN ('available', 'retryable', 'scheduled')"

func unique(subject string) gateway.Job {
	return gateway.Job{Kind: "test", Subject: subject, Unique: true}
}

func TestAJobIsPartOfItsTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, err := write(t.Context(), w.Store, "test", "", func(x *tx) (int, error) {
			if err := x.enqueue(gateway.Job{Kind: "test", Subject: "s1"}); err != nil {
				return 0, err
			}
			return 0, refuse(gateway.CodeForbidden)
		})
		w.check(err, gateway.CodeForbidden)
		if n := w.count("river_job"); n != 0 {
			t.Errorf("%d jobs of a transaction that was undone", n)
		}
		w.check(w.Enqueue(t.Context(), gateway.Job{Kind: "test", Subject: "s1"}, gateway.Job{Kind: "test", Subject: "s1"}), "")
		if n := w.count(waitingJobs); n != 2 {
			t.Errorf("%d jobs, want 2", n)
		}
	})
}

func TestABurstOfUniqueJobsMakesOne(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i, err := range race(40, func(i int) error {
			s := w.Store
			if i%2 == 1 {
				s = other.Store
			}
			return s.Enqueue(t.Context(), unique("s1"), unique("s2"), unique("s1"))
		}) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		for _, subject := range []string{"s1", "s2"} {
			if n := w.count(waitingJobs+" AND args ->> 'subject' = $1", subject); n != 1 {
				t.Errorf("%d jobs for %s, want 1", n, subject)
			}
		}
	})
}

func TestAUniqueJobCountsThoseThatWaitAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, state := range []string{"retryable", "scheduled", "available", "running", "completed", "discarded", "cancelled"} { //nolint:misspell // River's word
			subject := fmt.Sprint("s", i)
			w.check(w.Enqueue(t.Context(), unique(subject)), "")
			finalized := "NULL"
			if i > 3 {
				finalized = "CURRENT_TIMESTAMP"
			}
			w.raw(fmt.Sprintf("UPDATE river_job SET state = '%s', finalized_at = %s WHERE args ->> 'subject' = '%s'", state, finalized, subject))
			w.check(w.Enqueue(t.Context(), unique(subject)), "")
			want := 1
			if i > 2 {
				want = 2
			}
			if n := w.count("river_job WHERE args ->> 'subject' = $1", subject); n != want {
				t.Errorf("one that is %s, then another: %d jobs, want %d", state, n, want)
			}
		}
	})
}

// A worker that took the waiting job now would look at the rows as they were
// before the transaction that counts on it.
func TestAWaitingJobIsHeldUntilTheCommit(t *testing.T) {
	w := openWorld(t, recordstest.Postgres(t))
	w.check(w.Enqueue(t.Context(), unique("s1")), "")
	const take = "UPDATE river_job SET state = 'running' WHERE id IN (SELECT id FROM river_job WHERE state = 'available' FOR UPDATE SKIP LOCKED)"
	taken := func() int64 {
		pool, _ := w.Queue()
		result, err := pool.ExecContext(t.Context(), take)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := result.RowsAffected()
		return n
	}
	_, err := write(t.Context(), w.Store, "test", "", func(x *tx) (int, error) {
		if err := x.enqueue(unique("s1")); err != nil {
			return 0, err
		}
		if n := taken(); n != 0 {
			t.Errorf("%d jobs were taken before the commit", n)
		}
		return 0, nil
	})
	w.check(err, "")
	if n := taken(); n != 1 {
		t.Errorf("%d jobs could be taken after the commit, want 1", n)
	}
}

func TestAJobForLaterIsScheduled(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.check(w.Enqueue(t.Context(), gateway.Job{Kind: "test", Subject: "now", RunAt: noon}), "")
		w.check(w.Enqueue(t.Context(), gateway.Job{Kind: "test", Subject: "later", RunAt: noon.Add(time.Hour)}), "")
		if n := w.count("river_job WHERE state = 'scheduled' AND args ->> 'subject' = 'later'"); n != 1 || w.count("river_job WHERE state = 'available'") != 1 {
			t.Error("the job for later is not scheduled, or the one for now is")
		}
	})
}

func TestAJobAboutAPersonIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		err := w.Enqueue(t.Context(), gateway.Job{Kind: "test", Subject: "+15551230100"})
		if !errors.Is(err, gateway.ErrBadJob) || w.count("river_job") != 0 {
			t.Errorf("error %v, %d jobs", err, w.count("river_job"))
		}
	})
}

func TestProcessesThatStartAtOnceMakeTheQueueOnce(t *testing.T) {
	for name, url := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "records.db"), "postgres": recordstest.Postgres(t),
	} {
		t.Run(name, func(t *testing.T) {
			for i, err := range race(8, func(int) error {
				s, err := Open(t.Context(), url, options())
				if err != nil {
					return err
				}
				return errors.Join(s.Enqueue(t.Context(), unique("s1")), s.Close())
			}) {
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
			if w := openWorld(t, url); w.count(waitingJobs) != 1 {
				t.Error("the queue does not work")
			}
		})
	}
}
