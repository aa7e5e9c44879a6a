package records

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"dropslot/gateway/records/recordstest"
)

// faulty is SQLite with a writer's connection whose commits can be made to
// fail, before or after they were done.
type faulty struct {
	dialect
	dsn    string
	before atomic.Pointer[error]
	after  atomic.Pointer[error]
}

func openFaulty(t *testing.T) (*world, *faulty) {
	t.Helper()
	url := readySQLite(t)
	d, err := newSQLite(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{dialect: d}
	o := options()
	o.Random, o.Log = rand.Reader, slog.New(slog.DiscardHandler)
	store, err := open(t.Context(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &world{Store: store, t: t, url: url}, f
}

func (f *faulty) openWriter() (*sql.DB, error) {
	working, err := f.dialect.openWriter()
	if err != nil {
		return nil, err
	}
	defer working.Close()
	f.dsn = f.dialect.(sqliteDialect).dsn(map[string][]string{"_txlock": {"immediate"}})
	db := sql.OpenDB(f)
	db.SetMaxOpenConns(1)
	return db, nil
}

func (f *faulty) Connect(context.Context) (driver.Conn, error) {
	conn, err := f.Driver().Open(f.dsn)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: conn, faulty: f}, nil
}

func (f *faulty) Driver() driver.Driver { return &sqlite.Driver{} }

type faultyConn struct {
	driver.Conn
	faulty *faulty
}

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return &faultyTx{Tx: tx, faulty: c.faulty}, err
}

func (c *faultyConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}

type faultyTx struct {
	driver.Tx
	faulty *faulty
}

func (x *faultyTx) Commit() error {
	if err := x.faulty.before.Swap(nil); err != nil {
		_ = x.Rollback()
		return *err
	}
	err := x.Tx.Commit()
	if after := x.faulty.after.Swap(nil); after != nil {
		return *after
	}
	return err
}

// proxy stands between a Store and Postgres; it can cut all connections, or
// hold back every byte as a dead network does.
type proxy struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	conns    []net.Conn
	frozen   chan struct{} // nil while bytes pass; closed when they pass again
}

// throughProxy gives the address of a fresh database behind a proxy.
func throughProxy(t *testing.T) (string, *proxy) {
	t.Helper()
	url := recordstest.Postgres(t)
	user, rest, _ := strings.Cut(url, "@")
	target, database, _ := strings.Cut(rest, "/")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target}
	var done sync.WaitGroup
	done.Go(func() { p.accept(&done) })
	t.Cleanup(func() {
		listener.Close()
		p.thaw()
		p.cut()
		done.Wait()
	})
	return user + "@" + listener.Addr().String() + "/" + database, p
}

func (p *proxy) accept(done *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		done.Go(func() { p.pass(client, server) })
		done.Go(func() { p.pass(server, client) })
	}
}

func (p *proxy) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if n > 0 {
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = make(chan struct{})
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.Close()
	}
	p.conns = nil
}
