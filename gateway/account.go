package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// Passkey is a credential of WebAuthn that belongs to an account.
type Passkey struct {
	ID      []byte // as the authenticator named it
	Staff   StaffID
	Name    string // what the person calls it
	Record  []byte // JSON: public key, counter, flags
	AddedAt time.Time
	UsedAt  time.Time
}

// SessionID names one session at the desk. It opens nothing.
type SessionID string

// DeskSession is what is remembered of one sign-in. The records decide
// whether it lives; Redis carries it.
type DeskSession struct {
	ID      SessionID
	Staff   StaffID
	Browser string // in words, like "Firefox on Windows"
	From    string // network address
	Device  Device
	BegunAt time.Time
	EndsAt  time.Time
	Fresh   bool // the account never signed in from that browser before
	Proven  bool // by more than a password; see Arrival
}

// OtherSessions are those that end when an account's way to sign in changes:
// all but the one that changes it.
type OtherSessions struct {
	Keep SessionID
	At   time.Time
}

// Device is the SHA-256 of a secret that a browser keeps, by which it is
// recognized again.
type Device [32]byte

// InvitationKind tells what a one-time link of an account is for.
type InvitationKind string

// The kinds.
const (
	InvitationNew   InvitationKind = "new"   // to set a new account up
	InvitationReset InvitationKind = "reset" // password or phone was lost
)

// How long a link to an account works. It is handed over in person or by
// telephone, so a reset is used at once.
const (
	InvitationTTL = 72 * time.Hour
	ResetTTL      = 24 * time.Hour
)

// TTL is how long a link of this kind works.
func (k InvitationKind) TTL() time.Duration {
	if k == InvitationReset {
		return ResetTTL
	}
	return InvitationTTL
}

// Invitation is a one-time link by which a person sets up an account of
// theirs. There is at most one for an account.
type Invitation struct {
	Hash      TokenHash // of what stands in the link
	Staff     StaffID
	Kind      InvitationKind
	MadeBy    StaffID // empty: the operator
	ExpiresAt time.Time
}

// NewSecretToken makes the secret of such a link: 130 random bits.
func NewSecretToken() Token {
	var raw [17]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))
	return Token{text: text[:TokenLength]}
}

// Credentials are what a person sets an account up with: a password and a
// code of an app, or a passkey. What is empty is not there afterwards.
type Credentials struct {
	PasswordHash string
	SealedTOTP   []byte
	TOTPStep     int64 // of the code that proved the app
	Passkey      *Passkey
}

// AccountRecords keeps what hangs on accounts. Each method is one transaction.
type AccountRecords interface {
	StaffRecords
	// StaffByIdentity finds an account of single sign-on, or CodeNotFound.
	StaffByIdentity(ctx context.Context, hash IdentityHash) (Staff, error)
	// SetRoles gives an account these roles at one office and leaves those at
	// others, or CodeNotFound. Like every change of an account it ends the
	// account's open link. Work at an office where the account had none, and
	// the loss of its last role, end its sessions.
	SetRoles(ctx context.Context, id StaffID, office OfficeID, roles []Role, audit ...AuditEntry) error
	// SaveInvitation stores a link and forgets an older one of that account.
	// CodeSwitchedOff for a disabled account, CodeShared for one that works for
	// an office beyond these.
	SaveInvitation(ctx context.Context, i Invitation, offices []OfficeID, audit ...AuditEntry) error
	// Invitation finds a link that still works at a time, with its account, or
	// CodeNotFound.
	Invitation(ctx context.Context, hash TokenHash, now time.Time) (Invitation, Staff, error)
	// OpenInvitations lists the links that work at a time.
	OpenInvitations(ctx context.Context, now time.Time) ([]Invitation, error)
	// CancelInvitation forgets an account's link, or CodeNotFound; CodeShared for
	// an account that works for an office beyond these.
	CancelInvitation(ctx context.Context, staff StaffID, offices []OfficeID, audit ...AuditEntry) error
	// AcceptInvitation uses a link up and gives its account these credentials
	// and no others; every session of the account ends. CodeNotFound for a link
	// that does not work any more or whose account was disabled: of two who use
	// it at once, one gets it.
	AcceptInvitation(ctx context.Context, hash TokenHash, now time.Time, c Credentials, audit ...AuditEntry) error
	// UseTOTPStep remembers the step of a code, so that it works once;
	// CodeSecondFactor if that step or a later one was used, or if the app that
	// the code is of was replaced.
	UseTOTPStep(ctx context.Context, id StaffID, step int64, sealed []byte) error

	// AddPasskey stores one; CodePasskey if the account has most of them,
	// CodeForbidden if it is to be the first factor and there is one. As with
	// every change of what somebody signs in with, the account's other sessions
	// end.
	AddPasskey(ctx context.Context, p Passkey, most int, first bool, others OtherSessions, audit ...AuditEntry) error
	// RemovePasskey removes one of an account, or CodeNotFound; CodeForbidden
	// for its last one if it has to keep one.
	RemovePasskey(ctx context.Context, staff StaffID, id []byte, keepOne bool, others OtherSessions, audit ...AuditEntry) error
	Passkeys(ctx context.Context, staff StaffID) ([]Passkey, error)
	// UsePasskey keeps the counter of a passkey that was used.
	UsePasskey(ctx context.Context, p Passkey) error

	// BeginSession stores a session and tells whether its browser is new to
	// the account, which is not said of an account's first one. The entries
	// are written as they are; fresh, if the browser is new, beside them.
	BeginSession(ctx context.Context, s DeskSession, fresh AuditEntry, audit ...AuditEntry) (bool, error)
	// StaffInSession finds the account of a session that was not ended, or
	// CodeNotFound.
	StaffInSession(ctx context.Context, staff StaffID, session SessionID) (Staff, error)
	// Sessions lists those of an account that live, newest first.
	Sessions(ctx context.Context, staff StaffID, now time.Time) ([]DeskSession, error)
	// EndSessions ends one session of an account, CodeNotFound if it has none
	// of that name; or with no name all of them but the one to keep.
	EndSessions(ctx context.Context, staff StaffID, one, keep SessionID, at time.Time, audit ...AuditEntry) error
	// UntoldSessions lists sign-ins from new browsers that the person was not
	// asked about yet, but for those from the browser of the session that asks.
	UntoldSessions(ctx context.Context, staff StaffID, asking SessionID) ([]DeskSession, error)
	// SessionsTold notes that the person knows of these, if the session that
	// asks is from a browser that was known before: CodeForbidden otherwise.
	SessionsTold(ctx context.Context, staff StaffID, asking SessionID, shown []SessionID, at time.Time, audit ...AuditEntry) error
}

// Secrets seals small secrets of accounts under a subkey of the link key.
type Secrets interface {
	// SealSecret seals for one purpose and account; it opens for these alone.
	SealSecret(purpose string, staff StaffID, plain []byte) ([]byte, error)
	OpenSecret(purpose string, staff StaffID, sealed []byte) ([]byte, error)
}

// PasskeyCeremonies speaks WebAuthn. State is kept by the caller, for minutes,
// out of the browser's reach.
type PasskeyCeremonies interface {
	// BeginAdd gives the options for navigator.credentials.create.
	BeginAdd(staff Staff, has []Passkey) (options, state []byte, err error)
	// FinishAdd checks the answer; CodePasskey if it does not hold.
	FinishAdd(staff Staff, has []Passkey, state, answer []byte) (Passkey, error)
	// BeginUse gives the options for navigator.credentials.get.
	BeginUse() (options, state []byte, err error)
	// FinishUse checks the answer of the account that find gives for the
	// handle that the passkey tells; CodePasskey if it does not hold.
	FinishUse(state, answer []byte, find func(StaffID) (Staff, []Passkey, error)) (Staff, Passkey, error)
}

// deviceOf is what is stored of a browser's secret.
func deviceOf(secret string) Device {
	if secret == "" {
		return Device{}
	}
	return sha256.Sum256([]byte("desk-device:" + secret))
}
