package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"unicode"
)

// CaseIndex is a keyed hash of an office's case number: equal numbers have
// equal ones, and nobody without the link key learns the number.
type CaseIndex [16]byte

// IsZero tells whether it stands for nothing.
func (i CaseIndex) IsZero() bool { return i == CaseIndex{} }

// Blind makes what stands for a case number or a client where their names must
// not be: in the records' indexes and in URLs.
type Blind struct {
	cases   []byte
	clients cipher.Block
}

// NewBlind derives the subkeys.
func NewBlind(key LinkKey) Blind {
	block, err := aes.NewCipher(key.Subkey(SubkeyClients))
	if err != nil {
		panic("aes: " + err.Error()) // only for lengths that no subkey has
	}
	return Blind{cases: key.Subkey(SubkeyCases), clients: block}
}

// Case gives the index of a case number, however it is spaced, hyphenated or
// capitalized; zero if nothing is left of it.
func (b Blind) Case(office OfficeID, number string) CaseIndex {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, number)
	if plain == "" {
		return CaseIndex{}
	}
	mac := hmac.New(sha256.New, b.cases)
	mac.Write([]byte(office))
	mac.Write([]byte{0})
	mac.Write([]byte(plain))
	return CaseIndex(mac.Sum(nil)[:len(CaseIndex{})])
}

// ClientID names a phone at an office in a URL: its index under another key,
// so that neither phone nor index stands there, and no table is needed to find
// the way back. One block of AES is a permutation of all indexes.
type ClientID string

// Client gives the name of a phone's index.
func (b Blind) Client(sender PhoneIndex) ClientID {
	var out [aes.BlockSize]byte
	b.clients.Encrypt(out[:], sender[:])
	return ClientID(strings.ToLower(sortable.EncodeToString(out[:])))
}

// Sender gives the way back; false if the text has not the shape of a name. A
// name that was made up gives an index that nothing has.
func (b Blind) Sender(id ClientID) (PhoneIndex, bool) {
	raw, err := sortable.DecodeString(strings.ToUpper(string(id)))
	if err != nil || len(raw) != aes.BlockSize || !ValidID(string(id)) {
		return PhoneIndex{}, false
	}
	var out PhoneIndex
	b.clients.Decrypt(out[:], raw)
	return out, true
}
