package seal

import (
	"bytes"
	"crypto/rand"
	"testing"

	"dropslot/gateway"
)

func newTestPhoneBook(t *testing.T, first byte) *PhoneBook {
	t.Helper()
	key, err := gateway.NewLinkKey(append([]byte{first}, make([]byte, gateway.LinkKeySize-1)...))
	if err != nil {
		t.Fatal(err)
	}
	book, err := NewPhoneBook(key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func phone(t *testing.T, text string) gateway.Phone {
	t.Helper()
	p, err := gateway.ParsePhone(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPhonesComeBackAndTellNothing(t *testing.T) {
	book := newTestPhoneBook(t, 1)
	length := 0
	for _, text := range []string{"+15551230101", "+1234567", "+123456789012345"} {
		p := phone(t, text)
		sealed, err := book.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := book.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(sealed, again) {
			t.Error("the same number sealed twice is told from another by its bytes")
		}
		if bytes.Contains(sealed, []byte(text[1:])) {
			t.Error("digits in the sealed form")
		}
		if length == 0 {
			length = len(sealed)
		}
		if len(sealed) != length {
			t.Error("the length of the sealed form tells the length of the number")
		}
		if got, err := book.Open(sealed); err != nil || got != p {
			t.Errorf("does not come back: %v", err)
		}
	}
}

func TestAlteredPhonesAreRefused(t *testing.T) {
	book := newTestPhoneBook(t, 1)
	sealed, err := book.Seal(phone(t, "+15551230101"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		_, err := book.Open(bad)
		wantCode(t, err, gateway.CodeBlobDamaged)
	}
	for _, bad := range []gateway.SealedPhone{nil, {}, sealed[:len(sealed)-1], append(bytes.Clone(sealed), 0)} {
		_, err := book.Open(bad)
		wantCode(t, err, gateway.CodeBlobDamaged)
	}
	_, err = newTestPhoneBook(t, 2).Open(sealed)
	wantCode(t, err, gateway.CodeBlobDamaged)
	_, err = book.Seal(gateway.Phone{})
	wantCode(t, err, gateway.CodeBadPhone)
}

func TestIndexesDifferByOfficePhoneAndKey(t *testing.T) {
	book, other := newTestPhoneBook(t, 1), newTestPhoneBook(t, 2)
	p, q := phone(t, "+15551230101"), phone(t, "+15551230102")
	if book.Index("north", p) != newTestPhoneBook(t, 1).Index("north", p) {
		t.Error("the index changes between processes")
	}
	seen := map[gateway.PhoneIndex]bool{}
	for _, x := range []gateway.PhoneIndex{
		book.Index("north", p), book.Index("north", q), book.Index("south", p), book.Index("north+1", p), other.Index("north", p),
	} {
		if seen[x] || x.IsZero() {
			t.Error("two of the indexes are equal, or one is zero")
		}
		seen[x] = true
	}
	if !book.Index("north", gateway.Phone{}).IsZero() {
		t.Error("no phone has an index")
	}
}
