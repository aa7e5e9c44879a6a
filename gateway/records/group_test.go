package records

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"dropslot/gateway"
)

type decision = func(gateway.Standing) (gateway.TextOutcome, error)

// arrival is a text that waits for the writer together with others.
type arrival struct {
	text     gateway.Text
	decide   decision
	decided  atomic.Int32 // how often
	outcome  gateway.TextOutcome
	earlier  *gateway.EarlierText
	err      error
	panicked any
}

func arriving(t *testing.T, n int) *arrival {
	sender := phone(north, n)
	return &arrival{text: newText(t, north, sender), decide: answerWith(newLink(t, north, sender, noon))}
}

// together receives texts in one batch, in this order.
func (w *world) together(arrivals ...*arrival) {
	w.t.Helper()
	release := w.hold()
	var done sync.WaitGroup
	for i, a := range arrivals {
		done.Go(func() {
			defer func() { a.panicked = recover() }()
			a.outcome, a.earlier, a.err = w.ReceiveText(w.t.Context(), a.text, func(s gateway.Standing) (gateway.TextOutcome, error) {
				a.decided.Add(1)
				return a.decide(s)
			})
		})
		w.queued(i + 1)
	}
	release()
	done.Wait()
}

// fine fails the test unless the text was stored.
func (a *arrival) fine(w *world) {
	w.t.Helper()
	w.check(a.err, "")
	if a.panicked != nil || a.earlier != nil || a.outcome.Link == nil {
		w.t.Errorf("panic %v, earlier %v, link %v", a.panicked, a.earlier, a.outcome.Link)
	}
}

func TestTextsOfABatchShareStatements(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		claimed := w.session(north, 0)
		superseded := w.text(north, phone(north, 1))
		arrivals := make([]*arrival, 11)
		for i := range arrivals {
			arrivals[i] = arriving(t, i)
		}
		w.together(arrivals...)
		for _, a := range arrivals {
			a.fine(w)
			if n := a.decided.Load(); n != 1 {
				t.Errorf("decided %d times: the texts were not received together", n)
			}
			got, err := w.LinkByHash(t.Context(), a.outcome.Link.Hash)
			w.check(err, "")
			if got.ID != a.outcome.Link.ID || got.State != gateway.LinkIssued || got.Sender != a.text.Sender {
				t.Errorf("the link of a text is %+v", got)
			}
		}
		for hash, want := range map[gateway.TokenHash]gateway.LinkState{
			claimed.Hash: gateway.LinkClaimed, superseded.Hash: gateway.LinkSuperseded,
		} {
			if got, err := w.LinkByHash(t.Context(), hash); err != nil || got.State != want {
				t.Errorf("an older link is %s (%v), want %s", got.State, err, want)
			}
		}
		if n := w.count("texts"); n != len(arrivals)+2 {
			t.Errorf("%d texts", n)
		}
		if n := w.count("senders WHERE hour_count = 1"); n != len(arrivals)-2 {
			t.Errorf("%d senders have one answer", n)
		}
		if n := w.count("audit WHERE action = $1", string(gateway.ActionLinkIssued)); n != len(arrivals)+2 {
			t.Errorf("%d audit rows", n)
		}
		w.proven()
	})
}

func TestSecondTextOfOneBatchSeesWhatTheFirstLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first, second, other := arriving(t, 1), arriving(t, 1), arriving(t, 2)
		w.together(first, other, second)
		for _, a := range []*arrival{first, second, other} {
			a.fine(w)
			if n := a.decided.Load(); n != 1 {
				t.Errorf("decided %d times", n)
			}
		}
		standing := second.outcome.Decision.Standing
		if standing.HourCount != 2 || standing.Submission != first.outcome.Link.Submission {
			t.Errorf("the second was decided on %+v", standing)
		}
		if n := w.count("links WHERE id = $1 AND state = 'superseded'", string(first.outcome.Link.ID)); n != 1 {
			t.Error("the first link was not superseded by the second")
		}
		if n := w.count("senders WHERE hour_count = 2 AND link = $1", string(second.outcome.Link.ID)); n != 1 {
			t.Error("the sender's row is not what the second left")
		}
		w.proven()
	})
}

func TestReplaysWithinABatch(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		before := arriving(t, 1)
		w.together(before)
		before.fine(w)
		repeated, first, twin, other := arriving(t, 1), arriving(t, 2), arriving(t, 2), arriving(t, 3)
		repeated.text.MessageSID = before.text.MessageSID
		twin.text.MessageSID = first.text.MessageSID
		w.together(repeated, first, twin, other)
		first.fine(w)
		other.fine(w)
		for _, replay := range []struct{ again, was *arrival }{{repeated, before}, {twin, first}} {
			w.check(replay.again.err, "")
			earlier := replay.again.earlier
			if earlier == nil || earlier.ID != replay.was.text.ID || earlier.Link == nil || earlier.Link.ID != replay.was.outcome.Link.ID {
				t.Errorf("earlier is %+v", earlier)
			}
		}
		if n := w.count("senders WHERE hour_count = 1"); n != 3 {
			t.Error("a replay counted as an answer")
		}
		if texts, links, audit := w.count("texts"), w.count("links"), w.count("audit"); texts != 3 || links != 3 || audit != 3 {
			t.Errorf("%d texts, %d links, %d audit rows, want 3 of each", texts, links, audit)
		}
		w.proven()
	})
}

// Whatever goes wrong with one text of a batch comes back to its own caller.
func TestOneBadTextHarmsNoOtherOfItsBatch(t *testing.T) {
	mine := errors.New("the words are missing")
	bad := map[string]decision{
		"fails":  func(gateway.Standing) (gateway.TextOutcome, error) { return gateway.TextOutcome{}, mine },
		"panics": func(gateway.Standing) (gateway.TextOutcome, error) { panic("a bug") },
		"is refused by the database": func(s gateway.Standing) (gateway.TextOutcome, error) {
			return gateway.TextOutcome{Keeping: gateway.Keeping{Media: "no such state"}, Decision: gateway.Decision{Standing: s}}, nil
		},
	}
	for name, decide := range bad {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				arrivals := []*arrival{arriving(t, 1), arriving(t, 2), arriving(t, 3), arriving(t, 2), arriving(t, 4)}
				const wrong = 2
				arrivals[wrong].decide = decide
				w.together(arrivals...)
				for i, a := range arrivals {
					if i != wrong {
						a.fine(w)
					}
				}
				a := arrivals[wrong]
				switch name {
				case "fails":
					if !errors.Is(a.err, mine) {
						t.Errorf("error is %v", a.err)
					}
				case "panics":
					if a.panicked != "a bug" {
						t.Errorf("the panic did not come up: %v, %v", a.panicked, a.err)
					}
				default:
					if a.err == nil || gateway.CodeOf(a.err) != gateway.CodeUnavailable {
						t.Errorf("error is %v", a.err)
					}
				}
				if texts, senders := w.count("texts"), w.count("senders"); texts != 4 || senders != 3 {
					t.Errorf("%d texts of %d senders, want 4 of 3", texts, senders)
				}
				if report := w.proven(); report.Rows != 4 {
					t.Errorf("%d audit rows", report.Rows)
				}
			})
		})
	}
}
