package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

func (w *world) ask(wish gateway.Wish, since time.Time, l gateway.Link) (gateway.Sending, error) {
	w.t.Helper()
	sending := sendingTo(w.t, l, gateway.OccasionRequest, l.IssuedAt)
	return sending, w.IssueRequest(w.t.Context(), l, wish, since, sending, nil, entry(gateway.ActionLinkIssued, "link:"+string(l.ID)))
}

// Nobody is texted who wrote nothing of late, unless they asked.
func TestNobodyIsTextedUnasked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := newLink(t, north, phone(north, 7), noon)
		_, err := w.ask(gateway.Wish{}, noon.Add(-gateway.TextedOf), link)
		w.check(err, gateway.CodeUnasked)
		if w.count("links") != 0 || w.count("sendings") != 0 || w.count("audit") != 0 {
			t.Fatal("what was refused left something")
		}
		w.text(north, phone(north, 7))
		_, err = w.ask(gateway.Wish{}, noon.Add(-gateway.TextedOf), link)
		w.check(err, "")
		_, err = w.ask(gateway.Wish{}, noon.Add(time.Hour), newLink(t, north, phone(north, 7), noon.Add(time.Second)))
		w.check(err, gateway.CodeUnasked)
		_, err = w.ask(gateway.Wish{}, time.Time{}, newLink(t, north, phone(north, 8), noon))
		w.check(err, "")
	})
}

// A page that is asked for once more joins its submission, also a done one, and
// whoever sends it sees and ends what is theirs alone.
func TestOnePageOnceMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.session(north, 1)
		page := w.page(first, noon)
		w.finish(first, noon.Add(time.Minute))
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, first.Submission, "ana", gateway.HandledDelivered, "", noon.Add(2*time.Minute)), "")

		later := noon.Add(time.Hour)
		link := newLink(t, north, phone(north, 1), later)
		link.Submission = first.Submission
		wish := gateway.Wish{Asks: []string{"photo-id"}, Sealed: []byte("sealed"), Page: page.ID, Reason: gateway.AgainBlurry}
		sending, err := w.ask(wish, time.Time{}, link)
		w.check(err, "")
		state := func() gateway.RequestRow {
			row, err := w.Request(t.Context(), []gateway.OfficeID{north}, sending.ID)
			w.check(err, "")
			return row
		}
		if row := state(); row.Opened || row.Pages != 0 || row.Wish.Page != page.ID || row.Wish.Reason != gateway.AgainBlurry || len(row.Wish.Asks) != 1 {
			t.Errorf("before it was opened: %+v", row)
		}
		claimed := w.claim(link, browser(2), later.Add(time.Minute))
		if claimed.Submission != first.Submission {
			t.Fatal("the page goes elsewhere")
		}
		session, err := w.Session(t.Context(), first.Submission, browser(2))
		w.check(err, "")
		if len(session.Pages) != 0 || session.Wish.Page != page.ID || session.Submission.State != gateway.SubmissionOpen {
			t.Errorf("the client sees %+v", session)
		}
		_, err = w.FinishSubmission(t.Context(), link.ID, first.Submission, finish(t, later.Add(2*time.Minute)))
		w.check(err, gateway.CodeNoPages)
		w.check(w.NoteCamera(t.Context(), link.ID, later.Add(2*time.Minute)), "")
		w.page(claimed, later.Add(3*time.Minute))
		if row := state(); !row.Opened || !row.Camera || row.Pages != 1 {
			t.Errorf("with its page: %+v", row)
		}
		done, err := w.FinishSubmission(t.Context(), link.ID, first.Submission, finish(t, later.Add(4*time.Minute)))
		w.check(err, "")
		if done.Pages != 2 || done.State != gateway.SubmissionReceived || w.count("sendings WHERE count = 1") != 2 || w.count("sendings WHERE count = 2") != 0 {
			t.Errorf("done %+v", done)
		}
		rows, err := w.Thread(t.Context(), norths, phone(north, 1), "ana")
		w.check(err, "")
		if again := rows.Again; len(again) != 1 || again[link.ID].Page != page.ID || again[link.ID].Reason != gateway.AgainBlurry {
			t.Errorf("sent once more: %+v", again)
		}
		if len(rows.Places) != 2 || rows.Places[page.ID] != 1 {
			t.Errorf("places: %v", rows.Places)
		}
		w.proven()
	})
}

// A link that was taken back opens for nobody, and brings nothing more.
func TestALinkIsTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		unopened, opened := newLink(t, north, phone(north, 1), noon), newLink(t, north, phone(north, 2), noon)
		a, err := w.ask(gateway.Wish{}, time.Time{}, unopened)
		w.check(err, "")
		b, err := w.ask(gateway.Wish{}, time.Time{}, opened)
		w.check(err, "")
		w.claim(opened, browser(2), noon.Add(time.Minute))
		cancel := func(s gateway.Sending, offices ...gateway.OfficeID) ([]gateway.Link, error) {
			return w.CancelLink(t.Context(), offices, s.ID, noon.Add(2*time.Minute), entry(gateway.ActionLinkCanceled, ""))
		}
		_, err = cancel(a, south)
		w.check(err, gateway.CodeNotFound)
		taken, err := cancel(a, north)
		w.check(err, "")
		if len(taken) != 1 || taken[0].State != gateway.LinkSuperseded || taken[0].CanceledAt.IsZero() {
			t.Errorf("unopened: %+v", taken)
		}
		taken, err = cancel(b, north)
		w.check(err, "")
		if len(taken) != 1 || taken[0].State != gateway.LinkClosed {
			t.Errorf("opened: %+v", taken)
		}
		_, err = cancel(b, north)
		w.check(err, gateway.CodeLinkClosed)
		late, err := w.ClaimLink(t.Context(), unopened.Hash, newClaim(t, browser(1), noon.Add(3*time.Minute)))
		if err != nil || late.State == gateway.LinkClaimed || late.CanceledAt.IsZero() {
			t.Errorf("claimed after all: %+v, %v", late, err)
		}
		_, _, err = w.SavePage(t.Context(), newPage(t, opened, noon.Add(3*time.Minute)), gateway.DefaultLimits())
		w.check(err, gateway.CodeLinkClosed)
	})
}

// A link that somebody had texted instead goes with the one that is taken
// back, however the two come about: the holder may be a stranger.
func TestALinkIsTakenBackWithWhatCameInstead(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		sent := newLink(t, north, phone(north, 1), noon)
		s, err := w.ask(gateway.Wish{}, time.Time{}, sent)
		w.check(err, "")
		again := func(at time.Time) (gateway.Link, error) {
			l := newLink(t, north, phone(north, 1), at)
			l.Root = sent.First()
			return l, w.IssueAgain(t.Context(), sent.ID, l, sendingTo(t, l, gateway.OccasionAgain, at), gateway.DefaultLimits(), nil, entry(gateway.ActionLinkIssued, ""))
		}
		late := noon.Add(gateway.DefaultLimits().RequestTTL + time.Hour)
		fresh, err := again(late)
		w.check(err, "")
		row, err := w.Request(t.Context(), []gateway.OfficeID{north}, s.ID)
		w.check(err, "")
		if !row.Followed {
			t.Error("the desk is not told that a link came instead")
		}
		taken, err := w.CancelLink(t.Context(), []gateway.OfficeID{north}, s.ID, late.Add(time.Minute), entry(gateway.ActionLinkCanceled, ""))
		w.check(err, "")
		if len(taken) != 1 || taken[0].ID != fresh.ID {
			t.Errorf("taken back: %+v", taken)
		}
		claimed, err := w.ClaimLink(t.Context(), fresh.Hash, newClaim(t, browser(1), late.Add(2*time.Minute)))
		if err != nil || claimed.State == gateway.LinkClaimed {
			t.Errorf("claimed after all: %+v, %v", claimed, err)
		}
		_, err = again(late.Add(time.Hour)) // asked for before it was taken back, and late
		w.check(err, gateway.CodeLinkCanceled)
	})
}
