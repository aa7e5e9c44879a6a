package records

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// view reads: each statement by itself, or all of them in one state of things.
type view struct {
	ctx  context.Context
	from interface {
		QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	}
	prepared *prepared // nil within a transaction
}

func (v view) query(statement string, args ...any) (*sql.Rows, error) {
	if v.prepared == nil {
		return v.from.QueryContext(v.ctx, statement, args...)
	}
	prepared, err := v.prepared.get(v.ctx, statement) //nolint:sqlclosecheck // kept as long as the pool
	if err != nil {
		return nil, err
	}
	return prepared.QueryContext(v.ctx, args...)
}

// prepared keeps statements for a driver that does not by itself.
type prepared struct {
	db    *sql.DB
	mu    sync.RWMutex
	stmts map[string]*sql.Stmt // closed with db
}

func (p *prepared) get(ctx context.Context, statement string) (*sql.Stmt, error) {
	p.mu.RLock()
	known := p.stmts[statement]
	p.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.stmts[statement]; known != nil {
		return known, nil
	}
	made, err := p.db.PrepareContext(ctx, statement) //nolint:sqlclosecheck // kept as long as the pool
	if err != nil {
		return nil, err
	}
	if p.stmts == nil {
		p.stmts = map[string]*sql.Stmt{}
	}
	p.stmts[statement] = made
	return made, nil
}

// read runs something of which each statement stands for itself. It may run
// more than once, see again.
func read[T any](ctx context.Context, s *Store, what string, run func(view) (T, error)) (T, error) {
	return again(ctx, s.patience, what, func(ctx context.Context) (T, error) {
		v := view{ctx: ctx, from: s.readers}
		if !s.dialect.prepares() {
			v.prepared = &s.prepare
		}
		return run(v)
	})
}

// snapshot runs something whose statements must see the same state of things.
// It may run more than once, see again.
func snapshot[T any](ctx context.Context, s *Store, what string, run func(view) (T, error)) (T, error) {
	return again(ctx, s.patience, what, func(ctx context.Context) (result T, err error) {
		tx, err := s.readers.BeginTx(ctx, s.dialect.view())
		if err != nil {
			return result, err
		}
		defer func() { _ = tx.Rollback() }()
		return run(view{ctx: ctx, from: tx})
	})
}

// again runs a read whose connection broke on another one: a server that came
// back finds every connection of the pool broken, and most of them show it
// only once they are used.
func again[T any](ctx context.Context, patience time.Duration, what string, run func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := run(ctx)
	for try := 0; try < postgresReaders && broken(err) && ctx.Err() == nil; try++ {
		result, err = run(ctx)
	}
	return result, describe(what, err)
}
