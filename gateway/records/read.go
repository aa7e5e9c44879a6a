package records

import (
	"context"
	"database/sql"
	"sync"
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

// read runs something of which each statement stands for itself.
func read[T any](ctx context.Context, s *Store, what string, run func(view) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v := view{ctx: ctx, from: s.readers}
	if !s.dialect.prepares() {
		v.prepared = &s.prepare
	}
	result, err := run(v)
	return result, describe(what, err)
}

// snapshot runs something whose statements must see the same state of things.
func snapshot[T any](ctx context.Context, s *Store, what string, run func(view) (T, error)) (result T, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tx, err := s.readers.BeginTx(ctx, s.dialect.view())
	if err != nil {
		return result, describe(what, err)
	}
	defer func() { _ = tx.Rollback() }()
	result, err = run(view{ctx: ctx, from: tx})
	return result, describe(what, err)
}
