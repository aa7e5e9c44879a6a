package gateway

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Week is the Monday of a week in an office's time zone, as 2026-11-23: weeks
// sort by their text.
type Week string

// WeekOf gives the week of a time.
func WeekOf(at time.Time, zone *time.Location) Week {
	return Week(monday(at, zone).Format(time.DateOnly))
}

// monday is when the week of a time began.
func monday(at time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	local := at.In(zone)
	back := (int(local.Weekday()) + 6) % 7
	return time.Date(local.Year(), local.Month(), local.Day()-back, 0, 0, 0, 0, zone)
}

// Figures are the counts of one office and week. Nothing in them is of a
// person, and they stay when what was counted is erased.
type Figures struct {
	Office   OfficeID
	Week     Week
	Texts    int
	Links    int // issued, without those that were replaced or called back before they were used
	Used     int // of these, opened by a tap
	Brought  int // of these, with something in their submission
	Timed    int // texts that the times below are of
	Median   time.Duration
	P90      time.Duration
	Pages    int
	Removed  int // of these, taken back by the client
	Retakes  int // links that asked for one page again
	Waiting  int // submissions not marked done when the week was last counted, or NotCounted
	WaitHalf time.Duration
	WaitMost time.Duration

	TellsWaiting bool // of a row to be stored: the week is the present one
	CountedAt    time.Time
}

// NotCounted stands for what nobody counted at the time.
const NotCounted = -1

// figuresSettle is how long after its end a week is counted again: a link may
// be opened days after it was sent.
const figuresSettle = 7 * 24 * time.Hour

// Counting fills the figures, from time to time. Weeks that settled are never
// counted again; a crash leaves the older counts.
type Counting struct {
	Directory Directory
	Records   FigureRecords
	Now       func() time.Time
}

type officeWeek struct {
	office OfficeID
	week   Week
}

// tally is the figures under way.
type tally struct {
	directory Directory
	from      map[OfficeID]Week // earlier weeks have settled
	rows      map[officeWeek]*Figures
	times     map[officeWeek][]time.Duration
}

// Run counts what has not settled yet.
func (c *Counting) Run(ctx context.Context) error {
	now := c.Now()
	counted, first, err := c.Records.CountedTill(ctx)
	if err != nil {
		return err
	}
	from := first
	if !counted.IsZero() {
		from = counted.Add(-figuresSettle - 7*24*time.Hour)
	}
	if from.IsZero() {
		from = now
	}
	t := &tally{directory: c.Directory, from: map[OfficeID]Week{}, rows: map[officeWeek]*Figures{}, times: map[officeWeek][]time.Duration{}}
	start := from
	for id, office := range c.Directory.Offices {
		begun := monday(from, office.Location)
		t.from[id] = WeekOf(from, office.Location)
		if begun.Before(start) {
			start = begun
		}
	}
	if err := t.read(ctx, c.Records, start); err != nil {
		return err
	}
	for id := range c.Directory.Offices {
		if err := t.wait(ctx, c.Records, id, now); err != nil {
			return err
		}
	}
	return c.Records.SaveFigures(ctx, t.finish(now))
}

// row gives the row of an office's time, or one that nobody reads if the
// office is not known or its week has settled.
func (t *tally) row(office OfficeID, at time.Time) (*Figures, officeWeek) {
	known, found := t.directory.Offices[office]
	key := officeWeek{office, WeekOf(at, known.Location)}
	if !found || key.week < t.from[office] {
		return &Figures{}, officeWeek{}
	}
	if t.rows[key] == nil {
		t.rows[key] = &Figures{Office: office, Week: key.week}
	}
	return t.rows[key], key
}

func (t *tally) read(ctx context.Context, records FigureRecords, start time.Time) error {
	err := records.EachText(ctx, start, func(office OfficeID, at time.Time) {
		row, _ := t.row(office, at)
		row.Texts++
	})
	if err != nil {
		return err
	}
	if err := records.EachLink(ctx, start, t.link); err != nil {
		return err
	}
	return records.EachPage(ctx, start, func(office OfficeID, at time.Time, removed bool) {
		row, _ := t.row(office, at)
		row.Pages++
		if removed {
			row.Removed++
		}
	})
}

func (t *tally) link(l LinkFact) {
	row, key := t.row(l.Office, l.IssuedAt)
	if l.Retake {
		row.Retakes++
	}
	if l.Replaced {
		return
	}
	row.Links++
	if l.Used {
		row.Used++
	}
	if l.Brought {
		row.Brought++
	}
	if l.First > 0 && key.week != "" {
		t.times[key] = append(t.times[key], l.First)
	}
}

func (t *tally) wait(ctx context.Context, records FigureRecords, office OfficeID, now time.Time) error {
	row, _ := t.row(office, now)
	var ages []time.Duration
	err := records.EachWaiting(ctx, office, func(at time.Time) { ages = append(ages, max(now.Sub(at), 0)) })
	slices.Sort(ages)
	row.TellsWaiting, row.Waiting = true, len(ages)
	row.WaitHalf, row.WaitMost = rank(ages, 50), rank(ages, 100)
	return err
}

func (t *tally) finish(now time.Time) []Figures {
	var rows []Figures
	for key, row := range t.rows {
		times := t.times[key]
		slices.Sort(times)
		row.Timed, row.Median, row.P90, row.CountedAt = len(times), rank(times, 50), rank(times, 90), now
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b Figures) int { return cmp.Or(cmp.Compare(a.Office, b.Office), cmp.Compare(a.Week, b.Week)) })
	return rows
}

// rank gives a percentile by nearest rank.
func rank(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*percent+99)/100, 1)-1]
}

// FiguresView is the flow of who looks at figures.
type FiguresView struct {
	Directory Directory
	Records   FigureRecords
	Audit     AuditTrail
	Now       func() time.Time
	Every     time.Duration // from one count to the next
}

// OfficeFigures are an office's weeks, the oldest first and the present one
// last, none left out.
type OfficeFigures struct {
	Office Office
	Weeks  []Figures
	Next   time.Time // when the present week is counted again; zero if it was not counted yet
}

// Weeks gives the last weeks of every office whose figures a person may see.
func (f *FiguresView) Weeks(ctx context.Context, who Actor, weeks int) ([]OfficeFigures, error) {
	now := f.Now()
	offices := who.Staff.OfficesWith(RightFigures)
	entry := who.entry(now, ActionFiguresViewed, "", "")
	if len(offices) == 1 {
		entry.Office = offices[0]
	}
	if err := f.Audit.Append(ctx, entry); err != nil {
		return nil, err
	}
	// A week more than in any time zone: the list below takes what it needs.
	stored, err := f.Records.Figures(ctx, offices, WeekOf(now.AddDate(0, 0, -7*weeks), time.UTC))
	if err != nil {
		return nil, err
	}
	known := map[officeWeek]Figures{}
	for _, row := range stored {
		known[officeWeek{row.Office, row.Week}] = row
	}
	var all []OfficeFigures
	for _, id := range offices {
		office, found := f.Directory.Offices[id]
		if !found {
			continue
		}
		of := OfficeFigures{Office: office}
		for back := weeks - 1; back >= 0; back-- {
			week := WeekOf(monday(now, office.Location).AddDate(0, 0, -7*back), office.Location)
			row, found := known[officeWeek{id, week}]
			if !found {
				row = Figures{Office: id, Week: week, Waiting: NotCounted}
			}
			of.Weeks = append(of.Weeks, row)
		}
		if counted := of.Weeks[weeks-1].CountedAt; !counted.IsZero() {
			of.Next = counted.Add(f.Every)
		}
		all = append(all, of)
	}
	return all, nil
}
