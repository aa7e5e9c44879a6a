package seal

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"dropslot/gateway"
)

var _ gateway.Secrets = (*Secrets)(nil)

// secretVersion is the first byte of a sealed secret: what follows is a nonce
// of 24 bytes and the secret with its tag, XChaCha20-Poly1305.
const secretVersion = 1

// Secrets seals small secrets of accounts under a subkey of the link key.
type Secrets struct {
	aead   cipher.AEAD
	random io.Reader
}

// NewSecrets derives the subkey; random gives nonces and is crypto/rand's
// Reader outside of tests.
func NewSecrets(key gateway.LinkKey, random io.Reader) (*Secrets, error) {
	aead, err := chacha20poly1305.NewX(key.Subkey(gateway.SubkeyStaff))
	if err != nil {
		return nil, fmt.Errorf("prepare sealing of accounts' secrets: %w", err)
	}
	return &Secrets{aead, random}, nil
}

// SealSecret seals for one purpose and account.
func (s *Secrets) SealSecret(purpose string, staff gateway.StaffID, plain []byte) ([]byte, error) {
	sealed := make([]byte, 1+chacha20poly1305.NonceSizeX, 1+chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	sealed[0] = secretVersion
	if _, err := io.ReadFull(s.random, sealed[1:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return s.aead.Seal(sealed, sealed[1:], plain, secretContext(purpose, staff)), nil
}

// OpenSecret opens what was sealed for this purpose and account;
// gateway.CodeBlobDamaged for everything else.
func (s *Secrets) OpenSecret(purpose string, staff gateway.StaffID, sealed []byte) ([]byte, error) {
	const start = 1 + chacha20poly1305.NonceSizeX
	if len(sealed) < start || sealed[0] != secretVersion {
		return nil, gateway.NewError(gateway.CodeBlobDamaged, errors.New("not a sealed secret"))
	}
	plain, err := s.aead.Open(nil, sealed[1:start], sealed[start:], secretContext(purpose, staff))
	if err != nil {
		return nil, gateway.NewError(gateway.CodeBlobDamaged,
			errors.New("the sealed secret was altered, is another account's, or belongs to another link key"))
	}
	return plain, nil
}

// secretContext is what a secret is bound to. No purpose holds a zero byte.
func secretContext(purpose string, staff gateway.StaffID) []byte {
	return append([]byte(purpose+"\x00"), staff...)
}
