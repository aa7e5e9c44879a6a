package gateway

import (
	"regexp"
	"slices"
	"time"
)

// Staff is one named account.
type Staff struct {
	ID           StaffID
	Login        string // lowercase; a name or an e-mail address
	PasswordHash string // PHC string format of argon2id; empty: nobody signs in by password
	Roles        Roles
	SealedTOTP   []byte       // the secret of an authenticator app; empty if there is none
	TOTPStep     int64        // of the last code that was used
	TOTPSince    time.Time    // the account has this app
	Passkeys     int          // how many the account has
	Epoch        int64        // a higher one ends every session
	Identity     IdentityHash // of whom an organization signs in; zero if the account signs in here
	CreatedAt    time.Time
	DisabledAt   time.Time
	Emergencies  []Emergency // that run in the session of the present request; nil elsewhere
}

// StaffChange is what of an account is to be changed. What is nil stays.
type StaffChange struct {
	PasswordHash *string
	Roles        Roles
	SealedTOTP   *[]byte
	TOTPStep     int64          // with SealedTOTP
	TOTPSince    time.Time      // with SealedTOTP
	First        bool           // CodeForbidden, and nothing is changed, if the account has a second factor
	DisabledAt   *time.Time     // zero switches the account on again
	Others       *OtherSessions // these end
	EndsAt       time.Time      // every session ends then; zero: they go on
	Known        bool           // with EndsAt: the sign-ins from new browsers until then are the person's own
	OnlyAt       []OfficeID     // CodeShared, and nothing is changed, if the account works for another office too; nil: wherever it works
}

// HasFactor tells whether the account has a second factor: an app, or a
// passkey, which stands for both.
func (s Staff) HasFactor() bool { return len(s.SealedTOTP) > 0 || s.Passkeys > 0 }

// SSO tells whether the person signs in through their organization, and by
// nothing that is kept here.
func (s Staff) SSO() bool { return !s.Identity.IsZero() }

// Can tells whether the staff member has a right at an office, by a role or,
// to look at papers, in an emergency.
func (s Staff) Can(right Right, office OfficeID) bool {
	return s.DisabledAt.IsZero() && s.Roles.Grant(right, office) || right == RightPapers && s.emergencyAt(office).ID != ""
}

// OfficesWith gives the offices where the staff member has a right, in
// alphabetical order: what every query is asked for.
func (s Staff) OfficesWith(right Right) []OfficeID {
	var offices []OfficeID
	for office := range s.Roles {
		if s.Can(right, office) {
			offices = append(offices, office)
		}
	}
	for _, e := range s.Emergencies {
		if right == RightPapers && s.emergencyAt(e.Office).ID == e.ID {
			offices = append(offices, e.Office)
		}
	}
	slices.Sort(offices)
	return offices
}

// CanSomewhere tells whether the staff member has a right at some office.
func (s Staff) CanSomewhere(right Right) bool { return len(s.OfficesWith(right)) > 0 }

var loginPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{1,63}$`)

// ValidLogin tells whether a login has the allowed shape.
func ValidLogin(login string) bool { return loginPattern.MatchString(login) }
