package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// How long a part may take to show that it is there.
const readyTimeout = time.Second

// OpsParts is what the operator's listener is made of.
type OpsParts struct {
	Metrics prometheus.Gatherer
	// Checks ask one part each, by the name that /readyz shows: redis, records, vault.
	Checks map[string]func(context.Context) error
	Log    *slog.Logger
}

// NewOps makes the operator's listener:
//
//	GET /metrics  for Prometheus
//	GET /healthz  200 as long as the process answers at all
//	GET /readyz   200 if every part is there, else 503; one line a part
func NewOps(parts OpsParts) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(parts.Metrics, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		opsHeaders(w)
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", parts.ready)
	return mux
}

func opsHeaders(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// ready tells which part is down; why, only the log tells.
func (o OpsParts) ready(w http.ResponseWriter, r *http.Request) {
	names := make([]string, 0, len(o.Checks))
	for name := range o.Checks {
		names = append(names, name)
	}
	slices.Sort(names)
	faults := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { faults[i] = checkInTime(r.Context(), o.Checks[name]) })
	}
	all.Wait()

	opsHeaders(w)
	status, text := http.StatusOK, ""
	for i, name := range names {
		word := "ok"
		if faults[i] != nil {
			status, word = http.StatusServiceUnavailable, "down"
			o.Log.Warn("a part is out of reach", "part", name, "err", faults[i])
		}
		text += name + ": " + word + "\n"
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, text)
}

// checkInTime does not wait for a check that ignores its context.
func checkInTime(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- check(ctx) }()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
