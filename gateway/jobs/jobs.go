// Package jobs runs what the clock asks for: work that needs no request and
// no key, done again and again until the process stops.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Periodic is one piece of work. Run must be safe to do twice and beside
// another process doing the same.
type Periodic struct {
	Name  string
	Every time.Duration
	Run   func(context.Context) error
}

// Run does each piece of work at once and then at its pace, until ctx ends,
// and waits for what is under way. A failure is logged and told to report;
// the next turn tries again.
func Run(ctx context.Context, log *slog.Logger, report func(name string, err error), work ...Periodic) {
	var all sync.WaitGroup
	for _, p := range work {
		all.Go(func() { p.loop(ctx, log, report) })
	}
	all.Wait()
}

// run turns a panic into a failure: one piece of work must not end the others.
// The panic's value stays out of the log: it may quote what a person sent.
func (p Periodic) run(ctx context.Context) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic of type %T\n%s", value, debug.Stack())
		}
	}()
	return p.Run(ctx)
}

func (p Periodic) loop(ctx context.Context, log *slog.Logger, report func(string, error)) {
	ticker := time.NewTicker(p.Every)
	defer ticker.Stop()
	for {
		err := p.run(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			log.ErrorContext(ctx, "periodic work failed; it is tried again",
				slog.String("work", p.Name), slog.Duration("in", p.Every), slog.Any("error", err))
		}
		report(p.Name, err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
