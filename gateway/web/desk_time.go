package web

import "time"

// moment is a time as a caseworker reads it.
type moment struct {
	Machine  string // RFC 3339, for <time datetime>
	Clock    string // in the office's time zone
	Relative string
}

// momentOf gives the words of a time; the zero moment for the zero time.
func momentOf(at, now time.Time, zone *time.Location) moment {
	if at.IsZero() {
		return moment{}
	}
	if zone == nil {
		zone = time.UTC
	}
	local, today := at.In(zone), now.In(zone)
	layout := "Mon, Jan 2, 3:04 PM MST"
	if local.Year() != today.Year() {
		layout = "Jan 2, 2006, 3:04 PM MST"
	}
	return moment{
		Machine:  at.UTC().Format(time.RFC3339),
		Clock:    local.Format(layout),
		Relative: relative(now.Sub(at)),
	}
}

// relative tells how long ago something was. desk.ts says it alike while a
// page stays open.
func relative(ago time.Duration) string {
	switch {
	case ago < time.Minute:
		return "just now"
	case ago < time.Hour:
		return plural(int(ago.Minutes()), "minute") + " ago"
	case ago < 24*time.Hour:
		return plural(int(ago.Hours()), "hour") + " ago"
	}
	return plural(int(ago.Hours()/24), "day") + " ago"
}

// days gives a retention time in whole days.
func days(d time.Duration) string { return plural(int(d.Hours()/24), "day") }
