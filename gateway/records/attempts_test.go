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
		waiting, err := w.Waiting(t.Context(), noon)
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

// Whether a reminder is still wanted is looked at once more when it is sent.
func TestAReminderIsNotSentOnceTheLinkNeedsNone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		remind := func(n int) (gateway.Link, gateway.SendingID) {
			l := w.text(north, phone(north, n))
			s := sendingTo(t, l, gateway.OccasionReminder, noon)
			stored, err := w.RemindLink(t.Context(), l.ID, s, nil)
			w.check(err, "")
			if !stored {
				t.Fatal("not queued")
			}
			return l, s.ID
		}
		opened, first := remind(1)
		w.claim(opened, browser(1), noon)
		w.check(w.AttemptSending(t.Context(), first, noon), gateway.CodeUnwanted)
		_, second := remind(2)
		w.text(north, phone(north, 2))
		w.check(w.AttemptSending(t.Context(), second, noon), gateway.CodeUnwanted)
		pictured, third := remind(3)
		id := newID(t)
		w.raw("INSERT INTO texts (id, account_sid, message_sid, office, number, sender, phone, submission, received_at, media_count, media, words, step, due_at, reason, occasion, language, link) " +
			"SELECT '" + id + "', 'AC0', 'MM" + id + "', office, number, sender, phone, submission, issued_at, 1, 'pending', 'none', 'collect', issued_at, 'burst', '', '', '' FROM links WHERE id = '" + string(pictured.ID) + "'")
		w.collect(gateway.Text{ID: gateway.TextID(id)}, noon, mediaOne)
		w.check(w.AttemptSending(t.Context(), third, noon), gateway.CodeUnwanted)
		_, fourth := remind(4)
		w.check(w.AttemptSending(t.Context(), fourth, noon), "")
	})
}

// What a sender sends stays together: an old link brings one that leads where
// their newest leads, unless that is over.
func TestANewLinkLeadsWhereTheNewestLeads(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old := w.session(north, 1)
		newest := newLink(t, north, old.Sender, noon)
		w.check(w.IssueRequest(t.Context(), newest, gateway.Wish{}, time.Time{}, sendingTo(t, newest, gateway.OccasionRequest, noon), nil), "")
		again := func(at time.Time) gateway.SubmissionID {
			l := newLink(t, north, old.Sender, at)
			l.Submission = old.Submission
			s := sendingTo(t, l, gateway.OccasionAgain, at)
			w.check(w.IssueAgain(t.Context(), old.ID, l, s, gateway.DefaultLimits(), nil), "")
			out, carried, err := w.Sending(t.Context(), s.ID)
			w.check(err, "")
			if out.Submission != carried.Submission {
				t.Errorf("the text is of %s, its link of %s", out.Submission, carried.Submission)
			}
			return carried.Submission
		}
		if got := again(noon); got != newest.Submission {
			t.Errorf("leads to %s, the newest to %s", got, newest.Submission)
		}
		opened := newLink(t, north, old.Sender, noon)
		w.check(w.IssueRequest(t.Context(), opened, gateway.Wish{}, time.Time{}, sendingTo(t, opened, gateway.OccasionRequest, noon.Add(time.Second)), nil), "")
		done := w.claim(opened, browser(2), noon)
		w.page(done, noon)
		w.finish(done, noon)
		if got := again(noon.Add(11 * time.Minute)); got != old.Submission {
			t.Errorf("leads to %s, which is done", got)
		}
	})
}

func TestNewLinksCountAgainstTheSendersLimits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		limits := gateway.DefaultLimits()
		limits.AgainPerLink, limits.AgainPause = 100, 0
		old := w.text(north, phone(north, 1)) // one answer
		accepted := 0
		for n := range 10 {
			l := newLink(t, north, old.Sender, noon)
			err := w.IssueAgain(t.Context(), old.ID, l, sendingTo(t, l, gateway.OccasionAgain, noon.Add(time.Duration(n)*time.Second)), limits, nil)
			if err == nil {
				accepted++
			} else if !gateway.Is(err, gateway.CodeAgainOften) {
				t.Fatal(err)
			}
		}
		// The last place of the hour is left to an answer.
		if want := limits.AnswersPerHour - 2; accepted != want {
			t.Errorf("%d new links beside one answer, want %d", accepted, want)
		}
	})
}

// leaves keeps a link that may be opened for so long from a fresh one's beginning.
func leaves(fresh gateway.Link, least time.Duration) func(gateway.Link) bool {
	return func(l gateway.Link) bool {
		return l.StateAt(fresh.IssuedAt) == gateway.LinkIssued && l.ExpiresAt.Sub(fresh.IssuedAt) >= least
	}
}

func TestASendingCarriesALinkThatLivesLongEnough(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		newest := w.text(north, phone(north, 1)) // four hours
		s := sendingTo(t, newest, gateway.OccasionPhotoNotKept, noon)
		s.Link = ""
		w.check(w.TellPhotos(t.Context(), nil, s, gateway.DefaultLimits(), nil, entry(gateway.ActionTextSent, "")), "")
		link := func(at time.Time, want gateway.LinkID, fresh gateway.Link) {
			t.Helper()
			got, err := w.LinkSending(t.Context(), s.ID, fresh, leaves(fresh, 30*time.Minute))
			w.check(err, "")
			_, carried, err := w.Sending(t.Context(), s.ID)
			w.check(err, "")
			if got.ID != want || carried.ID != want {
				t.Errorf("after %v it carries %s, want %s", at.Sub(noon), carried.ID, want)
			}
		}
		at := noon.Add(3 * time.Hour)
		link(at, newest.ID, newLink(t, north, newest.Sender, at))
		at = noon.Add(3*time.Hour + 31*time.Minute)
		fresh := newLink(t, north, newest.Sender, at)
		link(at, fresh.ID, fresh)
		w.check(w.AttemptSending(t.Context(), s.ID, at), "")
		fresh = newLink(t, north, newest.Sender, at)
		_, err := w.LinkSending(t.Context(), s.ID, fresh, leaves(fresh, 30*time.Minute))
		w.check(err, gateway.CodeSendTwice)
		w.stop(north, newest.Sender)
		_, err = w.LinkSending(t.Context(), s.ID, fresh, leaves(fresh, 30*time.Minute))
		w.check(err, gateway.CodeOptedOut)
	})
}

func TestPicturesOfABurstAreToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first, link := w.texted(north, phone(north, 1), 1)
		second, _ := w.texted(north, phone(north, 1), 1)
		s := w.collect(first, noon, mediaOne)
		told, err := w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Waiting != 1 || !told.Since.Equal(second.ReceivedAt) || told.Kept != 1 || told.Link.Sender != link.Sender {
			t.Fatalf("while one is on its way: %+v", told)
		}
		w.collect(second, noon, mediaTwo)
		told, err = w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Waiting != 0 || told.Kept != 2 || len(told.Texts) != 2 {
			t.Fatalf("when both are there: %+v", told)
		}
		out := sendingTo(t, link, gateway.OccasionPhotosSaved, noon)
		w.check(w.TellPhotos(t.Context(), told.Texts, out, gateway.DefaultLimits(), nil, entry(gateway.ActionTextSent, "")), "")
		w.check(w.TellPhotos(t.Context(), told.Texts, sendingTo(t, link, gateway.OccasionPhotosSaved, noon.Add(time.Second)), gateway.DefaultLimits(), nil, entry(gateway.ActionTextSent, "")), gateway.CodeSendTwice)
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

// A text that was given up before all its pictures were fetched is told of, too.
func TestPicturesThatWereGivenUpAreTold(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 3)
		s, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		w.picture(textedPage(t, s, text.ID, mediaOne), "", gateway.DefaultLimits())
		w.check(w.PostponeText(t.Context(), w.claimed(text.ID, noon), gateway.Postponed{Step: gateway.StepDead, Fault: gateway.CodeForbidden}, nil), "")
		told, err := w.PhotosToTell(t.Context(), s.ID)
		w.check(err, "")
		if told.Kept != 1 || told.Refused != 2 || told.Waiting != 0 {
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
