// Package recordstest starts a private Postgres for tests.
package recordstest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// server is the one Postgres of a test binary.
type server struct {
	folder  string
	address string // host:port
	stop    context.CancelFunc
	gone    chan struct{}
}

var (
	mu       sync.Mutex
	running  *server
	failed   error
	made     int  // databases
	prepared bool // the one of PostgresReady
)

var errMissing = errors.New("no Postgres is installed (initdb and postgres, in PATH or /usr/lib/postgresql)")

// Postgres gives the address of a fresh, empty database on a Postgres of this
// test binary's own, which is started at the first call. Without Postgres the
// test is skipped, or fails if DROPSLOT_REQUIRE_ALL is 1. TestMain must call
// Stop at the end.
func Postgres(tb testing.TB) string {
	tb.Helper()
	mu.Lock()
	defer mu.Unlock()
	need(tb)
	return running.database(tb, "template0")
}

// PostgresReady is Postgres with a database that prepare, at the first call,
// filled: each test gets a copy, which takes far less time. The database that
// prepare gets may have no connection when it returns.
func PostgresReady(tb testing.TB, prepare func(url string) error) string {
	tb.Helper()
	mu.Lock()
	defer mu.Unlock()
	need(tb)
	const ready = "dropslot_ready"
	if !prepared {
		err := running.execute("CREATE DATABASE " + ready + " TEMPLATE template0")
		if err == nil {
			err = prepare(running.url(ready))
		}
		if err != nil {
			tb.Fatal(err)
		}
		prepared = true
	}
	return running.database(tb, ready)
}

// need starts the server, unless it runs.
func need(tb testing.TB) {
	tb.Helper()
	if running == nil && failed == nil {
		running, failed = start()
	}
	if errors.Is(failed, errMissing) && os.Getenv("DROPSLOT_REQUIRE_ALL") != "1" {
		tb.Skip(failed)
	}
	if failed != nil {
		tb.Fatal(failed)
	}
}

// database makes one that lives as long as the test. FILE_COPY: where nothing
// is synced and memory holds the files, copying them beats writing every block
// into the log.
func (s *server) database(tb testing.TB, template string) string {
	tb.Helper()
	made++
	name := "dropslot" + strconv.Itoa(made)
	if err := s.execute("CREATE DATABASE " + name + " TEMPLATE " + template + " STRATEGY FILE_COPY"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.execute("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	return s.url(name)
}

// Stop ends the Postgres and removes its folder.
func Stop() {
	mu.Lock()
	defer mu.Unlock()
	if running == nil {
		return
	}
	running.stop()
	<-running.gone
	_ = os.RemoveAll(running.folder)
	running, failed = nil, errors.New("the Postgres of the tests was stopped")
}

func (s *server) url(database string) string {
	return "postgres://dropslot@" + s.address + "/" + database + "?sslmode=disable"
}

func (s *server) execute(statement string) error {
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, statement)
	return err
}

func start() (*server, error) {
	initdb, postgres := program("initdb"), program("postgres")
	if initdb == "" || postgres == "" {
		return nil, errMissing
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(memory(), "dropslot-postgres-")
	if err != nil {
		return nil, err
	}
	if owner != nil {
		if err := os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	s := &server{folder: folder, gone: make(chan struct{})}
	data := filepath.Join(folder, "data")
	command := exec.Command(initdb, "--no-sync", "--auth=trust", "--username=dropslot", "--encoding=UTF8", "--no-locale", "--pgdata="+data) // #nosec G204 -- a test's own program
	command.Dir, command.SysProcAttr = folder, attributes(owner)
	if out, err := command.CombinedOutput(); err != nil {
		_ = os.RemoveAll(folder)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := s.serve(postgres, data, owner); err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	return s, nil
}

// serve starts the server and waits until it answers.
func (s *server) serve(postgres, data string, owner *syscall.Credential) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	_, port, _ := net.SplitHostPort(s.address)
	if err := listener.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	var log bytes.Buffer
	// #nosec G204 -- a test's own program
	command := exec.CommandContext(ctx, postgres, "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "deadlock_timeout=100ms",
		"-c", "shared_buffers=64MB", "-c", "max_wal_size=96MB", "-c", "fsync="+strconv.FormatBool(durable()))
	command.Dir, command.SysProcAttr, command.Stderr = s.folder, attributes(owner), &log
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGQUIT) } // immediate shutdown
	started := make(chan error)
	go func() {
		// The server is told to end when the thread that started it ends (see
		// attributes): the thread is kept for this.
		runtime.LockOSThread()
		defer close(s.gone)
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := s.execute("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.gone:
			return fmt.Errorf("postgres ended: %s", log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.stop()
			<-s.gone
			return fmt.Errorf("postgres does not answer: %w: %s", err, log.String())
		}
	}
}

// durable tells whether Postgres is to sync what it writes. Tests do not cut
// the power; a benchmark sets DROPSLOT_POSTGRES_FSYNC=on for figures that count.
func durable() bool { return os.Getenv("DROPSLOT_POSTGRES_FSYNC") == "on" }

// room is the least free memory, in bytes, for the files of a Postgres: five
// times what they take.
const room = 2 << 30

// memory gives the folder that lives in memory, where a database is made far
// sooner than on a busy disk; "", for the usual one, if there is no room or the
// disk is what counts.
func memory() string {
	if durable() || free(shm) < room {
		return ""
	}
	return shm
}

// program finds a program in PATH or where Debian keeps Postgres's own, the
// newest version first.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// unprivileged gives the account to run Postgres as: it refuses to be root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("postgres does not run as root, and there is no account postgres or nobody")
}
