package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

// ReviveText takes a text on again; see the port.
func (s *Store) ReviveText(ctx context.Context, account, message string, now time.Time) (known, revived bool, err error) {
	type answer struct{ known, revived bool }
	a, err := write(ctx, s, "revive text", "", func(x *tx) (a answer, err error) {
		n, err := x.exec(`UPDATE texts SET step = CASE WHEN media = 'pending' OR words = 'pending' THEN 'collect' ELSE 'erase' END,
			due_at = $3, taken_on_at = $3, tries = 0, fault = '' WHERE account_sid = $1 AND message_sid = $2 AND step IN ('done', 'dead')`,
			account, message, ms(now))
		if err != nil || n > 0 {
			return answer{known: true, revived: true}, err
		}
		_, a.known, err = first(x, scanText[gateway.TextID], "SELECT id FROM texts WHERE account_sid = $1 AND message_sid = $2", account, message)
		return a, err
	})
	return a.known, a.revived, err
}

// ErasedText tells of the proof; see the port.
func (s *Store) ErasedText(ctx context.Context, account, message string) (bool, error) {
	return exists(ctx, s, "look for an erased text",
		"SELECT 1 FROM texts WHERE account_sid = $1 AND message_sid = $2 AND step = 'done' AND erased_at > 0", account, message)
}

// StartedSince looks for a START; see the port.
func (s *Store) StartedSince(ctx context.Context, office gateway.OfficeID, sender gateway.PhoneIndex, since time.Time) (bool, error) {
	return exists(ctx, s, "look for a START",
		"SELECT 1 FROM texts WHERE office = $1 AND sender = $2 AND reason = 'keyword-start' AND received_at > $3 LIMIT 1",
		string(office), sender[:], ms(since))
}

func exists(ctx context.Context, s *Store, what, statement string, args ...any) (bool, error) {
	return read(ctx, s, what, func(v view) (bool, error) {
		_, found, err := first(v, scanInt, statement, args...)
		return found, err
	})
}

// ReviveOutgoing takes a text of ours on; see the port.
func (s *Store) ReviveOutgoing(ctx context.Context, sid string, office gateway.OfficeID, number gateway.Number, now time.Time) (bool, error) {
	return write(ctx, s, "revive outgoing text", "", func(x *tx) (bool, error) {
		n, err := x.exec(`INSERT INTO outgoing (sid, office, number, text, sending, learned_at, step, due_at)
			VALUES ($1, $2, $3, '', '', $4, 'erase', $4)
			ON CONFLICT (sid) DO UPDATE SET step = 'erase', due_at = excluded.due_at, taken_on_at = excluded.due_at, tries = 0, fault = ''
			WHERE outgoing.step <> 'erase'`, sid, string(office), string(number), ms(now))
		return n > 0, err
	})
}

const (
	// unknownTime is how long a sending that may not have been sent is told of: by
	// then its client has written again or come in person.
	unknownTime = 14 * 24 * time.Hour
	// answerPatience is how long after its attempt a sending may be without an
	// answer before nobody knows how it went.
	answerPatience = 10 * time.Minute
)

const countUnknown = `SELECT COUNT(*) FROM sendings WHERE state IN ('sending', 'unknown') AND created_at > $1
	AND (state = 'unknown' OR attempted_at BETWEEN 1 AND $2)`

// Waiting counts what still lies at Twilio.
func (s *Store) Waiting(ctx context.Context, now time.Time) (gateway.Waiting, error) {
	return snapshot(ctx, s, "count what lies at Twilio", func(v view) (w gateway.Waiting, err error) {
		for _, count := range []struct {
			into      *int64
			statement string
			args      []any
		}{
			{into: &w.Texts, statement: "SELECT COUNT(*) FROM texts WHERE due_at > 0"},
			{into: &w.Outgoing, statement: "SELECT COUNT(*) FROM outgoing WHERE due_at > 0"},
			{into: &w.Dead, statement: "SELECT (SELECT COUNT(*) FROM texts WHERE step = 'dead') + (SELECT COUNT(*) FROM outgoing WHERE step = 'dead')"},
			{&w.Unknown, countUnknown, []any{ms(now.Add(-unknownTime)), ms(now.Add(-answerPatience))}},
		} {
			if *count.into, _, err = first(v, scanInt, count.statement, count.args...); err != nil {
				return w, err
			}
		}
		oldest, _, err := first(v, scanInt, `SELECT COALESCE(MIN(at), 0) FROM (
			SELECT MIN(received_at) AS at FROM texts WHERE due_at > 0
			UNION ALL SELECT MIN(received_at) FROM texts WHERE step = 'dead'
			UNION ALL SELECT MIN(learned_at) FROM outgoing WHERE due_at > 0
			UNION ALL SELECT MIN(learned_at) FROM outgoing WHERE step = 'dead') AS waiting`)
		w.Oldest = timeOf(oldest)
		return w, err
	})
}

// Spent gives what is granted of a scope's window.
func (s *Store) Spent(ctx context.Context, scope string, begins time.Time) (int64, error) {
	return read(ctx, s, "look up a budget", func(v view) (int64, error) {
		granted, _, err := first(v, scanInt, "SELECT granted FROM budgets WHERE scope = $1 AND begins = $2", scope, ms(begins))
		return granted, err
	})
}
