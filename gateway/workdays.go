package gateway

import "time"

// Workweek is the days that an office works on, by time.Weekday.
type Workweek [7]bool

// Overdue is the time before which the office's turn must have begun to be
// overdue now: OverdueAfter full working days lie between that day and today, in the
// office's time zone. The zero time if nothing is ever overdue.
func (o Office) Overdue(now time.Time) time.Time {
	if o.OverdueAfter < 1 || o.WorkingDays == (Workweek{}) {
		return time.Time{}
	}
	zone := o.Location
	if zone == nil {
		zone = time.UTC
	}
	local := now.In(zone)
	left := o.OverdueAfter
	for back := 1; ; back++ {
		// Noon is on that day whatever the clocks are set to.
		day := time.Date(local.Year(), local.Month(), local.Day()-back, 12, 0, 0, 0, zone)
		if !o.WorkingDays[day.Weekday()] {
			continue
		}
		if left--; left == 0 {
			return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
		}
	}
}

// IsOverdue tells whether the office should have answered by now.
func (o Office) IsOverdue(s Submission, now time.Time) bool {
	if s.State == SubmissionHandled || s.Stage == StageWaiting || s.ArrivedAt.IsZero() {
		return false
	}
	return s.OursSince().Before(o.Overdue(now))
}
