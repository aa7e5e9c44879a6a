package main

import (
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/paper"
)

// Two processes work off one queue: each paper arrives once, by one try.
func TestTwoProcessesHandEachPaperOverOnce(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "in/{reference}", Form: gateway.DeliverOriginals})
	other := p.reopened()
	desk, second := *p.desk, *p.deliveries
	desk.Records, desk.Audit = other.records, other.records
	second.Records = other.records
	second.Handoff = &gateway.Handoff{Desk: &desk, Records: other.records, Binder: paper.NewBinder(), AskName: p.deliveries.Handoff.AskName}

	const clients = 5
	papers := map[string]bool{}
	for i := range clients {
		content := picture(t, byte(140+i))
		papers[string(content)] = true
		id := p.submits("+1312555014"+string(rune('0'+i)), content)
		_, pages, err := p.records.Submission(t.Context(), []gateway.OfficeID{demoOffice}, id)
		if err != nil {
			t.Fatal(err)
		}
		delivery, err := gateway.NewID(p.now(), rand.Reader)
		if err == nil {
			err = p.deliveries.Ask(t.Context(), staffOf(demoOffice), id, gateway.DeliveryID(delivery), []gateway.PageID{pages[0].ID})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var slow atomic.Bool
	work := func() {
		var both sync.WaitGroup
		for _, process := range []*gateway.Deliveries{p.deliveries, &second} {
			both.Go(func() {
				if err := process.Run(t.Context(), demoOffice); err != nil && gateway.CodeOf(err) == gateway.CodeUnavailable {
					slow.Store(true) // this machine is: the database did not answer in time
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	work()
	for range 3 {
		if slow.Load() {
			p.wait(15 * time.Minute) // whoever has one lets go of it
			work()
		}
	}
	got := map[string]int{}
	for name, content := range p.arrived() {
		if !papers[string(content)] || strings.HasSuffix(name, ".part") {
			t.Errorf("there lies %s", name)
		}
		got[string(content)]++
	}
	for _, n := range got {
		if n != 1 {
			t.Errorf("a paper lies there %d times", n)
		}
	}
	tries, taken := p.told("action = 'delivery.tried' AND outcome = 'done'"), p.told("action = 'page.exported'")
	if len(got) != clients || tries != clients || taken != clients && !slow.Load() {
		t.Errorf("%d papers, %d tries, %d pages were opened, want %d of each", len(got), tries, taken, clients)
	}
}

// half is how many files lie half written at the partner.
func (p *partnership) half() (n int) {
	for name := range p.arrived() {
		if strings.HasSuffix(name, ".part") {
			n++
		}
	}
	return n
}

// cut breaks deliveries until one leaves something half written.
func (p *partnership) cut() gateway.DeliveryID {
	p.t.Helper()
	for step := int64(10); step < 200; step++ {
		id := p.ask(p.pages...)
		p.proxy.BreakAfter(-1, step)
		p.run()
		if p.half() > 0 {
			return id
		}
		p.proxy.Heal()
		p.wait(time.Hour)
		p.run()
	}
	p.t.Fatal("nothing is ever left half written")
	return ""
}

// The operator drops a delivery. What it left half written goes once the partner
// is reached again; while another process may still be at it, it stays.
func TestADroppedDeliveryLeavesNothingHalfWritten(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "in/{reference}", Form: gateway.DeliverOriginals})
	board := p.records.DeliveryBoard(p.now)
	drop := func(id gateway.DeliveryID) {
		t.Helper()
		if err := board.Drop(t.Context(), "delivery:"+string(id)); err != nil {
			t.Fatal(err)
		}
	}
	id := p.cut()
	drop(id)
	p.run() // the partner is down still
	if p.half() == 0 {
		t.Fatal("the partner was reached")
	}
	p.proxy.Heal()
	p.wait(15 * time.Minute)
	p.run()
	if d := p.state(id); p.half() > 0 || d.State != gateway.HandDropped || !d.DueAt.IsZero() {
		t.Errorf("%d files are half written, %s, due at %v", p.half(), d.State, d.DueAt)
	}

	id = p.cut()
	p.wait(time.Hour)
	lease := p.now().Add(12 * time.Minute)
	taken, found, err := p.records.TakeDelivery(t.Context(), []gateway.OfficeID{demoOffice}, false, p.now(), lease)
	if err != nil || !found || taken.ID != id {
		t.Fatalf("%v %v", found, err)
	}
	drop(id)
	p.proxy.Heal()
	p.run()
	if p.half() == 0 {
		t.Error("it was taken away from under a try")
	}
	p.wait(13 * time.Minute)
	p.run()
	if d := p.state(id); p.half() > 0 || !d.DueAt.IsZero() {
		t.Errorf("%d files are half written, due at %v", p.half(), d.DueAt)
	}

	// Of one that never began nothing is to be done.
	id = p.ask(p.pages...)
	drop(id)
	if d := p.state(id); !d.DueAt.IsZero() {
		t.Errorf("due at %v", d.DueAt)
	}
}
