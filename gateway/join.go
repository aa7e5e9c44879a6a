package gateway

import (
	"context"
	"strings"
)

// Invited gives the account that a one-time link is for; CodeInvitation for
// one that was used, replaced or is too old. It changes nothing: previews and
// scanners fetch links.
func (s *SignIns) Invited(ctx context.Context, token Token) (Invitation, Staff, error) {
	invitation, staff, err := s.Records.Invitation(ctx, token.Hash(), s.Now())
	if Is(err, CodeNotFound) || err == nil && !staff.DisabledAt.IsZero() {
		return Invitation{}, Staff{}, NewError(CodeInvitation, nil)
	}
	return invitation, staff, err
}

// Joining is what a person chose for their account: a password, and a code of
// an app unless it is optional and left out; or a passkey alone.
type Joining struct {
	Password       string
	Setup          []byte // sealed, as NewSetup gave it
	Code           string
	PasskeyState   []byte // of a passkey instead
	PasskeyAnswer  []byte
	PasskeyBrowser string // what the passkey is called
}

// Join uses a one-time link up. Everything is checked before: a password that
// is too short or a code that was mistyped does not cost the link.
func (s *SignIns) Join(ctx context.Context, token Token, j Joining, address string) (Staff, error) {
	limits := []tries{{"join-address", AddressKey(address), triesPerAddress, triesPer}}
	if err := s.take(ctx, limits, address); err != nil {
		return Staff{}, err
	}
	_, staff, err := s.Invited(ctx, token)
	if err != nil {
		return Staff{}, err
	}
	given, err := s.credentials(ctx, staff, j)
	if code := CodeOf(err); err != nil && (code == CodeSecondFactor || code == CodePasskey) {
		return Staff{}, s.refuse(ctx, staff.ID, address, NewError(code, nil))
	}
	if err != nil {
		return Staff{}, err
	}
	who := Actor{Staff: staff, From: address}
	entry := who.entry(s.Now(), ActionStaffJoined, who.own(), "")
	entry.Reason = given.words()
	err = s.Records.AcceptInvitation(ctx, token.Hash(), s.Now(), given, entry)
	if Is(err, CodeNotFound) {
		return Staff{}, NewError(CodeInvitation, nil)
	}
	if err != nil {
		return Staff{}, err
	}
	if given.Passkey != nil {
		limits = append(limits, passkeyTries(address))
	}
	s.giveBack(ctx, limits)
	return s.Records.StaffByID(ctx, staff.ID)
}

func (s *SignIns) credentials(ctx context.Context, staff Staff, j Joining) (Credentials, error) {
	if len(j.PasskeyAnswer) > 0 {
		key, err := s.Ceremonies.FinishAdd(staff, nil, j.PasskeyState, j.PasskeyAnswer)
		if err != nil {
			return Credentials{}, err
		}
		key.Staff, key.Name, key.AddedAt = staff.ID, j.PasskeyBrowser, s.Now()
		return Credentials{Passkey: &key}, nil
	}
	var given Credentials
	var err error
	if err := CheckPassword(j.Password, s.Directory.namesOf(staff)...); err != nil {
		return given, err // before the costly hash
	}
	if j.Code != "" || s.Directory.AsksSecondFactor(staff.Roles) {
		if given.SealedTOTP, given.TOTPStep, err = s.proveSetup(staff.ID, j.Setup, j.Code); err != nil {
			return given, err
		}
	}
	given.PasswordHash, err = s.hash(ctx, staff, j.Password)
	return given, err
}

func (c Credentials) words() string {
	var words []string
	if c.PasswordHash != "" {
		words = append(words, "password")
	}
	if len(c.SealedTOTP) > 0 {
		words = append(words, "app")
	}
	if c.Passkey != nil {
		words = append(words, "passkey")
	}
	return strings.Join(words, ", ")
}
