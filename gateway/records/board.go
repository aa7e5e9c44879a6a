package records

import (
	"context"
	"strings"
	"time"

	"dropslot/gateway"
)

// ChannelBoard shows the texts and the texts of ours whose content still lies
// at Twilio, for `dropslot jobs`. Their rows are their queue.
func (s *Store) ChannelBoard(now func() time.Time) gateway.JobBoard { return channelBoard{s, now} }

type channelBoard struct {
	store *Store
	now   func() time.Time
}

var _ gateway.JobBoard = channelBoard{}

// What the rows are listed as, before the colon of their identifiers.
const (
	boardText     = "text"
	boardOutgoing = "outgoing"
)

// boardMost bounds a listing.
const boardMost = 1000

func scanBoard(r scanner) (row gateway.JobRow, err error) {
	var step string
	var due int64
	if err := r.Scan(&row.ID, &row.Subject, &step, &due, &row.Tries, &row.Fault, at(&row.Since)); err != nil {
		return row, err
	}
	row.NextAt = timeOf(due)
	kind, _, _ := strings.Cut(row.ID, ":")
	row.Kind = gateway.JobKind(kind + "-" + step)
	switch {
	case gateway.Step(step) == gateway.StepDead:
		row.State = gateway.JobDead
	case gateway.Step(step) == gateway.StepDone:
		row.State = gateway.JobDone
	case row.Tries > 0:
		row.State = gateway.JobFailing
	default:
		row.State = gateway.JobWaiting
	}
	return row, nil
}

// List gives the rows of both kinds, the dead and the failing first. Of the
// rest the longest waiting come first, or the latest if those that are done are
// wanted too.
func (b channelBoard) List(ctx context.Context, done bool) (rows []gateway.JobRow, more int, err error) {
	which, order := "(due_at > 0 OR step = 'dead')", ""
	if done {
		which, order = "1 = 1", " DESC"
	}
	rows, err = snapshot(ctx, b.store, "list what lies at Twilio", func(v view) (rows []gateway.JobRow, err error) {
		for _, kind := range []struct{ table, columns, since string }{
			{"texts", "'text:' || id, message_sid", "received_at"},
			{"outgoing", "'outgoing:' || sid, sid", "learned_at"},
		} {
			from := " FROM " + kind.table + " WHERE " + which
			some, err := all(v, scanBoard, "SELECT "+kind.columns+", step, due_at, tries, fault, "+kind.since+from+`
				ORDER BY CASE WHEN step = 'dead' THEN 0 WHEN step = 'done' THEN 3 WHEN tries > 0 THEN 1 ELSE 2 END, `+
				kind.since+order+" LIMIT $1", boardMost)
			if err != nil {
				return nil, err
			}
			rows = append(rows, some...)
			if len(some) < boardMost {
				continue
			}
			total, _, err := first(v, scanInt, "SELECT COUNT(*)"+from)
			if err != nil {
				return nil, err
			}
			more += int(total) - boardMost
		}
		return rows, nil
	})
	return rows, more, err
}

// Retry takes a row on now; a dead one goes on with the step that it missed.
func (b channelBoard) Retry(ctx context.Context, id string) error {
	return b.change(ctx, id, map[string]string{
		boardText: `UPDATE texts SET step = CASE WHEN step <> 'dead' THEN step
			WHEN media = 'pending' OR words = 'pending' THEN 'collect' ELSE 'erase' END,
			due_at = $2, taken_on_at = $2, tries = 0, fault = '' WHERE id = $1 AND step <> 'done'`,
		boardOutgoing: "UPDATE outgoing SET step = 'erase', due_at = $2, taken_on_at = $2, tries = 0, fault = '' WHERE sid = $1 AND step <> 'done'",
	}, ms(b.now()))
}

// Drop ends a row: what was not fetched by now never is, and what lies at
// Twilio stays there until the daily look has it erased, for which a text must
// not pass as erased.
func (b channelBoard) Drop(ctx context.Context, id string) error {
	return b.change(ctx, id, map[string]string{
		boardText: `UPDATE texts SET step = 'done', due_at = 0, erased_at = 0,
			media = CASE media WHEN 'pending' THEN 'not-kept' ELSE media END,
			words = CASE words WHEN 'pending' THEN 'not-kept' ELSE words END WHERE id = $1 AND step <> 'done'`,
		boardOutgoing: "UPDATE outgoing SET step = 'done', due_at = 0 WHERE sid = $1 AND step <> 'done'",
	})
}

func (b channelBoard) change(ctx context.Context, id string, statements map[string]string, args ...any) error {
	kind, key, _ := strings.Cut(id, ":")
	statement, known := statements[kind]
	if !known {
		return notFound()
	}
	_, err := write(ctx, b.store, "change what lies at Twilio", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(statement, append([]any{key}, args...)...)
		if err == nil && n == 0 {
			err = notFound()
		}
		return struct{}{}, err
	})
	return err
}

// Count counts what is not done.
func (b channelBoard) Count(ctx context.Context) ([]gateway.JobCount, error) {
	return read(ctx, b.store, "count what lies at Twilio", func(v view) ([]gateway.JobCount, error) {
		return all(v, func(r scanner) (c gateway.JobCount, err error) {
			var dead bool
			if err := r.Scan((*string)(&c.Kind), flag(&dead), &c.Count); err != nil {
				return c, err
			}
			c.State = gateway.JobWaiting
			if dead {
				c.State = gateway.JobDead
			}
			return c, nil
		}, `SELECT 'text-' || step, CAST(0 AS BIGINT), COUNT(*) FROM texts WHERE due_at > 0 GROUP BY step
			UNION ALL SELECT 'outgoing-' || step, CAST(0 AS BIGINT), COUNT(*) FROM outgoing WHERE due_at > 0 GROUP BY step
			UNION ALL SELECT 'text-dead', CAST(1 AS BIGINT), COUNT(*) FROM texts WHERE step = 'dead'
			UNION ALL SELECT 'outgoing-dead', CAST(1 AS BIGINT), COUNT(*) FROM outgoing WHERE step = 'dead'`)
	})
}
