package gateway

import (
	"context"
	"errors"
	"slices"
	"strconv"
)

// triesPerSSO bounds how many sign-ins through the provider an address may
// begin, each of which is kept for minutes, and how many answers it may bring.
// Neither takes from what passwords are tried with: a link can lead anybody here.
const triesPerSSO = 60

func ssoBegun(address string) tries {
	return tries{"sign-in-sso", AddressKey(address), triesPerSSO, triesPer}
}
func ssoAnswer(address string) tries {
	return tries{"sign-in-sso-answer", AddressKey(address), triesPerSSO, triesPer}
}

// BeginSSO gives the address that a browser is sent to. Fresh asks the
// provider to have the person show anew who they are: a screen that locked
// must not open because the provider still knows them.
func (s *SignIns) BeginSSO(ctx context.Context, name string, fresh bool, address string) (to string, state []byte, err error) {
	if s.SSO == nil {
		return "", nil, NewError(CodeNotFound, nil)
	}
	limits := []tries{ssoBegun(address)}
	if err := s.take(ctx, limits, address); err != nil {
		return "", nil, err
	}
	maxAge := s.SSO.MaxAge
	if fresh {
		maxAge = 0
	}
	to, state, err = s.SSO.Provider.Begin(ctx, name, maxAge)
	if Is(err, CodeSSODown) { // no fault of whoever tried
		s.giveBack(ctx, limits)
	}
	return to, state, err
}

// FinishSSO gives the account of whom the provider let in, with the roles that
// their groups have now, and tells whether it asked for a second factor. The
// first time the account is made. Without a state the answer belongs to no
// sign-in of this browser.
func (s *SignIns) FinishSSO(ctx context.Context, state []byte, answer IdentityAnswer, address string) (found Staff, proven bool, err error) {
	if s.SSO == nil {
		return Staff{}, false, NewError(CodeNotFound, nil)
	}
	limits := []tries{ssoAnswer(address)}
	if err := s.take(ctx, limits, address); err != nil {
		return Staff{}, false, err
	}
	if state == nil {
		return Staff{}, false, s.refuse(ctx, "", address, NewError(CodeSSOLate, nil))
	}
	limits = append(limits, ssoBegun(address))
	identity, err := s.SSO.Provider.Finish(ctx, state, answer)
	if Is(err, CodeSSODown) {
		s.giveBack(ctx, limits)
	}
	if Is(err, CodeSSO) {
		// What the provider said is for the log alone.
		return Staff{}, false, errors.Join(err, written(s.refuse(ctx, "", address, NewError(CodeSSO, nil)), CodeSSO))
	}
	if err != nil {
		return Staff{}, false, err
	}
	staff, err := s.admit(ctx, identity, address)
	if err != nil {
		return Staff{}, false, err
	}
	s.giveBack(ctx, limits)
	return staff, identity.SecondFactor, nil
}

// written gives what kept the row of a refusal from being written.
func written(err error, refused Code) error {
	if Is(err, refused) {
		return nil
	}
	return err
}

// admit finds or makes the account of an identity, or refuses it.
func (s *SignIns) admit(ctx context.Context, identity Identity, address string) (Staff, error) {
	hash, roles := s.SSO.hash(identity), s.SSO.roles(identity.Groups)
	staff, err := s.Records.StaffByIdentity(ctx, hash)
	known := err == nil
	if err != nil && !Is(err, CodeNotFound) {
		return Staff{}, err
	}
	if known && staff.DisabledAt.IsZero() {
		if staff, err = s.takeRoles(ctx, staff, roles, address); err != nil {
			return Staff{}, err
		}
	}
	switch {
	case known && !staff.DisabledAt.IsZero(): // perhaps while its roles were taken
		return Staff{}, s.refuse(ctx, staff.ID, address, NewError(CodeSSOOff, nil))
	case len(roles) == 0:
		return Staff{}, s.refuse(ctx, staff.ID, address, NewError(CodeSSOGroup, nil))
	case s.Directory.AsksSecondFactor(roles) && !identity.SecondFactor:
		return Staff{}, s.refuse(ctx, staff.ID, address, NewError(CodeSSOSecond, nil))
	case known:
		return staff, nil
	}
	return s.addIdentity(ctx, Staff{Identity: hash, Roles: roles, CreatedAt: s.Now()}, identity, address)
}

// takeRoles gives an account the roles that its groups have now. If they are
// others than before, every session ends: none goes on with what is no longer so.
func (s *SignIns) takeRoles(ctx context.Context, staff Staff, roles Roles, address string) (Staff, error) {
	if staff.Roles.String() == roles.String() {
		return staff, nil
	}
	offices := slices.Concat(staff.Roles.Offices(), roles.Offices())
	entries := s.byGroup(staff, ActionStaffChanged, "roles by group: ", roles, offices, address)
	err := s.Records.ChangeStaff(ctx, staff.Login, StaffChange{Roles: roles, EndsAt: s.Now()}, entries...)
	if err != nil {
		return Staff{}, err
	}
	return s.Records.StaffByID(ctx, staff.ID)
}

// byGroup makes the entries of what somebody's groups bring: one for each of
// the offices, which sees its own alone.
func (s *SignIns) byGroup(staff Staff, action Action, words string, roles Roles, offices []OfficeID, address string) []AuditEntry {
	who := Actor{Staff: staff, From: address}
	slices.Sort(offices)
	var entries []AuditEntry
	for _, office := range slices.Compact(offices) {
		entry := who.entry(s.Now(), action, who.own(), office)
		if entry.Reason = words + "none"; len(roles[office]) > 0 {
			entry.Reason = words + Roles{office: roles[office]}.String()
		}
		entries = append(entries, entry)
	}
	return entries
}

// loginsTried is how many names are tried for a new account.
const loginsTried = 100

// addIdentity makes an account. One of the same name that is there already is
// left alone, however much it looks like the same person's: the new one gets a
// number.
func (s *SignIns) addIdentity(ctx context.Context, staff Staff, identity Identity, address string) (Staff, error) {
	id, err := NewID(s.Now(), s.Random)
	if err != nil {
		return Staff{}, err
	}
	staff.ID = StaffID(id)
	login := loginOf(identity.Login, staff.Identity)
	entries := s.byGroup(staff, ActionStaffAdded, "by single sign-on, ", staff.Roles, staff.Roles.Offices(), address)
	for n := 1; n <= loginsTried; n++ {
		if staff.Login = login; n > 1 {
			staff.Login += "-" + strconv.Itoa(n)
		}
		err := s.Records.AddStaff(ctx, staff, entries...)
		if !Is(err, CodeBadRequest) {
			return staff, err
		}
		// The name is taken, or the same person came in twice at once.
		_, err = s.Records.StaffByIdentity(ctx, staff.Identity)
		if err == nil {
			return s.admit(ctx, identity, address)
		}
		if !Is(err, CodeNotFound) {
			return Staff{}, err
		}
	}
	return Staff{}, NewError(CodeLoginTaken, nil)
}

// local refuses what is the provider's to do.
func (s Staff) local() error {
	if s.SSO() {
		return NewError(CodeSSOAccount, nil)
	}
	return nil
}
