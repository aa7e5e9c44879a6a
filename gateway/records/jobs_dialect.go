package records

import (
	"database/sql"
	"hash/fnv"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

const (
	// queueConnections is how many of the queue's statements run at once.
	queueConnections = 4
	// queueBusy is how long the queue waits for the SQLite file's lock. The
	// writer polls for it in much smaller steps and mostly wins: under a flood
	// of texts the jobs wait, not the texts.
	queueBusy = "20000" // milliseconds
)

// The names of the dialects, for package jobs.
const (
	dialectSQLite   = "sqlite"
	dialectPostgres = "postgres"
)

func (sqliteDialect) name() string   { return dialectSQLite }
func (postgresDialect) name() string { return dialectPostgres }

// openQueue names zone and format of times: River compares them as text with
// SQLite's own clock, in UTC, and some it binds in the zone of the machine.
func (d sqliteDialect) openQueue() (*sql.DB, error) {
	db, err := sql.Open(dialectSQLite, d.dsn(url.Values{
		"_busy_timeout": {queueBusy},
		"_txlock":       {"immediate"},
		"_timezone":     {"UTC"},
		"_time_format":  {"sqlite"},
		"_pragma":       {"cache_size(-2000)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)"},
	}))
	if err != nil {
		return nil, describe("open SQLite", err)
	}
	db.SetMaxOpenConns(queueConnections)
	db.SetMaxIdleConns(queueConnections)
	return db, nil
}

func (d postgresDialect) openQueue() (*sql.DB, error) {
	db := stdlib.OpenDB(*d.config)
	db.SetMaxOpenConns(queueConnections)
	db.SetMaxIdleConns(queueConnections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

func (sqliteDialect) river(pool *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(pool) }

func (postgresDialect) river(pool *sql.DB) riverdriver.Driver[*sql.Tx] {
	return riverdatabasesql.New(pool)
}

// lockJob has nothing to do: the transaction is the only one that writes.
func (sqliteDialect) lockJob(*tx, string) error { return nil }

// lockJob takes an advisory lock: there is no row yet to lock. Two keys of one
// hash only wait for each other.
func (postgresDialect) lockJob(x *tx, key string) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	_, err := x.exec("SELECT pg_advisory_xact_lock($1)", int64(h.Sum64())) // #nosec G115 -- a key, no number
	return err
}
