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

// answerPatience is how long after its attempt a sending may be without an
// answer before nobody knows how it went.
const answerPatience = 10 * time.Minute

// Waiting counts what still lies at Twilio; see the port.
func (s *Store) Waiting(ctx context.Context) (gateway.Waiting, error) {
	return snapshot(ctx, s, "count what lies at Twilio", func(v view) (w gateway.Waiting, err error) {
		for _, count := range []struct {
			into      *int64
			statement string
		}{
			{&w.Texts, "SELECT COUNT(*) FROM texts WHERE due_at > 0"},
			{&w.Outgoing, "SELECT COUNT(*) FROM outgoing WHERE due_at > 0"},
			{&w.Dead, "SELECT (SELECT COUNT(*) FROM texts WHERE step = 'dead') + (SELECT COUNT(*) FROM outgoing WHERE step = 'dead')"},
		} {
			if *count.into, _, err = first(v, scanInt, count.statement); err != nil {
				return w, err
			}
		}
		if w.Unknown, _, err = first(v, scanInt, "SELECT COUNT(*) FROM sendings WHERE state = 'unknown' OR state = 'sending' AND attempted_at BETWEEN 1 AND $1",
			ms(s.writer.trail.now().Add(-answerPatience))); err != nil {
			return w, err
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
