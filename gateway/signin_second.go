package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"
)

// SignInStep is what somebody whose password was right still has to do.
type SignInStep string

// The steps.
const (
	StepNone  SignInStep = ""
	StepCode  SignInStep = "code"  // show the second factor that the account has
	StepSetup SignInStep = "setup" // an office asks for one, and the account has none
)

// Needs tells what an account needs beside its password. A factor that is
// there is always asked for, whatever the offices say.
func (s *SignIns) Needs(staff Staff) SignInStep {
	if staff.SSO() {
		return StepNone // the provider asked for what is needed
	}
	if staff.HasFactor() {
		return StepCode
	}
	if s.Directory.AsksSecondFactor(staff.Roles) {
		return StepSetup
	}
	return StepNone
}

// AsksSecondFactor tells whether one of the roles' offices asks for a second
// factor.
func (d Directory) AsksSecondFactor(roles Roles) bool {
	for office := range roles {
		if o, known := d.Offices[office]; known && !o.SecondFactorOptional {
			return true
		}
	}
	return false
}

// How many codes of an account may be wrong: of a million, three count at any
// time. The window alone lets 485 through in a day, which is a chance of 1 in
// 700; with the day's bucket it is 100 while that runs out and 50 a day then: 3
// in 10,000, and half of that. (NIST SP 800-63B, "Rate Limiting", bounds those
// in a row by 100.) A code that is right is given back.
const (
	triesPerCode    = 5
	triesPerCodeDay = 50
)

func codeTries(staff StaffID) []tries {
	return []tries{
		{"sign-in-code", string(staff), triesPerCode, triesPer},
		{"sign-in-code-day", string(staff), triesPerCodeDay, 24 * time.Hour},
	}
}

// factorAge is how long an account has a second factor before that counts
// where a lot hangs on it: who knows a password alone, of an account that has
// none, can give it one and sign in with that. Its owner hears of the sign-in
// from a new browser meanwhile.
const factorAge = 24 * time.Hour

// aged tells whether a second factor that was set up at a time counts now.
func (s *SignIns) aged(since time.Time) bool {
	return !since.IsZero() && s.Now().Sub(since) >= factorAge
}

// Code checks a code of the account's authenticator app, and tells whether the
// account has the app for long enough.
func (s *SignIns) Code(ctx context.Context, staff Staff, code, address string) (proven bool, err error) {
	limits := codeTries(staff.ID)
	if err := s.take(ctx, limits, address); err != nil {
		return false, err
	}
	wrong := NewError(CodeSecondFactor, nil)
	if len(staff.SealedTOTP) == 0 {
		return false, s.refuse(ctx, staff.ID, address, wrong)
	}
	secret, err := s.Secrets.OpenSecret(secretTOTP, staff.ID, staff.SealedTOTP)
	if err != nil {
		return false, err
	}
	step, right := TOTPStep(secret, code, s.Now(), staff.TOTPStep)
	if !right {
		return false, s.refuse(ctx, staff.ID, address, wrong)
	}
	err = s.Records.UseTOTPStep(ctx, staff.ID, step, staff.SealedTOTP)
	if Is(err, CodeSecondFactor) {
		return false, s.refuse(ctx, staff.ID, address, wrong)
	}
	if err != nil {
		return false, err
	}
	s.giveBack(ctx, limits)
	return s.aged(staff.TOTPSince), nil
}

// What small secrets are sealed for.
const (
	secretTOTP  = "totp"
	secretSetup = "totp-setup" // of an app that has not proved itself yet
)

// Setup is what a person sets an authenticator app up with. Sealed travels in
// the form and comes back with the first code: nothing is kept until then.
type Setup struct {
	Secret []byte
	Sealed []byte
}

// NewSetup makes a fresh secret for an account. Each is random, so that who
// saw one page of it knows nothing of the next.
func (s *SignIns) NewSetup(staff StaffID) (Setup, error) {
	secret := make([]byte, TOTPSecretSize)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the process instead
	sealed, err := s.Secrets.SealSecret(secretSetup, staff, secret)
	return Setup{secret, sealed}, err
}

// SetupAgain opens what NewSetup sealed, to show it once more.
func (s *SignIns) SetupAgain(staff StaffID, sealed []byte) (Setup, error) {
	secret, err := s.Secrets.OpenSecret(secretSetup, staff, sealed)
	if err != nil {
		return s.NewSetup(staff) // altered or of another account: begin anew
	}
	return Setup{secret, sealed}, nil
}

// proveSetup checks the first code of an app and gives what is kept of it.
func (s *SignIns) proveSetup(staff StaffID, sealed []byte, code string) ([]byte, int64, error) {
	secret, err := s.Secrets.OpenSecret(secretSetup, staff, sealed)
	if err != nil {
		return nil, 0, NewError(CodeSecondFactor, errors.New("the set-up was altered or is of another account"))
	}
	step, right := TOTPStep(secret, code, s.Now(), 0)
	if !right {
		return nil, 0, NewError(CodeSecondFactor, nil)
	}
	kept, err := s.Secrets.SealSecret(secretTOTP, staff, secret)
	return kept, step, err
}

// SetUpApp gives the account the app that the code proves. At the sign-in it
// is the account's first factor of this kind; later it replaces the old one.
func (s *SignIns) SetUpApp(ctx context.Context, who Actor, sealed []byte, code string) error {
	if err := who.Staff.local(); err != nil {
		return err
	}
	limits := codeTries(who.Staff.ID)
	if err := s.take(ctx, limits, who.From); err != nil {
		return err
	}
	kept, step, err := s.proveSetup(who.Staff.ID, sealed, code)
	if Is(err, CodeSecondFactor) {
		return s.refuse(ctx, who.Staff.ID, who.From, NewError(CodeSecondFactor, nil))
	}
	if err != nil {
		return err
	}
	s.giveBack(ctx, limits)
	change := StaffChange{SealedTOTP: &kept, TOTPStep: step, TOTPSince: s.Now(), First: who.halfway(), Others: &OtherSessions{who.Session, s.Now()}}
	return s.Records.ChangeStaff(ctx, who.Staff.Login, change, who.entry(s.Now(), ActionFactorChanged, who.own(), ""))
}

// halfway tells whether somebody only showed the password yet. They may give
// an account its first factor and change none: what they saw of the account
// may be old by the time they do.
func (a Actor) halfway() bool { return a.Session == "" }

// triesPerPasskey bounds how many challenges an address may have: each is kept
// for minutes. One that is answered as it should be is given back.
const triesPerPasskey = 60

func passkeyTries(address string) tries {
	return tries{"sign-in-passkey", AddressKey(address), triesPerPasskey, triesPer}
}

// BeginPasskey gives a browser the challenge for a passkey.
func (s *SignIns) BeginPasskey(ctx context.Context, address string) (options, state []byte, err error) {
	if err := s.take(ctx, []tries{passkeyTries(address)}, address); err != nil {
		return nil, nil, err
	}
	return s.Ceremonies.BeginUse()
}

// UsePasskey gives the account whose passkey answered the challenge, and tells
// whether the account has it for long enough. A passkey checks its owner, by
// finger, face or PIN, so it is both factors.
func (s *SignIns) UsePasskey(ctx context.Context, state, answer []byte, address string) (found Staff, proven bool, err error) {
	var keys []Passkey
	staff, used, err := s.Ceremonies.FinishUse(state, answer, func(id StaffID) (Staff, []Passkey, error) {
		staff, err := s.Records.StaffByID(ctx, id)
		if err != nil {
			return Staff{}, nil, err
		}
		keys, err = s.Records.Passkeys(ctx, id)
		return staff, keys, err
	})
	if Is(err, CodePasskey) || Is(err, CodeNotFound) || err == nil && !staff.DisabledAt.IsZero() {
		return Staff{}, false, s.refuse(ctx, staff.ID, address, NewError(CodePasskey, nil))
	}
	if err != nil {
		return Staff{}, false, err
	}
	s.giveBack(ctx, []tries{passkeyTries(address)})
	used.UsedAt = s.Now()
	proven = slices.ContainsFunc(keys, func(k Passkey) bool { return bytes.Equal(k.ID, used.ID) && s.aged(k.AddedAt) })
	return staff, proven, s.Records.UsePasskey(ctx, used)
}

// BeginAddPasskey gives a browser the options for a new passkey.
func (s *SignIns) BeginAddPasskey(ctx context.Context, staff Staff, address string) (options, state []byte, err error) {
	if err := staff.local(); err != nil {
		return nil, nil, err
	}
	if err := s.take(ctx, []tries{passkeyTries(address)}, address); err != nil {
		return nil, nil, err
	}
	has, err := s.Records.Passkeys(ctx, staff.ID)
	if err != nil {
		return nil, nil, err
	}
	return s.Ceremonies.BeginAdd(staff, has)
}

// passkeysMost bounds the passkeys of one account.
const passkeysMost = 10

// AddPasskey keeps the passkey that the browser made.
func (s *SignIns) AddPasskey(ctx context.Context, who Actor, name string, state, answer []byte) error {
	if err := who.Staff.local(); err != nil {
		return err
	}
	has, err := s.Records.Passkeys(ctx, who.Staff.ID)
	if err != nil {
		return err
	}
	key, err := s.Ceremonies.FinishAdd(who.Staff, has, state, answer)
	if err != nil {
		return err
	}
	s.giveBack(ctx, []tries{passkeyTries(who.From)})
	key.Staff, key.Name, key.AddedAt = who.Staff.ID, name, s.Now()
	return s.Records.AddPasskey(ctx, key, passkeysMost, who.halfway(), OtherSessions{who.Session, s.Now()}, who.entry(s.Now(), ActionPasskeyAdded, who.own(), ""))
}
