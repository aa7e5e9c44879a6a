package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

func (r *rig) lack(s gateway.Session, ask string, reason gateway.LackReason) {
	r.t.Helper()
	if err := r.uploads.Lack(r.t.Context(), s, ask, reason); err != nil {
		r.t.Fatal(err)
	}
}

// Who asks to be reminded gets one text on the next day, by day, with a link
// that works; and the link is not reminded of once more.
func TestRemindMeTomorrow(t *testing.T) {
	for asked, comes := range map[int]int{8: 9, 11: 11, 22: 9} {
		w := newTown(t, nil)
		x := &texter{}
		w.sendings.Texter = x
		w.until(asked)
		s, b := w.session(client)
		w.lack(s, "pay-stub", gateway.LackRemind)
		w.lack(s, "photo-id", gateway.LackRemind)
		if _, err := w.uploads.Finish(t.Context(), w.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
			t.Fatal(err)
		}
		id := w.sending(gateway.OccasionRemindMe)
		due := w.jobDue(id)
		place := w.directory.Offices[demoOffice].Location
		if at := due.In(place); at.Hour() != comes || at.YearDay() == w.now().In(place).YearDay() {
			t.Errorf("asked at %d o'clock, it comes at %v", asked, at)
		}
		w.wait(due.Sub(w.now()))
		if err := w.sendings.Send(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if len(x.bodies) != 1 || !strings.Contains(x.bodies[0], "here is your reminder") {
			t.Fatalf("texts: %q", x.bodies)
		}
		view, err := w.claims.Look(t.Context(), w.token(gateway.Answer{Body: x.bodies[0]}), newBrowser(t))
		if err != nil || view.State != gateway.LinkIssued {
			t.Errorf("its link is %+v, %v", view, err)
		}
		w.wait(40 * time.Hour)
		if err := w.sendings.Remind(t.Context()); err != nil || w.count("sendings WHERE occasion = 'reminder'") != 0 {
			t.Errorf("a reminder of the reminder: %v", err)
		}
	}
}

// Who texted a moment before the reminder comes is about to open that link: the
// reminder carries it, and leaves it alone.
func TestAReminderLeavesAFreshLinkAlone(t *testing.T) {
	for ago, same := range map[time.Duration]bool{5 * time.Minute: true, 2 * time.Hour: false} {
		w := newTown(t, nil)
		x := &texter{}
		w.sendings.Texter = x
		w.until(13)
		s, b := w.session(client)
		w.lack(s, "pay-stub", gateway.LackRemind)
		if _, err := w.uploads.Finish(t.Context(), w.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
			t.Fatal(err)
		}
		id := w.sending(gateway.OccasionRemindMe)
		due := w.jobDue(id)
		w.wait(due.Sub(w.now()) - ago)
		texted := w.token(w.receive(w.message(client, "my link please", 0)))
		w.wait(ago)
		if err := w.sendings.Send(t.Context(), id); err != nil || len(x.bodies) != 1 {
			t.Fatalf("%v, texts %q", err, x.bodies)
		}
		carried := w.token(gateway.Answer{Body: x.bodies[0]})
		if got := carried.Hash() == texted.Hash(); got != same {
			t.Errorf("%v after a text, the reminder carries its link: %v", ago, got)
		}
		if view, err := w.claims.Look(t.Context(), carried, newBrowser(t)); err != nil || view.State != gateway.LinkIssued {
			t.Errorf("%v after a text, the reminder's link is %+v, %v", ago, view, err)
		}
	}
}

// jobDue is when the queue hands a sending over.
func (w *town) jobDue(id gateway.SendingID) time.Time {
	w.t.Helper()
	found := w.ids("SELECT scheduled_at FROM river_job WHERE CAST(args AS TEXT) LIKE '%" + string(id) + "%'")
	if len(found) != 1 {
		w.t.Fatalf("jobs of the sending: %v", found)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05.999", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, found[0]); err == nil {
			return at
		}
	}
	w.t.Fatalf("the queue's time is written %q", found[0])
	return time.Time{}
}

// What was taken back, or is done, is not reminded of; after STOP nothing is.
func TestNobodyIsRemindedInVain(t *testing.T) {
	for name, meanwhile := range map[string]func(*town, gateway.Session){
		"taken back": func(w *town, s gateway.Session) { w.lack(s, "pay-stub", gateway.LackNone) },
		"got another reason": func(w *town, s gateway.Session) {
			w.lack(s, "pay-stub", gateway.LackCannot)
		},
		"stopped": func(w *town, _ gateway.Session) { w.receive(w.message(client, "STOP", 0)) },
		"handled": func(w *town, s gateway.Session) {
			if _, err := w.uploads.Finish(w.t.Context(), s, gateway.Name{}); err != nil {
				w.t.Fatal(err)
			}
			if err := w.desk.Handle(w.t.Context(), staffOf(demoOffice), s.Submission.ID, gateway.HandledNotNeeded, "duplicate"); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, nil)
			x := &texter{}
			w.sendings.Texter = x
			w.until(11)
			s, b := w.session(client)
			w.lack(s, "pay-stub", gateway.LackRemind)
			meanwhile(w, w.resume(s.Submission.ID, b))
			id := w.sending(gateway.OccasionRemindMe)
			w.until(11)
			links := w.count("links")
			if err := w.sendings.Send(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if len(x.bodies) != 0 || w.count("sendings WHERE occasion = 'remind-me' AND state = 'dropped'") != 1 || w.count("links") != links {
				t.Errorf("texts %q, states %v, %d links", x.bodies, w.ids("SELECT state FROM sendings"), w.count("links")-links)
			}
		})
	}
}

func TestNoAskedReminderComesAtNight(t *testing.T) {
	w := newTown(t, nil)
	x := &texter{}
	w.sendings.Texter = x
	w.until(11)
	s, _ := w.session(client)
	w.lack(s, "pay-stub", gateway.LackRemind)
	id := w.sending(gateway.OccasionRemindMe)
	w.wait(36 * time.Hour) // the worker was away until 11 at night
	err := w.sendings.Send(t.Context(), id)
	later, waits := errors.AsType[*gateway.LaterError](err)
	if !waits || len(x.bodies) != 0 {
		t.Fatalf("%v, texts %q", err, x.bodies)
	}
	w.wait(later.Wait)
	if err := w.sendings.Send(t.Context(), id); err != nil || len(x.bodies) != 1 {
		t.Errorf("in the morning: %v, texts %q", err, x.bodies)
	}
}

func TestLacksAreCheckedAndSurviveTheDatabase(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	for _, said := range [][2]string{{"pay-stubs", "cannot"}, {"pay-stub", "never"}, {"", "cannot"}} {
		if err := r.uploads.Lack(t.Context(), s, said[0], gateway.LackReason(said[1])); !gateway.Is(err, gateway.CodeBadRequest) {
			t.Errorf("%v: %v", said, err)
		}
	}
	r.lack(s, "pay-stub", gateway.LackHelp)
	if _, err := r.uploads.Finish(t.Context(), r.resume(s.Submission.ID, b), gateway.Name{Last: "Rivera"}); err != nil {
		t.Fatal(err)
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := r.lost()
	after.reindex()
	view, err := after.desk.Submission(t.Context(), staffOf(demoOffice), s.Submission.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Name != (gateway.Name{Last: "Rivera"}) || view.Submission.LackOf("pay-stub") != gateway.LackHelp {
		t.Errorf("restored %q %+v", view.Name.Whole(), view.Submission.Lacks)
	}
	rows, err := after.desk.Inbox(t.Context(), staffOf(demoOffice), gateway.InboxFilter{}, gateway.Cursor{}, 10)
	if err != nil || len(rows) != 1 || rows[0].Submission.LackCount != 1 {
		t.Errorf("the inbox has %+v, %v", rows, err)
	}
}

// Labels and order reach the viewer and the manifest, and come back from it.
func TestTheClientsOrderIsKept(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	keys := []gateway.PageKey{"page-0000000000000001", "page-0000000000000002", "page-0000000000000003"}
	for _, key := range keys {
		if _, err := r.send(s, string(key), r.sealed(picture(t, 10))); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Second)
	}
	s = r.resume(s.Submission.ID, b)
	for name, err := range map[string]error{
		"unknown":       r.uploads.Order(t.Context(), s, []gateway.PageKey{"page-0000000000000009"}),
		"foreign label": r.uploads.Label(t.Context(), s, keys[0], "passport"),
		"twice":         r.uploads.Order(t.Context(), s, []gateway.PageKey{keys[0], keys[0]}),
		"none":          r.uploads.Order(t.Context(), s, nil),
	} {
		if !gateway.Is(err, gateway.CodeNotFound) && !gateway.Is(err, gateway.CodeBadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(r.uploads.Order(t.Context(), s, keys[2:]), r.uploads.Label(t.Context(), s, keys[2], "photo-id")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.uploads.Finish(t.Context(), r.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
		t.Fatal(err)
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(r *rig) {
		t.Helper()
		view, err := r.desk.Submission(t.Context(), staffOf(demoOffice), s.Submission.ID)
		if err != nil {
			t.Fatal(err)
		}
		for n, want := range []gateway.PageKey{keys[2], keys[0], keys[1]} {
			if view.Pages[n].Key != want {
				t.Errorf("page %d is %s, want %s", n+1, view.Pages[n].Key, want)
			}
		}
		if view.Pages[0].Label != "photo-id" {
			t.Errorf("it is labeled %q", view.Pages[0].Label)
		}
	}
	check(r)
	after := r.lost()
	after.reindex()
	check(after)
}

// The counter: a link without a telephone number, one phone, a short time, and
// whoever made it stands with the papers.
func TestPapersAtTheCounter(t *testing.T) {
	r := newRig(t)
	requests := r.requestsBy(&texter{})
	who := staffOf(demoOffice)
	ask := gateway.CounterAsk{Office: demoOffice, Origin: gateway.OriginStaff, Language: "es", Name: gateway.Name{First: "Ana", Last: "Rivera"}}
	if _, err := requests.Counter(t.Context(), staffOf("south"), ask); !gateway.Is(err, gateway.CodeForbidden) {
		t.Errorf("somebody of another office: %v", err)
	}
	made, err := requests.Counter(t.Context(), who, ask)
	if err != nil {
		t.Fatal(err)
	}
	token := r.token(gateway.Answer{Body: made.URL})
	colleague := staffOf(demoOffice)
	colleague.Staff.ID = "0000000000000000000000tbob"
	if _, err := requests.CounterState(t.Context(), colleague, made.ID); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("a colleague sees the link: %v", err)
	}
	b := newBrowser(t)
	view, err := r.claims.Claim(t.Context(), token, b)
	if err != nil || view.Texted {
		t.Fatalf("claim: %+v, %v", view, err)
	}
	if _, err := r.claims.Claim(t.Context(), token, newBrowser(t)); !gateway.Is(err, gateway.CodeLinkTaken) {
		t.Errorf("a second phone: %v", err)
	}
	s := r.resume(view.Submission, b)
	plain := picture(t, 50)
	page, err := r.send(s, "page-0000000000000001", r.sealed(plain))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.uploads.Lack(t.Context(), s, "pay-stub", gateway.LackRemind); !gateway.Is(err, gateway.CodeBadRequest) {
		t.Errorf("a reminder to nobody: %v", err)
	}
	if err := r.claimsBy(requests.Sendings).AgainFor(t.Context(), s); !gateway.Is(err, gateway.CodeAgainOften) && !gateway.Is(err, gateway.CodeBadRequest) {
		t.Errorf("a new link to nobody: %v", err)
	}
	state, err := requests.CounterState(t.Context(), who, made.ID)
	if err != nil || state.URL != "" || !state.Opened || state.Pages != 1 {
		t.Errorf("the desk sees %+v, %v", state, err)
	}
	if _, err := r.uploads.Finish(t.Context(), r.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
		t.Fatal(err)
	}
	w := &town{rig: r}
	if n := w.count("audit WHERE action = 'link.issued' AND actor = '" + gateway.ActorStaff(who.Staff.ID) + "' AND object = 'link:" + string(made.ID) + "' AND reason = 'staff'"); n != 1 {
		t.Errorf("%d audit rows tell who made it", n)
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(r *rig) {
		t.Helper()
		found, err := r.desk.Submission(t.Context(), who, s.Submission.ID)
		if err != nil {
			t.Fatal(err)
		}
		if found.Name != ask.Name || found.Submission.Origin != gateway.OriginStaff || found.Submission.Staff != who.Staff.ID || found.LastFour != "" {
			t.Errorf("the desk shows %q, %+v", found.Name.Whole(), found.Submission)
		}
		if got := r.opened(page.ID); !bytes.Equal(got, plain) {
			t.Error("the page opens as something else")
		}
	}
	check(r)
	after := r.lost()
	after.reindex()
	check(after)

	late, err := after.requestsBy(&texter{}).Counter(t.Context(), who, ask)
	if err != nil {
		t.Fatal(err)
	}
	after.wait(gateway.CounterTTL)
	if _, err := after.claims.Claim(t.Context(), after.token(gateway.Answer{Body: late.URL}), newBrowser(t)); !gateway.Is(err, gateway.CodeLinkExpired) {
		t.Errorf("a quarter of an hour later: %v", err)
	}
}

// The database is lost while the phone at the counter is still photographing:
// whose papers these are, and who took them, lies in the vault from the claim on.
func TestPapersAtTheCounterSurviveTheDatabaseBeforeTheEnd(t *testing.T) {
	r := newRig(t)
	who := staffOf(demoOffice)
	name := gateway.Name{First: "Ana", Last: "Rivera"}
	made, err := r.requestsBy(&texter{}).Counter(t.Context(), who, gateway.CounterAsk{Office: demoOffice, Origin: gateway.OriginCounter, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	view, err := r.claims.Claim(t.Context(), r.token(gateway.Answer{Body: made.URL}), b)
	if err != nil {
		t.Fatal(err)
	}
	plain := picture(t, 50)
	if _, err := r.send(r.resume(view.Submission, b), "page-0000000000000001", r.sealed(plain)); err != nil {
		t.Fatal(err)
	}
	after := r.lost()
	after.reindex()
	found, err := after.desk.Submission(t.Context(), who, view.Submission)
	if err != nil {
		t.Fatal(err)
	}
	if found.Name != name || found.Submission.Staff != who.Staff.ID || found.Submission.Origin != gateway.OriginCounter {
		t.Errorf("the desk shows %q, %+v", found.Name.Whole(), found.Submission)
	}
	if len(found.Pages) != 1 || !bytes.Equal(after.opened(found.Pages[0].ID), plain) {
		t.Errorf("%d pages are back", len(found.Pages))
	}
}

// A second tap, and a retry after an answer that was lost, write nothing.
func TestWhatChangesNothingWritesNothing(t *testing.T) {
	w := newTown(t, nil)
	s, b := w.session(client)
	keys := []gateway.PageKey{"page-0000000000000001", "page-0000000000000002"}
	for n, key := range keys {
		if _, err := w.send(s, string(key), w.sealed(picture(t, uint8(n)))); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Second)
	}
	for name, do := range map[string]func(gateway.Session) error{
		"label": func(s gateway.Session) error { return w.uploads.Label(t.Context(), s, keys[0], "photo-id") },
		"order": func(s gateway.Session) error { return w.uploads.Order(t.Context(), s, keys[1:]) },
		"lack": func(s gateway.Session) error {
			return w.uploads.Lack(t.Context(), s, "benefit-letter", gateway.LackCannot)
		},
		"nothing to take back": func(s gateway.Session) error { return w.uploads.Lack(t.Context(), s, "other", gateway.LackNone) },
	} {
		if err := do(w.resume(s.Submission.ID, b)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w.wait(time.Minute)
		rows, before := w.count("audit"), w.resume(s.Submission.ID, b)
		if err := do(before); err != nil {
			t.Fatalf("%s again: %v", name, err)
		}
		if n := w.count("audit") - rows; n != 0 || !w.resume(s.Submission.ID, b).Link.IdleAt.Equal(before.Link.IdleAt) {
			t.Errorf("%s again: %d audit rows, idle until %v", name, n, before.Link.IdleAt)
		}
	}
	// That a page is here, said again after it was said to be missing, is news.
	lacks := func() int { return w.resume(s.Submission.ID, b).Submission.LackCount }
	w.lack(w.resume(s.Submission.ID, b), "photo-id", gateway.LackCannot)
	before := lacks()
	if err := w.uploads.Label(t.Context(), w.resume(s.Submission.ID, b), keys[0], "photo-id"); err != nil || lacks() != before-1 {
		t.Errorf("%d papers are missing, %v", lacks(), err)
	}
}

// Whoever names, sorts or takes back pages is there: the session waits for the
// next act as after a page, though never beyond its end.
func TestEveryActKeepsTheSessionAwake(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	keys := []gateway.PageKey{"page-0000000000000001", "page-0000000000000002"}
	for n, key := range keys {
		if _, err := r.send(s, string(key), r.sealed(picture(t, uint8(n)))); err != nil {
			t.Fatal(err)
		}
	}
	acts := []func(gateway.Session) error{
		func(s gateway.Session) error { return r.uploads.Label(t.Context(), s, keys[0], "photo-id") },
		func(s gateway.Session) error {
			return r.uploads.Order(t.Context(), s, []gateway.PageKey{s.Pages[1].Key})
		},
		func(s gateway.Session) error {
			return r.uploads.Lack(t.Context(), s, "benefit-letter", gateway.LackHelp)
		},
		func(s gateway.Session) error {
			return r.uploads.Lack(t.Context(), s, "benefit-letter", gateway.LackNone)
		},
		func(s gateway.Session) error { return r.uploads.Remove(t.Context(), s, keys[1]) },
	}
	for n, act := range acts {
		r.wait(r.limits.SessionIdle - time.Minute)
		if err := act(r.resume(s.Submission.ID, b)); err != nil {
			t.Fatalf("act %d: %v", n, err)
		}
		if idle := r.resume(s.Submission.ID, b).Link.IdleAt; !idle.Equal(r.now().Add(r.limits.SessionIdle)) {
			t.Errorf("after act %d it waits until %v", n, idle)
		}
	}
	r.wait(r.limits.SessionIdle)
	if err := acts[2](r.resume(s.Submission.ID, b)); !gateway.Is(err, gateway.CodeLinkExpired) {
		t.Errorf("after it was idle: %v", err)
	}
	s, b = r.session("+13125550143")
	for r.now().Add(r.limits.SessionIdle - time.Minute).Before(s.Link.EndsAt) {
		r.wait(r.limits.SessionIdle - time.Minute)
		reason := gateway.LackCannot
		if now := r.resume(s.Submission.ID, b); now.Submission.LackCount > 0 {
			reason = gateway.LackNone
		}
		r.lack(r.resume(s.Submission.ID, b), "photo-id", reason)
	}
	r.wait(s.Link.EndsAt.Sub(r.now()))
	err := r.uploads.Lack(t.Context(), r.resume(s.Submission.ID, b), "pay-stub", gateway.LackHelp)
	if !gateway.Is(err, gateway.CodeLinkExpired) {
		t.Errorf("after its end: %v", err)
	}
}

// A link that is about to end is no good in a reminder, which is read at an
// hour that nobody chose: it gets one of its own, to the same papers.
func TestAReminderCarriesALinkThatLives(t *testing.T) {
	w := newTown(t, nil)
	x := &texter{}
	w.sendings.Texter = x
	w.until(11)
	s, _ := w.session(client)
	w.lack(s, "pay-stub", gateway.LackRemind)
	id := w.sending(gateway.OccasionRemindMe)
	w.wait(w.jobDue(id).Sub(w.now()) - 3*time.Hour)
	texted := w.token(w.receive(w.message(client, "a new link please", 0))) // lives for an hour more when the reminder comes
	w.wait(3 * time.Hour)
	if err := w.sendings.Send(t.Context(), id); err != nil || len(x.bodies) != 1 {
		t.Fatalf("texts %q, %v", x.bodies, err)
	}
	reminded := w.token(gateway.Answer{Body: x.bodies[0]})
	view, err := w.claims.Look(t.Context(), reminded, newBrowser(t))
	if err != nil || view.State != gateway.LinkIssued || view.ExpiresAt.Sub(w.now()) < w.limits.RequestTTL/2 {
		t.Errorf("the reminder's link: %+v, %v", view, err)
	}
	old, err := w.claims.Look(t.Context(), texted, newBrowser(t))
	if err != nil || old.Submission != view.Submission {
		t.Errorf("the texted link leads to %s, the reminder's to %s; %v", old.Submission, view.Submission, err)
	}
}

func TestBrowserOnlyTakesNothingPlain(t *testing.T) {
	r := newRig(t)
	office := r.directory.Offices[demoOffice]
	office.BrowserOnly = true
	r.directory.Offices[demoOffice] = office
	s, _ := r.session(client)
	_, err := r.uploads.AcceptPlain(t.Context(), s, gateway.PlainPage{Key: "page-0000000000000001", Body: bytes.NewReader(picture(t, 1))})
	if !gateway.Is(err, gateway.CodePlainRefused) {
		t.Errorf("a plain page: %v", err)
	}
	if _, err := r.send(s, "page-0000000000000002", r.sealed(picture(t, 1))); err != nil {
		t.Errorf("a sealed page: %v", err)
	}
}
