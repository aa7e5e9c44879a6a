package seal

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"dropslot/gateway"
)

var _ gateway.PhoneBook = (*PhoneBook)(nil)

const (
	// phoneVersion is the first byte of a sealed phone: what follows is a
	// nonce of 24 bytes and 16 sealed bytes with their tag, XChaCha20-Poly1305.
	phoneVersion = 1
	// phoneSpace is what every number is padded to with zero bytes: a plus
	// sign and at most 15 digits. The length of the sealed form tells nothing.
	phoneSpace = 16
	phoneBytes = 1 + chacha20poly1305.NonceSizeX + phoneSpace + chacha20poly1305.Overhead
)

// PhoneBook seals phone numbers and finds them again, under two subkeys of
// the link key. Whoever holds the link key can do both.
type PhoneBook struct {
	aead     cipher.AEAD
	indexKey []byte
	random   io.Reader
}

// NewPhoneBook derives the subkeys; random gives nonces and is crypto/rand's
// Reader outside of tests.
func NewPhoneBook(key gateway.LinkKey, random io.Reader) (*PhoneBook, error) {
	aead, err := chacha20poly1305.NewX(key.Subkey(gateway.SubkeyPhones))
	if err != nil {
		return nil, fmt.Errorf("prepare sealing of phone numbers: %w", err)
	}
	return &PhoneBook{aead: aead, indexKey: key.Subkey(gateway.SubkeyIndexes), random: random}, nil
}

// Index gives the keyed hash that stands for a phone at an office: HMAC-SHA-256
// of office, zero byte and number, cut to 16 bytes. No number holds a zero
// byte, so no two pairs meet. No phone has the zero index.
func (b *PhoneBook) Index(office gateway.OfficeID, p gateway.Phone) gateway.PhoneIndex {
	if p.IsZero() {
		return gateway.PhoneIndex{}
	}
	mac := hmac.New(sha256.New, b.indexKey)
	mac.Write([]byte(office))
	mac.Write([]byte{0})
	mac.Write([]byte(p.E164()))
	return gateway.PhoneIndex(mac.Sum(nil)[:len(gateway.PhoneIndex{})])
}

// Seal encrypts a number, each time to other bytes.
func (b *PhoneBook) Seal(p gateway.Phone) (gateway.SealedPhone, error) {
	number := p.E164()
	if number == "" || len(number) > phoneSpace {
		return nil, gateway.NewError(gateway.CodeBadPhone, nil)
	}
	sealed := make([]byte, 1+chacha20poly1305.NonceSizeX, phoneBytes)
	sealed[0] = phoneVersion
	if _, err := io.ReadFull(b.random, sealed[1:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	var padded [phoneSpace]byte
	copy(padded[:], number)
	return b.aead.Seal(sealed, sealed[1:], padded[:], sealed[:1]), nil
}

// Open gives the number back; gateway.CodeBlobDamaged if it was altered or
// sealed under another link key.
func (b *PhoneBook) Open(s gateway.SealedPhone) (gateway.Phone, error) {
	if len(s) != phoneBytes || s[0] != phoneVersion {
		return gateway.Phone{}, gateway.NewError(gateway.CodeBlobDamaged, errors.New("not a sealed phone number"))
	}
	nonce, sealed := s[1:1+chacha20poly1305.NonceSizeX], s[1+chacha20poly1305.NonceSizeX:]
	padded, err := b.aead.Open(nil, nonce, sealed, s[:1])
	if err != nil {
		return gateway.Phone{}, gateway.NewError(gateway.CodeBlobDamaged,
			errors.New("the sealed phone number was altered or belongs to another link key"))
	}
	end := len(padded)
	for end > 0 && padded[end-1] == 0 {
		end--
	}
	p, err := gateway.ParsePhone(string(padded[:end]))
	if err != nil {
		return gateway.Phone{}, gateway.NewError(gateway.CodeBlobDamaged, errors.New("no phone number was sealed"))
	}
	return p, nil
}
