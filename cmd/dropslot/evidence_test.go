package main

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/config"
	"dropslot/gateway"
)

// What happens after a worker began is in the figures at its next count.
func TestFiguresFollowAtTheirPace(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tending, err := r.tend(config.RoleWorker)
	if err != nil {
		t.Fatal(err)
	}
	who := gateway.Actor{Staff: gateway.Staff{ID: "sue", Roles: gateway.RolesIn(gateway.RoleSupervisor, demoOffice)}}
	pace := rates{figures: 50 * time.Millisecond}.orDefault()
	counted := func(texts int) gateway.OfficeFigures {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			offices, err := r.figures(pace.figures).Weeks(ctx, who, 1)
			if err != nil {
				t.Fatal(err)
			}
			if week := offices[0].Weeks[0]; !week.CountedAt.IsZero() && week.Texts == texts {
				return offices[0]
			}
			if time.Now().After(end) {
				t.Fatalf("counted %+v, want %d texts", offices[0], texts)
			}
		}
	}
	if fresh, err := r.figures(pace.figures).Weeks(ctx, who, 1); err != nil || !fresh[0].Next.IsZero() {
		t.Errorf("before the first count: %+v, %v", fresh, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.work(ctx, config.RoleWorker, pace, prometheus.NewRegistry(), tending)
	}()
	counted(0)
	r.receive(r.message(client, "hi", 0))
	if of := counted(1); !of.Next.Equal(of.Weeks[0].CountedAt.Add(pace.figures)) {
		t.Errorf("counted at %s, the next is told for %s", of.Weeks[0].CountedAt, of.Next)
	}
	cancel()
	<-done
}
