package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"dropslot/gateway/records/recordstest"
)

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		url  string
		key  []byte
		want string
	}{
		"another scheme":   {"mysql://h/db", testKey, "sqlite:PATH"},
		"no path":          {"sqlite:", testKey, "name a file"},
		"memory":           {"sqlite::memory:", testKey, "name a file"},
		"no folder":        {"sqlite:" + filepath.Join(t.TempDir(), "none", "records.db"), testKey, "cannot be opened"},
		"short key":        {sqliteURL(t), testKey[:31], "32 bytes"},
		"bad postgres":     {"postgres://u:s3cret%zz@host/db", testKey, "percent-encoded"},
		"nobody listening": {"postgres://u:s3cret@127.0.0.1:1/db", testKey, "cannot be reached at 127.0.0.1"},
	} {
		_, err := Open(t.Context(), test.url, Options{AuditKey: test.key})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSQLiteFilesArePrivate(t *testing.T) {
	// Characters that mean something in a URI or to the driver.
	path := filepath.Join(t.TempDir(), "a b?mode=memory&x#%41.db")
	w := openWorld(t, "sqlite:"+path)
	w.append(1)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", suffix, info.Mode())
		}
	}
}

func TestSQLiteSettings(t *testing.T) {
	w := openWorld(t, sqliteURL(t))
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "temp_store": "2", "trusted_schema": "0",
	}
	for pragma, value := range want {
		var got string
		if err := w.writer.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != value {
			t.Errorf("writer: %s is %s, want %s (%v)", pragma, got, value, err)
		}
	}
	if _, err := w.readers.ExecContext(t.Context(), "DELETE FROM audit"); err == nil {
		t.Error("a reader can write")
	}
}

// Two processes of a fresh installation start at once.
func TestTwoFirstStarts(t *testing.T) {
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return sqliteURL(t) },
		"postgres": func() string { return recordstest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			address := url()
			for _, err := range race(6, func(int) error {
				s, err := Open(context.Background(), address, options())
				if err != nil {
					return err
				}
				return s.Close()
			}) {
				if err != nil {
					t.Error(err)
				}
			}
			w := openWorld(t, address)
			if n := w.count("schema_versions"); n != newestSchema(t) {
				t.Errorf("%d versions were applied", n)
			}
		})
	}
}

// A start waits for another process that migrates, longer than any write waits,
// but not for ever; and its own work may take longer than the waiting may.
func TestAMigrationMayTakeLongerThanItsTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		begin := func(patience time.Duration) (*sql.Tx, error) {
			db, err := w.dialect.openWriter()
			w.check(err, "")
			t.Cleanup(func() { _ = db.Close() })
			return w.dialect.beginMigration(t.Context(), db, patience)
		}
		first, err := begin(100 * time.Millisecond)
		w.check(err, "")
		time.Sleep(150 * time.Millisecond) // as a long migration does
		if _, err := first.ExecContext(t.Context(), "CREATE TABLE extra (n INTEGER)"); err != nil {
			t.Fatalf("the work was cut off with the waiting: %v", err)
		}
		if _, err := begin(100 * time.Millisecond); err == nil {
			t.Fatal("two processes migrate at once")
		}
		ended := make(chan error)
		time.AfterFunc(1500*time.Millisecond, func() { ended <- first.Commit() }) // more than lock_timeout
		second, err := begin(time.Minute)
		if err := errors.Join(err, <-ended); err != nil {
			t.Fatalf("it did not wait: %v", err)
		}
		w.check(second.Rollback(), "")
	})
}

func newestSchema(t *testing.T) int {
	list, err := listMigrations(migrations)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		newest := newestSchema(t)
		w.raw("INSERT INTO schema_versions (version, name, applied_at) VALUES ($1, 'later.sql', 0)", newest+1)
		_, err := Open(t.Context(), w.url, options())
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("has schema %d, this Dropslot knows up to %d", newest+1, newest)) {
			t.Errorf("error is %v", err)
		}
	})
}

// A migration that fails half way leaves the schema as it was.
func TestFailedMigrationLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		list, err := listMigrations(migrations)
		w.check(err, "")
		next := len(list)
		list = append(list, migration{version: next + 1, name: "bad.sql", sql: "CREATE TABLE extra (x TEXT); CREATE TABLE audit (x TEXT);"})
		db, err := w.dialect.openWriter()
		w.check(err, "")
		defer db.Close()
		o := options()
		o.Log = w.writer.log
		if err := migrateWith(t.Context(), w.dialect, db, o, list); err == nil || !strings.Contains(err.Error(), "bad.sql") {
			t.Fatalf("error is %v", err)
		}
		list[next].sql = "CREATE TABLE extra (x TEXT);"
		w.check(migrateWith(t.Context(), w.dialect, db, o, list), "")
		if n := w.count("schema_versions"); n != next+1 {
			t.Errorf("%d versions", n)
		}
	})
}

func TestMigrationNames(t *testing.T) {
	for _, names := range [][]string{{"0002_a.sql"}, {"0001_a.sql", "0003_b.sql"}, {"0001_a.sql", "0001_b.sql"}, {"1_a.sql"}} {
		folder := fstest.MapFS{}
		for _, name := range names {
			folder["migrations/"+name] = &fstest.MapFile{Data: []byte("SELECT 1")}
		}
		if _, err := listMigrations(folder); err == nil {
			t.Errorf("%v was taken", names)
		}
	}
}
