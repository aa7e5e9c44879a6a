package gateway

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// ChangeRecords counts what changes lists of the desk.
type ChangeRecords interface {
	// DeskChanges gives how often the lists of each office changed. A count
	// says nothing of what.
	DeskChanges(ctx context.Context) (map[OfficeID]int64, error)
}

// watchEvery is how long a change waits until open lists hear of it.
const watchEvery = time.Second

// Watch tells open lists that something changed, whichever process changed it:
// it asks the records for their counts as long as somebody listens. The counts
// are rows that each change writes in its own transaction, so nothing that is
// committed is missed, and no message has to reach anybody.
type Watch struct {
	Records ChangeRecords
	Log     *slog.Logger

	mu        sync.Mutex
	listeners map[*listener]bool
	asking    bool
	closed    bool
}

type listener struct {
	offices []OfficeID
	seen    int64
	changed chan struct{}
}

// Count gives a number that grows with each change of lists of these offices.
func (w *Watch) Count(ctx context.Context, offices []OfficeID) (int64, error) {
	counts, err := w.Records.DeskChanges(ctx)
	return sumOf(counts, offices), err
}

func sumOf(counts map[OfficeID]int64, offices []OfficeID) (sum int64) {
	for _, office := range offices {
		sum += counts[office]
	}
	return sum
}

// Listen gives a channel that holds something once the count is another than
// the one that was seen. Call end when nobody reads it any more.
func (w *Watch) Listen(offices []OfficeID, seen int64) (changed <-chan struct{}, end func()) {
	l := &listener{offices: offices, seen: seen, changed: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		close(l.changed)
		return l.changed, func() {}
	}
	if w.listeners == nil {
		w.listeners = map[*listener]bool{}
	}
	w.listeners[l] = true
	if !w.asking {
		w.asking = true
		go w.ask()
	}
	return l.changed, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.listeners, l)
	}
}

// Close closes the channel of everybody who listens, so that what waits for
// changes does not hold up the end of the process.
func (w *Watch) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for l := range w.listeners {
		close(l.changed)
		delete(w.listeners, l)
	}
}

// ask ends when nobody listens any more.
func (w *Watch) ask() {
	ticks := time.NewTicker(watchEvery)
	defer ticks.Stop()
	troubled := false
	for {
		counts, err := w.Records.DeskChanges(context.Background())
		if err != nil && !troubled {
			w.Log.Warn("open lists of the desk cannot be told of changes for now", slog.Any("error", err))
		}
		troubled = err != nil
		if !w.tell(counts, err == nil) {
			return
		}
		<-ticks.C
	}
}

func (w *Watch) tell(counts map[OfficeID]int64, known bool) (more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.listeners) == 0 {
		w.asking = false
		return false
	}
	for l := range w.listeners {
		sum := sumOf(counts, l.offices)
		if !known || sum == l.seen {
			continue
		}
		l.seen = sum
		select {
		case l.changed <- struct{}{}:
		default: // it has not read the last one yet
		}
	}
	return true
}
