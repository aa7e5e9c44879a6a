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

// List gives the rows of both kinds, the longest waiting first.
func (b channelBoard) List(ctx context.Context, all bool) ([]gateway.JobRow, error) {
	which := "(due_at > 0 OR step = 'dead')"
	if all {
		which = "1 = 1"
	}
	return read(ctx, b.store, "list what lies at Twilio", func(v view) ([]gateway.JobRow, error) {
		texts, err := allRows(v, `SELECT 'text:' || id, message_sid, step, due_at, tries, fault, received_at FROM texts
			WHERE `+which+` ORDER BY received_at LIMIT $1`)
		if err != nil {
			return nil, err
		}
		outgoing, err := allRows(v, `SELECT 'outgoing:' || sid, sid, step, due_at, tries, fault, learned_at FROM outgoing
			WHERE `+which+` ORDER BY learned_at LIMIT $1`)
		return append(texts, outgoing...), err
	})
}

func allRows(v view, statement string) ([]gateway.JobRow, error) {
	return all(v, scanBoard, statement, boardMost)
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
// Twilio stays there until the daily look has it erased.
func (b channelBoard) Drop(ctx context.Context, id string) error {
	return b.change(ctx, id, map[string]string{
		boardText: `UPDATE texts SET step = 'done', due_at = 0, media = CASE media WHEN 'pending' THEN 'not-kept' ELSE media END,
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
