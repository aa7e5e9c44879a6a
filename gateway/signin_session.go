package gateway

import "context"

// Arrival is one sign-in that succeeded.
type Arrival struct {
	How     string // "password", "password and code", "passkey", "single sign-on"
	Proven  bool   // a second factor was shown that is old enough, or the organization asked for one
	From    string // network address
	Browser string // in words
	Device  string // the secret that this browser keeps
}

// Begin opens a session of an account, with the rows that tell of it. Nobody
// is signed in before they are written.
func (s *SignIns) Begin(ctx context.Context, staff Staff, a Arrival) (SessionID, error) {
	now := s.Now()
	id, err := NewID(now, s.Random)
	if err != nil {
		return "", err
	}
	who := Actor{Staff: staff, From: a.From}
	entry := who.entry(now, ActionSignedIn, who.own(), "")
	entry.Reason = a.How
	fresh := who.entry(now, ActionNewBrowser, who.own(), "")
	fresh.Reason = a.Browser
	session := DeskSession{
		ID: SessionID(id), Staff: staff.ID, Browser: a.Browser, From: a.From, Device: deviceOf(a.Device),
		BegunAt: now, EndsAt: now.Add(s.Total), Proven: a.Proven,
	}
	_, err = s.Records.BeginSession(ctx, session, fresh, entry)
	return session.ID, err
}

// Unlocked notes that the person came back to a locked screen.
func (s *SignIns) Unlocked(ctx context.Context, who Actor) error {
	return s.Audit.Append(ctx, who.entry(s.Now(), ActionUnlocked, who.own(), ""))
}

// OwnAccount is what a person sees of their account.
type OwnAccount struct {
	Staff    Staff
	Sessions []DeskSession
	Passkeys []Passkey
	Untold   []DeskSession // sign-ins from new browsers since the person was last asked
	Stranger bool          // this browser is new itself: it cannot say that it knows of others
}

// Own gives a person their account. Who looks at it from a session sees what
// happened in the others.
func (s *SignIns) Own(ctx context.Context, who Actor, session SessionID) (OwnAccount, error) {
	own := OwnAccount{Staff: who.Staff}
	var err error
	if own.Sessions, err = s.Records.Sessions(ctx, who.Staff.ID, s.Now()); err != nil {
		return own, err
	}
	if own.Passkeys, err = s.Records.Passkeys(ctx, who.Staff.ID); err != nil {
		return own, err
	}
	if own.Untold, err = s.Untold(ctx, who.Staff.ID, session); err != nil {
		return own, err
	}
	every, err := s.Untold(ctx, who.Staff.ID, "")
	own.Stranger = len(every) > len(own.Untold)
	return own, err
}

// Untold lists sign-ins from browsers that are new to the account and that the
// person was not asked about yet, but for the browser of the session.
func (s *SignIns) Untold(ctx context.Context, staff StaffID, session SessionID) ([]DeskSession, error) {
	return s.Records.UntoldSessions(ctx, staff, session)
}

// Told notes that the person knows of those that were shown; CodeForbidden
// from a browser that is new itself.
func (s *SignIns) Told(ctx context.Context, who Actor, session SessionID, shown []SessionID) error {
	return s.Records.SessionsTold(ctx, who.Staff.ID, session, shown, s.Now(),
		who.entry(s.Now(), ActionBrowserKnown, who.own(), ""))
}

// EndSession ends one of the person's sessions, or with no name all but the
// one to keep.
func (s *SignIns) EndSession(ctx context.Context, who Actor, one, keep SessionID) error {
	entry := who.entry(s.Now(), ActionSessionEnded, who.own(), "")
	if one == "" {
		entry.Reason = "all others"
	}
	return s.Records.EndSessions(ctx, who.Staff.ID, one, keep, s.Now(), entry)
}

// Confirm checks the password of somebody who is signed in already, before
// what would let another in. An account without a password has none to ask for.
func (s *SignIns) Confirm(ctx context.Context, who Actor, password string) error {
	if who.Staff.PasswordHash == "" {
		return nil
	}
	_, err := s.SignIn(ctx, who.Staff.Login, password, who.From)
	return err
}

// ChangePassword gives the person a new password and ends every session; the
// present one is begun anew by its caller.
func (s *SignIns) ChangePassword(ctx context.Context, who Actor, old, password string) error {
	if err := who.Staff.local(); err != nil {
		return err
	}
	if who.Staff.PasswordHash == "" {
		return NewError(CodeForbidden, nil) // by passkey alone
	}
	if err := s.Confirm(ctx, who, old); err != nil {
		return err
	}
	hash, err := s.hash(ctx, who.Staff, password)
	if err != nil {
		return err
	}
	return s.Records.ChangeStaff(ctx, who.Staff.Login, StaffChange{PasswordHash: &hash, EndsAt: s.Now(), Known: true},
		who.entry(s.Now(), ActionPasswordChanged, who.own(), ""))
}

// hash hashes a password that may be chosen for an account.
func (s *SignIns) hash(ctx context.Context, staff Staff, password string) (string, error) {
	if err := CheckPassword(password, s.Directory.namesOf(staff)...); err != nil {
		return "", err
	}
	return s.Passwords.Hash(ctx, password)
}

// namesOf gives what a guesser would try for an account.
func (d Directory) namesOf(staff Staff) []string {
	names := []string{staff.Login}
	for _, id := range staff.Roles.Offices() {
		if office, known := d.Offices[id]; known {
			names = append(names, office.Name)
		}
	}
	return names
}

// RemovePasskey removes one of the person's passkeys; CodeForbidden for the
// last way to sign in.
func (s *SignIns) RemovePasskey(ctx context.Context, who Actor, id []byte) error {
	alone := who.Staff.PasswordHash == "" || len(who.Staff.SealedTOTP) == 0 && s.Directory.AsksSecondFactor(who.Staff.Roles)
	return s.Records.RemovePasskey(ctx, who.Staff.ID, id, alone, OtherSessions{who.Session, s.Now()}, who.entry(s.Now(), ActionPasskeyRemoved, who.own(), ""))
}
