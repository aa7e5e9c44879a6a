package records

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strconv"
	"time"
)

// migrations holds numbered files, NNNN_name.sql, from 0001 without gaps. A
// file that was released is never changed: what is next goes into the next.
//
//go:embed migrations/*.sql
var migrations embed.FS

// typeWords are the words of a migration that each database spells its way.
var typeWords = regexp.MustCompile(`\b(BYTES|TEXT)\b`)

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

type migration struct {
	version int
	name    string
	sql     string
}

func listMigrations(folder fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(folder, "migrations")
	if err != nil {
		return nil, err
	}
	var list []migration
	for i, entry := range entries {
		parts := migrationName.FindStringSubmatch(entry.Name())
		if parts == nil {
			return nil, fmt.Errorf("migration %s: not named NNNN_name.sql", entry.Name())
		}
		version, err := strconv.Atoi(parts[1])
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: the next number is %04d", entry.Name(), i+1)
		}
		content, err := fs.ReadFile(folder, "migrations/"+entry.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, migration{version: version, name: entry.Name(), sql: string(content)})
	}
	return list, nil
}

// migratePatience is how long a start waits for another process to migrate, or
// to let go of a table. The migration itself takes as long as it takes.
const migratePatience = time.Minute

// migrate brings the schema up to date. All steps are one transaction that one
// process at a time may run: a crash leaves the old schema, and a second
// process finds the work done.
func migrate(ctx context.Context, d dialect, db *sql.DB, o Options) error {
	list, err := listMigrations(migrations)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return migrateWith(ctx, d, db, o, list)
}

func migrateWith(ctx context.Context, d dialect, db *sql.DB, o Options, list []migration) error {
	tx, err := d.beginMigration(ctx, db, migratePatience)
	if err != nil {
		return describe("open the records and wait for another process that migrates", err)
	}
	defer func() { _ = tx.Rollback() }()
	present, err := schemaVersion(ctx, d, tx)
	if err != nil {
		return describe("read the schema's version", err)
	}
	if present > len(list) {
		return fmt.Errorf("records: the database has schema %d, this Dropslot knows up to %d: run the newer Dropslot that made it, or restore the backup from before the upgrade", present, len(list))
	}
	if present == len(list) {
		return nil
	}
	if o.Keep && present > 0 {
		return errOlder
	}
	for _, m := range list[present:] {
		if _, err := tx.ExecContext(ctx, d.types(m.sql)); err != nil {
			return describe("migration "+m.name, err)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO schema_versions (version, name, applied_at) VALUES ($1, $2, $3)",
			m.version, m.name, ms(o.Now()))
		if err != nil {
			return describe("migration "+m.name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return describe("commit the migration", err)
	}
	o.Log.InfoContext(ctx, "the records' schema was brought up to date", slog.Int("from", present), slog.Int("to", len(list)))
	return nil
}

// errOlder is what Options.Keep meets.
var errOlder = errors.New("records: the database has the schema of an older Dropslot, and was left alone: stop that Dropslot, then start this one's serve, which brings it up to date")

func schemaVersion(ctx context.Context, d dialect, tx *sql.Tx) (version int, err error) {
	_, err = tx.ExecContext(ctx, d.types(`CREATE TABLE IF NOT EXISTS schema_versions (
		version    INTEGER NOT NULL PRIMARY KEY,
		name       TEXT    NOT NULL,
		applied_at BIGINT  NOT NULL
	)`))
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_versions").Scan(&version)
	return version, err
}
