package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// texter stands for Twilio: it remembers what it was asked to send.
type texter struct {
	bodies []string
	err    error
	found  bool // Twilio lists the text whose answer was lost
}

func (x *texter) Send(_ context.Context, t gateway.OutgoingText) (string, gateway.DeliveryState, error) {
	x.bodies = append(x.bodies, t.Body)
	return "SM1", gateway.DeliveryQueued, x.err
}

func (x *texter) Find(context.Context, gateway.OutgoingText, time.Time) (string, gateway.DeliveryState, bool, error) {
	return "SM1", gateway.DeliverySent, x.found, nil
}

// sendingsBy is the flow of our own texts in front of a stand-in for Twilio.
func (r *rig) sendingsBy(x gateway.Texter) *gateway.Sendings {
	return &gateway.Sendings{
		Directory: r.directory, Limits: r.limits, Records: r.records, Links: r.links, Phones: r.phones,
		Mint: gateway.NewTokenMint(r.key), Wording: r.wording, Texter: x, Budget: r.budget, Limiter: r.limiter,
		PublicURL: r.config.PublicURL, Now: r.now, Random: rand.Reader, Log: r.log,
	}
}

func (r *rig) requestsBy(x *texter) *gateway.Requests {
	return &gateway.Requests{
		Directory: r.directory, Limits: r.limits, Records: r.records, Audit: r.records, Links: r.links, Phones: r.phones,
		Mint: gateway.NewTokenMint(r.key), Sendings: r.sendingsBy(x), Sealer: r.sealer, Now: r.now, Random: rand.Reader, Log: r.log,
	}
}

func (r *rig) sendingID() gateway.SendingID {
	r.t.Helper()
	id, err := gateway.NewID(r.now(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	return gateway.SendingID(id)
}

func mustPhone(t *testing.T, text string) gateway.Phone {
	t.Helper()
	p, err := gateway.ParsePhone(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The answer to the form was lost and the form came again.
func TestALinkIsSentOnceHoweverOftenTheFormArrives(t *testing.T) {
	r, x := newRig(t), &texter{}
	requests, id := r.requestsBy(x), r.sendingID()
	for range 3 {
		view, err := requests.Send(t.Context(), staffOf(demoOffice), gateway.RequestAsk{ID: id, Office: demoOffice, Phone: mustPhone(t, client), Language: "en", Said: true})
		if err != nil || view.ID != id || view.State != gateway.DeliveryQueued {
			t.Fatalf("got %+v, %v", view, err)
		}
	}
	if len(x.bodies) != 1 {
		t.Errorf("%d texts were sent", len(x.bodies))
	}
	// The answer was lost, and the number is corrected before it is sent again.
	view, err := requests.Send(t.Context(), staffOf(demoOffice), gateway.RequestAsk{ID: id, Office: demoOffice, Phone: mustPhone(t, "+13125550199"), Language: "en", Said: true})
	if err != nil || view.ID == id || view.LastFour != "0199" || len(x.bodies) != 2 {
		t.Errorf("the corrected number got %+v, %v, %d texts", view, err, len(x.bodies))
	}
}

func TestASentLinkTellsHowItEnded(t *testing.T) {
	r, x := newRig(t), &texter{}
	requests := r.requestsBy(x)
	first, err := requests.Send(t.Context(), staffOf(demoOffice), gateway.RequestAsk{ID: r.sendingID(), Office: demoOffice, Phone: mustPhone(t, client), Language: "en", Said: true})
	if err != nil {
		t.Fatal(err)
	}
	second, err := requests.Send(t.Context(), staffOf(demoOffice), gateway.RequestAsk{ID: r.sendingID(), Office: demoOffice, Phone: mustPhone(t, client), Language: "en", Said: true})
	if err != nil {
		t.Fatal(err)
	}
	ends := func(id gateway.SendingID) gateway.RequestView {
		t.Helper()
		view, err := requests.Get(t.Context(), staffOf(demoOffice), id)
		if err != nil {
			t.Fatal(err)
		}
		return view
	}
	if got := ends(first.ID).Ended; got != gateway.RequestSuperseded {
		t.Errorf("the first link ended %q", got)
	}
	if got := ends(second.ID).Ended; got != gateway.RequestRuns {
		t.Errorf("the second link ended %q", got)
	}
	b := newBrowser(t)
	view, err := r.claims.Claim(t.Context(), r.token(gateway.Answer{Body: x.bodies[1]}), b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.send(r.resume(view.Submission, b), "page-0000000000000001", r.sealed(picture(t, 1))); err != nil {
		t.Fatal(err)
	}
	if got := ends(second.ID); !got.Opened || got.Pages != 1 || got.Ended != gateway.RequestRuns {
		t.Errorf("after page 1: %+v", got)
	}
	r.wait(25 * time.Hour)
	if err := r.house.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ends(second.ID).Ended; got != gateway.RequestExpired {
		t.Errorf("after the clock ended it: %q", got)
	}
}

func TestNothingIsSentToWhoOptedOutOrByWhoMayNot(t *testing.T) {
	r, x := newRig(t), &texter{}
	requests := r.requestsBy(x)
	r.receive(r.message(client, "STOP", 0))
	send := func(who gateway.Actor) error {
		_, err := requests.Send(t.Context(), who, gateway.RequestAsk{ID: r.sendingID(), Office: demoOffice, Phone: mustPhone(t, client), Language: "en", Said: true})
		return err
	}
	if err := send(staffOf(demoOffice)); !gateway.Is(err, gateway.CodeOptedOut) {
		t.Errorf("to who opted out: %v", err)
	}
	r.receive(r.message(client, "START", 0))
	if err := send(staffOf("south")); !gateway.Is(err, gateway.CodeForbidden) {
		t.Errorf("for another office: %v", err)
	}
	disabled := staffOf(demoOffice)
	disabled.Staff.DisabledAt = r.now()
	if err := send(disabled); !gateway.Is(err, gateway.CodeForbidden) {
		t.Errorf("by a disabled account: %v", err)
	}
	if len(x.bodies) != 0 {
		t.Errorf("%d texts were sent", len(x.bodies))
	}
}

// Redis was away for the first picture and Twilio did not try again: the next
// picture must not meet the silence that follows an answer.
func TestAnAnswerThatNeverLeftIsNotCounted(t *testing.T) {
	r := newRig(t)
	broken := *r.inbound
	broken.Links = awayLinks{}
	if _, err := broken.Receive(t.Context(), r.message(client, "", 1)); err == nil {
		t.Fatal("answered without Redis")
	}
	r.wait(time.Second)
	if a := r.receive(r.message(client, "", 1)); !strings.Contains(a.Body, "/c/") {
		t.Errorf("the next picture got %q (%s)", a.Body, a.Reason)
	}
}

// Redis was away, and Twilio's retry was answered: that answer counts.
func TestARetriedAnswerCountsAfterAll(t *testing.T) {
	r := newRig(t)
	broken := *r.inbound
	broken.Links = awayLinks{}
	m := r.message(client, "", 1)
	if _, err := broken.Receive(t.Context(), m); err == nil {
		t.Fatal("answered without Redis")
	}
	if a := r.receive(m); !a.Again || a.Body == "" {
		t.Fatalf("the retry got %q", a.Body)
	}
	if a := r.receive(r.message(client, "", 1)); a.Reason != gateway.ReasonBurst {
		t.Errorf("the next picture of the burst got %q (%s)", a.Body, a.Reason)
	}
}

type awayLinks struct{ gateway.LinkStore }

func (awayLinks) Put(context.Context, gateway.LinkEntry) error { return errors.New("away") }

// A look puts back into Redis what it forgot.
func TestALookTeachesRedisAgain(t *testing.T) {
	r := newRig(t)
	token := r.token(r.receive(r.message(client, "hi", 0)))
	r.redis.FlushAll(t.Context())
	if _, err := r.claims.Look(t.Context(), token, gateway.Browser{}); err != nil {
		t.Fatal(err)
	}
	if entry, err := r.links.Resume(t.Context(), token.Hash()); err != nil || entry.State != gateway.LinkIssued {
		t.Errorf("Redis knows %+v, %v", entry, err)
	}
}
