package gateway

import (
	"context"
	"io"
	"strings"
	"time"
)

// SignIns is the flow of a staff member who signs in: a password, then a
// second factor where the account has one or an office asks for one; or a
// passkey, which is both; or through the organization.
type SignIns struct {
	Directory  Directory
	Records    AccountRecords
	Audit      AuditTrail
	Passwords  Passwords
	Secrets    Secrets
	Ceremonies PasskeyCeremonies
	SSO        *SingleSignOn // nil if there is none
	Limiter    Tries
	// Emergencies gives what a session may look at in an emergency; nil for nothing.
	Emergencies *Emergencies
	Now         func() time.Time
	Random      io.Reader
	Total       time.Duration // a session ends after this long in any case
}

// Tries at signing in that fail: a person mistypes, a guesser does not stop.
// Both limits are far below what argon2id alone would let through. A whole
// office may share one address, so a sign-in that succeeds counts in neither.
const (
	triesPerAccount = 10
	triesPerAddress = 30
	triesPer        = 15 * time.Minute
)

// tries is one bucket that a try is taken from.
type tries struct {
	kind, key string
	n         int
	per       time.Duration
}

// TooManyTries tells how long to wait; it travels inside the Error.
type TooManyTries struct{ Wait time.Duration }

func (e TooManyTries) Error() string { return "wait " + e.Wait.Round(time.Second).String() }

// SignIn checks login and password; what the account needs beside them is for
// Needs to tell. An unknown login, a wrong password and a disabled account
// look the same from outside.
func (s *SignIns) SignIn(ctx context.Context, login, password, address string) (Staff, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	limits := []tries{
		{"sign-in-address", AddressKey(address), triesPerAddress, triesPer},
		{"sign-in-account", login, triesPerAccount, triesPer},
	}
	if err := s.take(ctx, limits, address); err != nil {
		return Staff{}, err
	}
	staff, err := s.Records.StaffByLogin(ctx, login)
	if err != nil && !Is(err, CodeNotFound) {
		return Staff{}, err
	}
	right, err := s.Passwords.Verify(ctx, staff.PasswordHash, password)
	if err != nil {
		return Staff{}, err
	}
	if !right || staff.ID == "" || staff.SSO() || !staff.DisabledAt.IsZero() {
		return Staff{}, s.refuse(ctx, staff.ID, address, NewError(CodeSignIn, nil))
	}
	s.giveBack(ctx, limits)
	return staff, nil
}

// take takes one try from each of the buckets, or refuses.
func (s *SignIns) take(ctx context.Context, limits []tries, address string) error {
	for _, limit := range limits {
		allowed, wait, err := s.Limiter.Allow(ctx, limit.kind, limit.key, limit.n, limit.per)
		if err != nil {
			return err
		}
		if !allowed {
			return s.refuseMore(ctx, limit, address, wait)
		}
	}
	return nil
}

// giveBack gives back the tries of somebody who was right. A try that is not
// given back comes back with time.
func (s *SignIns) giveBack(ctx context.Context, limits []tries) {
	for _, limit := range limits {
		_ = s.Limiter.Forgive(ctx, limit.kind, limit.key, limit.n, limit.per)
	}
}

// refuseMore refuses a try beyond a limit. The first of a burst writes an
// audit row; the others would only let a guesser fill the trail.
func (s *SignIns) refuseMore(ctx context.Context, limit tries, address string, wait time.Duration) error {
	cause := NewError(CodeTooManyTries, TooManyTries{wait})
	kind := limit.kind + "-told"
	first, _, err := s.Limiter.Allow(ctx, kind, limit.key, 1, triesPer)
	if err != nil {
		return err
	}
	if !first {
		return cause
	}
	err = s.refuse(ctx, "", address, cause)
	if !Is(err, CodeTooManyTries) { // not written: the next one has to
		_ = s.Limiter.Forgive(ctx, kind, limit.key, 1, triesPer)
	}
	return err
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

// Staff gives the account of a session as it stands now; of one that waits for
// its second factor, session is empty.
func (s *SignIns) Staff(ctx context.Context, id StaffID, session SessionID) (Staff, error) {
	find := func() (Staff, error) { return s.Records.StaffInSession(ctx, id, session) }
	if session == "" {
		find = func() (Staff, error) { return s.Records.StaffByID(ctx, id) }
	}
	staff, err := find()
	if Is(err, CodeNotFound) || err == nil && !staff.DisabledAt.IsZero() {
		return Staff{}, NewError(CodeSignIn, nil)
	}
	if err == nil && session != "" && s.Emergencies != nil {
		staff.Emergencies, err = s.Emergencies.running(ctx, staff, session)
	}
	return staff, err
}

// SignedOut ends a session of a person.
func (s *SignIns) SignedOut(ctx context.Context, who Actor, session SessionID) error {
	now := s.Now()
	entry := who.entry(now, ActionSignedOut, who.own(), "")
	if session == "" {
		return s.Audit.Append(ctx, entry)
	}
	return s.Records.EndSessions(ctx, who.Staff.ID, session, "", now, entry)
}

// Refused notes that somebody asked for what their roles do not allow.
func (s *SignIns) Refused(ctx context.Context, who Actor, route string) error {
	entry := who.entry(s.Now(), ActionRouteRefused, "route:"+route, "")
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeForbidden)
	return s.Audit.Append(ctx, entry)
}
