package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresDialect is one database, shared by processes of several machines.
type postgresDialect struct{ config *pgx.ConnConfig }

const (
	postgresReaders = 8
	// postgresBatch is how many texts may share a transaction. Their senders'
	// rows are locked in order, so that two processes never wait for each
	// other in a circle; every other write has a transaction of its own.
	postgresBatch = 16
	// migrationLock is the key of the advisory lock ("dropslot" in ASCII).
	migrationLock = 0x64726f70736c6f74
)

func newPostgres(url string) (dialect, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's own message may quote the address, password included.
		return nil, errors.New("records: the address is no Postgres address; write postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters percent-encoded")
	}
	config.ConnectTimeout = time.Second
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "dropslot"
	}
	for name, value := range map[string]string{
		// A server that commits asynchronously would lose acknowledged pages.
		"synchronous_commit": "on",
		"lock_timeout":       "1200ms",
		// The locks of a process that hangs or is cut off are given back.
		"idle_in_transaction_session_timeout": "10s",
	} {
		config.RuntimeParams[name] = value
	}
	return postgresDialect{config: config}, nil
}

func (d postgresDialect) openWriter() (*sql.DB, error) {
	db := stdlib.OpenDB(*d.config)
	db.SetMaxOpenConns(1)
	return db, nil
}

func (d postgresDialect) openReaders() (*sql.DB, error) {
	db := stdlib.OpenDB(*d.config)
	db.SetMaxOpenConns(postgresReaders)
	db.SetMaxIdleConns(postgresReaders)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

func (postgresDialect) types(migration string) string {
	return typeWords.ReplaceAllStringFunc(migration, func(word string) string {
		return map[string]string{"BYTES": "BYTEA", "TEXT": `TEXT COLLATE "C"`}[word]
	})
}

// beginMigration has the server bound the waiting: a deadline of the context
// would end the statements too.
func (d postgresDialect) beginMigration(ctx context.Context, db *sql.DB, patience time.Duration) (*sql.Tx, error) {
	tx, err := d.begin(ctx, db)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, "SELECT set_config('lock_timeout', $1, true)", fmt.Sprintf("%dms", patience.Milliseconds()))
	if err == nil {
		_, err = tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock))
	}
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// begin names the isolation level, because the package's locking is made for
// it and a server's default may differ: every statement sees what was
// committed before it, and rows are locked by UPDATE … RETURNING.
func (postgresDialect) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

func (postgresDialect) view() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (postgresDialect) statement(ctx context.Context) context.Context { return ctx }

func (postgresDialect) prepares() bool { return true }
func (postgresDialect) batch() int     { return postgresBatch }
func (postgresDialect) ordered() bool  { return true }

func (postgresDialect) skipLocked() string { return "FOR UPDATE SKIP LOCKED" }

// transient: deadlocks and serialization failures (class 40), a lock that was
// not to be had, a server that shuts down or starts (57P), one short of
// resources (53), and connections that broke.
func (postgresDialect) transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return strings.HasPrefix(e.Code, "40") || strings.HasPrefix(e.Code, "57P") ||
			strings.HasPrefix(e.Code, "53") || e.Code == "55P03"
	}
	return broken(err)
}
