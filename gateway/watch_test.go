package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type countedChanges struct {
	mu     sync.Mutex
	counts map[OfficeID]int64
	asked  int
	err    error
}

func (c *countedChanges) DeskChanges(context.Context) (map[OfficeID]int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	copied := map[OfficeID]int64{}
	for office, n := range c.counts {
		copied[office] = n
	}
	return copied, c.err
}

func (c *countedChanges) set(office OfficeID, n int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[office], c.err = n, err
}

func heard(changed <-chan struct{}) bool {
	select {
	case _, open := <-changed:
		return open
	default:
		return false
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counts := &countedChanges{counts: map[OfficeID]int64{"north": 3, "south": 1}}
		w := &Watch{Records: counts, Log: slog.New(slog.DiscardHandler)}
		north, endNorth := w.Listen([]OfficeID{"north"}, 3)
		late, endLate := w.Listen([]OfficeID{"north", "south"}, 3) // something changed since its page was made
		step := func() { time.Sleep(watchEvery); synctest.Wait() }
		step()
		if heard(north) || !heard(late) {
			t.Error("nothing changed for the one, and something for the other")
		}
		counts.set("south", 2, nil)
		step()
		if heard(north) || !heard(late) {
			t.Error("a change of the south belongs to who listens to the south")
		}
		counts.set("north", 4, errors.New("out of reach"))
		step()
		counts.set("north", 5, nil)
		step()
		if !heard(north) || !heard(late) {
			t.Error("what changed while the records were out of reach was missed")
		}
		endNorth()
		endLate()
		step()
		step()
		before := counts.asked
		step()
		if counts.asked != before {
			t.Error("the records are asked though nobody listens")
		}
		again, _ := w.Listen([]OfficeID{"north"}, 5)
		w.Close()
		if _, open := <-again; open {
			t.Error("a listener holds up the end")
		}
		if never, _ := w.Listen(nil, 0); heard(never) {
			t.Error("a listener after the end")
		}
		step()
	})
}
