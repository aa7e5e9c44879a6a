package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteDialect is one file, shared by the processes of one machine.
type sqliteDialect struct{ path string }

const (
	// sqliteReaders is how many connections read at once.
	sqliteReaders = 4
	// sqliteBatch bounds how long one transaction keeps the other processes
	// from writing: about 10 ms.
	sqliteBatch = 128
	// sqlitePoll is the pause between two tries to begin while another
	// process writes. SQLite's own waiting pauses for up to 100 ms and would
	// hardly ever meet the gaps that a busy process leaves between its batches.
	sqlitePoll = 700 * time.Microsecond
)

func newSQLite(path string) (dialect, error) {
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("records: name a file after sqlite: , for example sqlite:records.db")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	if err := makeSQLiteFile(absolute); err != nil {
		return nil, fmt.Errorf("records: the SQLite file cannot be opened for writing: %w", err)
	}
	return sqliteDialect{path: absolute}, nil
}

// dsn puts the pragmas where every connection of the pool gets them.
func (d sqliteDialect) dsn(more url.Values) string {
	q := url.Values{
		"_busy_timeout": {"2"}, // milliseconds; see sqlitePoll
		"_foreign_keys": {"1"},
		"_synchronous":  {"FULL"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		// Temporary tables and statement journals hold rows: not on disk.
		"_pragma": {"temp_store(memory)", "trusted_schema(0)"},
	}
	for key, values := range more {
		if key != "_pragma" {
			q.Del(key)
		}
		q[key] = append(q[key], values...)
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: d.path, RawQuery: q.Encode()}).String()
}

func (d sqliteDialect) openWriter() (*sql.DB, error) {
	db, err := sql.Open("sqlite", d.dsn(url.Values{
		"_journal_mode": {"WAL"},
		"_txlock":       {"immediate"},
		"_pragma":       {"cache_size(-8000)", "wal_autocheckpoint(16000)", "journal_size_limit(67108864)"},
	}))
	if err != nil {
		return nil, describe("open SQLite", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (d sqliteDialect) openReaders() (*sql.DB, error) {
	db, err := sql.Open("sqlite", d.dsn(url.Values{"_query_only": {"1"}}))
	if err != nil {
		return nil, describe("open SQLite", err)
	}
	db.SetMaxOpenConns(sqliteReaders)
	db.SetMaxIdleConns(sqliteReaders)
	return db, nil
}

func (sqliteDialect) types(migration string) string {
	return typeWords.ReplaceAllStringFunc(migration, func(word string) string {
		if word == "BYTES" {
			return "BLOB"
		}
		return word
	})
}

// beginMigration begins as the only writer; begin hands its context's deadline
// to nothing but the waiting.
func (d sqliteDialect) beginMigration(ctx context.Context, db *sql.DB, patience time.Duration) (*sql.Tx, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.begin(ctx, db)
}

// begin polls for the write lock. The context is not handed to SQLite: a
// statement that it interrupts in a transaction rolls the transaction back
// behind our backs.
func (d sqliteDialect) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	for {
		tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
		if err == nil || !d.transient(err) {
			return tx, err
		}
		select {
		case <-ctx.Done():
			return nil, errLocked
		case <-time.After(sqlitePoll):
		}
	}
}

func (sqliteDialect) view() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

func (sqliteDialect) statement(ctx context.Context) context.Context {
	return context.WithoutCancel(ctx)
}

func (sqliteDialect) prepares() bool { return false }
func (sqliteDialect) batch() int     { return sqliteBatch }
func (sqliteDialect) ordered() bool  { return false }

func (sqliteDialect) skipLocked() string { return "" } // one process writes at a time

func (sqliteDialect) transient(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	primary := e.Code() & 0xff
	return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
}
