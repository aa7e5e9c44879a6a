package web

import (
	"context"
	"testing"

	"dropslot/gateway"
)

// racing has an admin switch an account off, and another browser make it, in
// the middle of a sign-in.
type racing struct{ deskAccounts }

func (r racing) ChangeStaff(ctx context.Context, login string, change gateway.StaffChange, audit ...gateway.AuditEntry) error {
	err := r.deskAccounts.ChangeStaff(ctx, login, change, audit...)
	s := r.h.staffByLogin(login)
	s.DisabledAt = deskTime
	r.h.staff[s.ID] = s
	return err
}

func (r racing) AddStaff(ctx context.Context, s gateway.Staff, audit ...gateway.AuditEntry) error {
	other := s
	other.ID, other.DisabledAt = gateway.StaffID(r.h.id()), deskTime
	if err := r.deskAccounts.AddStaff(ctx, other); err != nil {
		return err
	}
	return r.deskAccounts.AddStaff(ctx, s, audit...)
}

func TestSwitchedOffInTheMiddleOfASignIn(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	h.browser(t).through("code-of-ann")
	h.parts.SignIns.(*gateway.SignIns).Records = racing{deskAccounts{h}}
	ann := p.people["code-of-ann"]
	ann.Groups = []string{"boss"}
	p.people["code-of-ann"] = ann
	for _, code := range []string{"code-of-ann", "code-of-dee"} {
		b := h.browser(t)
		if to := b.through(code); to != "/login?next=%2Fcounter&sso=sso-off" || b.cookie != nil {
			t.Errorf("%s: led to %s", code, to)
		}
		h.refused(t, gateway.CodeSSOOff)
	}
}

// What somebody's groups bring or take away is on record at each office that
// it is about, and tells it nothing of the others.
func TestEachOfficeSeesWhatGroupsChange(t *testing.T) {
	h := newDeskHouse(t)
	p := h.withSSO(t)
	rows := func(groups ...string) map[gateway.OfficeID]string {
		dee := p.people["code-of-dee"]
		dee.Groups = groups
		p.people["code-of-dee"] = dee
		h.audit = nil
		h.browser(t).through("code-of-dee")
		found := map[gateway.OfficeID]string{}
		for _, row := range h.audit {
			if row.Action == gateway.ActionStaffChanged || row.Action == gateway.ActionStaffAdded {
				found[row.Office] += row.Reason
			}
		}
		return found
	}
	for _, step := range []struct {
		groups       []string
		north, south string
	}{
		{[]string{"north", "south"}, "by single sign-on, north: caseworker", "by single sign-on, south: auditor"},
		{[]string{"north"}, "roles by group: north: caseworker", "roles by group: none"},
		{[]string{"south", "everybody"}, "roles by group: none", "roles by group: south: auditor"},
		{[]string{"everybody"}, "", "roles by group: none"},
	} {
		got := rows(step.groups...)
		if got["north"] != step.north || got["south"] != step.south || got[""] != "" {
			t.Errorf("%v: %v", step.groups, got)
		}
	}
}
