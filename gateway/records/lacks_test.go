package records

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func (w *world) lack(l gateway.Link, ask string, reason gateway.LackReason, at time.Time) error {
	w.t.Helper()
	said := gateway.LackSaid{Lack: gateway.Lack{Ask: ask, Reason: reason, At: at}}
	if reason == gateway.LackRemind {
		said.Reminder = gateway.Sending{
			ID: gateway.SendingID(newID(w.t)), Office: l.Office, Number: l.Number, Sender: l.Sender, Phone: l.Phone, Submission: l.Submission,
			Occasion: gateway.OccasionRemindMe, State: gateway.DeliverySending, CreatedAt: at, UpdatedAt: at,
		}
	}
	return w.SaveLack(w.t.Context(), l.ID, l.Submission, said, entry(gateway.ActionLackSaid, ""))
}

func (w *world) counter(office gateway.OfficeID) gateway.Link {
	w.t.Helper()
	l := newLink(w.t, office, gateway.PhoneIndex{}, noon)
	l.Phone, l.Origin, l.ExpiresAt = nil, gateway.OriginStaff, noon.Add(gateway.CounterTTL)
	made := gateway.Counter{Link: l.ID, Staff: "ana", SealedName: []byte("typed at the desk")}
	w.check(w.IssueCounter(w.t.Context(), l, made, entry(gateway.ActionLinkIssued, "link:"+string(l.ID))), "")
	return l
}

func (w *world) inbox() []gateway.Submission {
	w.t.Helper()
	rows, err := w.Inbox(w.t.Context(), gateway.InboxQuery{Offices: []gateway.OfficeID{north}, Limit: 10})
	w.check(err, "")
	var found []gateway.Submission
	for _, row := range rows {
		found = append(found, row.Submission)
	}
	return found
}

// Who has only something to say is in the inbox like who has a page, and
// leaves it when neither is left.
func TestALackArrivesLikeAPage(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		w.check(w.lack(link, "pay-stub", gateway.LackCannot, noon.Add(time.Minute)), "")
		w.check(w.lack(link, "pay-stub", gateway.LackHelp, noon.Add(2*time.Minute)), "")
		w.check(w.lack(link, "photo-id", gateway.LackCannot, noon.Add(3*time.Minute)), "")
		rows := w.inbox()
		if len(rows) != 1 || rows[0].LackCount != 2 || !rows[0].ArrivedAt.Equal(noon.Add(time.Minute)) {
			t.Fatalf("the inbox has %+v", rows)
		}
		session, err := w.Session(t.Context(), link.Submission, browser(1))
		w.check(err, "")
		want := []gateway.Lack{
			{Ask: "pay-stub", Reason: gateway.LackHelp, At: noon.Add(2 * time.Minute)}, {Ask: "photo-id", Reason: gateway.LackCannot, At: noon.Add(3 * time.Minute)},
		}
		if diff := cmp.Diff(want, session.Submission.Lacks); diff != "" {
			t.Errorf("lacks:\n%s", diff)
		}
		page := w.page(link, noon.Add(4*time.Minute))
		_, err = w.RemovePage(t.Context(), link.ID, link.Submission, page.Key, gateway.Act{At: noon.Add(5 * time.Minute)})
		w.check(err, "")
		if rows := w.inbox(); len(rows) != 1 || !rows[0].ArrivedAt.Equal(noon.Add(time.Minute)) {
			t.Errorf("with its page, what was said left the inbox: %+v", rows)
		}
		w.check(w.lack(link, "pay-stub", gateway.LackNone, noon), "")
		w.check(w.lack(link, "photo-id", gateway.LackNone, noon), "")
		w.check(w.lack(link, "photo-id", gateway.LackNone, noon), "")
		if rows := w.inbox(); len(rows) != 0 {
			t.Errorf("nothing is left, and the inbox has %+v", rows)
		}
		_, err = w.FinishSubmission(t.Context(), link.ID, link.Submission, finish(t, noon))
		w.check(err, gateway.CodeNoPages)
		w.check(w.lack(link, "photo-id", gateway.LackCannot, noon), "")
		if done := w.finish(link, noon.Add(time.Minute)); done.State != gateway.SubmissionReceived || done.LackCount != 1 {
			t.Errorf("finished %+v", done)
		}
		if n := w.count("sendings"); n != 0 {
			t.Errorf("%d receipts for no page", n)
		}
		w.check(w.lack(link, "photo-id", gateway.LackNone, noon), gateway.CodeLinkClosed)
		w.proven()
	})
}

func TestALackIsReceivedWhenTheTimeIsOver(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		said, silent := w.session(north, 1), w.session(north, 2)
		w.check(w.lack(said, "pay-stub", gateway.LackCannot, noon), "")
		w.check(w.lack(said, "pay-stub", gateway.LackHelp, noon.Add(3*time.Hour)), gateway.CodeLinkExpired)
		ended, err := w.ExpireSubmissions(t.Context(), noon.Add(3*time.Hour), 0, 10, func(gateway.Submission) gateway.AuditEntry {
			return entry(gateway.ActionSubmissionExpired, "")
		})
		w.check(err, "")
		if len(ended) != 1 || ended[0].ID != said.Submission || ended[0].State != gateway.SubmissionReceived || !ended[0].Unfinished {
			t.Errorf("ended %+v", ended)
		}
		if w.count("submissions WHERE state = 'empty' AND id = '"+string(silent.Submission)+"'") != 1 {
			t.Error("who said nothing has a submission")
		}
		unarchived, err := w.Unarchived(t.Context(), "", 10)
		w.check(err, "")
		if len(unarchived) != 1 || unarchived[0].ID != said.Submission {
			t.Errorf("to be archived: %+v", unarchived)
		}
	})
}

// However many asks it is about, and however often they change their mind: one
// reminder, and none after a STOP.
// A page that is named what was missing says that it is there: nothing is
// missing at the desk, and nobody is reminded of it.
func TestAPageTakesBackThatItIsMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		w.check(w.lack(link, "pay-stub", gateway.LackRemind, noon), "")
		w.check(w.lack(link, "photo-id", gateway.LackRemind, noon), "")
		page := newPage(t, link, noon)
		page.Label = "pay-stub"
		_, _, err := w.SavePage(t.Context(), page, gateway.DefaultLimits(), entry(gateway.ActionPageReceived, "page:1"))
		w.check(err, "")
		other := newPage(t, link, noon)
		other.Label = ""
		_, _, err = w.SavePage(t.Context(), other, gateway.DefaultLimits(), entry(gateway.ActionPageReceived, "page:2"))
		w.check(err, "")
		if rows := w.inbox(); len(rows) != 1 || rows[0].LackCount != 1 || rows[0].Pages != 2 {
			t.Fatalf("the inbox has %+v", rows)
		}
		w.check(w.LabelPage(t.Context(), link.ID, link.Submission, other.Key, "photo-id", gateway.Act{At: noon}, entry(gateway.ActionPageLabeled, "")), "")
		if rows := w.inbox(); rows[0].LackCount != 0 || w.count("lacks") != 0 {
			t.Errorf("%d papers are missing, %d rows", rows[0].LackCount, w.count("lacks"))
		}
		said, err := w.Correspondence(t.Context(), gateway.Submission{ID: link.Submission, Office: north, Sender: link.Sender})
		w.check(err, "")
		w.check(w.AttemptSending(t.Context(), said.Sendings[0].ID, noon.Add(20*time.Hour)), gateway.CodeUnwanted)
	})
}

func TestOneReminderIsAskedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		for _, ask := range []string{"pay-stub", "photo-id", "pay-stub"} {
			w.check(w.lack(link, ask, gateway.LackRemind, noon), "")
		}
		if n := w.count("sendings WHERE occasion = 'remind-me'"); n != 1 {
			t.Fatalf("%d reminders", n)
		}
		var id gateway.SendingID
		said, err := w.Correspondence(t.Context(), gateway.Submission{ID: link.Submission, Office: north, Sender: link.Sender})
		w.check(err, "")
		id = said.Sendings[0].ID
		for _, ask := range []string{"pay-stub", "photo-id"} {
			w.check(w.lack(link, ask, gateway.LackNone, noon), "")
		}
		fresh := newLink(t, north, link.Sender, noon)
		_, err = w.LinkSending(t.Context(), id, fresh, leaves(fresh, time.Minute))
		w.check(err, gateway.CodeUnwanted)
		w.check(w.AttemptSending(t.Context(), id, noon), gateway.CodeUnwanted)
		w.check(w.FinishSending(t.Context(), gateway.Delivery{Sending: id, State: gateway.DeliveryDropped, At: noon}, nil), "")
		w.check(w.lack(link, "pay-stub", gateway.LackRemind, noon), "")
		if n := w.count("sendings WHERE occasion = 'remind-me'"); n != 2 {
			t.Errorf("who changed their mind again has %d reminders, one dropped", n)
		}
		stopped := w.session(north, 2)
		w.raw("UPDATE senders SET opted_out_at = 1 WHERE link = '" + string(stopped.ID) + "'")
		w.check(w.lack(stopped, "pay-stub", gateway.LackRemind, noon), gateway.CodeOptedOut)
		if n := w.count("lacks WHERE submission = '" + string(stopped.Submission) + "'"); n != 0 {
			t.Error("a reminder that will not come is noted")
		}
	})
}

func TestPagesAreLabeledAndOrdered(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		var keys []gateway.PageKey
		for n := range 4 {
			keys = append(keys, w.page(link, noon.Add(time.Duration(n)*time.Minute)).Key)
		}
		order := func() (found []gateway.PageKey) {
			_, pages, err := w.Submission(t.Context(), []gateway.OfficeID{north}, link.Submission)
			w.check(err, "")
			for _, p := range pages {
				found = append(found, p.Key)
			}
			return found
		}
		put := func(keys ...gateway.PageKey) error {
			return w.OrderPages(t.Context(), link.ID, link.Submission, keys, gateway.Act{At: noon}, entry(gateway.ActionPagesOrdered, ""))
		}
		w.check(put(keys[2], keys[0]), "")
		if want := []gateway.PageKey{keys[2], keys[0], keys[1], keys[3]}; !slices.Equal(order(), want) {
			t.Errorf("the order is %v, want %v", order(), want)
		}
		late := w.page(link, noon.Add(-time.Minute)).Key
		w.check(put(keys[3]), "")
		if want := []gateway.PageKey{keys[3], keys[2], keys[0], keys[1], late}; !slices.Equal(order(), want) {
			t.Errorf("the order is %v, want %v", order(), want)
		}
		w.check(put(keys[0], "key-of-no-page-at-all"), gateway.CodeNotFound)
		_, err := w.RemovePage(t.Context(), link.ID, link.Submission, keys[1], gateway.Act{At: noon})
		w.check(err, "")
		w.check(put(keys[1]), gateway.CodeNotFound)
		if want := []gateway.PageKey{keys[3], keys[2], keys[0], late}; !slices.Equal(order(), want) {
			t.Errorf("what was refused changed the order to %v, want %v", order(), want)
		}
		label := func(key gateway.PageKey, label string, want gateway.Code) {
			t.Helper()
			w.check(w.LabelPage(t.Context(), link.ID, link.Submission, key, label, gateway.Act{At: noon}, entry(gateway.ActionPageLabeled, "")), want)
		}
		label(keys[0], "pay-stub", "")
		label(keys[1], "pay-stub", gateway.CodeNotFound)
		page, err := w.FindPage(t.Context(), link.Submission, keys[0])
		w.check(err, "")
		if page.Label != "pay-stub" || page.Place == 0 {
			t.Errorf("page %+v", page)
		}
		other := w.session(north, 2)
		w.check(w.LabelPage(t.Context(), other.ID, link.Submission, keys[0], "", gateway.Act{At: noon}), gateway.CodeNotFound)
		w.finish(link, noon)
		label(keys[0], "", gateway.CodeLinkClosed)
		w.check(put(keys[0]), gateway.CodeLinkClosed)
		w.proven()
	})
}

// A link that is shown at the desk has no sender: it replaces no other, joins
// nobody's submission, and is not in the way of another at the counter.
func TestCounterLinks(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first, second := w.counter(north), w.counter(north)
		row, err := w.CounterLink(t.Context(), []gateway.OfficeID{north}, first.ID)
		w.check(err, "")
		if row.Staff != "ana" || row.Shown.State != gateway.LinkIssued || row.State != "" {
			t.Errorf("before the claim: %+v", row)
		}
		claimed := w.claim(first, browser(1), noon)
		if claimed.State != gateway.LinkClaimed || w.count("senders") != 0 {
			t.Errorf("claimed %+v, %d senders", claimed, w.count("senders"))
		}
		w.page(claimed, noon)
		session, err := w.Session(t.Context(), claimed.Submission, browser(1))
		w.check(err, "")
		s := session.Submission
		if s.Origin != gateway.OriginStaff || s.Staff != "ana" || string(s.SealedName) != "typed at the desk" || !s.Sender.IsZero() {
			t.Errorf("submission %+v", s)
		}
		f := finish(t, noon)
		f.SealedName = nil
		done, err := w.FinishSubmission(t.Context(), claimed.ID, claimed.Submission, f)
		w.check(err, "")
		if string(done.SealedName) != "typed at the desk" || w.count("sendings") != 0 {
			t.Errorf("done %+v, %d texts", done, w.count("sendings"))
		}
		row, err = w.CounterLink(t.Context(), []gateway.OfficeID{north}, first.ID)
		w.check(err, "")
		if row.Pages != 1 || row.State != gateway.SubmissionReceived {
			t.Errorf("at the end: %+v", row)
		}
		if again := w.claim(second, browser(1), noon.Add(time.Minute)); again.Submission == claimed.Submission {
			t.Error("the second client's papers joined the first one's")
		}
		if late := w.claim(w.counter(north), browser(2), noon.Add(gateway.CounterTTL)); late.State != gateway.LinkIssued {
			t.Errorf("after its time it was claimed: %+v", late)
		}
		said, err := w.Correspondence(t.Context(), done)
		w.check(err, "")
		if len(said.Notes)+len(said.Sendings) != 0 {
			t.Errorf("words of somebody else: %+v", said)
		}
		w.proven()
	})
}
