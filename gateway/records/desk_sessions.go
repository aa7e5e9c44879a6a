package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

const (
	sessionColumns = "id, staff, browser, origin, device, begun_at, ends_at, fresh, proven"

	// sessionKept is how long a sign-in is remembered: a browser keeps the
	// secret it is recognized by no longer.
	sessionKept = 400 * 24 * time.Hour
)

func scanDeskSession(r scanner) (d gateway.DeskSession, err error) {
	return d, r.Scan((*string)(&d.ID), (*string)(&d.Staff), &d.Browser, &d.From, fixed(d.Device[:]),
		at(&d.BegunAt), at(&d.EndsAt), flag(&d.Fresh), flag(&d.Proven))
}

// BeginSession stores a session and tells whether its browser is new to the
// account; see the port.
func (s *Store) BeginSession(ctx context.Context, d gateway.DeskSession, fresh gateway.AuditEntry, audit ...gateway.AuditEntry) (bool, error) {
	return write(ctx, s, "begin session", "", func(x *tx) (bool, error) {
		_, err := x.exec("DELETE FROM desk_sessions WHERE staff = $1 AND begun_at < $2", string(d.Staff), ms(d.BegunAt.Add(-sessionKept)))
		if err != nil {
			return false, err
		}
		before, _, err := first(x, scanInt, "SELECT COUNT(*) FROM desk_sessions WHERE staff = $1", string(d.Staff))
		if err != nil {
			return false, err
		}
		known, _, err := first(x, scanInt, "SELECT COUNT(*) FROM desk_sessions WHERE staff = $1 AND device = $2", string(d.Staff), d.Device[:])
		if err != nil {
			return false, err
		}
		isFresh := before > 0 && known == 0
		_, err = x.exec(`INSERT INTO desk_sessions (`+sessionColumns+`, ended_at, told_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)`, string(d.ID), string(d.Staff), d.Browser, d.From, d.Device[:],
			ms(d.BegunAt), ms(d.EndsAt), bit(isFresh), bit(d.Proven))
		if err != nil {
			return false, err
		}
		if isFresh {
			audit = append(audit[:len(audit):len(audit)], fresh)
		}
		return isFresh, x.append(audit...)
	})
}

// StaffInSession finds the account of a session that was not ended.
func (s *Store) StaffInSession(ctx context.Context, staff gateway.StaffID, session gateway.SessionID) (gateway.Staff, error) {
	return read(ctx, s, "find session", func(v view) (gateway.Staff, error) {
		return only(first(v, scanStaff, selectStaff+`WHERE id = $1 AND EXISTS
			(SELECT 1 FROM desk_sessions d WHERE d.id = $2 AND d.staff = staff.id AND d.ended_at = 0)`, string(staff), string(session)))
	})
}

// Sessions lists those of an account that live, newest first.
func (s *Store) Sessions(ctx context.Context, staff gateway.StaffID, now time.Time) ([]gateway.DeskSession, error) {
	return read(ctx, s, "list sessions", func(v view) ([]gateway.DeskSession, error) {
		return all(v, scanDeskSession, "SELECT "+sessionColumns+` FROM desk_sessions
			WHERE staff = $1 AND ended_at = 0 AND ends_at > $2 ORDER BY begun_at DESC, id DESC`, string(staff), ms(now))
	})
}

// EndSessions ends one session of an account, or all but one; see the port.
func (s *Store) EndSessions(ctx context.Context, staff gateway.StaffID, one, keep gateway.SessionID, when time.Time, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "end sessions", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(`UPDATE desk_sessions SET ended_at = $2 WHERE staff = $1 AND ended_at = 0
			AND ($3 = '' OR id = $3) AND id <> $4`, string(staff), ms(when), string(one), string(keep))
		if err == nil && n == 0 && one != "" {
			err = notFound()
		}
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// UntoldSessions lists sign-ins from new browsers that the person was not
// asked about yet, oldest first.
func (s *Store) UntoldSessions(ctx context.Context, staff gateway.StaffID, asking gateway.SessionID) ([]gateway.DeskSession, error) {
	return read(ctx, s, "list sessions", func(v view) ([]gateway.DeskSession, error) {
		return all(v, scanDeskSession, "SELECT "+sessionColumns+` FROM desk_sessions d
			WHERE staff = $1 AND fresh = 1 AND told_at = 0 AND NOT EXISTS
			(SELECT 1 FROM desk_sessions mine WHERE mine.id = $2 AND mine.device = d.device) ORDER BY begun_at, id`, string(staff), string(asking))
	})
}

// SessionsTold notes that the person knows of them. Whoever signed in from a
// new browser, even again, does not quiet the alarm about themselves or others.
func (s *Store) SessionsTold(ctx context.Context, staff gateway.StaffID, asking gateway.SessionID, shown []gateway.SessionID, when time.Time, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "note sessions", "", func(x *tx) (struct{}, error) {
		known, _, err := first(x, scanInt, `SELECT COUNT(*) FROM desk_sessions mine WHERE mine.id = $2 AND mine.staff = $1 AND NOT EXISTS
			(SELECT 1 FROM desk_sessions d WHERE d.staff = $1 AND d.device = mine.device AND d.fresh = 1 AND d.told_at = 0)`,
			string(staff), string(asking))
		if err == nil && known == 0 {
			err = refuse(gateway.CodeForbidden)
		}
		if err != nil {
			return struct{}{}, err
		}
		for _, id := range shown {
			_, err := x.exec("UPDATE desk_sessions SET told_at = $3 WHERE id = $1 AND staff = $2 AND fresh = 1 AND told_at = 0",
				string(id), string(staff), ms(when))
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}
