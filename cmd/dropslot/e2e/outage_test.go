package e2e

import (
	"database/sql"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func terminate(t *testing.T, p *process) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// redisCommand sends one command to the house's Redis and expects OK.
func (h *house) redisCommand(words ...string) {
	h.t.Helper()
	connection, err := net.DialTimeout("tcp", h.redis, time.Second)
	if err != nil {
		h.t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
	answer := make([]byte, 64)
	if _, err := connection.Write([]byte(strings.Join(words, " ") + "\r\n")); err != nil {
		h.t.Fatal(err)
	}
	n, err := connection.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "+OK") {
		h.t.Fatalf("redis: %q %v", answer[:n], err)
	}
}

// hang stops processes as a machine does that runs out of air: they keep
// their connections and answer nothing.
func hang(t *testing.T, pids ...int) (resume func()) {
	t.Helper()
	var stopped []int
	resume = func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		stopped = nil
	}
	t.Cleanup(resume)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		stopped = append(stopped, pid)
	}
	return resume
}

// postgresProcesses finds the server behind an address, with every process
// that serves a connection, as the system lists them.
func postgresProcesses(t *testing.T, address string) []int {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var backend int
	if err := db.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		t.Fatal(err)
	}
	server := parentOf(t, backend)
	pids := []int{server}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err == nil && pid != backend && parentOf(t, pid) == server {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf gives 0 for a process that has ended.
func parentOf(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "PPid:"); found {
			parent, _ := strconv.Atoi(strings.TrimSpace(text))
			return parent
		}
	}
	return 0
}

// TestAHangingRedisOrPostgresIsA503WithinTwoSeconds stops each of them dead.
// Twilio gives up on a webhook late and then retries: the answer has to be
// quick, a 503, and no text that a client would be sent. The retry of the
// same message afterwards gets its link.
func TestAHangingRedisOrPostgresIsA503WithinTwoSeconds(t *testing.T) {
	h := newHouse(t, nowhere)
	h.onPostgres()
	h.serve("intake")
	address := h.recordsURL()
	for name, pids := range map[string]func() []int{
		"Redis":    func() []int { return []int{h.redisProcess.command.Process.Pid} },
		"Postgres": func() []int { return postgresProcesses(t, address) },
	} {
		t.Run(name, func(t *testing.T) {
			phone := &client{base: "http://" + h.public, from: randomAddress(), http: newTransport()}
			if _, err := phone.deliver(t.Context(), h.public, newText("before")); err != nil {
				t.Fatal(err)
			}
			resume := hang(t, pids()...)
			message := newText("Hello")
			var slowest time.Duration
			for range 3 { // a connection is in use at first, and has to be made anew later
				began := time.Now()
				response, content, err := phone.post(t.Context(), h.public, message)
				took := time.Since(began)
				slowest = max(slowest, took)
				if err != nil {
					t.Fatal(err)
				}
				kind := response.Header.Get("Content-Type")
				if response.StatusCode != http.StatusServiceUnavailable || !strings.HasPrefix(kind, "text/xml") || took > 2*time.Second {
					t.Errorf("%s of %s after %v: %s, want a 503 of text/xml within 2 s", response.Status, kind, took, content)
				}
				if strings.Contains(string(content), "<Message") {
					t.Errorf("the client is sent a text all the same: %s", content)
				}
			}
			t.Logf("the slowest 503 took %v", slowest)
			resume()
			var answer string
			waitFor(t, "the retry to be answered", startTimeout, func() bool {
				var err error
				answer, err = phone.deliver(t.Context(), h.public, message)
				return err == nil
			})
			if _, err := tokenIn(answer); err != nil {
				t.Error(err)
			}
		})
	}
}

// recordsURL is the address of the records in the configuration.
func (h *house) recordsURL() string {
	h.t.Helper()
	text, err := os.ReadFile(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), `records: {url: "`)
	address, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		h.t.Fatal("the configuration names no records")
	}
	return address
}
