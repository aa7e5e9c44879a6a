package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

var _ gateway.EmergencyRecords = (*Store)(nil)

const (
	emergencyColumns = "id, staff, session, office, reason, opened_at, until, ended_at, ended_by, seen_at, seen_by"
	selectEmergency  = "SELECT " + emergencyColumns + " FROM emergencies e "

	// sessionLives is true of an access e whose session was not ended and whose
	// account is not switched off.
	sessionLives = `EXISTS (SELECT 1 FROM desk_sessions d JOIN staff s ON s.id = d.staff
		WHERE d.id = e.session AND d.staff = e.staff AND d.ended_at = 0 AND s.disabled_at = 0)`
)

func scanEmergency(r scanner) (e gateway.Emergency, err error) {
	err = r.Scan((*string)(&e.ID), (*string)(&e.Staff), (*string)(&e.Session), (*string)(&e.Office), &e.SealedReason,
		at(&e.OpenedAt), at(&e.Until), at(&e.EndedAt), (*string)(&e.End), at(&e.SeenAt), (*string)(&e.SeenBy))
	if len(e.SealedReason) == 0 {
		e.SealedReason = nil
	}
	return e, err
}

// OpenEmergency stores an access together with what tells of it; see the port.
// One whose time is over, and whose end is not noted yet, makes room first.
func (s *Store) OpenEmergency(ctx context.Context, e gateway.Emergency, told []gateway.Notice, job gateway.Job, audit gateway.AuditEntry) (gateway.Emergency, error) {
	return write(ctx, s, "open papers in an emergency", "", func(x *tx) (gateway.Emergency, error) {
		// The account is held: of two requests at once the second finds the access
		// of the first, and none opens while the office cuts off another.
		if _, err := holdStaff(x, string(e.Staff)); err != nil {
			return gateway.Emergency{}, err
		}
		n, err := x.exec(`UPDATE desk_sessions SET ended_at = 0 WHERE id = $1 AND staff = $2 AND ended_at = 0
			AND EXISTS (SELECT 1 FROM staff s WHERE s.id = $2 AND s.disabled_at = 0)`, string(e.Session), string(e.Staff))
		if err == nil && n == 0 {
			err = refuse(gateway.CodeSignIn)
		}
		if err != nil {
			return gateway.Emergency{}, err
		}
		cut, err := x.cutOff(e)
		if err == nil && cut {
			err = refuse(gateway.CodeForbidden)
		}
		if err != nil {
			return gateway.Emergency{}, err
		}
		running, known, err := first(x, scanEmergency, selectEmergency+"WHERE session = $1 AND office = $2 AND ended_at = 0",
			string(e.Session), string(e.Office))
		if err != nil || known && running.Running(e.OpenedAt) {
			return running, err
		}
		if known {
			if err := x.endEmergency(running.ID, gateway.EmergencyTime, e.OpenedAt, endedByClock(running, e.OpenedAt)); err != nil {
				return gateway.Emergency{}, err
			}
		}
		_, err = x.exec(insertInto("emergencies", emergencyColumns), string(e.ID), string(e.Staff), string(e.Session), string(e.Office),
			solid(e.SealedReason), ms(e.OpenedAt), ms(e.Until), int64(0), "", int64(0), "")
		if err == nil {
			err = x.addNotices(told)
		}
		if err == nil {
			err = x.append(audit)
		}
		if err == nil {
			err = x.enqueue(job)
		}
		return e, err
	})
}

// cutOff tells whether the office took back an access of the account whose time
// would not be over yet.
func (x *tx) cutOff(e gateway.Emergency) (bool, error) {
	_, found, err := first(x, scanInt, "SELECT 1 FROM emergencies WHERE staff = $1 AND office = $2 AND ended_by = $3 AND until > $4 LIMIT 1",
		string(e.Staff), string(e.Office), string(gateway.EmergencyOverseer), ms(e.OpenedAt))
	return found, err
}

func endedByClock(e gateway.Emergency, now time.Time) gateway.AuditEntry {
	return gateway.AuditEntry{
		At: now, Actor: gateway.ActorRole("desk"), Action: gateway.ActionEmergencyEnded, Object: "emergency:" + string(e.ID),
		Office: e.Office, Outcome: gateway.OutcomeDone, Reason: string(gateway.EmergencyTime),
	}
}

func (x *tx) endEmergency(id gateway.EmergencyID, end gateway.EmergencyEnd, when time.Time, audit gateway.AuditEntry) error {
	n, err := x.exec("UPDATE emergencies SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at = 0", string(id), ms(when), string(end))
	if err == nil && n == 0 {
		err = notFound()
	}
	if err != nil {
		return err
	}
	return x.append(audit)
}

// EndEmergency notes the end of one; see the port.
func (s *Store) EndEmergency(ctx context.Context, id gateway.EmergencyID, end gateway.EmergencyEnd, at time.Time, audit gateway.AuditEntry) error {
	_, err := write(ctx, s, "end an emergency access", "", func(x *tx) (struct{}, error) {
		return struct{}{}, x.endEmergency(id, end, at, audit)
	})
	return err
}

// CutOffEmergencies ends all of an account at an office; see the port.
func (s *Store) CutOffEmergencies(ctx context.Context, staff gateway.StaffID, office gateway.OfficeID, at time.Time, audit gateway.AuditEntry) error {
	_, err := write(ctx, s, "cut off emergency access", "", func(x *tx) (struct{}, error) {
		// The account is held: what it opens at the same time is ended, or refused.
		if _, err := holdStaff(x, string(staff)); err != nil {
			return struct{}{}, err
		}
		running, err := all(x, scanEmergency, selectEmergency+"WHERE staff = $1 AND office = $2 AND ended_at = 0 AND until > $3 ORDER BY id",
			string(staff), string(office), ms(at))
		for i := 0; err == nil && i < len(running); i++ {
			audit.Object = "emergency:" + string(running[i].ID)
			err = x.endEmergency(running[i].ID, gateway.EmergencyOverseer, at, audit)
		}
		return struct{}{}, err
	})
	return err
}

// SeeEmergency notes who knows of one; who did so first stays.
func (s *Store) SeeEmergency(ctx context.Context, id gateway.EmergencyID, by gateway.StaffID, at time.Time, audit gateway.AuditEntry) error {
	_, err := write(ctx, s, "acknowledge an emergency access", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE emergencies SET seen_at = $2, seen_by = $3 WHERE id = $1 AND seen_at = 0", string(id), ms(at), string(by))
		if err != nil || n == 0 {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit)
	})
	return err
}

// RunningEmergencies gives those of a live session; see the port.
func (s *Store) RunningEmergencies(ctx context.Context, staff gateway.StaffID, session gateway.SessionID, now time.Time) ([]gateway.Emergency, error) {
	return read(ctx, s, "look for emergency access", func(v view) ([]gateway.Emergency, error) {
		return all(v, scanEmergency, selectEmergency+"WHERE session = $2 AND staff = $1 AND ended_at = 0 AND until > $3 AND "+sessionLives+" ORDER BY id",
			string(staff), string(session), ms(now))
	})
}

// EmergencyRuns tells whether one of them still runs.
func (s *Store) EmergencyRuns(ctx context.Context, id gateway.EmergencyID, now time.Time) (bool, error) {
	return exists(ctx, s, "look for an emergency access", "SELECT 1 FROM emergencies e WHERE id = $1 AND ended_at = 0 AND until > $2 AND "+sessionLives,
		string(id), ms(now))
}

// Emergency gives one at these offices, or CodeNotFound.
func (s *Store) Emergency(ctx context.Context, offices []gateway.OfficeID, id gateway.EmergencyID) (gateway.Emergency, error) {
	return read(ctx, s, "find an emergency access", func(v view) (gateway.Emergency, error) {
		if len(offices) == 0 {
			return gateway.Emergency{}, notFound()
		}
		return only(first(v, scanEmergency, selectEmergency+"WHERE id = $1 AND office IN ("+placeholders(2, len(offices))+")",
			append([]any{string(id)}, texts(offices)...)...))
	})
}

// EmergenciesAt gives at most limit at these offices; see the port.
func (s *Store) EmergenciesAt(ctx context.Context, offices []gateway.OfficeID, limit int) ([]gateway.Emergency, error) {
	return read(ctx, s, "list emergency access", func(v view) ([]gateway.Emergency, error) {
		if len(offices) == 0 {
			return nil, nil
		}
		return all(v, scanEmergency, selectEmergency+"WHERE office IN ("+placeholders(2, len(offices))+")"+
			" ORDER BY CASE WHEN seen_at = 0 THEN 0 ELSE 1 END, opened_at DESC, id DESC LIMIT $1",
			append([]any{limit}, texts(offices)...)...)
	})
}

// UnseenEmergencies counts those that nobody acknowledged; see the port.
func (s *Store) UnseenEmergencies(ctx context.Context, offices []gateway.OfficeID, but gateway.StaffID) (int, error) {
	return read(ctx, s, "count emergency access", func(v view) (int, error) {
		if len(offices) == 0 {
			return 0, nil
		}
		n, _, err := first(v, scanInt, "SELECT COUNT(*) FROM emergencies WHERE seen_at = 0 AND staff <> $1 AND office IN ("+placeholders(2, len(offices))+")",
			append([]any{string(but)}, texts(offices)...)...)
		return int(n), err
	})
}

// EmergenciesOf gives all of an account, oldest first.
func (s *Store) EmergenciesOf(ctx context.Context, staff gateway.StaffID) ([]gateway.Emergency, error) {
	return read(ctx, s, "list an account's emergency access", func(v view) ([]gateway.Emergency, error) {
		return all(v, scanEmergency, selectEmergency+"WHERE staff = $1 ORDER BY opened_at, id", string(staff))
	})
}

// OverEmergencies gives those of which no end is noted; see the port.
func (s *Store) OverEmergencies(ctx context.Context, now time.Time, limit int) ([]gateway.Emergency, error) {
	return read(ctx, s, "look for emergency access that is over", func(v view) ([]gateway.Emergency, error) {
		over, err := all(v, scanEmergency, selectEmergency+"WHERE ended_at = 0 AND (until <= $1 OR NOT "+sessionLives+") ORDER BY id LIMIT $2",
			ms(now), limit)
		for i := range over {
			over[i].End = gateway.EmergencySession
			if !over[i].Running(now) {
				over[i].End = gateway.EmergencyTime
			}
		}
		return over, err
	})
}

// forgetReasons empties the reasons, which may name a client, that are older
// than their office keeps papers, or than rows are kept.
func (s *Store) forgetReasons(ctx context.Context, t gateway.Terms) error {
	type oldest struct {
		office gateway.OfficeID
		opened time.Time
	}
	kept, err := read(ctx, s, "look for old reasons", func(v view) ([]oldest, error) {
		return all(v, func(r scanner) (o oldest, err error) { return o, r.Scan((*string)(&o.office), at(&o.opened)) },
			"SELECT office, MIN(opened_at) FROM emergencies WHERE LENGTH(reason) > 0 GROUP BY office")
	})
	for _, o := range kept {
		keep := t.Rows
		if papers, known := t.Offices[o.office]; known {
			keep = min(keep, papers)
		}
		before := t.Now.Add(-keep)
		if !o.opened.Before(before) {
			continue
		}
		_, err := write(ctx, s, "forget old reasons", "", func(x *tx) (int64, error) {
			return x.exec("UPDATE emergencies SET reason = SUBSTR(reason, 1, 0) WHERE LENGTH(reason) > 0 AND office = $1 AND opened_at < $2",
				string(o.office), ms(before))
		})
		if err != nil {
			return err
		}
	}
	return err
}
