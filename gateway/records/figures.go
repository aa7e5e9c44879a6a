package records

import (
	"context"
	"strings"
	"time"

	"dropslot/gateway"
)

// each streams the rows of a statement. It is not bound by patience: nobody
// waits for what a periodic job reads.
func each[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), visit func(T), statement string, args ...any) error {
	rows, err := s.readers.QueryContext(ctx, statement, args...)
	if err != nil {
		return describe(what, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return describe(what, err)
		}
		visit(row)
	}
	return describe(what, rows.Err())
}

// CountedTill gives when figures were last counted, and the first text or link.
func (s *Store) CountedTill(ctx context.Context) (counted, begun time.Time, err error) {
	found, err := read(ctx, s, "look at the figures", func(v view) (found [2]time.Time, err error) {
		last, _, err := first(v, scanInt, "SELECT COALESCE(MAX(counted_at), 0) FROM figures")
		if err != nil {
			return found, err
		}
		found[0] = timeOf(last)
		for _, oldest := range []string{"SELECT received_at FROM texts ORDER BY id LIMIT 1", "SELECT issued_at FROM links ORDER BY id LIMIT 1"} {
			at, some, err := first(v, scanInt, oldest)
			if err != nil {
				return found, err
			}
			if began := timeOf(at); some && (found[1].IsZero() || began.Before(found[1])) {
				found[1] = began
			}
		}
		return found, nil
	})
	return found[0], found[1], err
}

type stored struct {
	office gateway.OfficeID
	at     time.Time
	yes    bool
}

func scanStored(r scanner) (s stored, err error) {
	return s, r.Scan((*string)(&s.office), at(&s.at), flag(&s.yes))
}

// EachText calls visit for every text stored from a time on.
func (s *Store) EachText(ctx context.Context, from time.Time, visit func(gateway.OfficeID, time.Time)) error {
	id, err := gateway.FirstID(from)
	if err != nil {
		return err
	}
	return each(ctx, s, "count texts", scanStored, func(t stored) { visit(t.office, t.at) },
		"SELECT office, received_at, 0 FROM texts WHERE id >= $1", id)
}

// EachPage calls visit for every page stored from a time on.
func (s *Store) EachPage(ctx context.Context, from time.Time, visit func(gateway.OfficeID, time.Time, bool)) error {
	id, err := gateway.FirstID(from)
	if err != nil {
		return err
	}
	return each(ctx, s, "count pages", scanStored, func(t stored) { visit(t.office, t.at, t.yes) },
		"SELECT office, received_at, CASE WHEN removed_at > 0 THEN 1 ELSE 0 END FROM pages WHERE id >= $1", id)
}

// EachWaiting calls visit with when each submission arrived that is not marked done.
func (s *Store) EachWaiting(ctx context.Context, office gateway.OfficeID, visit func(time.Time)) error {
	return each(ctx, s, "count what waits", scanInt, func(at int64) { visit(timeOf(at)) },
		"SELECT arrived_at FROM submissions WHERE office = $1 AND handled = 0 AND arrived_at > 0", string(office))
}

// The time to the first page is that of the link which began the submission,
// if a text asked for it; what was texted as a picture needed no link.
const selectLinkFacts = `SELECT l.office, l.issued_at, CASE WHEN l.state = 'superseded' AND l.claimed_at = 0 THEN 1 ELSE 0 END,
	CASE WHEN l.claimed_at > 0 THEN 1 ELSE 0 END, CASE WHEN l.claimed_at > 0 AND COALESCE(s.arrived_at, 0) > 0 THEN 1 ELSE 0 END,
	CASE WHEN COALESCE(w.page, '') <> '' THEN 1 ELSE 0 END,
	COALESCE(CASE WHEN l.origin = 'text' AND l.claimed_at > 0 AND s.opened_at = l.claimed_at
		THEN (SELECT MIN(p.received_at) FROM pages p WHERE p.submission = s.id AND p.text = '') - l.issued_at END, 0)
	FROM links l LEFT JOIN submissions s ON s.id = l.submission LEFT JOIN wishes w ON w.link = l.id WHERE l.id >= $1`

// EachLink calls visit for every link stored from a time on.
func (s *Store) EachLink(ctx context.Context, from time.Time, visit func(gateway.LinkFact)) error {
	id, err := gateway.FirstID(from)
	if err != nil {
		return err
	}
	return each(ctx, s, "count links", func(r scanner) (l gateway.LinkFact, err error) {
		var wait int64
		err = r.Scan((*string)(&l.Office), at(&l.IssuedAt), flag(&l.Replaced), flag(&l.Used), flag(&l.Brought), flag(&l.Retake), &wait)
		l.First = max(time.Duration(wait)*time.Millisecond, 0)
		return l, err
	}, visit, selectLinkFacts, id)
}

const figureColumns = `office, week, texts, links, used, brought, timed, first_median, first_p90, pages, removed, retakes,
	waiting, waiting_ms, oldest_ms, counted_at`

// saveFigures keeps what waited at the end of a week when it is counted again.
func saveFigures(waiting bool) string {
	var set []string
	for _, column := range strings.Split(figureColumns, ",")[2:] {
		column = strings.TrimSpace(column)
		if waiting || !strings.HasPrefix(column, "waiting") && column != "oldest_ms" {
			set = append(set, column+" = excluded."+column)
		}
	}
	return insertInto("figures", figureColumns) + " ON CONFLICT (office, week) DO UPDATE SET " + strings.Join(set, ", ")
}

var saveFiguresWaiting, saveFiguresPast = saveFigures(true), saveFigures(false)

// figuresAtOnce bounds how long one transaction keeps others from writing.
const figuresAtOnce = 100

// SaveFigures stores rows, over older ones of their office and week.
func (s *Store) SaveFigures(ctx context.Context, rows []gateway.Figures) error {
	for len(rows) > 0 {
		some := rows[:min(len(rows), figuresAtOnce)]
		rows = rows[len(some):]
		_, err := write(ctx, s, "save figures", "", func(x *tx) (struct{}, error) {
			for _, f := range some {
				statement := saveFiguresPast
				if f.TellsWaiting {
					statement = saveFiguresWaiting
				} else {
					f.Waiting = gateway.NotCounted // unless it was counted before
				}
				_, err := x.exec(statement, string(f.Office), string(f.Week), f.Texts, f.Links, f.Used, f.Brought, f.Timed,
					f.Median.Milliseconds(), f.P90.Milliseconds(), f.Pages, f.Removed, f.Retakes,
					f.Waiting, f.WaitHalf.Milliseconds(), f.WaitMost.Milliseconds(), ms(f.CountedAt))
				if err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Figures gives the rows of offices from a week on.
func (s *Store) Figures(ctx context.Context, offices []gateway.OfficeID, from gateway.Week) ([]gateway.Figures, error) {
	return read(ctx, s, "read figures", func(v view) ([]gateway.Figures, error) {
		return all(v, scanFigures, "SELECT "+figureColumns+" FROM figures WHERE week >= $1 AND office IN ("+inOffices(offices)+") ORDER BY office, week",
			withOffices(offices, string(from))...)
	})
}

func scanFigures(r scanner) (f gateway.Figures, err error) {
	var median, p90, half, most int64
	err = r.Scan((*string)(&f.Office), (*string)(&f.Week), &f.Texts, &f.Links, &f.Used, &f.Brought, &f.Timed, &median, &p90,
		&f.Pages, &f.Removed, &f.Retakes, &f.Waiting, &half, &most, at(&f.CountedAt))
	f.Median, f.P90 = time.Duration(median)*time.Millisecond, time.Duration(p90)*time.Millisecond
	f.WaitHalf, f.WaitMost = time.Duration(half)*time.Millisecond, time.Duration(most)*time.Millisecond
	return f, err
}
