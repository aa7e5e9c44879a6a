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

// lifetimeOf is how long a text of an occasion is wanted. What is asked for
// today and sent tomorrow waits a day and a morning before that begins.
func lifetimeOf(o Occasion) time.Duration {
	if o == OccasionRemindMe {
		return 34*time.Hour + sendLifetime
	}
	return sendLifetime
}

// tomorrowByDay is the next day at this time, or in its morning if that is no
// time for a text.
func tomorrowByDay(place *time.Location, now time.Time) time.Time {
	next := now.In(place).AddDate(0, 0, 1)
	if hour := next.Hour(); hour >= remindFrom && hour < remindTill {
		return next
	}
	y, m, d := next.Date()
	return time.Date(y, m, d, remindFrom, 0, 0, 0, place)
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
