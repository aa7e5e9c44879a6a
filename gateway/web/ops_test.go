package web

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func opsGet(handler http.Handler, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}

func TestOps(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "dropslot_test_total"})
	registry.MustRegister(counter)
	counter.Inc()
	var log bytes.Buffer
	var redis error
	handler := NewOps(OpsParts{
		Metrics: registry, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Checks: map[string]func(context.Context) error{
			"redis":   func(context.Context) error { return redis },
			"records": func(context.Context) error { return nil },
		},
	})
	wantText(t, opsGet(handler, "/metrics"), "dropslot_test_total 1")
	ready := opsGet(handler, "/readyz")
	wantStatus(t, ready, http.StatusOK)
	if got := ready.Body.String(); got != "records: ok\nredis: ok\n" {
		t.Errorf("got %q", got)
	}

	redis = errors.New("dial tcp 10.1.2.3:6379: refused")
	down := opsGet(handler, "/readyz")
	wantStatus(t, down, http.StatusServiceUnavailable)
	if got := down.Body.String(); got != "records: ok\nredis: down\n" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(log.String(), "10.1.2.3") {
		t.Error("the log does not tell why")
	}
	wantStatus(t, opsGet(handler, "/healthz"), http.StatusOK) // the process lives
	wantStatus(t, opsGet(handler, "/"), http.StatusNotFound)
}

// A part that hangs and ignores its context costs one second, however many hang.
func TestReadyDoesNotWaitForAPartThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		hang := func(context.Context) error { <-release; return nil }
		handler := NewOps(OpsParts{
			Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
			Checks: map[string]func(context.Context) error{"redis": hang, "vault": hang},
		})
		began := time.Now()
		answer := opsGet(handler, "/readyz")
		if waited := time.Since(began); waited != readyTimeout {
			t.Errorf("waited %v", waited)
		}
		wantStatus(t, answer, http.StatusServiceUnavailable)
		close(release)
	})
}
