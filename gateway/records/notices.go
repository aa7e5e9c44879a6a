package records

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

const settingsColumns = "staff, address, events, pace, daily_at, quiet_from, quiet_till"

func scanSettings(r scanner) (s gateway.NoticeSettings, err error) {
	var events string
	err = r.Scan((*string)(&s.Staff), &s.Address, &events, (*string)(&s.Pace), &s.DailyAt, &s.QuietFrom, &s.QuietTil)
	for event := range strings.SplitSeq(events, ",") {
		if event != "" {
			s.Events = append(s.Events, gateway.NoticeEvent(event))
		}
	}
	return s, err
}

// NoticeSettings gives a person's, if they ever saved some.
func (s *Store) NoticeSettings(ctx context.Context, id gateway.StaffID) (set gateway.NoticeSettings, saved bool, err error) {
	found, err := read(ctx, s, "look up notice settings", func(v view) ([]gateway.NoticeSettings, error) {
		return all(v, scanSettings, "SELECT "+settingsColumns+" FROM notice_settings WHERE staff = $1", string(id))
	})
	if err != nil || len(found) == 0 {
		return gateway.NoticeSettings{}, false, err
	}
	return found[0], true, nil
}

// SaveNoticeSettings changes them.
func (s *Store) SaveNoticeSettings(ctx context.Context, set gateway.NoticeSettings, at time.Time, audit gateway.AuditEntry) error {
	var events []string
	for _, e := range set.Events {
		events = append(events, string(e))
	}
	_, err := write(ctx, s, "save notice settings", "", func(x *tx) (struct{}, error) {
		_, err := x.exec(insertInto("notice_settings", settingsColumns+", changed_at")+` ON CONFLICT (staff) DO UPDATE SET address = excluded.address,
			events = excluded.events, pace = excluded.pace, daily_at = excluded.daily_at, quiet_from = excluded.quiet_from,
			quiet_till = excluded.quiet_till, changed_at = excluded.changed_at`,
			string(set.Staff), set.Address, strings.Join(events, ","), string(set.Pace), set.DailyAt, set.QuietFrom, set.QuietTil, ms(at))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit)
	})
	return err
}

// AllNoticeSettings gives those of everybody who saved some.
func (s *Store) AllNoticeSettings(ctx context.Context) ([]gateway.NoticeSettings, error) {
	return read(ctx, s, "list notice settings", func(v view) ([]gateway.NoticeSettings, error) {
		return all(v, scanSettings, "SELECT "+settingsColumns+" FROM notice_settings ORDER BY staff")
	})
}

// NoticeLook gives up to when the audit trail was read.
func (s *Store) NoticeLook(ctx context.Context) (time.Time, error) {
	return read(ctx, s, "look up the last notices", func(v view) (time.Time, error) {
		seen, _, err := first(v, scanInt, "SELECT seen_at FROM notice_looks WHERE id = 1")
		return timeOf(seen), err
	})
}

// NewEvents gives audit rows that somebody may be told of; see the port. That
// none is of an issued link lets the databases use the index by action.
func (s *Store) NewEvents(ctx context.Context, actions []gateway.Action, since time.Time, limit int) ([]gateway.AuditEntry, error) {
	return read(ctx, s, "list events", func(v view) ([]gateway.AuditEntry, error) {
		args := append([]any{ms(since), limit}, texts(actions)...)
		return all(v, func(r scanner) (e gateway.AuditEntry, err error) {
			return e, r.Scan(at(&e.At), (*string)(&e.Action), &e.Object, (*string)(&e.Office))
		}, `SELECT a.at, a.action, a.object, a.office FROM audit a WHERE a.at >= $1 AND a.outcome = 'done'
			AND a.action IN (`+placeholders(3, len(actions))+`) AND a.action <> 'link.issued'
			AND (a.action <> 'submission.expired' OR EXISTS (SELECT 1 FROM submissions s
				WHERE s.id = SUBSTR(a.object, LENGTH('submission:') + 1) AND s.arrived_at > 0))
			ORDER BY a.at LIMIT $2`, args...)
	})
}

// AddNotices stores what is to be told; see the port.
func (s *Store) AddNotices(ctx context.Context, notices []gateway.Notice, seen, keep time.Time) error {
	_, err := write(ctx, s, "store notices", "", func(x *tx) (struct{}, error) {
		if err := x.addNotices(notices); err != nil {
			return struct{}{}, err
		}
		for _, statement := range []string{
			"DELETE FROM notices WHERE at < $1",
			"DELETE FROM notice_messages WHERE made_at < $1",
		} {
			if _, err := x.exec(statement, ms(keep)); err != nil {
				return struct{}{}, err
			}
		}
		_, err := x.exec("INSERT INTO notice_looks (id, seen_at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at", ms(seen))
		return struct{}{}, err
	})
	return err
}

func (x *tx) addNotices(notices []gateway.Notice) error {
	for _, n := range notices {
		_, err := x.exec(insertInto("notices", "target, event, object, office, at, message")+" ON CONFLICT DO NOTHING",
			string(n.Target), string(n.Event), n.Object, string(n.Office), ms(n.At), "")
		if err != nil {
			return err
		}
	}
	return nil
}

// WaitingSince gives what has waited for an office since then; see the port. A
// turn never begins before the papers arrive.
func (s *Store) WaitingSince(ctx context.Context, office gateway.OfficeID, from, to time.Time, limit int) ([]gateway.WaitingSubmission, error) {
	const turn = "CASE WHEN turn_at > arrived_at THEN turn_at ELSE arrived_at END"
	return read(ctx, s, "list what is overdue", func(v view) ([]gateway.WaitingSubmission, error) {
		return all(v, func(r scanner) (w gateway.WaitingSubmission, err error) {
			return w, r.Scan((*string)(&w.ID), at(&w.Since))
		}, "SELECT id, "+turn+` FROM submissions WHERE office = $1 AND handled = 0 AND stage IN ('new', 'open')
			AND arrived_at > 0 AND arrived_at < $3 AND merged_into = '' AND `+turn+" >= $2 AND "+turn+" < $3 ORDER BY 2, id LIMIT $4",
			string(office), ms(from), ms(to), limit)
	})
}

// NoticesWaiting gives every target that is not told of something.
func (s *Store) NoticesWaiting(ctx context.Context) ([]gateway.WaitingNotices, error) {
	return read(ctx, s, "list notices", func(v view) ([]gateway.WaitingNotices, error) {
		return all(v, func(r scanner) (w gateway.WaitingNotices, err error) {
			return w, r.Scan((*string)(&w.Target), at(&w.Oldest), at(&w.Last))
		}, `SELECT n.target, MIN(n.at), COALESCE((SELECT MAX(m.made_at) FROM notice_messages m WHERE m.target = n.target), 0)
			FROM notices n WHERE n.message = '' GROUP BY n.target ORDER BY n.target`)
	})
}

// ComposeNotice puts what waits for a target into one message; see the port.
func (s *Store) ComposeNotice(ctx context.Context, target gateway.NoticeTarget, id string, now time.Time, tell func(gateway.NoticeCount) bool, job gateway.Job) (bool, error) {
	return write(ctx, s, "compose a notice", "", func(x *tx) (bool, error) {
		taken, err := all(x, func(r scanner) (c gateway.NoticeCount, err error) {
			return c, r.Scan((*string)(&c.Office), (*string)(&c.Event))
		}, "UPDATE notices SET message = $2 WHERE target = $1 AND message = '' RETURNING office, event", string(target), id)
		taken = slices.DeleteFunc(taken, func(c gateway.NoticeCount) bool { return !tell(c) })
		if err != nil || len(taken) == 0 {
			return false, err
		}
		counts, err := json.Marshal(counted(taken))
		if err != nil {
			return false, err
		}
		_, err = x.exec(insertInto("notice_messages", "id, target, counts, made_at, attempted_at, ended_at, state"),
			id, string(target), string(counts), ms(now), int64(0), int64(0), string(gateway.NoticeWaiting))
		if err != nil {
			return false, err
		}
		return true, x.enqueue(job)
	})
}

// counted adds up what is alike, in order of office and event.
func counted(taken []gateway.NoticeCount) []gateway.NoticeCount {
	slices.SortFunc(taken, func(a, b gateway.NoticeCount) int {
		if order := compareText(a.Office, b.Office); order != 0 {
			return order
		}
		return compareText(a.Event, b.Event)
	})
	var counts []gateway.NoticeCount
	for _, c := range taken {
		if n := len(counts); n == 0 || counts[n-1].Office != c.Office || counts[n-1].Event != c.Event {
			counts = append(counts, gateway.NoticeCount{Office: c.Office, Event: c.Event})
		}
		counts[len(counts)-1].Count++
	}
	return counts
}

// NoticeMessage gives one message.
func (s *Store) NoticeMessage(ctx context.Context, id string) (gateway.NoticeMessage, error) {
	return read(ctx, s, "find a notice", func(v view) (gateway.NoticeMessage, error) {
		return only(first(v, func(r scanner) (m gateway.NoticeMessage, err error) {
			var counts string
			if err := r.Scan(&m.ID, (*string)(&m.Target), &counts, at(&m.MadeAt), at(&m.AttemptedAt), (*string)(&m.State)); err != nil {
				return m, err
			}
			return m, json.Unmarshal([]byte(counts), &m.Counts)
		}, "SELECT id, target, counts, made_at, attempted_at, state FROM notice_messages WHERE id = $1", id))
	})
}

// AttemptNotice notes that a message is being handed over; see the port.
func (s *Store) AttemptNotice(ctx context.Context, id string, at time.Time) error {
	return s.changeNotice(ctx, "UPDATE notice_messages SET attempted_at = $2 WHERE id = $1 AND attempted_at = 0", gateway.CodeSendTwice, id, ms(at))
}

// ReleaseNotice takes that back.
func (s *Store) ReleaseNotice(ctx context.Context, id string) error {
	return s.changeNotice(ctx, "UPDATE notice_messages SET attempted_at = 0 WHERE id = $1", gateway.CodeNotFound, id)
}

// EndNotice notes what became of a message.
func (s *Store) EndNotice(ctx context.Context, id string, state gateway.NoticeState, at time.Time) error {
	return s.changeNotice(ctx, "UPDATE notice_messages SET state = $2, ended_at = $3 WHERE id = $1", gateway.CodeNotFound, id, string(state), ms(at))
}

func (s *Store) changeNotice(ctx context.Context, statement string, otherwise gateway.Code, args ...any) error {
	_, err := write(ctx, s, "change a notice", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(statement, args...)
		if err == nil && n == 0 {
			err = refuse(otherwise)
		}
		return struct{}{}, err
	})
	return err
}
