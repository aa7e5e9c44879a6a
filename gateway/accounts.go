package gateway

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// Accounts is the flow of an admin who manages an office's accounts. What an
// account is at another office is not shown, and an account that works for
// another office too is not taken over: whoever could reset it could open that
// office's papers.
type Accounts struct {
	Directory Directory
	Records   AccountRecords
	Audit     AuditTrail
	Now       func() time.Time
	Random    io.Reader
}

// AccountRow is one account as an admin sees it.
type AccountRow struct {
	Staff  Staff // its roles at the admin's offices alone
	Shared bool  // it works for an office of somebody else too
	Own    bool
	Link   Invitation // that works; its account is empty if there is none
}

// List lists the accounts of the admin's offices.
func (a *Accounts) List(ctx context.Context, who Actor) ([]AccountRow, error) {
	all, err := a.Records.ListStaff(ctx)
	if err != nil {
		return nil, err
	}
	open, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	var rows []AccountRow
	for _, staff := range all {
		if row, visible := a.row(who, staff); visible {
			row.Link = open[staff.ID]
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// links gives the one-time links that work, by account.
func (a *Accounts) links(ctx context.Context) (map[StaffID]Invitation, error) {
	open := map[StaffID]Invitation{}
	list, err := a.Records.OpenInvitations(ctx, a.Now())
	for _, i := range list {
		open[i.Staff] = i
	}
	return open, err
}

// row gives what an admin may know of an account; false for nothing.
func (a *Accounts) row(who Actor, staff Staff) (AccountRow, bool) {
	row := AccountRow{Own: staff.ID == who.Staff.ID}
	roles := Roles{}
	for office, given := range staff.Roles {
		if who.Staff.Can(RightAccounts, office) {
			roles[office] = given
		} else {
			row.Shared = true
		}
	}
	staff.Roles = roles
	row.Staff = staff
	return row, len(roles) > 0
}

// Account gives one of them, or CodeNotFound with a line in the trail.
func (a *Accounts) Account(ctx context.Context, who Actor, id StaffID) (AccountRow, error) {
	staff, err := a.Records.StaffByID(ctx, id)
	if err != nil && !Is(err, CodeNotFound) {
		return AccountRow{}, err
	}
	row, visible := a.row(who, staff)
	if err == nil && visible {
		open, err := a.links(ctx)
		row.Link = open[id]
		return row, err
	}
	entry := who.entry(a.Now(), ActionStaffChanged, "staff:"+string(id), "")
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeNotFound)
	return AccountRow{}, errors.Join(NewError(CodeNotFound, nil), a.Audit.Append(ctx, entry))
}

// Invite makes an account without a way to sign in, and the one-time link by
// which its person sets that up.
func (a *Accounts) Invite(ctx context.Context, who Actor, login string, roles Roles) (Token, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	if !ValidLogin(login) {
		return Token{}, NewError(CodeBadLogin, nil)
	}
	if err := a.mayGive(who, roles); err != nil {
		return Token{}, err
	}
	for _, given := range roles {
		if len(given) == 0 {
			return Token{}, NewError(CodeBadRequest, nil)
		}
	}
	now := a.Now()
	id, err := NewID(now, a.Random)
	if err != nil {
		return Token{}, err
	}
	staff := Staff{ID: StaffID(id), Login: login, Roles: roles, CreatedAt: now}
	entry := who.entry(now, ActionStaffInvited, "staff:"+id, officeOf(roles))
	entry.Reason = roles.String()
	if err := a.Records.AddStaff(ctx, staff, entry); Is(err, CodeBadRequest) {
		return Token{}, NewError(CodeLoginTaken, nil)
	} else if err != nil {
		return Token{}, err
	}
	// A crash here leaves an account that nobody can sign in to: a reset makes
	// its link.
	return a.link(ctx, who, staff, InvitationNew)
}

// officeOf names the office of roles at one alone.
func officeOf(roles Roles) OfficeID {
	if offices := roles.Offices(); len(offices) == 1 {
		return offices[0]
	}
	return ""
}

// mayGive refuses roles at an office that is not the admin's. The operator may
// give all of them.
func (a *Accounts) mayGive(who Actor, roles Roles) error {
	for office, given := range roles {
		if _, known := a.Directory.Offices[office]; !known || !who.Staff.Can(RightAccounts, office) {
			return NewError(CodeForbidden, nil)
		}
		for _, role := range given {
			if !ValidRole(role) {
				return NewError(CodeBadRequest, nil)
			}
		}
	}
	return nil
}

func (a *Accounts) link(ctx context.Context, who Actor, staff Staff, kind InvitationKind) (Token, error) {
	token, now, ttl, action := NewSecretToken(), a.Now(), kind.TTL(), ActionStaffInvited
	if kind == InvitationReset {
		action = ActionStaffReset
	}
	entry := who.entry(now, action, "staff:"+string(staff.ID), officeOf(staff.Roles))
	entry.Reason = "link for " + ttl.String()
	return token, a.Records.SaveInvitation(ctx, Invitation{
		Hash: token.Hash(), Staff: staff.ID, Kind: kind, MadeBy: who.Staff.ID, ExpiresAt: now.Add(ttl),
	}, staff.Roles.Offices(), entry)
}

// owned gives an account that is the admin's to change, whole.
func (a *Accounts) owned(ctx context.Context, who Actor, id StaffID) (Staff, error) {
	row, err := a.Account(ctx, who, id)
	switch {
	case err != nil:
		return Staff{}, err
	case row.Own:
		return Staff{}, NewError(CodeOwnAccount, nil)
	case row.Shared:
		return Staff{}, NewError(CodeShared, nil)
	}
	return row.Staff, nil
}

// Reset makes the one-time link by which a person who lost the password or the
// phone sets the account up anew. Until it is used everything stays. Of an
// account that was never set up it is the invitation once more.
func (a *Accounts) Reset(ctx context.Context, who Actor, id StaffID) (Token, InvitationKind, error) {
	staff, err := a.owned(ctx, who, id)
	if err != nil {
		return Token{}, "", err
	}
	if err := staff.local(); err != nil {
		return Token{}, "", err
	}
	kind := InvitationReset
	if staff.PasswordHash == "" && staff.Passkeys == 0 {
		kind = InvitationNew
	}
	token, err := a.link(ctx, who, staff, kind)
	return token, kind, err
}

// CancelLink ends the one-time link of an account that was not used yet.
func (a *Accounts) CancelLink(ctx context.Context, who Actor, id StaffID) error {
	staff, err := a.owned(ctx, who, id)
	if err != nil {
		return err
	}
	err = a.Records.CancelInvitation(ctx, id, staff.Roles.Offices(),
		who.entry(a.Now(), ActionLinkWithdrawn, "staff:"+string(id), officeOf(staff.Roles)))
	if Is(err, CodeNotFound) { // it was used, or is over
		return NewError(CodeInvitation, nil)
	}
	return err
}

// Disable switches an account off, which ends its sessions, or on again.
func (a *Accounts) Disable(ctx context.Context, who Actor, id StaffID, off bool) error {
	staff, err := a.owned(ctx, who, id)
	if err != nil {
		return err
	}
	at, words := time.Time{}, "enabled"
	if off {
		at, words = a.Now(), "disabled"
	}
	entry := who.entry(a.Now(), ActionStaffChanged, "staff:"+string(id), officeOf(staff.Roles))
	entry.Reason = words
	return a.Records.ChangeStaff(ctx, staff.Login, StaffChange{DisabledAt: &at, EndsAt: at, OnlyAt: staff.Roles.Offices()}, entry)
}

// SetRoles gives an account these roles at one office of the admin's, and
// leaves those at others.
func (a *Accounts) SetRoles(ctx context.Context, who Actor, id StaffID, office OfficeID, roles []Role) error {
	row, err := a.Account(ctx, who, id)
	if err != nil {
		return err
	}
	if row.Own {
		return NewError(CodeOwnAccount, nil)
	}
	if err := row.Staff.local(); err != nil { // roles come from groups
		return err
	}
	if err := a.mayGive(who, Roles{office: roles}); err != nil {
		return err
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	entry := who.entry(a.Now(), ActionStaffChanged, "staff:"+string(id), office)
	entry.Reason = "roles: " + joinRoles(roles)
	return a.Records.SetRoles(ctx, id, office, roles, entry)
}
