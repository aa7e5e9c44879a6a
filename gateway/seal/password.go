package seal

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"dropslot/gateway"
)

var _ gateway.Passwords = (*Passwords)(nil)

// passwordMax bounds a password in bytes; no person types more.
const passwordMax = 1024

// PasswordCost is what one hash takes. Memory is in KiB.
type PasswordCost struct {
	Memory  uint32
	Passes  uint32
	Threads uint8
}

// DefaultPasswordCost is the second recommended choice of RFC 9106, section
// 4: 64 MiB, three passes, four lanes.
func DefaultPasswordCost() PasswordCost {
	return PasswordCost{Memory: 64 << 10, Passes: 3, Threads: 4}
}

// Passwords hashes and checks passwords with argon2id. At most a fixed number
// of them are worked on at a time, so that a flood of sign-ins waits instead
// of taking all memory.
type Passwords struct {
	cost   PasswordCost
	random io.Reader
	slots  chan struct{}

	// dummy is hashed against for accounts that do not exist.
	dummy func() (passwordHash, error)
}

// NewPasswords takes the cost of new hashes, how many may be worked on at a
// time, and the source of salts, crypto/rand's Reader outside of tests.
func NewPasswords(cost PasswordCost, atOnce int, random io.Reader) (*Passwords, error) {
	if err := cost.check(); err != nil {
		return nil, err
	}
	if atOnce < 1 {
		return nil, errors.New("at least one password must be allowed at a time")
	}
	p := &Passwords{cost: cost, random: random, slots: make(chan struct{}, atOnce)}
	p.dummy = sync.OnceValues(p.newHash)
	return p, nil
}

// Hash gives the PHC string of a password. It waits for its turn until the
// context ends.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if password == "" || len(password) > passwordMax {
		return "", gateway.NewError(gateway.CodeBadRequest, fmt.Errorf("a password has 1 to %d bytes", passwordMax))
	}
	hash, err := p.newHash()
	if err != nil {
		return "", err
	}
	key, err := p.derive(ctx, hash, password)
	if err != nil {
		return "", err
	}
	hash.key = key
	return hash.String(), nil
}

// Verify tells whether the password is that of the hash. An empty hash, for
// an account that does not exist, takes as long as one of the present cost
// and is never right. A hash that cannot be read is an error.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (bool, error) {
	if len(password) > passwordMax {
		password = "" // is never right, and costs what a wrong one costs
	}
	if hash == "" {
		dummy, err := p.dummy()
		if err != nil {
			return false, err
		}
		_, err = p.derive(ctx, dummy, password)
		return false, err
	}
	stored, err := parsePasswordHash(hash)
	if err != nil {
		return false, err
	}
	key, err := p.derive(ctx, stored, password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, stored.key) == 1 && password != "", nil
}

// Outdated tells whether a hash was made at another cost than new ones are:
// hash the password again at the next sign-in.
func (p *Passwords) Outdated(hash string) bool {
	stored, err := parsePasswordHash(hash)
	return err != nil || stored.cost != p.cost
}

// newHash gives a hash with a fresh salt, its key not yet derived.
func (p *Passwords) newHash() (passwordHash, error) {
	h := passwordHash{cost: p.cost, salt: make([]byte, passwordSalt), key: make([]byte, passwordKey)}
	if _, err := io.ReadFull(p.random, h.salt); err != nil {
		return h, fmt.Errorf("read randomness: %w", err)
	}
	return h, nil
}

// derive does the work, in one of the slots. The password is brought to
// Unicode's form C first: two keyboards may send one letter as different bytes.
func (p *Passwords) derive(ctx context.Context, h passwordHash, password string) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), h.salt, h.cost.Passes, h.cost.Memory, h.cost.Threads, uint32(len(h.key))), nil // #nosec G115 -- at most 64
}
