package recordstest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var (
	sqliteMu    sync.Mutex
	sqliteReady []byte // the file of SQLiteReady
)

// SQLiteReady gives the address of a SQLite file that is a copy of the one that
// prepare, at the first call, filled, as PostgresReady does. The file that
// prepare gets may have no connection when it returns.
func SQLiteReady(tb testing.TB, prepare func(url string) error) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "records.db")
	WriteSQLite(tb, path, prepare)
	return "sqlite:" + path
}

// WriteSQLite is SQLiteReady at a path of the test's own.
func WriteSQLite(tb testing.TB, path string, prepare func(url string) error) {
	tb.Helper()
	sqliteMu.Lock()
	defer sqliteMu.Unlock()
	if sqliteReady == nil {
		first := filepath.Join(tb.TempDir(), "ready.db")
		if err := prepare("sqlite:" + first); err != nil {
			tb.Fatal(err)
		}
		filled, err := os.ReadFile(first) // #nosec G304 -- a test's own file
		if err != nil {
			tb.Fatal(err)
		}
		sqliteReady = filled
	}
	if err := os.WriteFile(path, sqliteReady, 0o600); err != nil {
		tb.Fatal(err)
	}
}
