package seal

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"dropslot/gateway"
)

func TestWordsToAClient(t *testing.T) {
	book, err := NewWordsBook(linkKey(t, 1), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := NewWordsBook(linkKey(t, 2), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"The stub of October, please", "ñ", strings.Repeat("字", gateway.WishWords), strings.Repeat("😀", gateway.WishWords)} {
		sealed, err := book.SealWords("north", words)
		if err != nil {
			t.Fatal(err)
		}
		again, err := book.SealWords("north", words)
		if err != nil || bytes.Equal(sealed, again) || len(sealed) != wordsBytes {
			t.Errorf("%d bytes, the same twice: %v, %v", len(sealed), bytes.Equal(sealed, again), err)
		}
		if bytes.Contains(sealed, []byte(words)) {
			t.Error("the words lie in clear")
		}
		if opened, err := book.OpenWords("north", sealed); err != nil || opened != words {
			t.Errorf("opened %q, %v", opened, err)
		}
		changed := bytes.Clone(sealed)
		changed[40] ^= 1
		for name, open := range map[string]func() (string, error){
			"altered":        func() (string, error) { return book.OpenWords("north", changed) },
			"cut":            func() (string, error) { return book.OpenWords("north", sealed[:len(sealed)-1]) },
			"another office": func() (string, error) { return book.OpenWords("south", sealed) },
			"another key":    func() (string, error) { return foreign.OpenWords("north", sealed) },
		} {
			if opened, err := open(); !gateway.Is(err, gateway.CodeBlobDamaged) || opened != "" {
				t.Errorf("%s: %q, %v", name, opened, err)
			}
		}
	}
	if _, err := book.SealWords("north", strings.Repeat("x", wordsSpace+1)); !gateway.Is(err, gateway.CodeWordsLong) {
		t.Errorf("too long: %v", err)
	}
}

func linkKey(t *testing.T, first byte) gateway.LinkKey {
	t.Helper()
	key, err := gateway.NewLinkKey(append([]byte{first}, make([]byte, gateway.LinkKeySize-1)...))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
