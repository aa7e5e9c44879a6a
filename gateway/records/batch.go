package records

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"dropslot/gateway"
)

// tx is the writer's transaction as one write sees it.
type tx struct {
	ctx      context.Context
	sql      *sql.Tx
	hot      map[string]*sql.Stmt // prepared on the pool
	bound    map[string]*sql.Stmt // the same, bound to this transaction
	jobs     *jobInserter
	trail    *trail
	chain    chain // as it stands after what was written so far
	failed   error // of the first statement of the current write that failed
	lockMany many  // locks several senders and gives their standings
}

func (x *tx) prepared(statement string) *sql.Stmt {
	if bound := x.bound[statement]; bound != nil {
		return bound
	}
	prepared := x.hot[statement]
	if prepared == nil {
		return nil
	}
	bound := x.sql.StmtContext(x.ctx, prepared)
	x.bound[statement] = bound
	return bound
}

// exec gives the number of rows that were written.
func (x *tx) exec(statement string, args ...any) (int64, error) {
	var result sql.Result
	var err error
	if prepared := x.prepared(statement); prepared != nil { //nolint:sqlclosecheck // closed with the transaction
		result, err = prepared.ExecContext(x.ctx, args...)
	} else {
		result, err = x.sql.ExecContext(x.ctx, statement, args...)
	}
	if err != nil {
		return 0, x.fail(err)
	}
	rows, err := result.RowsAffected()
	return rows, x.fail(err)
}

func (x *tx) query(statement string, args ...any) (*sql.Rows, error) {
	var rows *sql.Rows
	var err error
	if prepared := x.prepared(statement); prepared != nil { //nolint:sqlclosecheck // closed with the transaction
		rows, err = prepared.QueryContext(x.ctx, args...)
	} else {
		rows, err = x.sql.QueryContext(x.ctx, statement, args...)
	}
	return rows, x.fail(err)
}

func (x *tx) fail(err error) error {
	if err != nil && x.failed == nil {
		x.failed = err
	}
	return err
}

const (
	savepoint         = "SAVEPOINT write"
	releaseSavepoint  = "RELEASE SAVEPOINT write"
	rollbackSavepoint = "ROLLBACK TO SAVEPOINT write"
)

// attempt runs the writes in one transaction and commits. A write that fails
// is undone alone, together with the step of the audit chain that was its own.
// An error means that none of them was written, or, if it is a commitError,
// that it is not known.
func (w *writer) attempt(ctx context.Context, ops []*op) error {
	ordered := w.dialect.ordered()
	if ordered {
		slices.SortStableFunc(ops, func(a, b *op) int { return cmp.Compare(a.lock, b.lock) })
	}
	transaction, err := w.dialect.begin(ctx, w.db)
	if err != nil {
		return err
	}
	x := &tx{
		ctx: w.dialect.statement(ctx), sql: transaction, hot: w.hot, bound: map[string]*sql.Stmt{},
		jobs: w.jobs, trail: w.trail, chain: w.chain, lockMany: readSenders,
	}
	if ordered {
		x.lockMany = lockSendersMany
	}
	written, err := w.runAll(x, ops)
	if err != nil || written == 0 {
		_ = transaction.Rollback()
		return err
	}
	if err := transaction.Commit(); err != nil {
		return &commitError{cause: err}
	}
	w.chain = x.chain
	if x.chain.seq > 0 {
		committed := x.chain
		w.head.Store(&committed)
	}
	return nil
}

func (w *writer) runAll(x *tx, ops []*op) (written int, err error) {
	several := len(ops) > 1
	for len(ops) > 0 {
		n := max(leadingTexts(ops), 1)
		next := ops[:n]
		ops = ops[n:]
		if n > 1 {
			done, err := w.runTogether(x, next)
			if err != nil {
				return 0, err
			}
			if done {
				written += n
				continue
			}
		}
		more, err := w.runEach(x, next, several)
		if err != nil {
			return 0, err
		}
		written += more
	}
	return written, nil
}

// runEach runs writes one by one; several share the transaction.
func (w *writer) runEach(x *tx, ops []*op, several bool) (written int, err error) {
	for _, o := range ops {
		if several {
			if _, err := x.exec(savepoint); err != nil {
				return 0, err
			}
		}
		before := x.chain
		if o.err = w.runOne(x, o); o.err == nil && o.panicked == nil {
			written++
			if several {
				if _, err := x.exec(releaseSavepoint); err != nil {
					return 0, err
				}
			}
			continue
		}
		if w.dialect.transient(o.err) {
			return 0, o.err
		}
		x.chain = before
		if !several {
			return 0, nil
		}
		if err := x.undo(); err != nil {
			return 0, err
		}
	}
	return written, nil
}

func (x *tx) undo() error {
	if _, err := x.exec(rollbackSavepoint); err != nil {
		return err
	}
	_, err := x.exec(releaseSavepoint)
	return err
}

func (w *writer) runOne(x *tx, o *op) (err error) {
	x.failed, o.panicked = nil, nil
	defer func() {
		if value := recover(); value != nil {
			o.panicked = value
		}
	}()
	if err := o.run(x); err != nil {
		return err
	}
	return x.failed
}

func isCommit(err error) bool {
	var e *commitError
	return errors.As(err, &e)
}

// hotStatements are those of the webhook's path, and the savepoints.
var hotStatements = slices.Concat(
	[]string{savepoint, releaseSavepoint, rollbackSavepoint, lockSender, updateSender},
	lockSendersMany.made, readSenders.made, updateSenders.made, insertTexts.made, insertLinks.made, supersedeLinks.made, insertAudit.made,
)

// senderLock orders the writes that share a transaction.
func senderLock(office gateway.OfficeID, sender gateway.PhoneIndex) string {
	if sender.IsZero() {
		return ""
	}
	return string(office) + "\x00" + string(sender[:])
}
