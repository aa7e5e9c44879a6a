package records

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway"
)

// sendingTo is a text of Dropslot's own to the sender of a link.
func sendingTo(t testing.TB, l gateway.Link, o gateway.Occasion, at time.Time) gateway.Sending {
	return gateway.Sending{
		ID: gateway.SendingID(newIDAt(t, at)), Link: l.ID, Office: l.Office, Number: l.Number, Sender: l.Sender, Phone: l.Phone,
		Submission: l.Submission, Language: l.Language, Occasion: o, State: gateway.DeliverySending, CreatedAt: at, UpdatedAt: at,
	}
}

func (w *world) stop(office gateway.OfficeID, sender gateway.PhoneIndex) {
	w.t.Helper()
	_, _, err := w.ReceiveText(w.t.Context(), newText(w.t, office, sender), func(s gateway.Standing) (gateway.TextOutcome, error) {
		s.OptedOutAt = noon
		return gateway.TextOutcome{Keeping: nothingKept, Decision: gateway.Decision{Reason: gateway.ReasonStop, Standing: s}}, nil
	})
	w.check(err, "")
}

// Two workers have the same job: Twilio is asked once.
func TestASendingIsHandedOverOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		link := w.text(north, phone(north, 1))
		again := newLink(t, north, link.Sender, noon)
		s := sendingTo(t, again, gateway.OccasionAgain, noon)
		w.check(w.IssueAgain(t.Context(), link.ID, again, s, gateway.DefaultLimits(), nil), "")
		var won atomic.Int64
		for _, err := range race(20, func(i int) error {
			store := w
			if i%2 == 0 {
				store = other
			}
			err := store.AttemptSending(t.Context(), s.ID, noon)
			if err == nil {
				won.Add(1)
			}
			return err
		}) {
			if err != nil && !gateway.Is(err, gateway.CodeSendTwice) {
				t.Error(err)
			}
		}
		if won.Load() != 1 {
			t.Errorf("%d handed it over", won.Load())
		}
		w.check(w.ReleaseSending(t.Context(), s.ID), "")
		w.check(w.AttemptSending(t.Context(), s.ID, noon), "")
		got, carried, err := w.Sending(t.Context(), s.ID)
		w.check(err, "")
		if !got.AttemptedAt.Equal(noon) || carried.ID != again.ID {
			t.Errorf("got %+v with link %s", got, carried.ID)
		}
		_, _, err = w.Sending(t.Context(), "none")
		w.check(err, gateway.CodeNotFound)
	})
}

// A worker died between the attempt and Twilio's answer.
func TestASendingWithoutAnAnswerIsCountedAsUnknown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for n, at := range []time.Time{noon.Add(-time.Hour), noon} {
			link := w.text(north, phone(north, n))
			again := newLink(t, north, link.Sender, at)
			s := sendingTo(t, again, gateway.OccasionAgain, at)
			w.check(w.IssueAgain(t.Context(), link.ID, again, s, gateway.DefaultLimits(), nil), "")
			w.check(w.AttemptSending(t.Context(), s.ID, at), "")
		}
		waiting, err := w.Waiting(t.Context())
		w.check(err, "")
		if waiting.Unknown != 1 {
			t.Errorf("%d are unknown, want the one of an hour ago", waiting.Unknown)
		}
	})
}

func TestStopIsHeardAtTheMomentOfSending(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.text(north, phone(north, 1))
		again := newLink(t, north, link.Sender, noon)
		s := sendingTo(t, again, gateway.OccasionAgain, noon)
		w.check(w.IssueAgain(t.Context(), link.ID, again, s, gateway.DefaultLimits(), nil), "")
		w.stop(north, link.Sender)
		w.check(w.AttemptSending(t.Context(), s.ID, noon), gateway.CodeOptedOut)
		w.check(w.IssueAgain(t.Context(), link.ID, newLink(t, north, link.Sender, noon), sendingTo(t, again, gateway.OccasionAgain, noon.Add(time.Hour)),
			gateway.DefaultLimits(), nil), gateway.CodeOptedOut)
	})
}

// Twilio knows of a STOP that never reached us.
func TestTwilioSaysThatAPersonOptedOut(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.text(north, phone(north, 1))
		again := newLink(t, north, link.Sender, noon)
		s := sendingTo(t, again, gateway.OccasionAgain, noon)
		w.check(w.IssueAgain(t.Context(), link.ID, again, s, gateway.DefaultLimits(), nil), "")
		w.check(w.FinishSending(t.Context(), gateway.Delivery{Sending: s.ID, State: gateway.DeliveryFailed, ErrorCode: gateway.TwilioOptedOut, At: noon}, nil), "")
		if n := w.count("senders WHERE opted_out_at > 0"); n != 1 {
			t.Error("21610 is not remembered")
		}
	})
}

func TestANewLinkComesThreeTimesTenMinutesApart(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old := w.text(north, phone(north, 1))
		limits := gateway.DefaultLimits()
		again := func(at time.Time) error {
			l := newLink(t, north, old.Sender, at)
			l.Submission = old.Submission
			return w.IssueAgain(t.Context(), old.ID, l, sendingTo(t, l, gateway.OccasionAgain, at), limits, nil, entry(gateway.ActionLinkIssued, ""))
		}
		w.check(again(noon), "")
		w.check(again(noon.Add(10*time.Minute-time.Millisecond)), gateway.CodeAgainSoon)
		w.check(again(noon.Add(10*time.Minute)), "")
		w.check(again(noon.Add(20*time.Minute)), "")
		w.check(again(noon.Add(time.Hour)), gateway.CodeAgainOften)
		if n := w.count("links WHERE state = 'issued'"); n != 1 {
			t.Errorf("%d links may be opened, want the newest alone", n)
		}
		if n := w.count("sendings"); n != 3 {
			t.Errorf("%d texts", n)
		}
		w.proven()
	})
}

func TestOneReminderAndOnlyOfWhatIsWanted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		used, fresh, superseded := w.session(north, 1), w.text(north, phone(north, 2)), w.text(north, phone(north, 3))
		newest := w.text(north, phone(north, 3))
		stopped := w.text(north, phone(north, 4))
		w.stop(north, stopped.Sender)
		text, pictured := w.texted(north, phone(north, 5), 1)
		w.collect(text, noon, mediaOne)
		remind := func(l gateway.Link) bool {
			stored, err := w.RemindLink(t.Context(), l.ID, sendingTo(t, l, gateway.OccasionReminder, noon), nil)
			w.check(err, "")
			return stored
		}
		for name, l := range map[string]gateway.Link{"used": used, "superseded": superseded, "STOP": stopped, "pictures came": pictured} {
			if remind(l) {
				t.Errorf("%s: reminded", name)
			}
		}
		if !remind(fresh) || remind(fresh) || !remind(newest) {
			t.Error("a link is reminded of once")
		}
		rest, err := w.Unclaimed(t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour), 100)
		w.check(err, "")
		var ids []gateway.LinkID
		for _, l := range rest {
			ids = append(ids, l.ID)
		}
		if len(ids) != 2 || !slices.Contains(ids, stopped.ID) || !slices.Contains(ids, pictured.ID) {
			t.Errorf("not reminded of yet: %v", ids)
		}
	})
}

func TestPicturesOfABurstAreToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first, link := w.texted(north, phone(north, 1), 1)
		second, _ := w.texted(north, phone(north, 1), 1)
		s := w.collect(first, noon, mediaOne)
		told, err := w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Waiting != 1 || told.Kept != 1 || told.Link.Sender != link.Sender {
			t.Fatalf("while one is on its way: %+v", told)
		}
		w.collect(second, noon, mediaTwo)
		told, err = w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Waiting != 0 || told.Kept != 2 || len(told.Texts) != 2 {
			t.Fatalf("when both are there: %+v", told)
		}
		out := sendingTo(t, link, gateway.OccasionPhotosSaved, noon)
		w.check(w.TellPhotos(t.Context(), told.Texts, out, nil, nil), "")
		w.check(w.TellPhotos(t.Context(), told.Texts, sendingTo(t, link, gateway.OccasionPhotosSaved, noon.Add(time.Second)), nil, nil), gateway.CodeSendTwice)
		if n := w.count("sendings"); n != 1 {
			t.Errorf("%d texts", n)
		}
		told, err = w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Kept+told.Refused != 0 {
			t.Errorf("told again: %+v", told)
		}
	})
}

// A text that was given up before its pictures were fetched is told of, too.
func TestPicturesThatWereGivenUpAreTold(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 3)
		s, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		w.check(w.PostponeText(t.Context(), w.claimed(text.ID, noon), gateway.Postponed{Step: gateway.StepDead, Fault: gateway.CodeForbidden}, nil), "")
		told, err := w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Refused != 3 || told.Waiting != 0 {
			t.Errorf("got %+v", told)
		}
	})
}

func TestTheReceiptSaysHowManyPagesCame(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		w.page(link, noon)
		w.page(link, noon)
		w.finish(link, noon)
		w.finish(link, noon) // said twice
		if n := w.count("sendings WHERE occasion = 'receipt' AND count = 2"); n != 1 {
			t.Errorf("%d receipts", n)
		}
		stopped := w.session(north, 2)
		w.page(stopped, noon)
		w.stop(north, stopped.Sender)
		w.finish(stopped, noon)
		if n := w.count("sendings"); n != 1 {
			t.Error("a receipt went to somebody who texted STOP")
		}
	})
}
