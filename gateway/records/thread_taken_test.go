package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

// What the trail says before the first byte is taken back by what it says when
// the package did not leave; a process that delivers is no person who took it.
func TestTheThreadTellsWhatLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.session(north, 1)
		page, second := w.page(l, noon), w.page(l, noon.Add(time.Minute))
		s := w.finish(l, noon)
		into, _ := w.arrived(north, 1, noon)
		took := func(minutes int, actor string, action gateway.Action, object, reason string, outcome gateway.Outcome) {
			e := entry(action, object)
			e.At, e.Actor, e.Reason, e.Outcome = noon.Add(time.Duration(minutes)*time.Minute), actor, reason, outcome
			w.check(w.Append(t.Context(), e), "")
		}
		one, two, papers := "page:"+string(page.ID), "page:"+string(second.ID), "submission:"+string(s.ID)
		ana := gateway.ActorStaff("ana")
		took(1, ana, gateway.ActionPageExported, one, "zip", gateway.OutcomeDone)
		took(1, ana, gateway.ActionPageExported, two, "zip", gateway.OutcomeDone)
		took(2, ana, gateway.ActionPageExported, one, "pdf", gateway.OutcomeDone)
		took(2, ana, gateway.ActionExported, papers, "pdf, page-type", gateway.OutcomeFailed) // in the same moment
		took(3, ana, gateway.ActionPageDownloaded, one, "", gateway.OutcomeDone)
		took(4, ana, gateway.ActionPageExported, two, "pdf", gateway.OutcomeDenied)
		took(5, gateway.ActorRole("desk"), gateway.ActionPageExported, one, "delivery:d1", gateway.OutcomeDone)
		w.check(w.AskDelivery(t.Context(), w.delivery(s, "d1", page.ID, second.ID)), "")
		look := func() gateway.ThreadRows {
			rows, err := w.Thread(t.Context(), norths, phone(north, 1), "ana")
			w.check(err, "")
			return rows
		}
		for range 2 {
			rows := look()
			if len(rows.Takes) != 2 || rows.Takes[0].Form != gateway.TakeZIP || len(rows.Takes[0].Pages) != 2 || rows.Takes[0].Staff != "ana" ||
				rows.Takes[1].Form != "" || len(rows.Takes[1].Pages) != 1 || rows.Takes[1].Pages[0] != page.ID {
				t.Errorf("taken: %+v", rows.Takes)
			}
			if len(rows.Handed) != 1 || rows.Handed[0].ID != "d1" {
				t.Errorf("handed over: %+v", rows.Handed)
			}
			came := 0
			for _, p := range rows.Pages {
				if p.Link == l.ID {
					came += len(p.Pages)
				}
			}
			if came != 2 {
				t.Errorf("%d pages came by the link", came)
			}
			w.merge(s, into, "") // what left before stays told
		}
	})
}
