package records

import (
	"context"
	"errors"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
)

// openImpatient opens records that wait for the database no longer than an
// intake's do.
func openImpatient(t *testing.T, url string) *world {
	o := options()
	o.Patience = 0
	return openWorldWith(t, url, o)
}

// failsInTime fails the test if a call to a dead database takes longer than a
// webhook can wait, or does not fail. What a busy machine delayed once is not
// late a third time.
func (w *world) failsInTime(what string, call func() error) {
	w.t.Helper()
	for try := 1; ; try++ {
		start := time.Now()
		err := call()
		took := time.Since(start)
		late := took > 1900*time.Millisecond
		if err == nil || gateway.CodeOf(err) != gateway.CodeUnavailable || late && try == 3 {
			w.t.Errorf("%s: %v after %v", what, err, took)
		}
		if !late || try == 3 {
			return
		}
	}
}

func TestSQLiteLockedByAnother(t *testing.T) {
	w := openImpatient(t, readySQLite(t))
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

// A write waits as long as its caller allows, also when it shared a batch with
// one that allowed less and had to be told of the lock.
func TestAPatientWriteOutlastsAnImpatientOne(t *testing.T) {
	w := openImpatient(t, readySQLite(t))
	w.append(1)
	db := w.database()
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	waiting := func(most time.Duration) *op {
		return &op{what: "test", deadline: time.Now().Add(most), done: make(chan struct{}), run: func(x *tx) error {
			return x.append(entry(gateway.ActionStarted, ""))
		}}
	}
	impatient, patient := waiting(leastTime+leastTime/5), waiting(time.Minute)
	w.writer.work([]*op{impatient, patient}) // the writer itself has nothing to do
	select {
	case <-impatient.done:
		if gateway.CodeOf(impatient.outcome()) != gateway.CodeUnavailable {
			t.Errorf("the impatient write: %v", impatient.err)
		}
	default:
		t.Error("the impatient write still waits")
	}
	select {
	case <-patient.done:
		t.Fatalf("the patient write gave up: %v", patient.err)
	default:
	}

	short, cancel := context.WithTimeout(t.Context(), leastTime+leastTime/5)
	defer cancel()
	start := time.Now()
	err := w.Append(short, entry(gateway.ActionStarted, ""))
	if took := time.Since(start); err == nil || took > patience-leastTime {
		t.Errorf("a write with little time: %v after %v", err, took)
	}
	if _, err := db.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	<-patient.done
	w.check(patient.outcome(), "")
	if report := w.proven(); report.Rows != 2 {
		t.Errorf("%d rows, want the first and the patient one", report.Rows)
	}
}

// Postgres stops answering without a word, and comes back.
func TestPostgresSilent(t *testing.T) {
	url, p := throughProxy(t)
	w := openImpatient(t, url)
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
	w := openImpatient(t, url)
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
	w := openImpatient(t, recordstest.Postgres(t))
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
