package twilio

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- Twilio signs with HMAC-SHA1
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"net/http"
	"sync"
)

const signatureHeader = "X-Twilio-Signature"

// The length of 20 bytes in standard base64.
const signatureLength = 28

// signer makes the signatures of one auth token. Its hashes are kept: a new
// one would hash the token and allocate for every webhook.
type signer struct{ hashes sync.Pool }

func newSigner(token AuthToken) *signer {
	key := []byte(token.secret)
	return &signer{hashes: sync.Pool{New: func() any { return hmac.New(sha1.New, key) }}}
}

// sign appends the base64 signature of the parts to dst.
func (s *signer) sign(dst []byte, parts ...[]byte) []byte {
	h := s.hashes.Get().(hash.Hash)
	defer s.hashes.Put(h)
	h.Reset()
	for _, part := range parts {
		h.Write(part)
	}
	var sum [sha1.Size]byte
	return base64.StdEncoding.AppendEncode(dst, h.Sum(sum[:0]))
}

// verify proves that the holder of one of the account's tokens signed this
// form for this URL, and gives the account. The URL is made from the
// configured public URL and the request's path and query: Host and the
// X-Forwarded headers are what the sender says, and count for nothing.
func (c *Channel) verify(r *http.Request, f *form) (*account, error) {
	given := r.Header[signatureHeader]
	if len(given) != 1 || len(given[0]) != signatureLength {
		return nil, errSignature
	}
	sid, ok := f.value("AccountSid")
	if !ok {
		return nil, errAccount
	}
	a, ok := c.accounts[string(sid)]
	if !ok {
		return nil, errAccount
	}
	f.signature = append(f.signature[:0], given[0]...)
	for _, base := range c.bases {
		f.url = append(append(f.url[:0], base...), r.URL.EscapedPath()...)
		if r.URL.RawQuery != "" || r.URL.ForceQuery {
			f.url = append(append(f.url, '?'), r.URL.RawQuery...)
		}
		for _, s := range a.signers {
			f.made = s.sign(f.made[:0], f.url, f.signed)
			if subtle.ConstantTimeCompare(f.made, f.signature) == 1 {
				return a, nil
			}
		}
	}
	return nil, errSignature
}
