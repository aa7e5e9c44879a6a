package records

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func TestReceiveTextStoresAnswerAndStanding(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.text(north, phone(north, 1))
		got, err := w.LinkByHash(t.Context(), link.Hash)
		w.check(err, "")
		if diff := cmp.Diff(link, got); diff != "" {
			t.Errorf("link changed on its way:\n%s", diff)
		}
		var seen gateway.Standing
		_, _, err = w.ReceiveText(t.Context(), newText(t, north, phone(north, 1)), func(s gateway.Standing) (gateway.TextOutcome, error) {
			seen = s
			return gateway.TextOutcome{Keeping: nothingKept, Decision: gateway.Decision{Reason: gateway.ReasonBurst, Standing: s}}, nil
		})
		w.check(err, "")
		want := gateway.Standing{
			Language: "es", HourStart: noon, DayStart: noon, HourCount: 1, DayCount: 1, LastAnswerAt: noon,
			Link: link.ID, Submission: link.Submission,
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("standing:\n%s", diff)
		}
		w.proven()
	})
}

// The webhook is repeated by Twilio, or by somebody who recorded it: one text,
// one link, however often and through whichever process.
func TestReplaysGiveTheEarlierText(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		text := newText(t, north, phone(north, 1))
		first, _, err := w.ReceiveText(t.Context(), text, answerWith(newLink(t, north, text.Sender, noon)))
		w.check(err, "")
		errs := race(40, func(i int) error {
			again := text
			again.ID = gateway.TextID(newID(t))
			store := w
			if i%2 == 0 {
				store = other
			}
			_, earlier, err := store.ReceiveText(t.Context(), again, answerWith(newLink(t, north, text.Sender, noon)))
			if err != nil {
				return err
			}
			if earlier == nil || earlier.ID != text.ID || earlier.Link == nil || earlier.Link.Hash != first.Link.Hash {
				return errors.New("a replay was not known")
			}
			if earlier.Occasion != gateway.OccasionLink || earlier.Language != "es" || !earlier.ReceivedAt.Equal(noon) {
				return errors.New("a replay lost what was said")
			}
			return nil
		})
		w.check(errors.Join(errs...), "")
		if n := w.count("links"); n != 1 {
			t.Errorf("%d links, want 1", n)
		}
		if n := w.count("audit"); n != 1 {
			t.Errorf("%d audit rows, want 1", n)
		}
		w.proven(other.Store)
	})
}

// The same message reaches two intakes at the same moment.
func TestFirstArrivalsRace(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		text := newText(t, north, phone(north, 1))
		errs := race(8, func(i int) error {
			mine := text
			mine.ID = gateway.TextID(newID(t))
			store := w
			if i%2 == 0 {
				store = other
			}
			_, _, err := store.ReceiveText(t.Context(), mine, answerWith(newLink(t, north, text.Sender, noon)))
			return err
		})
		w.check(errors.Join(errs...), "")
		if links, texts := w.count("links"), w.count("texts"); links != 1 || texts != 1 {
			t.Errorf("%d links and %d texts, want one of each", links, texts)
		}
	})
}

// Pictures of one sender that arrive at once, at two intakes, are decided one
// after the other: each decision sees what the one before left.
func TestOneSendersTextsAreDecidedInTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		const texts = 40
		errs := race(texts, func(i int) error {
			store := w
			if i%2 == 0 {
				store = other
			}
			_, _, err := store.ReceiveText(t.Context(), newText(t, north, phone(north, 1)), answerWith(newLink(t, north, phone(north, 1), noon)))
			return err
		})
		w.check(errors.Join(errs...), "")
		if n := w.count("senders WHERE hour_count = $1 AND day_count = $1", texts); n != 1 {
			t.Error("a decision did not see the one before")
		}
		if n := w.count("links WHERE state = 'issued'"); n != 1 {
			t.Errorf("%d links are live, want the newest alone", n)
		}
		if n := w.count("links WHERE submission = (SELECT submission FROM senders)"); n != texts {
			t.Errorf("%d links lead to one submission, want %d", n, texts)
		}
		w.proven(other.Store)
	})
}

// Many senders at two intakes: batches lock several senders' rows each, and
// must not wait for each other in a circle.
func TestManySendersAtTwoIntakes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		// A crowd may take longer on a slow machine than a webhook waits.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		errs := race(200, func(i int) error {
			store := w
			if i%2 == 0 {
				store = other
			}
			sender := phone(north, i*7919%23)
			_, _, err := store.ReceiveText(ctx, newText(t, north, sender), answerWith(newLink(t, north, sender, noon)))
			return err
		})
		w.check(errors.Join(errs...), "")
		if n := w.count("links WHERE state = 'issued'"); n != 23 {
			t.Errorf("%d live links, want one for each of 23 senders", n)
		}
		w.proven(other.Store)
	})
}

func TestClaimedLinkIsNotSuperseded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.session(north, 1)
		second := w.text(north, phone(north, 1))
		if second.Submission != first.Submission {
			t.Error("the second link leads elsewhere")
		}
		got, err := w.LinkByHash(t.Context(), first.Hash)
		w.check(err, "")
		if got.State != gateway.LinkClaimed {
			t.Errorf("the claimed link is %s", got.State)
		}
	})
}

func TestTextWithoutPhoneLeavesNoStanding(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text := newText(t, north, gateway.PhoneIndex{})
		text.Phone, text.MediaCount = nil, 2
		silence := func(s gateway.Standing) (gateway.TextOutcome, error) {
			kept := nothingKept
			kept.Media = gateway.MediaNotKept
			return gateway.TextOutcome{Keeping: kept, Decision: gateway.Decision{Reason: gateway.ReasonShortCode, Standing: gateway.Standing{Language: "en"}}}, nil
		}
		_, _, err := w.ReceiveText(t.Context(), text, silence)
		w.check(err, "")
		_, earlier, err := w.ReceiveText(t.Context(), text, silence)
		w.check(err, "")
		if earlier == nil || earlier.Link != nil || earlier.Occasion != gateway.OccasionNone {
			t.Errorf("earlier is %+v", earlier)
		}
		if n := w.count("senders"); n != 0 {
			t.Errorf("%d senders", n)
		}
		if n := w.count("texts WHERE media = 'not-kept' AND media_count = 2"); n != 1 {
			t.Error("the row does not say that the pictures were not kept")
		}
	})
}

// What decide says wrong comes back as it is, and leaves nothing.
func TestDecideFails(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		mine := errors.New("the words are missing")
		_, _, err := w.ReceiveText(t.Context(), newText(t, north, phone(north, 1)), func(gateway.Standing) (gateway.TextOutcome, error) {
			return gateway.TextOutcome{}, mine
		})
		if !errors.Is(err, mine) {
			t.Errorf("error is %v", err)
		}
		if n := w.count("senders") + w.count("texts"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestDeliveryMovesUpInRankOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text := newText(t, north, phone(north, 1))
		_, _, err := w.ReceiveText(t.Context(), text, answerWith(newLink(t, north, text.Sender, noon)))
		w.check(err, "")
		steps := []struct {
			state gateway.DeliveryState
			sid   string
			after gateway.DeliveryState
		}{
			{gateway.DeliverySent, "", gateway.DeliverySent},
			{gateway.DeliveryQueued, "SM1", gateway.DeliverySent},
			{gateway.DeliveryDelivered, "SM1", gateway.DeliveryDelivered},
			{gateway.DeliverySent, "SM1", gateway.DeliveryDelivered},
			{gateway.DeliveryFailed, "SM1", gateway.DeliveryDelivered},
		}
		for i, step := range steps {
			d := gateway.Delivery{Text: text.ID, SID: step.sid, State: step.state, At: noon.Add(time.Duration(i) * time.Second)}
			w.check(w.SaveDelivery(t.Context(), d), "")
			if n := w.count("texts WHERE answer_state = $1 AND answer_sid = $2", string(step.after), step.sid); n != 1 {
				t.Errorf("step %d: the state is not %s", i, step.after)
			}
		}
		w.check(w.SaveDelivery(t.Context(), gateway.Delivery{Text: "none", State: gateway.DeliverySent, At: noon}), gateway.CodeNotFound)
		w.check(w.SaveDelivery(t.Context(), gateway.Delivery{Sending: "none", State: gateway.DeliverySent, At: noon}), gateway.CodeNotFound)
	})
}

func TestCancelledCallerWritesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := w.ReceiveText(ctx, newText(t, north, phone(north, 1)), answerWith(newLink(t, north, phone(north, 1), noon)))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		w.text(north, phone(north, 2))
		if n := w.count("texts"); n != 1 {
			t.Errorf("%d texts", n)
		}
	})
}
