package web

import (
	"context"
	"slices"
	"testing"
	"time"

	"dropslot/gateway"
)

// deskEmergencies keeps emergency access in memory for the real flow.
type deskEmergencies struct{ h *deskHouse }

func (r deskEmergencies) ListStaff(ctx context.Context) ([]gateway.Staff, error) {
	return deskAccounts(r).ListStaff(ctx)
}

func (r deskEmergencies) Sessions(ctx context.Context, staff gateway.StaffID, now time.Time) ([]gateway.DeskSession, error) {
	return deskAccounts(r).Sessions(ctx, staff, now)
}

func (r deskEmergencies) OpenEmergency(_ context.Context, e gateway.Emergency, told []gateway.Notice, _ gateway.Job, audit gateway.AuditEntry) (gateway.Emergency, error) {
	for _, is := range r.h.emergencies {
		if is.Staff == e.Staff && is.Office == e.Office && is.End == gateway.EmergencyOverseer && e.OpenedAt.Before(is.Until) {
			return gateway.Emergency{}, gateway.NewError(gateway.CodeForbidden, nil)
		}
		if is.Session == e.Session && is.Office == e.Office && is.Running(e.OpenedAt) {
			return is, nil
		}
	}
	if err := (deskAudit(r)).Append(context.Background(), audit); err != nil {
		return gateway.Emergency{}, err
	}
	r.h.emergencies, r.h.alerts = append(r.h.emergencies, e), append(r.h.alerts, told...)
	return e, nil
}

func (r deskEmergencies) lives(e gateway.Emergency, now time.Time) bool {
	return e.Running(now) && !r.h.ended[e.Session] && r.h.staff[e.Staff].DisabledAt.IsZero()
}

func (r deskEmergencies) some(which func(gateway.Emergency) bool) (found []gateway.Emergency) {
	for _, e := range r.h.emergencies {
		if which(e) {
			found = append(found, e)
		}
	}
	return found
}

func (r deskEmergencies) RunningEmergencies(_ context.Context, staff gateway.StaffID, session gateway.SessionID, now time.Time) ([]gateway.Emergency, error) {
	return r.some(func(e gateway.Emergency) bool { return e.Staff == staff && e.Session == session && r.lives(e, now) }), nil
}

func (r deskEmergencies) EmergencyRuns(_ context.Context, id gateway.EmergencyID, now time.Time) (bool, error) {
	return len(r.some(func(e gateway.Emergency) bool { return e.ID == id && r.lives(e, now) })) > 0, nil
}

func (r deskEmergencies) Emergency(_ context.Context, offices []gateway.OfficeID, id gateway.EmergencyID) (gateway.Emergency, error) {
	found := r.some(func(e gateway.Emergency) bool { return e.ID == id && slices.Contains(offices, e.Office) })
	if len(found) == 0 {
		return gateway.Emergency{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	return found[0], nil
}

func (r deskEmergencies) EmergenciesAt(_ context.Context, offices []gateway.OfficeID, _ int) ([]gateway.Emergency, error) {
	return r.some(func(e gateway.Emergency) bool { return slices.Contains(offices, e.Office) }), nil
}

func (r deskEmergencies) UnseenEmergencies(_ context.Context, offices []gateway.OfficeID, but gateway.StaffID) (int, error) {
	return len(r.some(func(e gateway.Emergency) bool {
		return slices.Contains(offices, e.Office) && e.SeenAt.IsZero() && e.Staff != but
	})), nil
}

func (r deskEmergencies) EmergenciesOf(_ context.Context, staff gateway.StaffID) ([]gateway.Emergency, error) {
	return r.some(func(e gateway.Emergency) bool { return e.Staff == staff }), nil
}

func (r deskEmergencies) change(id gateway.EmergencyID, audit gateway.AuditEntry, change func(*gateway.Emergency) bool) error {
	for i := range r.h.emergencies {
		if e := &r.h.emergencies[i]; e.ID == id && change(e) {
			return (deskAudit(r)).Append(context.Background(), audit)
		}
	}
	return gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskEmergencies) EndEmergency(_ context.Context, id gateway.EmergencyID, end gateway.EmergencyEnd, at time.Time, audit gateway.AuditEntry) error {
	return r.change(id, audit, func(e *gateway.Emergency) bool {
		if !e.EndedAt.IsZero() {
			return false
		}
		e.EndedAt, e.End = at, end
		return true
	})
}

func (r deskEmergencies) CutOffEmergencies(ctx context.Context, staff gateway.StaffID, office gateway.OfficeID, at time.Time, audit gateway.AuditEntry) error {
	for _, e := range r.some(func(e gateway.Emergency) bool { return e.Staff == staff && e.Office == office && e.Running(at) }) {
		audit.Object = "emergency:" + string(e.ID)
		if err := r.EndEmergency(ctx, e.ID, gateway.EmergencyOverseer, at, audit); err != nil {
			return err
		}
	}
	return nil
}

func (r deskEmergencies) SeeEmergency(_ context.Context, id gateway.EmergencyID, by gateway.StaffID, at time.Time, audit gateway.AuditEntry) error {
	return r.change(id, audit, func(e *gateway.Emergency) bool {
		e.SeenAt, e.SeenBy = at, by
		return true
	})
}

func (r deskEmergencies) OverEmergencies(_ context.Context, now time.Time, _ int) ([]gateway.Emergency, error) {
	return r.some(func(e gateway.Emergency) bool { return e.EndedAt.IsZero() && !r.lives(e, now) }), nil
}

// allowEmergencies lets holders of these roles look at papers of the south.
func (h *deskHouse) allowEmergencies(roles ...gateway.Role) {
	office := h.dir.Offices["south"]
	office.Emergency = gateway.EmergencyRule{Roles: roles, For: time.Hour}
	h.dir.Offices["south"] = office
}

// count tells how many rows of the trail a condition holds for.
func (h *deskHouse) count(which func(gateway.AuditEntry) bool) (n int) {
	for _, e := range h.audit {
		if which(e) {
			n++
		}
	}
	return n
}

// inEmergency opens the papers of the south for somebody who works at the north.
func (h *deskHouse) inEmergency(t testing.TB, login string) *browser {
	t.Helper()
	b := h.signedIn(t, login)
	if answer := b.post("/emergency", emergencyForm("south")); answer.Code != 303 {
		t.Fatalf("opening: %d\n%s", answer.Code, answer.Body)
	}
	return b
}
