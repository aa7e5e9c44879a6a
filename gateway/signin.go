package gateway

import (
	"context"
	"strings"
	"time"
)

// SignIns is the flow of a staff member who signs in.
type SignIns struct {
	Records   StaffRecords
	Audit     AuditTrail
	Passwords Passwords
	Limiter   Limiter
	Now       func() time.Time
}

// Tries at signing in: a person mistypes, a guesser does not stop. Both limits
// are far below what argon2id alone would let through.
const (
	triesPerAccount = 10
	triesPerAddress = 30
	triesPer        = 15 * time.Minute
)

// TooManyTries tells how long to wait; it travels inside the Error.
type TooManyTries struct{ Wait time.Duration }

func (e TooManyTries) Error() string { return "wait " + e.Wait.Round(time.Second).String() }

// SignIn checks login and password. An unknown login, a wrong password and a
// disabled account look the same from outside.
func (s *SignIns) SignIn(ctx context.Context, login, password, address string) (Staff, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	for _, limit := range []struct {
		kind, key string
		n         int
	}{{"sign-in-address", address, triesPerAddress}, {"sign-in-account", login, triesPerAccount}} {
		allowed, wait, err := s.Limiter.Allow(ctx, limit.kind, limit.key, limit.n, triesPer)
		if err != nil {
			return Staff{}, err
		}
		if !allowed {
			return Staff{}, s.refuse(ctx, StaffID(""), address, NewError(CodeTooManyTries, TooManyTries{wait}))
		}
	}
	staff, err := s.Records.StaffByLogin(ctx, login)
	if err != nil && !Is(err, CodeNotFound) {
		return Staff{}, err
	}
	right, err := s.Passwords.Verify(ctx, staff.PasswordHash, password)
	if err != nil {
		return Staff{}, err
	}
	if !right || staff.ID == "" || !staff.DisabledAt.IsZero() {
		return Staff{}, s.refuse(ctx, staff.ID, address, NewError(CodeSignIn, nil))
	}
	actor := Actor{Staff: staff, From: address}
	return staff, s.Audit.Append(ctx, actor.entry(s.Now(), ActionSignedIn, "staff:"+string(staff.ID), ""))
}

// refuse writes the audit row of a refusal. What somebody typed as login is
// not written: people type passwords there.
func (s *SignIns) refuse(ctx context.Context, id StaffID, address string, cause *Error) error {
	entry := AuditEntry{
		At: s.Now(), Actor: "unknown", Action: ActionSignInRefused, From: address,
		Outcome: OutcomeDenied, Reason: string(cause.Code),
	}
	if id != "" {
		entry.Object = "staff:" + string(id)
	}
	if err := s.Audit.Append(ctx, entry); err != nil {
		return err
	}
	return cause
}

// Staff gives the account of a session as it stands now.
func (s *SignIns) Staff(ctx context.Context, id StaffID) (Staff, error) {
	staff, err := s.Records.StaffByID(ctx, id)
	if Is(err, CodeNotFound) || err == nil && !staff.DisabledAt.IsZero() {
		return Staff{}, NewError(CodeSignIn, nil)
	}
	return staff, err
}

// SignedOut notes the end of a session.
func (s *SignIns) SignedOut(ctx context.Context, who Actor) error {
	return s.Audit.Append(ctx, who.entry(s.Now(), ActionSignedOut, "staff:"+string(who.Staff.ID), ""))
}
