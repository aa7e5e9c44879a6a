package config

import "time"

// Date is a day, written like 2026-01-31.
type Date time.Time

func (d *Date) readScalar(text string) *problem {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return wrong("this is no day", "write it like 2026-01-31")
	}
	*d = Date(day)
	return nil
}

// String gives the day as it is written; empty if there is none.
func (d Date) String() string {
	if time.Time(d).IsZero() {
		return ""
	}
	return time.Time(d).Format(time.DateOnly)
}
