package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// brokenBudget is the records' part of budgets while the database is away.
type brokenBudget struct{}

func (brokenBudget) Grant(context.Context, string, time.Time, int, int) (int, error) {
	return 0, errors.New("the database is away")
}

func (r *rig) budgetOf(daily int) *gateway.Budget {
	office := r.directory.Offices[demoOffice]
	office.DailySegments = daily
	numbers := r.directory.Numbers
	return &gateway.Budget{
		Directory: gateway.Directory{Offices: map[gateway.OfficeID]gateway.Office{demoOffice: office}, Numbers: numbers},
		Limits:    r.limits, Records: r.records, Now: r.now,
	}
}

func (r *rig) ask(requests *gateway.Requests) (gateway.RequestView, error) {
	return requests.Send(r.t.Context(), staffOf(demoOffice), gateway.RequestAsk{
		ID: r.sendingID(), Office: demoOffice, Phone: mustPhone(r.t, client), Language: "en", Said: true,
	})
}

func TestWhatTwilioRefusesCostsNothing(t *testing.T) {
	r := newRig(t)
	x := &texter{err: gateway.NewError(gateway.CodeSendFailed, nil)}
	requests := r.requestsBy(x)
	requests.Sendings.Budget, requests.Sendings.Limiter = r.budgetOf(4), atOnce{}
	for range 10 {
		if view, err := r.ask(requests); err != nil || view.State != gateway.DeliveryFailed {
			t.Fatalf("got %+v, %v", view, err)
		}
	}
	// What may have been sent counts as sent.
	x.err = gateway.NewError(gateway.CodeSendUnknown, nil)
	for range 5 {
		if _, err := r.ask(requests); gateway.Is(err, gateway.CodeCeiling) {
			return
		}
	}
	t.Error("five texts of unknown fate cost less than four segments")
}

// The ceiling renews at midnight: what waits for it goes out then.
func TestATextThatMeetsTheCeilingWaitsForTheNextDay(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	w.sendings.Budget = w.budgetOf(0)
	w.work()
	id := gateway.SendingID(w.ids("SELECT id FROM sendings")[0])
	err := w.sendings.Send(t.Context(), id)
	later, ok := errors.AsType[*gateway.LaterError](err)
	if !ok || !gateway.Is(err, gateway.CodeCeiling) {
		t.Fatalf("got %v", err)
	}
	place := w.directory.Offices[demoOffice].Location
	midnight := gateway.Midnight(w.now(), place).AddDate(0, 0, 1)
	if at := w.now().Add(later.Wait); at.Before(midnight) || at.After(midnight.Add(5*time.Minute)) {
		t.Errorf("comes again at %v, the day ends at %v", at, midnight)
	}
	w.wait(later.Wait)
	w.sendings.Budget = w.budgetOf(100)
	w.work()
	if w.count("sendings WHERE sid <> ''") != 1 {
		t.Errorf("the next day: %v", w.ids("SELECT state FROM sendings"))
	}
}

func TestARequestOutlivesADatabaseThatFails(t *testing.T) {
	r, x := newRig(t), &texter{}
	requests := r.requestsBy(x)
	broken := r.budgetOf(100)
	broken.Records = brokenBudget{}
	requests.Sendings.Budget = broken
	view, err := r.ask(requests)
	if err != nil || view.State != gateway.DeliverySending {
		t.Fatalf("got %+v, %v", view, err)
	}
	r.wait(5 * time.Minute)
	requests.Sendings.Budget = r.budgetOf(100)
	if err := requests.Sendings.Send(t.Context(), view.ID); err != nil {
		t.Fatal(err)
	}
	view, err = requests.Get(t.Context(), staffOf(demoOffice), view.ID)
	if err != nil || view.State != gateway.DeliveryQueued || len(x.bodies) != 1 {
		t.Errorf("got %+v, %v, %d texts", view, err, len(x.bodies))
	}
}

// busy keeps every number waiting.
type busy struct{ gateway.Limiter }

func (busy) Allow(context.Context, string, string, int, time.Duration) (bool, time.Duration, error) {
	return false, time.Minute, nil
}

func TestARequestThatWaitsForItsNumberIsStillBeingSent(t *testing.T) {
	r, x := newRig(t), &texter{}
	requests := r.requestsBy(x)
	requests.Sendings.Limiter = busy{}
	view, err := r.ask(requests)
	if err != nil || view.State != gateway.DeliverySending || len(x.bodies) != 0 {
		t.Errorf("got %+v, %v, %d texts", view, err, len(x.bodies))
	}
	r.wait(3 * time.Minute)
	if view, err = requests.Get(t.Context(), staffOf(demoOffice), view.ID); err != nil || view.State != gateway.DeliverySending {
		t.Errorf("later: %+v, %v", view, err)
	}
}

// taken are records in which another worker took a sending or a telling on
// between our look and our write.
type taken struct {
	gateway.SendingRecords
	tell bool
}

func (r taken) AttemptSending(ctx context.Context, id gateway.SendingID, at time.Time) error {
	return errors.Join(r.SendingRecords.AttemptSending(ctx, id, at), r.SendingRecords.AttemptSending(ctx, id, at))
}

func (r taken) TellPhotos(ctx context.Context, texts []gateway.TextID, s gateway.Sending, l gateway.Limits, jobs []gateway.Job, silent gateway.AuditEntry) error {
	if r.tell {
		return gateway.NewError(gateway.CodeSendTwice, nil)
	}
	return r.SendingRecords.TellPhotos(ctx, texts, s, l, jobs, silent)
}

// Another worker has the sending and dies: its job must not be done.
func TestASendingIsLookedForWhenItsWorkerDies(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	w.wait(time.Minute) // the intake lives by the real clock
	w.collect()
	submission := gateway.SubmissionID(w.ids("SELECT submission FROM texts WHERE media = 'sealed'")[0])
	again := *w.sendings
	again.Records = taken{w.records, true}
	if _, ok := errors.AsType[*gateway.LaterError](again.TellPhotos(t.Context(), submission)); !ok {
		t.Error("a telling of which another job took a part is done")
	}
	if err := w.sendings.TellPhotos(t.Context(), submission); err != nil {
		t.Fatal(err)
	}
	again.Records = taken{SendingRecords: w.records}
	id := gateway.SendingID(w.ids("SELECT id FROM sendings")[0])
	if _, ok := errors.AsType[*gateway.LaterError](again.Send(t.Context(), id)); !ok {
		t.Error("a sending that another worker has is done")
	}
	w.wait(10 * time.Minute)
	if err := w.sendings.Send(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if w.count("sendings WHERE state = 'unknown'") != 1 {
		t.Errorf("states: %v", w.ids("SELECT state FROM sendings"))
	}
}
