package gateway

import (
	"testing"
	"time"
)

func TestRemindersComeByDayAndInTime(t *testing.T) {
	place, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour, minute int) time.Time { return time.Date(2026, 3, 3, hour, minute, 0, 0, place) }
	link := func(issued time.Time, ttl time.Duration) Link {
		return Link{State: LinkIssued, IssuedAt: issued, ExpiresAt: issued.Add(ttl)}
	}
	claimed := link(at(10, 0), 4*time.Hour)
	claimed.State = LinkClaimed
	for name, test := range map[string]struct {
		link Link
		now  time.Time
		want bool
	}{
		"half of its life is over":     {link(at(10, 0), 4*time.Hour), at(12, 0), true},
		"too soon":                     {link(at(10, 0), 4*time.Hour), at(11, 59), false},
		"too late to be of use":        {link(at(10, 0), 4*time.Hour), at(13, 41), false},
		"over":                         {link(at(10, 0), 4*time.Hour), at(14, 0), false},
		"opened":                       {claimed, at(12, 0), false},
		"at night":                     {link(at(17, 0), 8*time.Hour), at(21, 0), false},
		"before nine":                  {link(at(6, 0), 4*time.Hour), at(8, 59), false},
		"at nine":                      {link(at(6, 0), 4*time.Hour), at(9, 0), true},
		"a request, the next morning":  {link(at(17, 0).AddDate(0, 0, -2), 72*time.Hour), at(9, 5), true},
		"just before eight in the eve": {link(at(17, 0), 5*time.Hour), at(19, 59), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := remindDue(test.link, place, test.now.UTC()); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
