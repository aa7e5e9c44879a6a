package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/jobs"
)

// failFor makes jobs that fail for good, one for each subject.
func (r *rig) failFor(subjects ...string) {
	r.t.Helper()
	for _, subject := range subjects {
		if err := r.records.Enqueue(r.t.Context(), gateway.Job{Kind: "test", Subject: subject}); err != nil {
			r.t.Fatal(err)
		}
	}
	db, dialect := r.records.Queue()
	q := jobs.NewQueue(jobs.Config{DB: db, Dialect: dialect, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	q.Handle("test", func(context.Context, string, int) error {
		return gateway.GiveUp(gateway.NewError(gateway.CodeSendFailed, nil))
	})
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error)
	go func() { ended <- q.Run(ctx) }()
	for end := time.Now().Add(20 * time.Second); strings.Count(r.listJobs(false), "dead") < len(subjects); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("no dead jobs:\n%s", r.listJobs(true))
		}
	}
	cancel()
	if err := <-ended; err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) jobBoards() (boards, *bytes.Buffer) {
	r.t.Helper()
	all, err := r.boards()
	if err != nil {
		r.t.Fatal(err)
	}
	var out bytes.Buffer
	return boards{audit: r.records, out: &out, all: all}, &out
}

func (r *rig) listJobs(all bool) string {
	r.t.Helper()
	b, out := r.jobBoards()
	rows, more, err := b.list(r.t.Context(), all)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := printJobs(out, rows, more, time.Now()); err != nil {
		r.t.Fatal(err)
	}
	return out.String()
}

// audited counts audit rows.
func (r *rig) audited(condition string, args ...any) (n int) {
	r.t.Helper()
	db, _ := r.records.Queue()
	if err := db.QueryRowContext(r.t.Context(), "SELECT COUNT(*) FROM audit WHERE actor = 'operator' AND "+condition, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func TestTheOperatorRetriesAndDropsDeadJobs(t *testing.T) {
	r := newRig(t)
	r.failFor("s1", "s2")
	if list := r.listJobs(false); !strings.Contains(list, "send-failed") || !strings.Contains(list, "s2") {
		t.Errorf("listed as\n%s", list)
	}
	b, out := r.jobBoards()
	if err := b.each(t.Context(), []string{"1"}, dropped, "the client came in person"); err != nil {
		t.Fatal(err)
	}
	if r.audited("action = 'job.dropped' AND object = 'job:1' AND outcome = 'done' AND reason = 'the client came in person'") != 1 {
		t.Error("the drop is not in the audit trail")
	}
	if err := b.retryAll(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if list := r.listJobs(true); !strings.Contains(list, "waiting") || !strings.Contains(list, "dropped") || strings.Contains(list, "dead") {
		t.Errorf("listed as\n%s", list)
	}
	if r.audited("action = 'job.retried' AND object = 'job:2' AND outcome = 'done'") != 1 || !strings.Contains(out.String(), "Retried job 2.") {
		t.Errorf("the retry is not in the audit trail, or not told: %s", out)
	}
	// The one that is unknown does not keep the command from the other.
	err := b.each(t.Context(), []string{"404", "2"}, dropped, "test")
	if err == nil || !strings.Contains(err.Error(), `no job "404"`) || !strings.Contains(out.String(), "Dropped job 2.") {
		t.Errorf("%v\n%s", err, out)
	}
	if r.audited("object = 'job:404' AND outcome = 'failed'") != 1 {
		t.Error("the drop of an unknown job looks done in the audit trail")
	}
}

func TestWithoutItsAuditRowNoJobIsDropped(t *testing.T) {
	r := newRig(t)
	r.failFor("s1")
	b, _ := r.jobBoards()
	b.audit = brokenTrail{b.audit}
	if err := b.each(t.Context(), []string{"1"}, dropped, "test"); err == nil {
		t.Error("no error")
	}
	if list := r.listJobs(false); !strings.Contains(list, "dead") {
		t.Errorf("listed as\n%s", list)
	}
}

// A crowd that waits hides neither the dead nor the failing, and retry finds
// more of them than one list holds; of what is done the latest is shown.
func TestTheWorstIsListedFirst(t *testing.T) {
	r := newRig(t)
	db, _ := r.records.Queue()
	fill := func(step string, due, tries, from, n int) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO outgoing (sid, office, number, text, sending, learned_at, step, due_at, tries)
			SELECT 'SM' || i, 'north', '+15551230100', '', '', i, ?, ?, ? FROM n`, from, from+n-1, step, due, tries); err != nil {
			t.Fatal(err)
		}
	}
	fill("erase", 1, 0, 1, 1500)
	fill("done", 0, 0, 2000, 1500)
	fill("dead", 0, 5, 5000, 1)
	fill("erase", 1, 5, 5001, 1)
	list := strings.Split(strings.TrimSpace(r.listJobs(false)), "\n")
	if !strings.Contains(list[1], "outgoing:SM5000") || !strings.Contains(list[2], "outgoing:SM5001") || !strings.Contains(list[3], "outgoing:SM1 ") ||
		!strings.Contains(list[len(list)-1], "and 502 more") {
		t.Errorf("listed as\n%s\n…\n%s", strings.Join(list[:4], "\n"), list[len(list)-1])
	}
	b, out := r.jobBoards()
	fill("dead", 0, 5, 6000, 1200)
	if err := b.retryAll(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "Retried job outgoing:"); n != 1202 || strings.Contains(out.String(), "No job") {
		t.Errorf("%d retried:\n%s", n, out)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE outgoing SET step = 'done', due_at = 0 WHERE learned_at < 6000"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM outgoing WHERE step <> 'done'"); err != nil {
		t.Fatal(err)
	}
	list = strings.Split(strings.TrimSpace(r.listJobs(true)), "\n")
	if !strings.Contains(list[1], "outgoing:SM5001 ") || !strings.Contains(list[3], "outgoing:SM3499 ") {
		t.Errorf("all are listed as\n%s", strings.Join(list[:4], "\n"))
	}
}

type brokenTrail struct{ gateway.AuditTrail }

func (brokenTrail) Append(context.Context, ...gateway.AuditEntry) error {
	return gateway.NewError(gateway.CodeUnavailable, nil)
}

func TestDeadJobsAreInTheMetrics(t *testing.T) {
	r := newRig(t)
	r.failFor("s1", "s2")
	metrics := prometheus.NewRegistry()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tending, err := r.tend(config.RoleWorker)
	if err != nil {
		t.Fatal(err)
	}
	go r.work(ctx, config.RoleWorker, rates{}.orDefault(), metrics, tending)
	served := httptest.NewServer(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	defer served.Close()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text := scrape(t, served.URL)
		if strings.Contains(text, `dropslot_jobs{kind="test",state="dead"} 2`) && strings.Contains(text, "dropslot_jobs_dead 2") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the metrics do not tell:\n%s", text)
		}
	}
}

func scrape(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
