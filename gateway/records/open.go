// Package records keeps what Dropslot must not forget in SQL: texts, links,
// submissions, pages, staff and the audit trail. It speaks to SQLite and to
// Postgres with one SQL text, and fulfills the records ports of package gateway.
//
// Every method of a port is one transaction, and its audit entries are part of
// it. Writes of one process pass through one goroutine (writer.go), which puts
// the waiting ones into one transaction and commits them together: a caller
// hears of success only after the commit that made its write durable.
package records

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"dropslot/gateway"
)

// A Store fulfills every records port.
var _ interface {
	gateway.TextRecords
	gateway.LinkRecords
	gateway.SubmissionRecords
	gateway.HouseRecords
	gateway.DeskRecords
	gateway.ThreadRecords
	gateway.ChangeRecords
	gateway.StaffRecords
	gateway.AuditTrail
} = (*Store)(nil)

// Options are what a Store is given beside its address.
type Options struct {
	// AuditKey is the key of the audit trail's MACs: LinkKey.Subkey(SubkeyAudit).
	AuditKey []byte
	// Now is the clock of audit rows that carry no time of their own, of what
	// names a chain, and of what is counted by its age; time.Now if nil. Whoever calls a port says when
	// things happened.
	Now func() time.Time
	// Random names audit chains; crypto/rand if nil. Two processes must not
	// be handed the same bytes.
	Random io.Reader
	// Keep refuses records of an older schema instead of bringing them up to
	// date: an older Dropslot may be at work on them. Where there are none yet
	// they are made all the same.
	Keep bool
	// Patience bounds how long a call waits for the database before it answers
	// with an error: 1.5 seconds if zero, so that a webhook can say so within
	// two. A write whose context has a deadline waits until then instead, be it
	// sooner or later.
	Patience time.Duration
	// Log hears of migrations and of writes whose outcome is not known;
	// nothing is logged if nil.
	Log *slog.Logger
}

// auditKeySize is the least length of the audit key in bytes.
const auditKeySize = 32

// patience is Options.Patience if that is zero.
const patience = 1500 * time.Millisecond

// Store is the records. It is safe for concurrent use.
type Store struct {
	dialect dialect
	readers *sql.DB
	workers *sql.DB // of the job queue
	writer  *writer
	prepare prepared
	key     []byte
	// patience is Options.Patience.
	patience time.Duration
}

// Open opens the records at `sqlite:PATH` or `postgres://…`, creates or brings
// up to date what is there, and refuses a database that a newer Dropslot wrote.
// Several processes may open the same records at once. Close ends it.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if len(o.AuditKey) < auditKeySize {
		return nil, errors.New("records: the audit key must have 32 bytes")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d, err := dialectOf(url)
	if err != nil {
		return nil, err
	}
	return open(ctx, d, o)
}

func dialectOf(url string) (dialect, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return newSQLite(path)
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return newPostgres(url)
	}
	return nil, errors.New("records: the address must be sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")
}

func open(ctx context.Context, d dialect, o Options) (*Store, error) {
	if o.Patience == 0 {
		o.Patience = patience
	}
	writing, err := d.openWriter()
	if err != nil {
		return nil, err
	}
	err = migrate(ctx, d, writing, o)
	if err == nil {
		err = migrateQueue(ctx, d, writing, o.Keep)
	}
	if err != nil {
		_ = writing.Close()
		return nil, err
	}
	reading, err := d.openReaders()
	if err != nil {
		_ = writing.Close()
		return nil, err
	}
	working, err := d.openQueue()
	if err != nil {
		_ = reading.Close()
		_ = writing.Close()
		return nil, err
	}
	s := &Store{dialect: d, readers: reading, workers: working, key: o.AuditKey, patience: o.Patience}
	s.prepare.db = reading
	s.writer, err = startWriter(ctx, d, writing, o)
	if err != nil {
		_ = working.Close()
		_ = reading.Close()
		_ = writing.Close()
		return nil, describe("start the writer", err)
	}
	return s, nil
}

// Close waits until every write that was handed in is committed or refused,
// then lets go of the database. Calls that come later fail.
func (s *Store) Close() error {
	s.writer.close()
	return errors.Join(s.workers.Close(), s.readers.Close(), s.writer.db.Close())
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := read(ctx, s, "ping", func(v view) (int, error) {
		n, _, err := first(v, func(r scanner) (n int, err error) { return n, r.Scan(&n) }, "SELECT 1")
		return n, err
	})
	return err
}
