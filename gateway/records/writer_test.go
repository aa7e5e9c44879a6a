package records

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"dropslot/gateway"
)

// hold keeps the writer busy until the returned function is called.
func (w *world) hold() (release func()) {
	begun, let := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_, err := write(context.Background(), w.Store, "hold", "", func(*tx) (int, error) {
			close(begun)
			<-let
			return 0, nil
		})
		w.check(err, "")
	})
	<-begun
	return func() {
		close(let)
		done.Wait()
	}
}

// queued waits until n writes wait behind the one that holds the writer.
func (w *world) queued(n int) {
	for len(w.writer.queue) < n {
		runtime.Gosched()
	}
}

// Writes that share a transaction share its commit and nothing else: what one
// of them does wrong is undone alone, with its step of the audit chain.
func TestOneFailedWriteOfABatchIsUndoneAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		release := w.hold()
		const writes = 12
		var panics sync.Map
		var errs []error
		var done sync.WaitGroup
		done.Go(func() {
			errs = race(writes, func(i int) (err error) {
				defer func() {
					if value := recover(); value != nil {
						panics.Store(i, value)
					}
				}()
				sender := phone(north, i)
				_, err = write(t.Context(), w.Store, "test", senderLock(north, sender), func(x *tx) (int, error) {
					if _, err := x.lockSender(north, sender); err != nil {
						return 0, err
					}
					if err := x.append(entry(gateway.ActionLinkIssued, fmt.Sprint(i))); err != nil {
						return 0, err
					}
					switch i % 6 {
					case 1:
						return 0, refuse(gateway.CodeForbidden)
					case 2:
						panic("a bug")
					case 3:
						_, err := x.exec("INSERT INTO senders (office) VALUES ('constraint')")
						return 0, err
					case 4:
						_, _ = x.exec("not SQL") // an error that nobody looked at
						return 0, nil
					}
					return 0, nil
				})
				return err
			})
		})
		w.queued(writes)
		release()
		done.Wait()
		for i, err := range errs {
			panicked, _ := panics.Load(i)
			switch i % 6 {
			case 0, 5:
				w.check(err, "")
			case 1:
				w.check(err, gateway.CodeForbidden)
			case 2:
				if panicked != "a bug" {
					t.Errorf("the panic did not come up: %v", err)
				}
			default:
				if err == nil || gateway.CodeOf(err) != gateway.CodeUnavailable {
					t.Errorf("error is %v", err)
				}
			}
		}
		if n := w.count("senders"); n != writes/3 {
			t.Errorf("%d rows, want %d", n, writes/3)
		}
		if report := w.proven(); report.Rows != writes/3 {
			t.Errorf("%d audit rows, want %d", report.Rows, writes/3)
		}
	})
}

// Nobody can tell whether a commit was done when its answer is lost. Every
// caller of the batch hears so, and the audit trail is whole either way.
func TestLostCommit(t *testing.T) {
	for _, test := range []struct {
		name string
		kept int
	}{{"not done", 0}, {"done, answer lost", 1}} {
		t.Run(test.name, func(t *testing.T) {
			w, f := openFaulty(t)
			w.append(2)
			before, _, _ := w.Head(t.Context())
			broken := errors.New("broken pipe with +15551230111 in it")
			if test.kept == 0 {
				f.before.Store(&broken)
			} else {
				f.after.Store(&broken)
			}
			sender := phone(north, 1)
			text := newText(t, north, sender)
			_, _, err := w.ReceiveText(t.Context(), text, answerWith(newLink(t, north, sender, noon)))
			if err == nil || gateway.CodeOf(err) != gateway.CodeUnavailable || strings.Contains(err.Error(), "5551230111") {
				t.Fatalf("error is %v", err)
			}
			if n := w.count("texts"); n != test.kept {
				t.Fatalf("%d texts, want %d", n, test.kept)
			}
			if head, ok, _ := w.Head(t.Context()); !ok || head.Seq != before.Seq || head.Chain != before.Chain {
				t.Errorf("the head moved without a commit: %+v", head)
			}
			// Twilio's retry finds what there is.
			_, earlier, err := w.ReceiveText(t.Context(), text, answerWith(newLink(t, north, sender, noon)))
			w.check(err, "")
			if (earlier != nil) != (test.kept == 1) {
				t.Errorf("earlier is %v", earlier)
			}
			w.append(1)
			if head, _, _ := w.Head(t.Context()); head.Chain == before.Chain {
				t.Error("the old chain goes on")
			}
			report, err := w.Verify(t.Context(), []gateway.AuditHead{before})
			w.check(err, "")
			if !report.OK() || len(report.Chains) != 2 {
				t.Errorf("report %s", report)
			}
		})
	}
}

// A caller that goes away while its write waits takes it along.
func TestWaitingWriteIsWithdrawn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		release := w.hold()
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		var done sync.WaitGroup
		done.Go(func() { err = w.Append(ctx, entry(gateway.ActionStarted, "")) })
		w.queued(1)
		cancel()
		done.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		release()
		w.append(1)
		if n := w.count("audit"); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

// A caller that goes away while its write runs still hears how it ended, and
// the writer is none the worse.
func TestBegunWriteIsFinished(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := write(ctx, w.Store, "test", "", func(x *tx) (int, error) {
			cancel()
			return 0, x.append(entry(gateway.ActionStarted, ""))
		})
		w.check(err, "")
		w.append(1)
		if report := w.proven(); report.Rows != 2 {
			t.Errorf("%d rows", report.Rows)
		}
	})
}

func TestCloseDrains(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := openWorld(t, w.url)
		release := other.hold()
		var errs []error
		var done sync.WaitGroup
		done.Go(func() {
			errs = race(20, func(int) error { return other.Append(t.Context(), entry(gateway.ActionStarted, "")) })
		})
		other.queued(20)
		closed := make(chan error)
		go func() { closed <- other.Close() }()
		release()
		w.check(<-closed, "")
		done.Wait()
		w.check(errors.Join(errs...), "")
		if n := w.count("audit"); n != 20 {
			t.Errorf("%d rows, want 20", n)
		}
		if err := other.Append(t.Context(), entry(gateway.ActionStarted, "")); !errors.Is(err, errClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// One process writes without a pause; another, on the same file, gets its turn.
func TestProcessesTakeTurns(t *testing.T) {
	w := openWorld(t, readySQLite(t))
	other := w.another()
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for ctx.Err() == nil {
				_ = w.Append(ctx, entry(gateway.ActionPageReceived, ""))
			}
		})
	}
	for range 20 {
		other.append(1)
	}
	stop()
	done.Wait()
	w.proven(other.Store)
}

func TestTransientErrors(t *testing.T) {
	for code, want := range map[string]bool{
		"40001": true, "40P01": true, "55P03": true, "57P01": true, "53300": true, "23505": false, "42601": false,
	} {
		if got := (postgresDialect{}).transient(fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}

// Errors go to logs: none of what was written may stand in one.
func TestErrorsHoldNoValues(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.text(north, phone(north, 1))
		again := newLink(t, north, phone(north, 1), noon)
		again.Hash, again.Language, again.Origin = link.Hash, "+15551230111", "secret-origin"
		text := newText(t, north, phone(north, 1))
		_, _, err := w.ReceiveText(t.Context(), text, answerWith(again))
		if err == nil {
			t.Fatal("a second link of the same token was stored")
		}
		w.raw("UPDATE links SET idle_at = 7, nonce = hash")
		_, err2 := w.LinkByHash(t.Context(), link.Hash)
		if err2 == nil {
			t.Fatal("a damaged row was read")
		}
		for _, secret := range []string{"5551230111", "secret-origin", string(link.Hash[:]), string(link.ID), fmt.Sprintf("%x", link.Hash[:])} {
			if strings.Contains(err.Error(), secret) || strings.Contains(err2.Error(), secret) {
				t.Errorf("an error holds a value: %v; %v", err, err2)
			}
		}
	})
	for _, err := range []error{
		&pgconn.PgError{Code: "22P02", Message: `invalid input syntax: "+15551230111"`, Detail: "Key (login)=(+15551230111)"},
		fmt.Errorf(`sql: Scan error on column 1: converting "+15551230111"`),
	} {
		if text := describe("test", err).Error(); strings.Contains(text, "5551230111") {
			t.Error(text)
		}
	}
}
