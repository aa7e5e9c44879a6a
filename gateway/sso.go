package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"regexp"
	"strings"
	"time"
)

// Identity is what the organization's identity provider says of somebody.
type Identity struct {
	Issuer, Subject string // together they name one person for ever
	Login           string // a name that people know; it decides nothing
	Groups          []string
	SecondFactor    bool // the provider asked for a second factor, as far as it was configured to tell
}

// LogValue keeps names out of logs.
func (Identity) LogValue() slog.Value { return slog.StringValue("[identity]") }

// IdentityHash is what is stored of issuer and subject: a keyed hash. Zero for
// an account that signs in here.
type IdentityHash [sha256.Size]byte

// IsZero tells whether it stands for nobody.
func (h IdentityHash) IsZero() bool { return h == IdentityHash{} }

// IdentityAnswer is what the provider sends a browser back with.
type IdentityAnswer struct{ Code, Fault, Issuer string }

// LogValue keeps codes out of logs.
func (IdentityAnswer) LogValue() slog.Value { return slog.StringValue("[answer]") }

// IdentityProvider speaks OpenID Connect with the organization's provider.
// State is kept by the caller, for minutes, out of the browser's reach.
type IdentityProvider interface {
	// Begin gives the address that a browser is sent to; name comes back with
	// the answer. The person must have shown who they are within maxAge; with
	// zero the provider asks them anew. CodeSSODown if it cannot be reached.
	Begin(ctx context.Context, name string, maxAge time.Duration) (address string, state []byte, err error)
	// Finish checks the answer: CodeSSO if it does not hold, CodeSSODown.
	Finish(ctx context.Context, state []byte, answer IdentityAnswer) (Identity, error)
}

// SingleSignOn is how people sign in through their organization.
type SingleSignOn struct {
	Provider IdentityProvider
	Groups   map[string]Roles // what the provider's groups may do here
	Key      []byte           // of the hashes of identities
	MaxAge   time.Duration    // a sign-in at the provider that is older opens no desk
}

// hash gives what is stored of an identity.
func (s *SingleSignOn) hash(i Identity) IdentityHash {
	mac := hmac.New(sha256.New, s.Key)
	_ = binary.Write(mac, binary.BigEndian, uint32(len(i.Issuer))) // #nosec G115 -- an address; a hash takes all that is written
	mac.Write([]byte(i.Issuer + i.Subject))
	return IdentityHash(mac.Sum(nil))
}

// roles gives what a person's groups may do, all of them together.
func (s *SingleSignOn) roles(groups []string) Roles {
	roles := Roles{}
	for _, group := range groups {
		for office, given := range s.Groups[group] {
			for _, role := range given {
				roles.Add(role, office)
			}
		}
	}
	return roles
}

var noLogin = regexp.MustCompile(`[^a-z0-9._@+-]+`)

// loginOf makes a login of the name that the provider tells, with room for a
// number behind it.
func loginOf(name string, hash IdentityHash) string {
	login := noLogin.ReplaceAllString(strings.ToLower(strings.TrimSpace(name)), "-")
	login = strings.TrimLeft(login, "._@+-")
	if len(login) > 56 {
		login = login[:56]
	}
	if !ValidLogin(login) {
		return "sso-" + hex.EncodeToString(hash[:4])
	}
	return login
}
