package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

// A link at the desk is taken back by who made it alone, before a phone opened
// it and after, once.
func TestACounterLinkIsTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		unopened, opened := w.counter(north), w.counter(north)
		w.page(w.claim(opened, browser(1), noon), noon)
		cancel := func(l gateway.Link, maker gateway.StaffID, office gateway.OfficeID, want gateway.Code) gateway.Link {
			t.Helper()
			taken, err := w.CancelCounter(t.Context(), []gateway.OfficeID{office}, maker, l.ID, noon.Add(time.Minute), entry(gateway.ActionLinkCanceled, "link:"+string(l.ID)))
			w.check(err, want)
			return taken
		}
		cancel(unopened, "ben", north, gateway.CodeNotFound)
		cancel(unopened, "", north, gateway.CodeNotFound)
		cancel(unopened, "ana", south, gateway.CodeNotFound)
		if taken := cancel(unopened, "ana", north, ""); taken.State != gateway.LinkSuperseded || taken.CanceledAt.IsZero() {
			t.Errorf("unopened: %+v", taken)
		}
		if taken := cancel(opened, "ana", north, ""); taken.State != gateway.LinkClosed {
			t.Errorf("opened: %+v", taken)
		}
		cancel(opened, "ana", north, gateway.CodeLinkClosed)
		if late := w.claim(unopened, browser(2), noon.Add(2*time.Minute)); late.State == gateway.LinkClaimed {
			t.Error("a phone opened it")
		}
		if row, err := w.CounterLink(t.Context(), norths, opened.ID); err != nil || row.Pages != 1 || row.Shown.CanceledAt.IsZero() {
			t.Errorf("%+v %v", row, err)
		}
		if n := w.count("audit WHERE action = 'link.canceled'"); n != 2 {
			t.Errorf("%d rows in the trail", n)
		}
	})
}

// A phone and the caseworker at once: it is claimed and closed, or never claimed.
func TestTakingBackRacesTheTap(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for n := range 5 {
			l := w.counter(north)
			errs := race(2, func(i int) error {
				if i == 0 {
					_, err := w.CancelCounter(t.Context(), norths, "ana", l.ID, noon, entry(gateway.ActionLinkCanceled, ""))
					return err
				}
				_, err := other.ClaimLink(t.Context(), l.Hash, newClaim(t, browser(n), noon), entry(gateway.ActionLinkClaimed, ""))
				return err
			})
			for _, err := range errs {
				w.check(err, "")
			}
			row, err := w.CounterLink(t.Context(), norths, l.ID)
			w.check(err, "")
			want := gateway.LinkClosed
			if row.Shown.ClaimedAt.IsZero() {
				want = gateway.LinkSuperseded
			}
			if row.Shown.State != want {
				t.Errorf("the link is %s", row.Shown.State)
			}
		}
	})
}
