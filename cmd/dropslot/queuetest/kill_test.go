package queuetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dropslot/gateway"
)

// A child is this test binary again, as a process that works the queue. It
// writes a line for each job into the ledger when the job's work is done.
const (
	childAddress = "DROPSLOT_QUEUETEST_URL"
	childLedger  = "DROPSLOT_QUEUETEST_LEDGER"
	childSuicide = "DROPSLOT_QUEUETEST_SUICIDE" // at the end of the first job's work
)

func childMain() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := child(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(ctx context.Context) error {
	store, err := open(ctx, os.Getenv(childAddress))
	if err != nil {
		return err
	}
	defer store.Close()
	ledger, err := os.OpenFile(os.Getenv(childLedger), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	return newQueue(store, func(_ context.Context, subject string, _ int) error {
		if _, err := fmt.Fprintln(ledger, subject); err != nil {
			return err
		}
		if os.Getenv(childSuicide) != "" {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}).Run(ctx)
}

type ledger struct {
	h    *house
	path string
}

func newLedger(h *house) ledger {
	l := ledger{h, filepath.Join(h.t.TempDir(), "ledger")}
	if err := os.WriteFile(l.path, nil, 0o600); err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (l ledger) lines() []string {
	content, err := os.ReadFile(l.path)
	if err != nil {
		l.h.t.Fatal(err)
	}
	return strings.Fields(string(content))
}

func (l ledger) child(more ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		l.h.t.Fatal(err)
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), append(more, childAddress+"="+l.h.url, childLedger+"="+l.path)...)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		l.h.t.Fatal(err)
	}
	return command
}

// longAgo lets the minutes pass after which the jobs of a process that died
// are taken for lost, and its leadership with them.
func (h *house) longAgo() {
	h.raw("UPDATE river_job SET attempted_at = " + h.ago("10 minutes") + " WHERE state = 'running'")
	h.raw("DELETE FROM river_leader")
}

func TestKilledWorkersLoseNoJob(t *testing.T) {
	onBoth(t, func(h *house) {
		const jobs, kills = 400, 8
		h.enqueue(jobs)
		l := newLedger(h)
		for range kills {
			before, more := len(l.lines()), 1+rand.IntN(30)
			victim := l.child()
			h.wait("some work", func() bool { return len(l.lines()) >= before+more })
			_ = victim.Process.Kill()
			_ = victim.Wait()
		}
		lost := h.counts()[gateway.JobRunning]
		h.longAgo()
		last := l.child()
		h.wait("the end of all jobs but the lost ones", func() bool {
			h.due()
			return h.counts()[gateway.JobDone] == jobs
		})
		if err := last.Process.Signal(syscall.SIGTERM); err != nil {
			h.t.Fatal(err)
		}
		if err := last.Wait(); err != nil {
			h.t.Errorf("the last worker did not stop cleanly: %v", err)
		}
		times := map[string]int{}
		for _, subject := range l.lines() {
			times[subject]++
		}
		if len(times) != jobs {
			h.t.Errorf("%d of %d jobs were done", len(times), jobs)
		}
		if lost == 0 {
			h.t.Error("no kill met a job under way: the test proves nothing")
		}
		h.t.Logf("%d jobs, %d kills, %d found under way, %d runs", jobs, kills, lost, len(l.lines()))
	})
}

func TestACrashBetweenTheWorkAndItsNoteRunsTheJobAgain(t *testing.T) {
	onBoth(t, func(h *house) {
		h.enqueue(1)
		l := newLedger(h)
		_ = l.child(childSuicide + "=1").Wait()
		if row := h.only(); row.State != gateway.JobRunning || len(l.lines()) != 1 {
			h.t.Fatalf("after the crash: %+v, %d lines", row, len(l.lines()))
		}
		h.longAgo()
		again := l.child()
		defer func() { _ = again.Process.Kill(); _ = again.Wait() }()
		h.are(1, gateway.JobFailing)
		if row := h.only(); row.Fault != "crashed" || time.Until(row.NextAt) > 31*time.Second {
			h.t.Errorf("taken for %+v", row)
		}
		h.due()
		h.are(1, gateway.JobDone)
		if n := len(l.lines()); n != 2 {
			h.t.Errorf("%d runs, want 2", n)
		}
	})
}
