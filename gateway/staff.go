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
	PasswordHash string // PHC string format of argon2id
	Offices      []OfficeID
	CreatedAt    time.Time
	DisabledAt   time.Time
}

// StaffChange is what of an account is to be changed. What is nil stays.
type StaffChange struct {
	PasswordHash *string
	Offices      []OfficeID
	DisabledAt   *time.Time // zero switches the account on again
}

// May tells whether the staff member works for an office.
func (s Staff) May(office OfficeID) bool {
	return s.DisabledAt.IsZero() && slices.Contains(s.Offices, office)
}

var loginPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{1,63}$`)

// ValidLogin tells whether a login has the allowed shape.
func ValidLogin(login string) bool { return loginPattern.MatchString(login) }
