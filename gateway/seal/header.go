package seal

import (
	"bytes"
	"encoding/base64"
	"errors"

	"dropslot/gateway"
)

// The grammar read here is the part of age-encryption.org/v1 that Dropslot's
// own recipients make, and nothing beside it: no other stanza kinds, no
// grease, one short body line a stanza, canonical base64.
//
//	age-encryption.org/v1
//	-> mlkem768x25519 <base64 of 1,120 bytes>      or      -> X25519 <base64 of 32 bytes>
//	<base64 of 32 bytes: the file key, sealed>
//	--- <base64 of 32 bytes: the header's MAC>
const (
	headerVersion = "age-encryption.org/v1"
	stanzaPrefix  = "-> "
	macPrefix     = "--- "
	sealedKeySize = 16 + 16 // file key and the Poly1305 tag
	macSize       = 32
)

// shareSizes is the length in bytes of each kind's one stanza argument: an
// X25519 point, or an ML-KEM-768 ciphertext and an X25519 point.
var shareSizes = []struct {
	name string
	kind Kind
	size int
}{
	{"mlkem768x25519", PostQuantum, 1088 + 32},
	{"X25519", Classic, 32},
}

// header is what stands before the payload of sealed bytes.
type header struct {
	kinds  []Kind // one a stanza
	length int64  // in bytes, with the line feed of the MAC's line
}

var errHeader = errors.New("not the header of an age file for recipients of ours")

// Base64 as age has it: no padding, and no bit that could be set otherwise.
var canonical = base64.RawStdEncoding.Strict()

// parseHeader reads the header at the start of sealed bytes. It proves only
// its form: the MAC can be checked by nobody without an identity.
func parseHeader(start []byte) (header, error) {
	var h header
	rest := start[:min(len(start), gateway.SealHeaderMax)]
	line, rest, whole := bytes.Cut(rest, []byte{'\n'})
	if !whole || string(line) != headerVersion {
		return h, errHeader
	}
	for {
		line, rest, whole = bytes.Cut(rest, []byte{'\n'})
		if !whole {
			return h, errHeader
		}
		if mac, isMAC := bytes.CutPrefix(line, []byte(macPrefix)); isMAC {
			if len(h.kinds) == 0 || !encodes(mac, macSize) {
				return h, errHeader
			}
			h.length = int64(min(len(start), gateway.SealHeaderMax) - len(rest))
			return h, nil
		}
		kind, known := stanzaKind(line)
		line, rest, whole = bytes.Cut(rest, []byte{'\n'})
		if !known || !whole || !encodes(line, sealedKeySize) {
			return h, errHeader
		}
		h.kinds = append(h.kinds, kind)
	}
}

// stanzaKind reads the first line of a stanza.
func stanzaKind(line []byte) (Kind, bool) {
	arguments, found := bytes.CutPrefix(line, []byte(stanzaPrefix))
	if !found {
		return "", false
	}
	name, share, found := bytes.Cut(arguments, []byte{' '})
	if !found {
		return "", false
	}
	for _, s := range shareSizes {
		if s.name == string(name) {
			return s.kind, encodes(share, s.size)
		}
	}
	return "", false
}

// encodes tells whether text is the canonical base64 of so many bytes. The
// decoder skips carriage returns and line feeds, which makes text longer
// than its canonical length: the length is compared too.
func encodes(text []byte, size int) bool {
	if len(text) != canonical.EncodedLen(size) {
		return false
	}
	var space [1088 + 32 + 2]byte // the longest share, and the decoder's rounding up
	n, err := canonical.Decode(space[:], text)
	return err == nil && n == size
}
