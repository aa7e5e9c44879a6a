package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"dropslot/gateway/twilio/twiliotest"
)

// Ten thousand people who text at once cost the office no more than its day
// allows, and those who are not answered are not lost: their words are sealed.
func TestACrowdStaysWithinTheCeiling(t *testing.T) {
	people, ceiling := 10_000, 2_212 // $25 a day at $0.0113 a segment
	if testing.Short() || raceDetector {
		people, ceiling = 400, 100
	}
	w := newTown(t, nil)
	w.spendFreely()
	office := w.directory.Offices[demoOffice]
	office.DailySegments = ceiling
	w.directory.Offices[demoOffice] = office
	var replies atomic.Int64
	var all sync.WaitGroup
	next := make(chan int)
	for range 32 {
		all.Go(func() {
			for n := range next {
				e, err := w.fake.Text(t.Context(), twiliotest.Inbound{From: fmt.Sprintf("+1312%07d", 2_000_000+n), To: demoNumber, Body: "help please"})
				if err != nil {
					t.Error(err)
				}
				replies.Add(int64(len(e.Replies)))
			}
		})
	}
	for n := range people {
		next <- n
	}
	close(next)
	all.Wait()
	if n := replies.Load(); n > int64(ceiling) || n < int64(ceiling)*8/10 {
		t.Errorf("%d answers went out, %d may", n, ceiling)
	}
	if n := w.count("texts"); n != people {
		t.Errorf("%d texts of %d are stored", n, people)
	}
	if n := w.count("texts WHERE reason = 'ceiling'"); n != people-int(replies.Load()) {
		t.Errorf("%d texts met the ceiling, %d were not answered", n, people-int(replies.Load()))
	}
	t.Logf("%d of %d were answered, %d segments may be sent", replies.Load(), people, ceiling)
}
