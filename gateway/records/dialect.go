package records

import (
	"context"
	"database/sql"
	"time"

	"github.com/riverqueue/river/riverdriver"
)

// dialect is all that differs between the two databases. The SQL of the
// package does not.
type dialect interface {
	// openWriter opens a pool of one connection, for writing.
	openWriter() (*sql.DB, error)
	// openReaders opens a small pool, for reading.
	openReaders() (*sql.DB, error)
	// openQueue opens a small pool for the workers of the job queue.
	openQueue() (*sql.DB, error)
	// name is what cmd tells the workers of the queue.
	name() string
	// river gives the queue's driver; without a pool, for inserts alone.
	river(pool *sql.DB) riverdriver.Driver[*sql.Tx]
	// lockJob keeps other processes from adding a job of this key until the
	// transaction ends.
	lockJob(x *tx, key string) error
	// types replaces the words of a migration that name types.
	types(migration string) string
	// beginMigration begins a transaction that keeps every other process from
	// migrating until it ends. patience bounds what it waits for, not what it does.
	beginMigration(ctx context.Context, db *sql.DB, patience time.Duration) (*sql.Tx, error)
	// begin begins a write transaction; it waits for another process's turn
	// to end as long as the context allows.
	begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	// view gives the options of a transaction that reads one state of things.
	view() *sql.TxOptions
	// statement gives the context that statements of a write run under.
	statement(ctx context.Context) context.Context
	// prepares tells whether the driver keeps statements prepared by itself.
	prepares() bool
	// batch is how many writes may share a transaction.
	batch() int
	// ordered tells whether writes may share a transaction only if they name
	// what they lock first, and must take those locks in order.
	ordered() bool
	// skipLocked ends a query for rows to claim: a row that another process is
	// claiming is passed by.
	skipLocked() string
	// transient tells whether an error before the commit is worth another try.
	transient(err error) bool
}
