package records

import (
	"errors"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
)

// failsInTime fails the test if a call to a dead database takes longer than a
// webhook can wait, or does not fail.
func (w *world) failsInTime(what string, call func() error) {
	w.t.Helper()
	start := time.Now()
	err := call()
	if took := time.Since(start); err == nil || gateway.CodeOf(err) != gateway.CodeUnavailable || took > 1900*time.Millisecond {
		w.t.Errorf("%s: %v after %v", what, err, took)
	}
}

func TestSQLiteLockedByAnother(t *testing.T) {
	w := openWorld(t, sqliteURL(t))
	link := w.session(north, 1)
	db := w.database()
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	errs := race(30, func(int) error {
		w.failsInTime("write", func() error { return w.Append(t.Context(), entry(gateway.ActionStarted, "")) })
		return nil
	})
	w.check(errors.Join(errs...), "")
	if _, err := w.Session(t.Context(), link.Submission, browser(1)); err != nil {
		t.Errorf("reading: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	w.append(1)
	w.proven()
}

// Postgres stops answering without a word, and comes back.
func TestPostgresSilent(t *testing.T) {
	url, p := throughProxy(t)
	w := openWorld(t, url)
	link := w.session(north, 1)
	p.freeze()
	errs := race(20, func(i int) error {
		w.failsInTime("write", func() error { return w.Append(t.Context(), entry(gateway.ActionStarted, "")) })
		w.failsInTime("read", func() error { _, err := w.LinkByHash(t.Context(), link.Hash); return err })
		return nil
	})
	w.check(errors.Join(errs...), "")
	p.thaw()
	p.cut()
	w.append(1)
	_, err := w.LinkByHash(t.Context(), link.Hash)
	w.check(err, "")
	report, err := w.Verify(t.Context(), nil)
	w.check(err, "")
	if !report.OK() {
		t.Errorf("report %s", report)
	}
}

// Every connection is cut between two calls, as a restart of Postgres does:
// the next call finds a new one.
func TestPostgresReconnects(t *testing.T) {
	url, p := throughProxy(t)
	w := openWorld(t, url)
	for range 3 {
		w.append(1)
		p.cut()
	}
	w.append(1)
	w.check(w.Ping(t.Context()), "")
	p.listener.Close()
	p.cut()
	w.failsInTime("write", func() error { return w.Append(t.Context(), entry(gateway.ActionStarted, "")) })
	w.failsInTime("ping", func() error { return w.Ping(t.Context()) })
}

// A row that another program locks for a while is waited for; one that it
// keeps is an error in time.
func TestPostgresRowIsLocked(t *testing.T) {
	w := openWorld(t, recordstest.Postgres(t))
	w.text(north, phone(north, 1))
	db := w.database()
	defer db.Close()
	lock, err := db.BeginTx(t.Context(), nil)
	w.check(err, "")
	defer lock.Rollback()
	if _, err := lock.ExecContext(t.Context(), "SELECT * FROM senders FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	receive := func() error {
		_, _, err := w.ReceiveText(t.Context(), newText(t, north, phone(north, 1)), answerWith(newLink(t, north, phone(north, 1), noon)))
		return err
	}
	w.failsInTime("text", receive)
	w.check(lock.Rollback(), "")
	w.check(receive(), "")
	w.proven()
}
