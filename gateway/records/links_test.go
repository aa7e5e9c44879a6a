package records

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// Fifty browsers tap at once, at two intakes: one has the link, everybody
// hears the same, and one claim stands in the audit trail.
func TestClaimHasOneWinner(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		link := w.text(north, phone(north, 1))
		winners := make([]gateway.BrowserHash, 50)
		errs := race(len(winners), func(i int) error {
			store := w
			if i%2 == 0 {
				store = other
			}
			got, err := store.ClaimLink(t.Context(), link.Hash, newClaim(t, browser(i), noon), entry(gateway.ActionLinkClaimed, ""))
			winners[i] = got.Browser
			return err
		})
		w.check(errors.Join(errs...), "")
		if distinct := slices.Compact(winners); len(distinct) != 1 || distinct[0].IsZero() {
			t.Errorf("%d browsers were told that they won", len(distinct))
		}
		if n := w.count("audit WHERE action = 'link.claimed'"); n != 1 {
			t.Errorf("%d claims in the audit trail", n)
		}
		if n := w.count("submissions WHERE state = 'open'"); n != 1 {
			t.Errorf("%d submissions", n)
		}
		w.proven(other.Store)
	})
}

func TestClaimAgainChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.session(north, 1)
		again := w.claim(first, browser(1), noon.Add(time.Minute))
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("the second claim changed the link:\n%s", diff)
		}
		if n := w.count("audit WHERE action = 'link.claimed' AND office = 'north'"); n != 1 {
			t.Errorf("%d claims in the audit trail", n)
		}
	})
}

func TestClaimAtTheEdgeOfExpiry(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, test := range []struct {
			late time.Duration
			want gateway.LinkState
		}{
			{-time.Millisecond, gateway.LinkClaimed},
			{0, gateway.LinkIssued},
			{time.Millisecond, gateway.LinkIssued},
		} {
			link := w.text(north, phone(north, i))
			got := w.claim(link, browser(i), link.ExpiresAt.Add(test.late))
			if got.State != test.want {
				t.Errorf("%v after the expiry the link is %s, want %s", test.late, got.State, test.want)
			}
		}
	})
}

func TestClaimOfNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, err := w.ClaimLink(t.Context(), gateway.TokenHash{1}, newClaim(t, browser(1), noon))
		w.check(err, gateway.CodeLinkUnknown)
		_, err = w.LinkByHash(t.Context(), gateway.TokenHash{1})
		w.check(err, gateway.CodeLinkUnknown)
	})
}

// A text and a tap at the same moment: the link is claimed or superseded,
// never both, and the newest link leads to where the session is.
func TestClaimAgainstANewerText(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i := range 20 {
			sender := phone(north, i)
			link := w.text(north, sender)
			errs := race(2, func(side int) error {
				if side == 0 {
					_, err := w.ClaimLink(t.Context(), link.Hash, newClaim(t, browser(i), noon))
					return err
				}
				_, _, err := other.ReceiveText(t.Context(), newText(t, north, sender), answerWith(newLink(t, north, sender, noon)))
				return err
			})
			w.check(errors.Join(errs...), "")
			got, err := w.LinkByHash(t.Context(), link.Hash)
			w.check(err, "")
			if claimed := !got.Browser.IsZero(); claimed != (got.State == gateway.LinkClaimed) {
				t.Fatalf("state %s, claimed %v", got.State, claimed)
			}
		}
	})
}

// A link that joined a submission which ended meanwhile begins a fresh one,
// and the sender's next link joins that.
func TestClaimAfterTheSubmissionEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.session(north, 1)
		second := w.text(north, phone(north, 1))
		w.page(first, noon)
		w.finish(first, noon)
		claimed := w.claim(second, browser(1), noon)
		if claimed.Submission == first.Submission {
			t.Fatal("the link still leads to the ended submission")
		}
		session, err := w.Session(t.Context(), claimed.Submission, browser(1))
		w.check(err, "")
		if session.Link.ID != second.ID || session.Submission.State != gateway.SubmissionOpen {
			t.Errorf("session %+v", session)
		}
		if third := w.text(north, phone(north, 1)); third.Submission != claimed.Submission {
			t.Error("the next link does not join the live session")
		}
	})
}

func newRequest(t *testing.T, office gateway.OfficeID, sender gateway.PhoneIndex, at time.Time) (gateway.Link, gateway.Sending) {
	l := newLink(t, office, sender, at)
	l.Origin = gateway.OriginRequest
	return l, gateway.Sending{
		ID: gateway.SendingID(newIDAt(t, at)), Link: l.ID, Office: office, Occasion: gateway.OccasionRequest, Staff: "worker",
		State: gateway.DeliverySending, CreatedAt: at, UpdatedAt: at,
	}
}

func TestRequestSupersedesAndIsFollowed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		offices := []gateway.OfficeID{south, north}
		texted := w.text(north, phone(north, 1))
		link, sending := newRequest(t, north, phone(north, 1), noon)
		w.check(w.IssueRequest(t.Context(), link, gateway.Wish{}, time.Time{}, sending, nil, entry(gateway.ActionLinkIssued, "")), "")
		old, err := w.LinkByHash(t.Context(), texted.Hash)
		w.check(err, "")
		if old.State != gateway.LinkSuperseded {
			t.Errorf("the texted link is %s", old.State)
		}

		w.check(w.SaveDelivery(t.Context(), gateway.Delivery{Sending: sending.ID, SID: "SM1", State: gateway.DeliverySent, At: noon}), "")
		w.check(w.FinishSending(t.Context(), gateway.Delivery{Sending: sending.ID, SID: "SM1", State: gateway.DeliveryQueued, At: noon}, nil, entry(gateway.ActionLinkSent, "")), "")
		row, err := w.Request(t.Context(), offices, sending.ID)
		w.check(err, "")
		if row.Sending.State != gateway.DeliverySent || row.Sending.SID != "SM1" || row.Opened || row.State != "" {
			t.Errorf("request %+v", row)
		}
		if string(row.Phone) != string(link.Phone) || row.Link.Hash != link.Hash {
			t.Error("the request's link is another one")
		}

		claimed := w.claim(link, browser(1), noon)
		w.page(claimed, noon)
		row, err = w.Request(t.Context(), offices, sending.ID)
		w.check(err, "")
		if !row.Opened || row.Pages != 1 || row.State != gateway.SubmissionOpen {
			t.Errorf("after a page: %+v", row)
		}
		w.finish(claimed, noon)
		row, err = w.Request(t.Context(), offices, sending.ID)
		w.check(err, "")
		if row.State != gateway.SubmissionReceived || row.Unfinished || row.Submission != claimed.Submission {
			t.Errorf("after the end: %+v", row)
		}
		w.proven()
	})
}

// The client texts after the caseworker sent a link: the newer link joins, so
// the request is seen to be opened all the same.
func TestRequestIsOpenedThroughALaterLink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link, sending := newRequest(t, north, phone(north, 1), noon)
		w.check(w.IssueRequest(t.Context(), link, gateway.Wish{}, time.Time{}, sending, nil), "")
		w.claim(w.text(north, phone(north, 1)), browser(1), noon)
		row, err := w.Request(t.Context(), []gateway.OfficeID{north}, sending.ID)
		w.check(err, "")
		if !row.Opened || row.Link.State != gateway.LinkSuperseded {
			t.Errorf("request %+v", row)
		}
	})
}

func TestRequestToOneWhoOptedOut(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		sender := phone(north, 1)
		_, _, err := w.ReceiveText(t.Context(), newText(t, north, sender), func(s gateway.Standing) (gateway.TextOutcome, error) {
			s.OptedOutAt = noon
			return gateway.TextOutcome{Keeping: nothingKept, Decision: gateway.Decision{Reason: gateway.ReasonStop, Standing: s}}, nil
		})
		w.check(err, "")
		link, sending := newRequest(t, north, sender, noon)
		w.check(w.IssueRequest(t.Context(), link, gateway.Wish{}, time.Time{}, sending, nil, entry(gateway.ActionLinkIssued, "")), gateway.CodeOptedOut)
		if n := w.count("links") + w.count("sendings") + w.count("audit"); n != 0 {
			t.Errorf("%d rows were written", n)
		}
	})
}

func TestRequestsAreListedNewestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var want []gateway.SendingID
		for i := range 6 {
			office := []gateway.OfficeID{north, south}[i%2]
			link, sending := newRequest(t, office, phone(office, i), noon.Add(time.Duration(i)*time.Second))
			w.check(w.IssueRequest(t.Context(), link, gateway.Wish{}, time.Time{}, sending, nil), "")
			want = append([]gateway.SendingID{sending.ID}, want...)
		}
		list := func(limit int, offices ...gateway.OfficeID) (ids []gateway.SendingID) {
			rows, err := w.Requests(t.Context(), offices, limit)
			w.check(err, "")
			for _, row := range rows {
				ids = append(ids, row.Sending.ID)
			}
			return ids
		}
		if diff := cmp.Diff(want, list(10, north, south)); diff != "" {
			t.Errorf("both offices:\n%s", diff)
		}
		if diff := cmp.Diff([]gateway.SendingID{want[1], want[3]}, list(2, north)); diff != "" {
			t.Errorf("one office, two rows:\n%s", diff)
		}
		w.check(w.FinishSending(t.Context(), gateway.Delivery{Sending: "none", State: gateway.DeliverySent, At: noon}, nil), gateway.CodeNotFound)
	})
}
