package records

import (
	"context"
	"slices"
	"time"

	"dropslot/gateway"
)

// still is when nothing moved in a submission b any more.
const still = `(CASE WHEN b.last_page_at > b.finished_at THEN b.last_page_at
	WHEN b.finished_at > 0 THEN b.finished_at ELSE b.opened_at END)`

// What a submission b takes along when it goes must not be needed elsewhere:
// heldIn is true if it is held, or what was merged or moved into it; neededIn if
// pages that are elsewhere have their objects in its folder, or in that of what
// was merged into it.
const (
	heldIn = `EXISTS (SELECT 1 FROM holds h WHERE h.released_at = 0 AND (h.submission = b.id
		OR h.submission IN (SELECT m.id FROM submissions m WHERE m.merged_into = b.id AND m.merged_into <> '')
		OR h.submission IN (SELECT q.home FROM pages q WHERE q.submission = b.id AND q.home <> '')))`
	neededIn = `(EXISTS (SELECT 1 FROM pages q WHERE q.home = b.id AND q.home <> '')
		OR EXISTS (SELECT 1 FROM submissions m JOIN pages q ON q.home = m.id AND q.home <> ''
			WHERE m.merged_into = b.id AND m.merged_into <> '' AND q.submission <> b.id))`
)

// overIn is true of a submission b of office $1 whose time is over: $2 for what is
// done, $3 for what is unfinished, with a warning by $4, $5 for what is empty.
// What is held or needed elsewhere, what still lies at Twilio, and what is on its
// way to a partner, stays. So does what was merged: it goes with where it is.
const overIn = `b.office = $1 AND b.merged_into = '' AND NOT ` + neededIn + ` AND NOT ` + heldIn + `
	AND NOT EXISTS (SELECT 1 FROM texts t WHERE t.submission = b.id AND t.due_at > 0)
	AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.submission = b.id AND d.due_at > 0)
	AND (b.state = 'handled' AND b.handled_at <= $2
		OR b.state = 'received' AND ` + still + ` <= $3 AND EXISTS (SELECT 1 FROM erasure_warnings w
			WHERE w.submission = b.id AND w.warned_at <= $4 AND w.warned_at > ` + still + `)
		OR b.state = 'empty' AND ` + still + ` <= $5)`

func overArgs(office gateway.OfficeID, t gateway.Terms) []any {
	return []any{
		string(office), ms(t.Now.Add(-t.Offices[office])), ms(t.Now.Add(-t.Unfinished)), ms(t.Now.Add(-t.LeastWarn)),
		ms(t.Now.Add(-t.Rows)),
	}
}

func scanDue(r scanner) (d gateway.Due, err error) {
	var state gateway.SubmissionState
	err = r.Scan((*string)(&d.ID), (*string)(&d.Office), (*string)(&state))
	d.Why = whyGoes(state)
	return d, err
}

func whyGoes(state gateway.SubmissionState) gateway.ErasureReason {
	switch state {
	case gateway.SubmissionHandled:
		return gateway.ErasedDone
	case gateway.SubmissionEmpty:
		return gateway.ErasedEmpty
	}
	return gateway.ErasedUnfinished
}

// DueSubmissions gives what of an office goes; see the port.
func (s *Store) DueSubmissions(ctx context.Context, office gateway.OfficeID, t gateway.Terms, after gateway.SubmissionID, limit int) ([]gateway.Due, error) {
	if _, known := t.Offices[office]; !known {
		return nil, nil
	}
	return read(ctx, s, "list what goes", func(v view) ([]gateway.Due, error) {
		return all(v, scanDue, "SELECT b.id, b.office, b.state FROM submissions b WHERE "+overIn+" AND b.id > $6 ORDER BY b.id LIMIT $7",
			append(overArgs(office, t), string(after), limit)...)
	})
}

// GoAlong gives what goes with a submission; see the port.
func (s *Store) GoAlong(ctx context.Context, id gateway.SubmissionID) ([]gateway.SubmissionID, error) {
	return read(ctx, s, "list what goes along", func(v view) ([]gateway.SubmissionID, error) {
		return all(v, scanText[gateway.SubmissionID], `SELECT id FROM submissions WHERE merged_into = $1 AND merged_into <> ''
			UNION SELECT home FROM pages WHERE submission = $1 AND home <> ''`, string(id))
	})
}

// WarnUnfinished warns of what nobody finished, once for each time that
// something moved in it; see the port.
func (s *Store) WarnUnfinished(ctx context.Context, t gateway.Terms, limit int, audit func(gateway.Due) gateway.AuditEntry) (int, error) {
	return write(ctx, s, "warn of what goes", "", func(x *tx) (int, error) {
		due, err := all(x, scanDue, `SELECT b.id, b.office, b.state FROM submissions b
			WHERE b.state = 'received' AND b.merged_into = '' AND `+still+` <= $1 AND NOT EXISTS (SELECT 1 FROM erasure_warnings w
				WHERE w.submission = b.id AND w.warned_at > `+still+`) ORDER BY b.id LIMIT $2`, ms(t.Now.Add(-t.Warned)), limit)
		if err != nil {
			return 0, err
		}
		for _, d := range due {
			_, err := x.exec(`INSERT INTO erasure_warnings (submission, office, warned_at) VALUES ($1, $2, $3)
				ON CONFLICT (submission) DO UPDATE SET warned_at = excluded.warned_at`, string(d.ID), string(d.Office), ms(t.Now))
			if err == nil {
				err = x.append(audit(d))
			}
			if err != nil {
				return 0, err
			}
		}
		return len(due), nil
	})
}

// SeeClock notes the time, and what it means; see the port.
func (s *Store) SeeClock(ctx context.Context, now time.Time, judge func(before, rests time.Time) (time.Time, []gateway.AuditEntry)) (time.Time, error) {
	return write(ctx, s, "look at the clock", "", func(x *tx) (time.Time, error) {
		type clock struct{ before, rests time.Time }
		was, _, err := first(x, func(r scanner) (c clock, err error) { return c, r.Scan(at(&c.before), at(&c.rests)) },
			"SELECT seen_at, rests_till FROM retention_runs WHERE id = 1")
		if err != nil {
			return time.Time{}, err
		}
		rests, audit := judge(was.before, was.rests)
		_, err = x.exec(`INSERT INTO retention_runs (id, seen_at, rests_till, done_at) VALUES (1, $1, $2, 0)
			ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, rests_till = excluded.rests_till`, ms(now), ms(rests))
		if err != nil {
			return rests, err
		}
		return rests, x.append(audit...)
	})
}

// RunDone notes the end of a run without faults.
func (s *Store) RunDone(ctx context.Context, at time.Time) error {
	_, err := write(ctx, s, "note the run", "", func(x *tx) (int64, error) {
		return x.exec("UPDATE retention_runs SET done_at = $1 WHERE id = 1", ms(at))
	})
	return err
}

// RetentionState is how the retention stands, for the operator.
type RetentionState struct {
	DoneAt    time.Time // the last run without faults; zero if there was none
	RestsTill time.Time
	Overdue   int64 // submissions whose time is over
	Full      int64 // erased ones of which the vault may still hold something
	Held      int64
}

// RetentionState tells how the retention stands.
func (s *Store) RetentionState(ctx context.Context, t gateway.Terms) (RetentionState, error) {
	return snapshot(ctx, s, "look at the retention", func(v view) (st RetentionState, err error) {
		st, _, err = first(v, func(r scanner) (st RetentionState, err error) {
			return st, r.Scan(at(&st.RestsTill), at(&st.DoneAt))
		}, "SELECT rests_till, done_at FROM retention_runs WHERE id = 1")
		if err != nil {
			return st, err
		}
		for office := range t.Offices {
			n, _, err := first(v, scanInt, "SELECT COUNT(*) FROM submissions b WHERE "+overIn, overArgs(office, t)...)
			if err != nil {
				return st, err
			}
			st.Overdue += n
		}
		if st.Full, _, err = first(v, scanInt, "SELECT COUNT(*) FROM tombstones WHERE emptied_at = 0"); err != nil {
			return st, err
		}
		st.Held, _, err = first(v, scanInt, "SELECT COUNT(*) FROM holds WHERE released_at = 0")
		return st, err
	})
}

func scanTombstone(r scanner) (t gateway.Tombstone, err error) {
	err = r.Scan((*string)(&t.Submission), (*string)(&t.Office), (*string)(&t.Why), at(&t.At))
	return t, err
}

const selectTombstones = "SELECT submission, office, why, at FROM tombstones WHERE "

// FullTombstones gives erased submissions that the vault may still hold
// something of, by identifier.
func (s *Store) FullTombstones(ctx context.Context, after gateway.SubmissionID, limit int) ([]gateway.Tombstone, error) {
	return read(ctx, s, "list tombstones", func(v view) ([]gateway.Tombstone, error) {
		return all(v, scanTombstone, selectTombstones+"emptied_at = 0 AND submission > $1 ORDER BY submission LIMIT $2", string(after), limit)
	})
}

// Tombstoned gives those of the submissions that were erased.
func (s *Store) Tombstoned(ctx context.Context, ids []gateway.SubmissionID) (map[gateway.SubmissionID]gateway.Tombstone, error) {
	return read(ctx, s, "look up tombstones", func(v view) (map[gateway.SubmissionID]gateway.Tombstone, error) {
		found := map[gateway.SubmissionID]gateway.Tombstone{}
		for part := range slices.Chunk(ids, idsAtOnce) {
			stones, err := all(v, scanTombstone, selectTombstones+"submission IN ("+placeholders(1, len(part))+")", texts(part)...)
			if err != nil {
				return nil, err
			}
			for _, t := range stones {
				found[t.Submission] = t
			}
		}
		return found, nil
	})
}

// Emptied notes that the vault holds nothing of it any more.
func (s *Store) Emptied(ctx context.Context, id gateway.SubmissionID, at time.Time) error {
	_, err := write(ctx, s, "note an emptied submission", "", func(x *tx) (int64, error) {
		return x.exec("UPDATE tombstones SET emptied_at = $2 WHERE submission = $1", string(id), ms(at))
	})
	return err
}

// tombstoned tells whether a submission was erased.
func (x *tx) tombstoned(id gateway.SubmissionID) (bool, error) {
	_, found, err := first(x, scanInt, "SELECT 1 FROM tombstones WHERE submission = $1", string(id))
	return found, err
}
