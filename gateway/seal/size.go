package seal

import (
	"errors"

	"dropslot/gateway"
)

// Lengths of age's payload: a nonce, then chunks of 64 KiB, each with a
// Poly1305 tag. All but the last are full, and the last is empty only if
// nothing at all is inside.
const (
	streamNonce = 16
	chunkPlain  = 64 << 10
	chunkTag    = 16
	chunkSealed = chunkPlain + chunkTag
)

// PlainSize computes how many plain bytes are inside sealed bytes of a length
// whose header is headerBytes long. It is gateway.CodePageSeal for a length
// that no sealing gives, and gateway.CodePageEmpty if nothing is inside. That
// the payload is whole is seen only when it is opened.
func PlainSize(headerBytes, sealedBytes int64) (int64, error) {
	payload := sealedBytes - headerBytes - streamNonce
	if headerBytes < 0 || payload < chunkTag {
		return 0, gateway.NewError(gateway.CodePageSeal, errors.New("sealed bytes end before the first chunk does"))
	}
	full, last := payload/chunkSealed, payload%chunkSealed
	switch {
	case payload == chunkTag:
		return 0, gateway.NewError(gateway.CodePageEmpty, nil)
	case last == 0:
		return full * chunkPlain, nil
	case last <= chunkTag:
		return 0, gateway.NewError(gateway.CodePageSeal, errors.New("sealed bytes end within a chunk's tag"))
	}
	return full*chunkPlain + last - chunkTag, nil
}
