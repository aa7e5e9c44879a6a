package gateway

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"io"
	"log/slog"
	"regexp"
)

// LinkKeySize is the length of the link key in bytes.
const LinkKeySize = 32

// LinkKey is the secret behind links, phone indexes and the audit trail. It
// is never used itself: each purpose has a subkey.
type LinkKey struct{ secret [LinkKeySize]byte }

// NewLinkKey takes the 32 random bytes that `dropslot keygen` made.
func NewLinkKey(secret []byte) (LinkKey, error) {
	var k LinkKey
	if len(secret) != LinkKeySize {
		return k, errors.New("the link key must be 32 bytes; make one with: dropslot keygen")
	}
	copy(k.secret[:], secret)
	return k, nil
}

func (LinkKey) String() string       { return "[link key]" }
func (LinkKey) GoString() string     { return "[link key]" }
func (LinkKey) LogValue() slog.Value { return slog.StringValue("[link key]") }

// The purposes of subkeys.
const (
	SubkeyTokens  = "tokens"
	SubkeyPhones  = "phones"  // sealing phone numbers
	SubkeyIndexes = "indexes" // finding phone numbers again
	SubkeyAudit   = "audit"
	SubkeyConfig  = "configuration" // comparing what two starts were configured with
	SubkeyPages   = "pages"         // recognizing a page that a form sends twice
	SubkeyLimits  = "addresses"     // network addresses in Redis
	SubkeyWords   = "words"         // recognizing words that come again
	SubkeyStaff   = "staff"         // sealing second factors of accounts
	SubkeyCases   = "cases"         // finding case numbers again
	SubkeyClients = "clients"       // naming clients in URLs
	SubkeyWishes  = "wishes"        // sealing a caseworker's words to a client
	SubkeySSO     = "identities"    // finding accounts of single sign-on again
)

// Subkey derives 32 bytes for one purpose (HKDF-SHA-256, RFC 5869).
func (k LinkKey) Subkey(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.secret[:], nil, "dropslot/v1/"+purpose, 32)
	if err != nil {
		panic("hkdf: " + err.Error()) // only for lengths above 255 hashes
	}
	return key
}

// Token is the secret in a link's URL: 130 bits as 26 lowercase base32
// letters (RFC 4648), which no phone cuts off at the end of a URL. It prints
// redacted; only Reveal gives it.
type Token struct{ text string }

// TokenLength is the number of characters of a token.
const TokenLength = 26

var tokenPattern = regexp.MustCompile(`^[a-z2-7]{26}$`)

// ParseToken takes what stands in a URL. It refuses all that cannot be a token
// before anything is looked up.
func ParseToken(text string) (Token, error) {
	if !tokenPattern.MatchString(text) {
		return Token{}, NewError(CodeLinkUnknown, nil)
	}
	return Token{text: text}, nil
}

// Reveal gives the token in clear, for the URL in a text.
func (t Token) Reveal() string { return t.text }

// Hash is what is stored of a token.
func (t Token) Hash() TokenHash { return sha256.Sum256([]byte(t.text)) }

func (Token) String() string               { return "[token]" }
func (Token) GoString() string             { return "[token]" }
func (Token) LogValue() slog.Value         { return slog.StringValue("[token]") }
func (Token) MarshalText() ([]byte, error) { return []byte("[token]"), nil }

// TokenHash is the SHA-256 of a token.
type TokenHash [sha256.Size]byte

// Nonce makes a link's token differ from every other token of its identifier.
type Nonce [16]byte

// NewNonce reads a nonce.
func NewNonce(random io.Reader) (Nonce, error) {
	var n Nonce
	_, err := io.ReadFull(random, n[:])
	return n, err
}

// TokenMint makes tokens. The same link always has the same token, so that a
// lost answer, a retried job or a reminder sends the identical link.
type TokenMint struct{ subkey []byte }

// NewTokenMint makes the mint of a link key.
func NewTokenMint(key LinkKey) TokenMint { return TokenMint{subkey: key.Subkey(SubkeyTokens)} }

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Token gives the token of a link: 130 bits of HMAC-SHA-256(subkey, id ‖ nonce).
func (m TokenMint) Token(id LinkID, nonce Nonce) Token {
	mac := hmac.New(sha256.New, m.subkey)
	mac.Write([]byte(id))
	mac.Write(nonce[:])
	return Token{text: lowerBase32.EncodeToString(mac.Sum(nil))[:TokenLength]}
}

// Browser is the random secret in the __Host- cookie that a claim binds a
// link to. Only its hash is stored.
type Browser struct{ secret string }

var browserPattern = regexp.MustCompile(`^[a-z2-7]{52}$`)

// NewBrowser makes a secret of 256 bits.
func NewBrowser(random io.Reader) (Browser, error) {
	var raw [32]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return Browser{}, err
	}
	return Browser{secret: lowerBase32.EncodeToString(raw[:])}, nil
}

// ParseBrowser takes a cookie's value; anything malformed is no browser.
func ParseBrowser(cookie string) (Browser, bool) {
	return Browser{secret: cookie}, browserPattern.MatchString(cookie)
}

// Reveal gives the secret in clear, for the Set-Cookie header.
func (b Browser) Reveal() string { return b.secret }

// Hash is what is stored of a browser.
func (b Browser) Hash() BrowserHash { return sha256.Sum256([]byte(b.secret)) }

func (Browser) String() string               { return "[browser]" }
func (Browser) GoString() string             { return "[browser]" }
func (Browser) LogValue() slog.Value         { return slog.StringValue("[browser]") }
func (Browser) MarshalText() ([]byte, error) { return []byte("[browser]"), nil }

// BrowserHash is the SHA-256 of a browser's secret. Zero means none.
type BrowserHash [sha256.Size]byte

// IsZero tells whether there is no browser.
func (h BrowserHash) IsZero() bool { return h == BrowserHash{} }

// Equal compares in constant time.
func (h BrowserHash) Equal(other BrowserHash) bool {
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1
}
