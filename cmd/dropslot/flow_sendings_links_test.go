package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// until moves the clock to the next time that it is this hour at the office.
func (r *rig) until(hour int) {
	place := r.directory.Offices[demoOffice].Location
	y, m, d := r.now().In(place).Date()
	r.wait(time.Date(y, m, d+1, hour, 0, 0, 0, place).Sub(r.now()))
}

// linksLive sets how long a texted link lives.
func (r *rig) linksLive(ttl time.Duration) {
	rule := r.directory.Numbers[demoNumber]
	rule.LinkTTL = ttl
	r.directory.Numbers[demoNumber] = rule
}

func (w *town) sending(occasion gateway.Occasion) gateway.SendingID {
	w.t.Helper()
	ids := w.ids("SELECT id FROM sendings WHERE occasion = '" + string(occasion) + "' ORDER BY id DESC")
	if len(ids) == 0 {
		w.t.Fatalf("no sending is %s: %v", occasion, w.ids("SELECT occasion FROM sendings"))
	}
	return gateway.SendingID(ids[0])
}

// A reminder that was queued by day and comes to its turn at night waits for
// the morning, if the link lives to see it.
func TestNoReminderComesAtNight(t *testing.T) {
	for ttl, want := range map[time.Duration]string{44 * time.Hour: "queued", 7 * time.Hour: "dropped"} {
		w := newTown(t, nil)
		w.linksLive(ttl)
		x := &texter{}
		w.sendings.Texter = x
		w.until(16)
		w.receive(w.message(client, "hello", 0))
		if w.wait(ttl/2 + time.Minute); ttl > 24*time.Hour {
			w.wait(24*time.Hour - ttl/2) // 4 in the afternoon again
		}
		if err := w.sendings.Remind(t.Context()); err != nil {
			t.Fatal(err)
		}
		id := w.sending(gateway.OccasionReminder)
		w.wait(2*time.Hour + 50*time.Minute)
		if ttl > 24*time.Hour {
			w.wait(2 * time.Hour)
		}
		err := w.sendings.Send(t.Context(), id)
		if later, ok := errors.AsType[*gateway.LaterError](err); ok {
			w.wait(later.Wait)
			if hour := w.now().In(w.directory.Offices[demoOffice].Location).Hour(); hour != 9 {
				t.Errorf("it waits until %d o'clock", hour)
			}
			err = w.sendings.Send(t.Context(), id)
		}
		if err != nil || w.count("sendings WHERE state = '"+want+"'") != 1 {
			t.Errorf("a link of %v: %v, states %v", ttl, err, w.ids("SELECT state FROM sendings"))
		}
		if (want == "queued") != (len(x.bodies) == 1) {
			t.Errorf("a link of %v: %d texts", ttl, len(x.bodies))
		}
	}
}

// failing are records that cannot remind of the first link that they are asked for.
type failing struct {
	gateway.SendingRecords
	asked *int
}

func (r failing) RemindLink(ctx context.Context, id gateway.LinkID, s gateway.Sending, jobs []gateway.Job, audit ...gateway.AuditEntry) (bool, error) {
	if *r.asked++; *r.asked == 1 {
		return false, errors.New("this row is damaged")
	}
	return r.SendingRecords.RemindLink(ctx, id, s, jobs, audit...)
}

func TestOneReminderThatFailsIsInNoOthersWay(t *testing.T) {
	w := newTown(t, nil)
	w.until(10)
	w.receive(w.message(client, "hello", 0))
	w.receive(w.message("+13125550111", "hello", 0))
	w.wait(2*time.Hour + time.Minute)
	w.sendings.Records = failing{w.records, new(int)}
	if err := w.sendings.Remind(t.Context()); err == nil {
		t.Error("a round that failed says that it is done")
	}
	if n := w.count("sendings WHERE occasion = 'reminder'"); n != 1 {
		t.Errorf("%d reminders", n)
	}
	// An office that is gone has no day and no night.
	w.sendings.Directory.Offices = nil
	w.sendings.Records = w.records
	if err := w.sendings.Remind(t.Context()); err != nil || w.count("sendings") != 1 {
		t.Errorf("%v, %d sendings", err, w.count("sendings"))
	}
}

// What could not be kept is told with a link that works, whatever became of
// the one that was the newest when it was found out.
func TestWhatCouldNotBeKeptIsToldWithALinkThatWorks(t *testing.T) {
	for name, meanwhile := range map[string]func(*town){
		"nothing happened": func(*town) {},
		"superseded":       func(w *town) { w.receive(w.message(client, "where is it", 0)) },
		"expired":          func(w *town) { w.wait(5 * time.Hour) },
		"soon over":        func(w *town) { w.wait(3*time.Hour + 40*time.Minute) },
		"claimed": func(w *town) {
			if _, err := w.claims.Claim(t.Context(), w.token(w.receive(w.message(client, "again", 0))), newBrowser(t)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, nil)
			x := &texter{}
			w.sendings.Texter = x
			w.text(client, "", twiliotest.Media{Content: []byte("BEGIN:VCARD"), Type: "text/vcard"})
			w.wait(2 * time.Minute)
			w.collect()
			submission := w.ids("SELECT submission FROM texts WHERE media_count > 0")[0]
			if err := w.sendings.TellPhotos(t.Context(), gateway.SubmissionID(submission)); err != nil {
				t.Fatal(err)
			}
			meanwhile(w)
			if err := w.sendings.Send(t.Context(), w.sending(gateway.OccasionPhotoNotKept)); err != nil {
				t.Fatal(err)
			}
			if len(x.bodies) != 1 {
				t.Fatalf("%d texts; states %v", len(x.bodies), w.ids("SELECT state FROM sendings"))
			}
			if _, err := w.claims.Claim(t.Context(), w.token(gateway.Answer{Body: x.bodies[0]}), newBrowser(t)); err != nil {
				t.Errorf("its link does not open: %v", err)
			}
		})
	}
}

// While nothing may be spent, no link is replaced by one that nobody gets.
func TestALinkIsReplacedOnlyWhenTheTextGoesOut(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: []byte("BEGIN:VCARD"), Type: "text/vcard"})
	w.sendings.Budget = w.budgetOf(0)
	w.work()
	w.wait(3*time.Hour + 40*time.Minute)
	if err := w.sendings.Send(t.Context(), w.sending(gateway.OccasionPhotoNotKept)); !gateway.Is(err, gateway.CodeCeiling) {
		t.Fatal(err)
	}
	if w.count("links") != 1 || w.count("links WHERE state = 'issued'") != 1 {
		t.Errorf("links: %v", w.ids("SELECT state FROM links"))
	}
}

func TestATextTellsWhatIsLeftOfItsLink(t *testing.T) {
	r, x := newRig(t), &texter{err: gateway.NewError(gateway.CodeSendFailed, nil)}
	sendings := r.sendingsBy(x)
	old := r.receive(r.message(client, "hello", 0))
	r.wait(5 * time.Hour)
	if _, err := r.claimsBy(sendings).Again(t.Context(), r.token(old)); err != nil {
		t.Fatal(err)
	}
	id := gateway.SendingID((&town{rig: r}).ids("SELECT id FROM sendings")[0])
	r.wait(90 * time.Minute)
	_ = sendings.Send(t.Context(), id)
	if len(x.bodies) != 1 || !strings.Contains(x.bodies[0], "2 hours") {
		t.Errorf("after an hour and a half of four it says %q", x.bodies)
	}
}

func (r *rig) claimsBy(s *gateway.Sendings) *gateway.Claims {
	claims := *r.claims
	claims.Sendings = s
	return &claims
}

// A newer link went out before the job of a request came to its turn.
func TestARequestThatWasReplacedIsNotSent(t *testing.T) {
	r, x := newRig(t), &texter{}
	requests := r.requestsBy(x)
	requests.Sendings.Limiter = busy{}
	view, err := r.ask(requests)
	if err != nil {
		t.Fatal(err)
	}
	r.receive(r.message(client, "hello", 0))
	requests.Sendings.Limiter = atOnce{}
	if err := requests.Sendings.Send(t.Context(), view.ID); err != nil {
		t.Fatal(err)
	}
	if view, err = requests.Get(t.Context(), staffOf(demoOffice), view.ID); err != nil || view.State != gateway.DeliveryDropped || len(x.bodies) != 0 {
		t.Errorf("got %+v, %v, %d texts", view, err, len(x.bodies))
	}
}

// A phone that answers every text with a picture gets no more texts than its
// limit, and the desk sees what was not said.
func TestAPhoneThatAnswersWithAPictureIsNotToldForEver(t *testing.T) {
	w := newTown(t, nil)
	x := &texter{}
	w.sendings.Texter = x
	for i := range 9 {
		w.text(client, "", twiliotest.Media{Content: picture(t, uint8(20*i))})
		w.wait(2 * time.Second)
		w.collect()
		for _, id := range w.ids("SELECT DISTINCT submission FROM texts WHERE told_at = 0") {
			if err := w.sendings.TellPhotos(t.Context(), gateway.SubmissionID(id)); err != nil {
				t.Fatal(err)
			}
		}
	}
	sent, silent := w.count("sendings WHERE state = 'sending'"), w.count("sendings WHERE state = 'dropped'")
	if limit := w.limits.AnswersPerHour; sent+1 >= limit || sent == 0 || sent+silent != 9 || w.count("texts WHERE told_at = 0") != 0 {
		t.Errorf("%d are sent and %d not, with %d an hour", sent, silent, limit)
	}
	if n := w.count("audit WHERE reason LIKE '%limit'"); n != silent {
		t.Errorf("%d audit rows of %d that were not said", n, silent)
	}
}

// Pictures of one burst share one text, however old their submission is.
func TestABurstIntoAnOldSubmissionIsToldOnce(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	w.work()
	if _, err := w.db().ExecContext(t.Context(), "UPDATE submissions SET opened_at = opened_at - 7200000"); err != nil {
		t.Fatal(err)
	}
	w.text(client, "", twiliotest.Media{Content: picture(t, 2)})
	w.wait(2 * time.Second)
	w.collect()
	w.text(client, "", twiliotest.Media{Content: picture(t, 3)})
	id := gateway.SubmissionID(w.ids("SELECT id FROM submissions")[0])
	if _, err := w.db().ExecContext(t.Context(), "UPDATE texts SET submission = '"+string(id)+"'"); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*gateway.LaterError](w.sendings.TellPhotos(t.Context(), id)); !ok {
		t.Error("it does not wait for the third picture")
	}
	w.wait(11 * time.Minute)
	if err := w.sendings.TellPhotos(t.Context(), id); err != nil {
		t.Errorf("one that never comes keeps back the others: %v", err)
	}
}

func TestWhichOldLinksBringANewOne(t *testing.T) {
	r, x := newRig(t), &texter{}
	sendings := r.sendingsBy(x)
	claims := r.claimsBy(sendings)
	old := r.token(r.receive(r.message(client, "hello", 0)))
	r.wait(5 * time.Hour)
	rule := r.directory.Numbers[demoNumber]
	delete(r.directory.Numbers, demoNumber)
	if _, err := claims.Again(t.Context(), old); !gateway.Is(err, gateway.CodeAgainOften) {
		t.Errorf("of a number that is gone: %v", err)
	}
	r.directory.Numbers[demoNumber] = rule
	r.receive(r.message(client, "STOP", 0))
	if _, err := claims.Again(t.Context(), old); !gateway.Is(err, gateway.CodeOptedOut) {
		t.Errorf("after STOP: %v", err)
	}
	r.receive(r.message(client, "START", 0))
	r.wait(r.limits.LinkKnown)
	if view, err := claims.Again(t.Context(), old); !gateway.Is(err, gateway.CodeLinkUnknown) || view.Office.ID != "" {
		t.Errorf("after 30 days: %v, %+v", err, view)
	}
}
