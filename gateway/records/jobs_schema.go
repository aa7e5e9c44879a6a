package records

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/riverqueue/river/rivermigrate"
)

// jobIndex finds the waiting job of a kind and subject (see holdJob).
const jobIndex = `CREATE INDEX IF NOT EXISTS river_job_waiting ON river_job (kind, (args ->> 'subject'))
	WHERE state IN ('available', 'pending', 'retryable', 'scheduled')`

// migrateQueue brings River's tables up to date. One process at a time takes
// one step at a time, each a transaction: Postgres cannot use a value that it
// added to an enumeration in the same transaction. A crash leaves whole steps
// done, and the next start goes on from there. With keep, tables that are there
// must be up to date.
func migrateQueue(ctx context.Context, d dialect, db *sql.DB, keep bool) error {
	migrator, err := rivermigrate.New(d.river(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return describe("the job queue's schema", err)
	}
	if keep {
		there, err := checkQueue(ctx, d, db, migrator)
		if err != nil || there {
			return err
		}
	}
	for done := false; !done; {
		if done, err = migrateQueueStep(ctx, d, db, migrator); err != nil {
			return describe("the job queue's schema", err)
		}
	}
	return nil
}

// checkQueue tells whether there are tables, and fails if they are older ones.
func checkQueue(ctx context.Context, d dialect, db *sql.DB, migrator *rivermigrate.Migrator[*sql.Tx]) (there bool, err error) {
	tx, err := d.beginMigration(ctx, db, migratePatience)
	if err != nil {
		return false, describe("the job queue's schema", err)
	}
	defer func() { _ = tx.Rollback() }()
	versions, err := migrator.ExistingVersionsTx(ctx, tx)
	if err != nil || len(versions) == 0 {
		return false, describe("the job queue's schema", err)
	}
	valid, err := migrator.ValidateTx(ctx, tx)
	if err != nil {
		return true, describe("the job queue's schema", err)
	}
	if !valid.OK {
		return true, errOlder
	}
	return true, nil
}

func migrateQueueStep(ctx context.Context, d dialect, db *sql.DB, migrator *rivermigrate.Migrator[*sql.Tx]) (done bool, err error) {
	tx, err := d.beginMigration(ctx, db, migratePatience)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	// Each step has a transaction of its own, which is what the method's
	// deprecation asks for.
	step, err := migrator.MigrateTx(ctx, tx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{MaxSteps: 1}) //nolint:staticcheck // see above
	if err != nil {
		return false, err
	}
	if len(step.Versions) == 0 {
		done = true
		if _, err := tx.ExecContext(ctx, jobIndex); err != nil {
			return false, err
		}
	}
	return done, tx.Commit()
}
