package seal

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"dropslot/gateway"
)

var _ gateway.WordsBook = (*WordsBook)(nil)

const (
	// wordsVersion is the first byte of sealed words: what follows is a nonce of
	// 24 bytes and the sealed words with their tag, XChaCha20-Poly1305. The
	// office is bound to them.
	wordsVersion = 1
	// wordsSpace is what words are padded to with zero bytes, of which no word
	// has one: four bytes for each character that may be typed. The length of
	// the sealed form tells nothing.
	wordsSpace = 4 * gateway.WishWords
	wordsBytes = 1 + chacha20poly1305.NonceSizeX + wordsSpace + chacha20poly1305.Overhead
)

// WordsBook seals what a caseworker writes to a client, under a subkey of the
// link key: the intake shows it. Whoever holds the link key can open it.
type WordsBook struct {
	aead   cipher.AEAD
	random io.Reader
}

// NewWordsBook derives the subkey; random gives nonces and is crypto/rand's
// Reader outside of tests.
func NewWordsBook(key gateway.LinkKey, random io.Reader) (*WordsBook, error) {
	aead, err := chacha20poly1305.NewX(key.Subkey(gateway.SubkeyWishes))
	if err != nil {
		return nil, fmt.Errorf("prepare sealing of words: %w", err)
	}
	return &WordsBook{aead: aead, random: random}, nil
}

// SealWords encrypts words to a client, each time to other bytes.
func (b *WordsBook) SealWords(office gateway.OfficeID, words string) ([]byte, error) {
	if len(words) > wordsSpace || bytes.IndexByte([]byte(words), 0) >= 0 {
		return nil, gateway.NewError(gateway.CodeWordsLong, nil)
	}
	sealed := make([]byte, 1+chacha20poly1305.NonceSizeX, wordsBytes)
	sealed[0] = wordsVersion
	if _, err := io.ReadFull(b.random, sealed[1:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	padded := make([]byte, wordsSpace)
	copy(padded, words)
	return b.aead.Seal(sealed, sealed[1:], padded, boundTo(office)), nil
}

// OpenWords gives the words back.
func (b *WordsBook) OpenWords(office gateway.OfficeID, sealed []byte) (string, error) {
	if len(sealed) != wordsBytes || sealed[0] != wordsVersion {
		return "", gateway.NewError(gateway.CodeBlobDamaged, errors.New("no sealed words"))
	}
	nonce, content := sealed[1:1+chacha20poly1305.NonceSizeX], sealed[1+chacha20poly1305.NonceSizeX:]
	padded, err := b.aead.Open(nil, nonce, content, boundTo(office))
	if err != nil {
		return "", gateway.NewError(gateway.CodeBlobDamaged, errors.New("the sealed words were altered, or belong to another office or link key"))
	}
	return string(bytes.TrimRight(padded, "\x00")), nil
}

func boundTo(office gateway.OfficeID) []byte { return append([]byte{wordsVersion}, office...) }
