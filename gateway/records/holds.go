package records

import (
	"context"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

const holdColumns = "submission, office, staff, reason, at, released_at"

func holdFields(h *gateway.Hold) []any {
	return []any{
		(*string)(&h.Submission), (*string)(&h.Office), (*string)(&h.Staff), (*string)(&h.Reason), at(&h.At), at(&h.ReleasedAt),
	}
}

func scanHold(r scanner) (h gateway.Hold, err error) {
	err = r.Scan(holdFields(&h)...)
	return h, err
}

const insertHold = `INSERT INTO holds (submission, office, staff, reason, at, released_at, stored_at) VALUES ($1, $2, $3, $4, $5, 0, $6)
	ON CONFLICT (submission) DO UPDATE SET staff = excluded.staff, reason = excluded.reason,
		at = CASE WHEN excluded.at > holds.at THEN excluded.at ELSE holds.at + 1 END,
		released_at = 0, stored_at = excluded.stored_at WHERE holds.released_at > 0`

// SaveHold holds a submission; see the port.
func (s *Store) SaveHold(ctx context.Context, offices []gateway.OfficeID, h gateway.Hold, audit gateway.AuditEntry) (gateway.Hold, error) {
	return write(ctx, s, "hold submission", "", func(x *tx) (gateway.Hold, error) {
		if err := x.ofOffices(h.Submission, offices, &audit.Office); err != nil {
			return h, err
		}
		n, err := x.exec(insertHold, string(h.Submission), string(audit.Office), string(h.Staff), string(h.Reason), ms(h.At), 0)
		if err != nil {
			return h, err
		}
		held, err := only(first(x, scanHold, "SELECT "+holdColumns+" FROM holds WHERE submission = $1", string(h.Submission)))
		if err != nil || n == 0 {
			return held, err
		}
		return held, x.append(audit)
	})
}

// ofOffices locks a submission of one of the offices and gives which it is.
func (x *tx) ofOffices(id gateway.SubmissionID, offices []gateway.OfficeID, office *gateway.OfficeID) (err error) {
	*office, err = only(first(x, scanText[gateway.OfficeID],
		"UPDATE submissions SET state = state WHERE id = $1 AND office IN ("+inOffices(offices)+") RETURNING office",
		withOffices(offices, string(id))...))
	return err
}

// ReleaseHold ends a hold; see the port.
func (s *Store) ReleaseHold(ctx context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, at time.Time, audit gateway.AuditEntry) (gateway.Hold, error) {
	return write(ctx, s, "release submission", "", func(x *tx) (held gateway.Hold, err error) {
		if err := x.ofOffices(id, offices, &audit.Office); err != nil {
			return held, err
		}
		held, err = only(first(x, scanHold, "UPDATE holds SET released_at = $2, stored_at = 0 WHERE submission = $1 AND released_at = 0 RETURNING "+holdColumns,
			string(id), ms(at)))
		if err != nil {
			return held, err
		}
		return held, x.append(audit)
	})
}

// UnstoredHolds gives holds that the vault does not tell of yet.
func (s *Store) UnstoredHolds(ctx context.Context, after gateway.SubmissionID, limit int) ([]gateway.Hold, error) {
	return read(ctx, s, "list holds", func(v view) ([]gateway.Hold, error) {
		return all(v, scanHold, "SELECT "+holdColumns+" FROM holds WHERE stored_at = 0 AND submission > $1 ORDER BY submission LIMIT $2", string(after), limit)
	})
}

// StoredHold notes that the vault says the same; a released hold is over then.
// See the port.
func (s *Store) StoredHold(ctx context.Context, h gateway.Hold, at time.Time) (bool, error) {
	n, err := write(ctx, s, "note a stored hold", "", func(x *tx) (int64, error) {
		const same = " WHERE submission = $1 AND at = $2 AND released_at = $3"
		statement, args := "DELETE FROM holds"+same, []any{string(h.Submission), ms(h.At), ms(h.ReleasedAt)}
		if h.ReleasedAt.IsZero() {
			statement, args = "UPDATE holds SET stored_at = $4"+same, append(args, ms(at))
		}
		return x.exec(statement, args...)
	})
	return n > 0, err
}

// putHold puts back what a reindex found in the vault, which says the same. One
// that was unreadable then gives way to what is read now.
func (x *tx) putHold(h *gateway.Hold) (restored bool, err error) {
	if h == nil {
		return false, nil
	}
	n, err := x.exec(`INSERT INTO holds (submission, office, staff, reason, at, released_at, stored_at) VALUES ($1, $2, $3, $4, $5, 0, $5)
		ON CONFLICT (submission) DO UPDATE SET staff = excluded.staff, reason = excluded.reason, at = excluded.at, stored_at = excluded.stored_at
		WHERE holds.released_at = 0 AND holds.reason = $6 AND excluded.reason <> $6`,
		string(h.Submission), string(h.Office), string(h.Staff), string(h.Reason), ms(h.At), string(gateway.HoldUnreadable))
	return n > 0, err
}

const (
	goingColumns = "b.id, COALESCE(w.warned_at, 0), COALESCE(h.at, 0), COALESCE(h.staff, ''), COALESCE(h.reason, ''), COALESCE(a.login, '')"
	goingBeside  = ` LEFT JOIN holds h ON h.submission = b.id AND h.released_at = 0 LEFT JOIN staff a ON a.id = h.staff`
	goingFrom    = ` FROM submissions b LEFT JOIN erasure_warnings w ON w.submission = b.id` + goingBeside
)

// goingKinds are the page's lists for office $1, at most $2 of each. Each walks
// what is few, or an index in order: what is done, what is warned of, what is held.
var goingKinds = []string{
	goingFrom + " WHERE b.office = $1 AND b.handled = 1 AND b.handled_at <= $3 AND h.at IS NULL AND b.merged_into = '' ORDER BY b.handled_at, b.id LIMIT $2",
	" FROM erasure_warnings w CROSS JOIN submissions b" + goingBeside +
		" WHERE b.id = w.submission AND w.office = $1 AND h.at IS NULL AND b.merged_into = '' AND b.state = 'received' AND w.warned_at > " + still + " ORDER BY " + still + ", b.id LIMIT $2",
	" FROM holds h CROSS JOIN submissions b LEFT JOIN erasure_warnings w ON w.submission = b.id LEFT JOIN staff a ON a.id = h.staff" +
		" WHERE b.id = h.submission AND h.office = $1 AND h.released_at = 0 ORDER BY h.at, b.id LIMIT $2",
}

// Going lists what goes, what is warned of, and what is held; see the port.
func (s *Store) Going(ctx context.Context, offices []gateway.OfficeID, t gateway.Terms, until time.Time, limit int) ([]gateway.Going, error) {
	return snapshot(ctx, s, "list what goes", func(v view) ([]gateway.Going, error) {
		var list []gateway.Going
		// Each kind has room of its own: many of one push none of another off the page.
		for _, kind := range goingKinds {
			more, err := perOffice(offices, limit, sooner, func(office gateway.OfficeID) ([]gateway.Going, error) {
				args := []any{string(office), limit, ms(until.Add(-t.Offices[office]))}
				return goingIn(v, kind, t, args[:strings.Count(kind, "$")]...)
			})
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		slices.SortStableFunc(list, sooner)
		return list, nil
	})
}

// GoingOne tells of one submission; see the port.
func (s *Store) GoingOne(ctx context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, t gateway.Terms) (gateway.Going, error) {
	return snapshot(ctx, s, "look when it goes", func(v view) (g gateway.Going, err error) {
		rows, err := goingIn(v, goingFrom+" WHERE b.id = $1", t, string(id))
		if err != nil {
			return g, err
		}
		if len(rows) == 0 || !slices.Contains(offices, rows[0].Submission.Office) {
			return g, notFound()
		}
		return rows[0], nil
	})
}

func goingIn(v view, from string, t gateway.Terms, args ...any) ([]gateway.Going, error) {
	type row struct {
		going    gateway.Going
		warnedAt time.Time
	}
	rows, err := all(v, func(r scanner) (found row, err error) {
		g := &found.going
		hold := gateway.Hold{}
		err = r.Scan((*string)(&g.Submission.ID), at(&found.warnedAt), at(&hold.At), (*string)(&hold.Staff), (*string)(&hold.Reason), &g.HeldBy)
		if !hold.At.IsZero() {
			g.Hold = &hold
		}
		return found, err
	}, "SELECT "+goingColumns+from, args...)
	if err != nil {
		return nil, err
	}
	ids := make([]gateway.SubmissionID, 0, len(rows))
	for _, found := range rows {
		ids = append(ids, found.going.Submission.ID)
	}
	submissions := map[gateway.SubmissionID]gateway.Submission{}
	for part := range slices.Chunk(ids, idsAtOnce) {
		some, err := all(v, scanSubmission, "SELECT "+submissionColumns+" FROM submissions WHERE id IN ("+placeholders(1, len(part))+")", texts(part)...)
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			submissions[s.ID] = s
		}
	}
	list := make([]gateway.Going, 0, len(rows))
	for _, found := range rows {
		g := found.going
		g.Submission = submissions[g.Submission.ID]
		g.Why = whyGoes(g.Submission.State)
		if g.Hold != nil {
			g.Hold.Submission, g.Hold.Office = g.Submission.ID, g.Submission.Office
		} else {
			g.At = goesAt(g.Submission, found.warnedAt, t)
		}
		list = append(list, g)
	}
	slices.SortStableFunc(list, sooner)
	return list, nil
}

// goesAt is when a submission goes at the soonest; zero while its time does
// not run. It says in Go what overIn says in SQL.
func goesAt(s gateway.Submission, warned time.Time, t gateway.Terms) time.Time {
	moved := s.OpenedAt
	if !s.FinishedAt.IsZero() {
		moved = s.FinishedAt
	}
	if s.LastPageAt.After(s.FinishedAt) {
		moved = s.LastPageAt
	}
	switch {
	case s.State == gateway.SubmissionHandled:
		return s.HandledAt.Add(t.Offices[s.Office])
	case s.State == gateway.SubmissionEmpty:
		return moved.Add(t.Rows)
	case s.State != gateway.SubmissionReceived || !warned.After(moved):
		return time.Time{}
	}
	over, least := moved.Add(t.Unfinished), warned.Add(t.LeastWarn)
	if least.After(over) {
		return least
	}
	return over
}

// sooner puts what is held, and goes at no time, last.
func sooner(a, b gateway.Going) int {
	switch {
	case a.At.IsZero() && !b.At.IsZero():
		return 1
	case !a.At.IsZero() && b.At.IsZero():
		return -1
	case !a.At.Equal(b.At):
		return a.At.Compare(b.At)
	}
	return compareText(a.Submission.ID, b.Submission.ID)
}
