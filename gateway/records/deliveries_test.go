package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

func (w *world) delivery(s gateway.Submission, id string, pages ...gateway.PageID) gateway.HandDelivery {
	return gateway.HandDelivery{
		ID: gateway.DeliveryID(id), Submission: s.ID, Office: s.Office, Staff: "ana", Pages: pages, Whole: len(pages),
		State: gateway.HandWaiting, AskedAt: noon, DueAt: noon,
	}
}

func TestADeliveryIsTakenByOneAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.session(north, 1)
		page := w.page(l, noon)
		s := w.finish(l, noon)
		d := w.delivery(s, "d1", page.ID)
		w.check(w.AskDelivery(t.Context(), d), "")
		w.check(w.AskDelivery(t.Context(), d), "")
		w.check(w.AskDelivery(t.Context(), w.delivery(s, "d2", page.ID)), gateway.CodeSendTwice)
		if _, found, err := w.TakeDelivery(t.Context(), []gateway.OfficeID{south}, false, noon, noon.Add(time.Minute)); err != nil || found {
			t.Fatalf("another office takes it: %v", err)
		}
		if _, found, err := w.TakeDelivery(t.Context(), []gateway.OfficeID{north}, false, noon.Add(-time.Second), noon); err != nil || found {
			t.Fatalf("it is taken before it is due: %v", err)
		}
		other := w.another()
		takers := []*Store{w.Store, other.Store, w.Store, other.Store}
		taken := make([]bool, len(takers))
		for _, err := range race(len(takers), func(i int) (err error) {
			_, taken[i], err = takers[i].TakeDelivery(t.Context(), []gateway.OfficeID{north}, false, noon, noon.Add(time.Minute))
			return err
		}) {
			w.check(err, "")
		}
		won := 0
		for _, has := range taken {
			if has {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%d processes have it", won)
		}
		// Its lease is over: another try begins, and the first one's word counts no more.
		again, found, err := w.TakeDelivery(t.Context(), []gateway.OfficeID{north}, false, noon.Add(time.Minute), noon.Add(time.Hour))
		if err != nil || !found || again.Tries != 2 || len(again.Pages) != 1 || again.Pages[0] != page.ID {
			t.Fatalf("%v %v %+v", found, err, again)
		}
		late := again
		late.Tries, late.DeliveredAt = 1, noon.Add(time.Minute)
		w.check(w.NoteDelivery(t.Context(), late), gateway.CodeNotFound)
		w.check(w.FinishDelivery(t.Context(), late), "")
		if s, _, _ := w.Submission(t.Context(), []gateway.OfficeID{north}, s.ID); s.State != gateway.SubmissionReceived {
			t.Error("a try that was lost handled the submission")
		}
		again.Sealed = []byte("sealed")
		w.check(w.NoteDelivery(t.Context(), again), "")
		again.DeliveredAt, again.Files = noon.Add(2*time.Minute), 1
		w.check(w.FinishDelivery(t.Context(), again), "")
		all, err := w.Deliveries(t.Context(), s.ID)
		if err != nil || len(all) != 1 || all[0].State != gateway.HandDelivered || string(all[0].Sealed) != "sealed" || !all[0].DueAt.IsZero() {
			t.Errorf("%v %+v", err, all)
		}
		handled, _, _ := w.Submission(t.Context(), []gateway.OfficeID{north}, s.ID)
		if handled.State != gateway.SubmissionHandled || !handled.HandledAt.Equal(noon.Add(2*time.Minute)) || handled.HandledBy != "ana" {
			t.Errorf("the submission is %s, by %q at %v", handled.State, handled.HandledBy, handled.HandledAt)
		}
	})
}

func TestThePagesThatCameSinceKeepASubmissionOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.session(north, 1)
		page := w.page(l, noon)
		w.page(l, noon)
		s := w.finish(l, noon)
		w.check(w.AskDelivery(t.Context(), w.delivery(s, "d1", page.ID)), "")
		d, _, err := w.TakeDelivery(t.Context(), []gateway.OfficeID{north}, false, noon, noon.Add(time.Minute))
		w.check(err, "")
		d.DeliveredAt = noon
		w.check(w.FinishDelivery(t.Context(), d), "")
		if s, _, _ := w.Submission(t.Context(), []gateway.OfficeID{north}, s.ID); s.State != gateway.SubmissionReceived {
			t.Errorf("the submission is %s with a page that nobody delivered", s.State)
		}
	})
}

func TestDeliveriesOnTheBoard(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.session(north, 1)
		page := w.page(l, noon)
		s := w.finish(l, noon)
		w.check(w.AskDelivery(t.Context(), w.delivery(s, "d1", page.ID)), "")
		d, _, err := w.TakeDelivery(t.Context(), []gateway.OfficeID{north}, false, noon, noon.Add(time.Minute))
		w.check(err, "")
		w.check(w.RetryDelivery(t.Context(), []gateway.OfficeID{north}, s.ID, "d1", noon), gateway.CodeSendTwice) // under way
		w.check(w.DeliveryBoard(func() time.Time { return noon }).Retry(t.Context(), "delivery:d1"), gateway.CodeSendTwice)
		d.State, d.Fault, d.DueAt = gateway.HandDead, gateway.CodePartnerDown, time.Time{}
		w.check(w.FailDelivery(t.Context(), d), "")
		board := w.DeliveryBoard(func() time.Time { return noon })
		rows, more, err := board.List(t.Context(), false)
		if err != nil || more != 0 || len(rows) != 1 || rows[0].ID != "delivery:d1" || rows[0].State != gateway.JobDead || rows[0].Fault != "partner-down" {
			t.Fatalf("%v %d %+v", err, more, rows)
		}
		counts, err := board.Count(t.Context())
		if err != nil || len(counts) != 1 || counts[0].State != gateway.JobDead || counts[0].Count != 1 {
			t.Errorf("%v %+v", err, counts)
		}
		w.check(w.RetryDelivery(t.Context(), []gateway.OfficeID{south}, s.ID, "d1", noon), gateway.CodeNotFound)
		w.check(board.Retry(t.Context(), "delivery:d1"), "")
		w.check(board.Retry(t.Context(), "text:d1"), gateway.CodeNotFound)
		if _, found, err := w.TakeDelivery(t.Context(), []gateway.OfficeID{north}, false, noon, noon.Add(time.Minute)); err != nil || !found {
			t.Errorf("not taken after the retry: %v", err)
		}
		w.check(board.Drop(t.Context(), "delivery:d1"), "")
		w.check(board.Drop(t.Context(), "delivery:d1"), gateway.CodeNotFound)
		if rows, _, _ := board.List(t.Context(), false); len(rows) != 0 {
			t.Errorf("%+v", rows)
		}
		if rows, _, _ := board.List(t.Context(), true); len(rows) != 1 || rows[0].State != gateway.JobDropped {
			t.Errorf("%+v", rows)
		}
	})
}
