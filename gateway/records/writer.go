package records

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// queueLength is how many writes may wait in memory.
	queueLength = 1024
	// leastTime is what a write must have left of its time to be begun.
	leastTime = patience / 6
)

// writer is the one goroutine of a Store that writes. It takes what waits,
// runs it in one transaction, commits, and tells the callers (a group commit:
// one fsync for all of them).
type writer struct {
	dialect dialect
	db      *sql.DB
	hot     map[string]*sql.Stmt
	jobs    *jobInserter
	trail   *trail
	log     *slog.Logger
	// patience is Options.Patience.
	patience time.Duration

	queue   chan *op
	held    *op // taken from the queue, but not fit for the batch
	stopped chan struct{}
	mu      sync.RWMutex // closed is not set while somebody hands in a write
	closed  bool

	chain chain // as committed
	head  atomic.Pointer[chain]
}

// op is one write on its way. Its fields belong to the writer from the moment
// it is begun until done is closed.
type op struct {
	what     string
	lock     string // what it locks first; "" if it must not share a transaction where that matters
	run      func(*tx) error
	text     *receiving // what run receives; nil for every other write
	deadline time.Time
	state    atomic.Int32
	done     chan struct{}
	err      error
	panicked any
}

const (
	opWaiting int32 = iota
	opBegun
	opWithdrawn
)

func startWriter(ctx context.Context, d dialect, db *sql.DB, o Options) (*writer, error) {
	w := &writer{
		dialect: d, db: db, log: o.Log, patience: o.Patience,
		trail: &trail{key: o.AuditKey, now: o.Now, random: o.Random},
		queue: make(chan *op, queueLength), stopped: make(chan struct{}),
	}
	var err error
	if w.jobs, err = newJobInserter(d, o.Now); err != nil {
		return nil, err
	}
	if !d.prepares() {
		w.hot = map[string]*sql.Stmt{}
		for _, statement := range hotStatements {
			made, err := db.PrepareContext(ctx, withoutNumbers(statement)) //nolint:sqlclosecheck // kept as long as the pool
			if err != nil {
				return nil, err
			}
			w.hot[statement] = made
		}
	}
	go w.loop()
	return w, nil
}

// write runs a function inside a transaction of the writer. The function may
// run several times and must not touch what it shares with the caller: the
// caller may have gone away.
func write[T any](ctx context.Context, s *Store, what, lock string, run func(*tx) (T, error)) (T, error) {
	result := new(T)
	err := s.writer.do(ctx, what, lock, func(x *tx) (err error) {
		*result, err = run(x)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return *result, nil
}

func (w *writer) do(ctx context.Context, what, lock string, run func(*tx) error) error {
	return w.hand(ctx, &op{what: what, lock: lock, run: run})
}

// hand hands in a write and waits for its commit. A write that waits can be
// withdrawn by its context. One that is begun is waited for, so that its
// caller learns how it ended, but hardly longer than the context's deadline;
// without one, than patience allows.
func (w *writer) hand(ctx context.Context, o *op) error {
	if err := ctx.Err(); err != nil {
		return describe(o.what, err)
	}
	deadline, limited := ctx.Deadline()
	if !limited {
		deadline = time.Now().Add(w.patience)
	}
	o.deadline, o.done = deadline, make(chan struct{})
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	if err := w.enqueue(ctx, o, timer.C); err != nil {
		return describe(o.what, err)
	}
	select {
	case <-o.done:
		return o.outcome()
	case <-timer.C:
	case <-ctx.Done():
		if o.state.CompareAndSwap(opWaiting, opWithdrawn) {
			return describe(o.what, ctx.Err())
		}
		select {
		case <-o.done:
			return o.outcome()
		case <-timer.C:
		}
	}
	if o.state.CompareAndSwap(opWaiting, opWithdrawn) {
		return errBusy
	}
	// The deadline of the batch is about to end it, unless the disk hangs.
	select {
	case <-o.done:
		return o.outcome()
	case <-time.After(w.patience / 10):
		return errNoReply
	}
}

func (w *writer) enqueue(ctx context.Context, o *op, late <-chan time.Time) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late:
		return errBusy
	}
}

// outcome gives the error; a panic of the caller's function comes up in the
// caller's goroutine, where somebody waits for it.
func (o *op) outcome() error {
	if o.panicked != nil {
		panic(o.panicked)
	}
	return describe(o.what, o.err)
}

func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
}

func (w *writer) loop() {
	defer close(w.stopped)
	for {
		next := w.held
		w.held = nil
		if next == nil {
			var open bool
			if next, open = <-w.queue; !open {
				return
			}
		}
		w.work(w.gather(next))
	}
}

// gatherPause lets a crowd grow before it is written: a commit costs the disk
// the same for many as for few.
const gatherPause = 400 * time.Microsecond

// gatherFrom is how many make a crowd: one text by itself never waits.
const gatherFrom = 3

// gather takes what waits and may share a transaction with the first.
func (w *writer) gather(first *op) []*op {
	batch := []*op{first}
	alone := func(o *op) bool { return w.dialect.ordered() && o.lock == "" }
	if alone(first) {
		return batch
	}
	paused := false
	for len(batch) < w.dialect.batch() {
		select {
		case o, open := <-w.queue:
			if !open {
				return batch
			}
			if alone(o) {
				w.held = o
				return batch
			}
			batch = append(batch, o)
		default:
			if paused || len(batch) < gatherFrom {
				return batch
			}
			paused = true
			time.Sleep(gatherPause)
		}
	}
	return batch
}

// begun takes the writes that still wait and have time, and gives the
// earliest of their deadlines.
func begun(batch []*op) (ops []*op, deadline time.Time) {
	now := time.Now()
	for _, o := range batch {
		if !o.state.CompareAndSwap(opWaiting, opBegun) {
			continue
		}
		if o.deadline.Sub(now) < leastTime {
			o.err = errBusy
			close(o.done)
			continue
		}
		if len(ops) == 0 || o.deadline.Before(deadline) {
			deadline = o.deadline
		}
		ops = append(ops, o)
	}
	return ops, deadline
}

// tries bounds how often a batch is run again after a failure before its
// commit, when certainly nothing was written.
const tries = 4

func (w *writer) work(batch []*op) {
	ops, deadline := begun(batch)
	if len(ops) == 0 {
		return
	}
	// One that hangs must not hold up the others for all of its own time: it
	// goes back into the queue instead.
	if most := time.Now().Add(w.patience); deadline.After(most) {
		deadline = most
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	err := w.attempt(ctx, ops)
	for try := 1; err != nil && try < tries && ctx.Err() == nil && w.dialect.transient(err) && !isCommit(err); try++ {
		w.log.WarnContext(ctx, "a write to the records is tried again", slog.String("error", describe("write", err).Error()))
		err = w.attempt(ctx, ops)
	}
	if isCommit(err) {
		// The rows may stand in the database or not. Whatever this process
		// writes from now on begins a chain of its own, which is whole either way.
		w.chain = chain{}
		w.log.ErrorContext(ctx, "the outcome of a commit is not known; a new audit chain begins", slog.String("error", err.Error()))
	}
	// The batch had the time of its least patient write. After a commit that
	// went wrong nothing is run again: it may have been done.
	late := err != nil && !isCommit(err) && ctx.Err() != nil
	for _, o := range ops {
		if late && w.again(o) {
			continue
		}
		if err != nil {
			o.err, o.panicked = err, nil
		}
		close(o.done)
	}
}

// again puts a write of which nothing was written at the end of the queue, if
// its caller still has time to wait.
func (w *writer) again(o *op) bool {
	// Who closes waits for the queue to empty, and so for this goroutine.
	if time.Until(o.deadline) < leastTime || !w.mu.TryRLock() {
		return false
	}
	defer w.mu.RUnlock()
	if w.closed {
		return false
	}
	o.state.Store(opWaiting)
	select {
	case w.queue <- o:
		return true
	default:
		o.state.CompareAndSwap(opWaiting, opBegun)
		return false
	}
}
