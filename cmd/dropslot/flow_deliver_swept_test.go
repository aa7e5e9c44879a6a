package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// noting runs something after each note of a delivery is stored, and may lose
// notes as records that cannot be reached do.
type noting struct {
	gateway.DeliveryRecords
	after func()
	lost  bool
}

func (n *noting) NoteDelivery(ctx context.Context, one gateway.HandDelivery) error {
	if n.lost {
		return errDied
	}
	err := n.DeliveryRecords.NoteDelivery(ctx, one)
	n.after()
	return err
}

// unnamed has a delivery end with a file that is whole at the partner and has
// not got its name, and with the partner out of reach.
func unnamed(t *testing.T, loseNote bool) (*partnership, gateway.DeliveryID, string) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverOriginals})
	id, notes := p.ask(p.pages[0]), 0
	records := &noting{DeliveryRecords: p.records, after: func() {
		if notes++; notes == 2 { // it is whole: the connection breaks at the rename
			p.proxy.BreakAfter(0, 0)
		}
	}}
	p.deliveries.Records = records
	p.run()
	part := ""
	for name, content := range p.arrived() {
		if part = name; !strings.HasSuffix(name, ".part") || !bytes.Equal(content, picture(t, 20)) {
			t.Fatalf("%s lies there, %d bytes", name, len(content))
		}
	}
	if d := p.state(id); part == "" || d.State != gateway.HandWaiting || d.Fault != gateway.CodePartnerDown {
		t.Fatalf("%s %s, %q", d.State, d.Fault, part)
	}
	p.wait(14 * 24 * time.Hour)
	if records.lost = loseNote; loseNote {
		if err := p.deliveries.Run(t.Context(), demoOffice); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		if d := p.state(id); d.State != gateway.HandWaiting {
			t.Fatalf("it is %s though that is not noted", d.State)
		}
		records.lost = false
		p.wait(15 * time.Minute) // the lease
	}
	p.run()
	if d := p.state(id); d.State != gateway.HandDead {
		t.Fatalf("%s %s", d.State, d.Fault)
	}
	p.proxy.Heal()
	return p, id, part
}

func (p *partnership) retry(id gateway.DeliveryID) gateway.HandDelivery {
	p.t.Helper()
	if err := p.deliveries.Retry(p.t.Context(), staffOf(demoOffice), p.submission, id); err != nil {
		p.t.Fatal(err)
	}
	p.run()
	return p.state(id)
}

// The partner is down from the rename until the delivery ends, and its operator
// clears up by hand, or does not: a retry brings the paper, once and whole.
func TestWhatThePartnerClearedUpIsDeliveredByARetry(t *testing.T) {
	for _, cleared := range []bool{true, false} {
		p, id, part := unnamed(t, !cleared)
		if cleared {
			if err := os.Remove(filepath.Join(p.server.Folder, part)); err != nil {
				t.Fatal(err)
			}
		}
		if d := p.retry(id); d.State != gateway.HandDelivered {
			t.Errorf("cleared %v: %s %s", cleared, d.State, d.Fault)
		}
		files := p.arrived()
		for name, content := range files {
			if strings.HasSuffix(name, ".part") || !bytes.Equal(content, picture(t, 20)) {
				t.Errorf("cleared %v: %s lies there, %d bytes", cleared, name, len(content))
			}
		}
		if len(files) != 1 {
			t.Errorf("cleared %v: %d files", cleared, len(files))
		}
	}
}

// If only the answer to the rename was lost, the retry overwrites nothing and
// somebody gets to see it.
func TestADeliveryThatDidGetItsNameIsSeenAtTheRetry(t *testing.T) {
	p, id, part := unnamed(t, false)
	name := p.submission.Reference() + "-" + string(id[18:]) + "-01-pay-stub.png"
	if err := os.Rename(filepath.Join(p.server.Folder, part), filepath.Join(p.server.Folder, name)); err != nil {
		t.Fatal(err)
	}
	if d := p.retry(id); d.State != gateway.HandDead || d.Fault != gateway.CodeNameTaken {
		t.Errorf("%s %s", d.State, d.Fault)
	}
	if files := p.arrived(); len(files) != 1 || !bytes.Equal(files[name], picture(t, 20)) {
		t.Errorf("%d files", len(files))
	}
}
