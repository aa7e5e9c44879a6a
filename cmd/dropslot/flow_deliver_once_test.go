package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// mortal is the records of a process that dies at a note: before the note is
// stored, or right after.
type mortal struct {
	gateway.DeliveryRecords
	left  int // notes until it dies
	after bool
	dead  bool
}

func (m *mortal) NoteDelivery(ctx context.Context, one gateway.HandDelivery) error {
	if m.left--; m.left == 0 {
		m.dead = true
		if m.after {
			return errors.Join(m.DeliveryRecords.NoteDelivery(ctx, one), errDied)
		}
	}
	if m.dead {
		return errDied
	}
	return m.DeliveryRecords.NoteDelivery(ctx, one)
}

func (m *mortal) FinishDelivery(ctx context.Context, one gateway.HandDelivery, audit ...gateway.AuditEntry) error {
	if m.dead {
		return errDied
	}
	return m.DeliveryRecords.FinishDelivery(ctx, one, audit...)
}

func (m *mortal) FailDelivery(ctx context.Context, one gateway.HandDelivery, audit ...gateway.AuditEntry) error {
	if m.dead {
		return errDied
	}
	return m.DeliveryRecords.FailDelivery(ctx, one, audit...)
}

// collect has the partner take away what got its name.
func (p *partnership) collect(into map[string]int) {
	p.t.Helper()
	for name, content := range p.arrived() {
		if strings.HasSuffix(name, ".part") {
			continue
		}
		into[string(content)]++
		if err := os.Remove(filepath.Join(p.server.Folder, name)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// rename gives everything that a file's name is made of another value.
func (p *partnership) rename(label, path string) {
	p.t.Helper()
	for _, page := range p.pages {
		if _, err := p.desk.ChangePage(p.t.Context(), staffOf(demoOffice), page, gateway.PageChange{Label: &label}); err != nil {
			p.t.Fatal(err)
		}
	}
	p.directory.Offices[demoOffice].Delivery.Path = path
}

// The process dies at every note that it writes, before or after; then labels
// and the configured path change, and the partner empties its folder or does
// not. Each paper is handed over exactly once.
func TestEachPaperIsHandedOverOnceWhateverChangesBetweenTries(t *testing.T) {
	for _, collects := range []bool{false, true} {
		p := newPartnership(t, gateway.DeliveryRule{Path: "in/{reference}", Form: gateway.DeliverOriginals})
		for _, after := range []bool{false, true} {
			for step := 1; ; step++ {
				if step > 20 {
					t.Fatal("no end of notes")
				}
				p.rename("pay-stub", "in/{reference}")
				m := &mortal{DeliveryRecords: p.records, left: step, after: after}
				p.deliveries.Records = m
				id := p.ask(p.pages...)
				if err := p.deliveries.Run(t.Context(), demoOffice); err != nil && !errors.Is(err, errDied) {
					t.Fatal(err)
				}
				got := map[string]int{}
				if collects {
					p.collect(got)
				}
				p.rename("", "elsewhere/{date}")
				p.deliveries.Records = p.records
				p.wait(15 * time.Minute)
				p.run()
				if d := p.state(id); d.State != gateway.HandDelivered || d.Files != 2 {
					t.Errorf("collects %v, after %v, died at note %d: %s %s, %d files", collects, after, step, d.State, d.Fault, d.Files)
				}
				p.collect(got)
				for content, n := range got {
					if n != 1 {
						t.Errorf("collects %v, after %v, died at note %d: %d bytes came %d times", collects, after, step, len(content), n)
					}
				}
				if len(got) != 2 {
					t.Errorf("collects %v, after %v, died at note %d: %d papers came", collects, after, step, len(got))
				}
				if left := p.arrived(); len(left) > 0 {
					t.Errorf("collects %v, after %v, died at note %d: %d files are left half written", collects, after, step, len(left))
				}
				if !m.dead {
					if step < 5 {
						t.Errorf("only %d notes", step)
					}
					break
				}
			}
		}
	}
}

func TestWithoutAPartnerADeliveryEndsAndHoldsNothingUp(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverPDF})
	id := p.ask(p.pages...)
	p.deliveries.Couriers = nil
	p.run()
	if d := p.state(id); d.State != gateway.HandDead || d.Fault != gateway.CodeNoPartner || !d.DueAt.IsZero() {
		t.Errorf("%s %s, due at %v", d.State, d.Fault, d.DueAt)
	}
}
