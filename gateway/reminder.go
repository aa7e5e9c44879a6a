package gateway

import (
	"context"
	"errors"
	"time"
)

const (
	// A reminder comes by day, in the office's time zone.
	remindFrom = 9  // o'clock
	remindTill = 20 // o'clock
	// remindLeft is the least that a link must have left to be reminded of.
	remindLeft = 20 * time.Minute
	// remindWindow is how far back links are looked at: the longest they live.
	remindWindow = 14 * 24 * time.Hour
)

// remindDue tells whether it is time to remind of a link: half of its life is
// over, some is left, and it is day where the office is.
func remindDue(l Link, place *time.Location, now time.Time) bool {
	return l.StateAt(now) == LinkIssued && untilDay(place, now) == 0 &&
		now.Sub(l.IssuedAt) >= l.ExpiresAt.Sub(l.IssuedAt)/2 && l.ExpiresAt.Sub(now) >= remindLeft
}

// untilDay is how long it is until a reminder may be sent; 0 by day.
func untilDay(place *time.Location, now time.Time) time.Duration {
	local := now.In(place)
	y, m, d := local.Date()
	switch hour := local.Hour(); {
	case hour >= remindTill:
		d++
	case hour >= remindFrom:
		return 0
	}
	return time.Date(y, m, d, remindFrom, 0, 0, 0, place).Sub(now)
}

// Remind queues the one reminder of each link that was not used. Whether it is
// still wanted is decided in the transaction, and once more when it is sent.
func (f *Sendings) Remind(ctx context.Context) error {
	var failed error
	now := f.Now()
	from := now.Add(-remindWindow)
	for {
		links, err := f.Records.Unclaimed(ctx, from, now, batch)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, l := range links {
			office, ok := f.Directory.Offices[l.Office]
			if ok && remindDue(l, office.Location, now) {
				failed = errors.Join(failed, f.remind(ctx, l, now)) // one that fails is in no other's way
			}
		}
		if len(links) < batch {
			return failed
		}
		from = links[len(links)-1].IssuedAt.Add(time.Millisecond)
	}
}

func (f *Sendings) remind(ctx context.Context, l Link, now time.Time) error {
	s, err := newSending(f.Random, now, OccasionReminder, l)
	if err != nil {
		return err
	}
	_, err = f.Records.RemindLink(ctx, l.ID, s, []Job{sendJob(s.ID, now)})
	return err
}
