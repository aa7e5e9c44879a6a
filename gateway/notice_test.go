package gateway

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"testing"
	"time"
)

func TestWhenSomebodyIsTold(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	never := time.Time{}
	night := NoticeSettings{Pace: NoticeNow, QuietFrom: 18 * 60, QuietTil: 7 * 60}
	noon := NoticeSettings{Pace: NoticeNow, QuietFrom: 12 * 60, QuietTil: 13 * 60}
	hourly := NoticeSettings{Pace: NoticeHourly}
	daily := NoticeSettings{Pace: NoticeDaily, DailyAt: 8*60 + 30}
	for name, test := range map[string]struct {
		s                 NoticeSettings
		now, last, oldest time.Time
		want              bool
	}{
		"at once":                     {NoticeSettings{Pace: NoticeNow}, at(3, 9, 0), never, at(3, 9, 0), true},
		"off":                         {NoticeSettings{Pace: NoticeOff}, at(3, 9, 0), never, at(3, 8, 0), false},
		"again within a minute":       {NoticeSettings{Pace: NoticeNow}, at(3, 9, 0), at(3, 8, 59).Add(30 * time.Second), at(3, 9, 0), false},
		"in the evening's quiet":      {night, at(3, 18, 0), never, at(3, 17, 59), false},
		"before it":                   {night, at(3, 17, 59), never, at(3, 17, 59), true},
		"after midnight":              {night, at(4, 6, 59), never, at(3, 19, 0), false},
		"when it is over":             {night, at(4, 7, 0), never, at(3, 19, 0), true},
		"at lunch":                    {noon, at(3, 12, 30), never, at(3, 12, 0), false},
		"after lunch":                 {noon, at(3, 13, 0), never, at(3, 12, 0), true},
		"an hour has not passed":      {hourly, at(3, 9, 59), at(3, 9, 0), at(3, 9, 1), false},
		"an hour has":                 {hourly, at(3, 10, 0), at(3, 9, 0), at(3, 9, 1), true},
		"the day's time":              {daily, at(3, 8, 30), at(2, 8, 30), at(2, 17, 0), true},
		"before the day's time":       {daily, at(3, 8, 29), at(2, 8, 30), at(2, 17, 0), false},
		"told today already":          {daily, at(3, 9, 0), at(3, 8, 30), at(3, 8, 29), false},
		"came after the day's time":   {daily, at(3, 9, 0), at(2, 8, 30), at(3, 8, 45), false},
		"late, the worker was off":    {daily, at(3, 15, 0), at(1, 8, 30), at(2, 17, 0), true},
		"the night that has 25 hours": {daily, at(1, 8, 30), time.Date(2026, 10, 31, 8, 30, 0, 0, zone), time.Date(2026, 10, 31, 9, 0, 0, 0, zone), true},
	} {
		if got := test.s.Due(test.now, test.last, test.oldest); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// busyNight is a trail with more than one look reads at once, several at a moment.
type busyNight struct {
	NoticeRecords
	rows []AuditEntry
	told map[string]bool
}

func (b *busyNight) NoticeLook(context.Context) (time.Time, error) { return b.rows[0].At, nil }

func (b *busyNight) NewEvents(_ context.Context, actions []Action, since time.Time, limit int) (found []AuditEntry, _ error) {
	for _, e := range b.rows {
		if e.Action == actions[0] && !e.At.Before(since) && len(found) < limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (b *busyNight) AddNotices(_ context.Context, notices []Notice, _, _ time.Time) error {
	for _, n := range notices {
		b.told[n.Object] = true
	}
	return nil
}

func (b *busyNight) NoticesWaiting(context.Context) ([]WaitingNotices, error) { return nil, nil }

func TestNothingOfABusyNightIsLeftOut(t *testing.T) {
	begin := time.Date(2026, 11, 3, 2, 0, 0, 0, time.UTC)
	night := &busyNight{told: map[string]bool{}}
	for i := range 2*noticeBatch + 100 {
		night.rows = append(night.rows, AuditEntry{
			At: begin.Add(time.Duration(i/7) * time.Millisecond), Action: ActionSubmissionDone, Object: strconv.Itoa(i), Office: "north",
		})
	}
	d := NewDirectory([]Office{{ID: "north", Hooks: []Hook{{Name: "cases", Events: []NoticeEvent{NoticeSubmission}}}}}, nil, nil)
	n := &Notices{Directory: d, Records: night, Now: func() time.Time { return begin.Add(time.Hour) }, Log: slog.New(slog.DiscardHandler)}
	if err := n.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(night.told) != len(night.rows) {
		t.Errorf("told of %d of %d", len(night.told), len(night.rows))
	}
}

// oneAlert is the records of an alert that waits for somebody.
type oneAlert struct {
	NoticeRecords
	staff    Staff
	settings []NoticeSettings
	composed int
}

func (*oneAlert) NoticeLook(context.Context) (time.Time, error)                    { return time.Time{}, nil }
func (*oneAlert) AddNotices(context.Context, []Notice, time.Time, time.Time) error { return nil }
func (a *oneAlert) ListStaff(context.Context) ([]Staff, error)                     { return []Staff{a.staff}, nil }
func (a *oneAlert) AllNoticeSettings(context.Context) ([]NoticeSettings, error) {
	return a.settings, nil
}
func (a *oneAlert) NoticesWaiting(context.Context) ([]WaitingNotices, error) {
	return []WaitingNotices{{Target: UrgentTarget(a.staff.ID)}}, nil
}

func (a *oneAlert) ComposeNotice(context.Context, NoticeTarget, string, time.Time, func(NoticeCount) bool, Job) (bool, error) {
	a.composed++
	return true, nil
}

type noMail struct{ Mailer }

// An alert to who has no address yet is not used up: it waits for the address,
// or until the account is off.
func TestAnAlertWaitsForAnAddress(t *testing.T) {
	sue := Staff{ID: "sue", Login: "sue", Roles: RolesIn(RoleSupervisor, "north")}
	off := sue
	off.DisabledAt = time.Unix(1, 0)
	for name, test := range map[string]struct {
		records oneAlert
		want    int
	}{
		"never chose":          {oneAlert{staff: sue}, 0},
		"chose without one":    {oneAlert{staff: sue, settings: []NoticeSettings{{Staff: "sue", Pace: NoticeOff}}}, 0},
		"gave one, wants none": {oneAlert{staff: sue, settings: []NoticeSettings{{Staff: "sue", Pace: NoticeOff, Address: "sue@example.gov"}}}, 1},
		"switched off":         {oneAlert{staff: off}, 1},
	} {
		n := &Notices{
			Directory: NewDirectory([]Office{{ID: "north"}}, nil, nil), Records: &test.records, Mailer: noMail{},
			Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		}
		if err := n.Run(t.Context()); err != nil || test.records.composed != test.want {
			t.Errorf("%s: %d messages, %v", name, test.records.composed, err)
		}
	}
}
