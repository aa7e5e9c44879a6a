package gateway

import (
	"context"
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
	if place == nil {
		place = time.UTC
	}
	hour := now.In(place).Hour()
	return l.StateAt(now) == LinkIssued && hour >= remindFrom && hour < remindTill &&
		now.Sub(l.IssuedAt) >= l.ExpiresAt.Sub(l.IssuedAt)/2 && l.ExpiresAt.Sub(now) >= remindLeft
}

// Remind queues the one reminder of each link that was not used. Whether it is
// still wanted is decided in the transaction, and once more when it is sent.
func (f *Sendings) Remind(ctx context.Context) error {
	now := f.Now()
	from := now.Add(-remindWindow)
	for {
		links, err := f.Records.Unclaimed(ctx, from, now, batch)
		if err != nil {
			return err
		}
		for _, l := range links {
			if !remindDue(l, f.Directory.Offices[l.Office].Location, now) {
				continue
			}
			if err := f.remind(ctx, l, now); err != nil {
				return err
			}
		}
		if len(links) < batch {
			return nil
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
