package jobs

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkRunsAtOnceAndAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Second)
		defer cancel()
		ran := 0
		Run(ctx, slog.New(slog.DiscardHandler), func(string, error) {}, Periodic{Name: "count", Every: time.Minute, Run: func(context.Context) error {
			ran++
			return nil
		}})
		if ran != 3 {
			t.Errorf("ran %d times in two minutes, want at 0, 1 and 2", ran)
		}
	})
}

func TestAFailureIsReportedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		var seen []bool
		tries := 0
		Run(ctx, slog.New(slog.DiscardHandler), func(_ string, err error) { seen = append(seen, err == nil) },
			Periodic{Name: "flaky", Every: time.Minute, Run: func(context.Context) error {
				tries++
				if tries == 1 {
					return errors.New("out of reach")
				}
				return nil
			}})
		if len(seen) != 2 || seen[0] || !seen[1] {
			t.Errorf("reported %v, want a failure and then a success", seen)
		}
	})
}

func TestStopWaitsForWorkUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		finished := false
		go func() { time.Sleep(time.Second); cancel() }()
		Run(ctx, slog.New(slog.DiscardHandler), func(string, error) {}, Periodic{Name: "slow", Every: time.Hour, Run: func(context.Context) error {
			time.Sleep(time.Minute)
			finished = true
			return nil
		}})
		if !finished {
			t.Error("Run returned while work was under way")
		}
	})
}
