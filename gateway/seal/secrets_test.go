package seal

import (
	"bytes"
	"crypto/rand"
	"testing"

	"dropslot/gateway"
)

func TestSecretsOpenForTheirAccountAlone(t *testing.T) {
	secrets := func(fill byte) *Secrets {
		key, err := gateway.NewLinkKey(bytes.Repeat([]byte{fill}, gateway.LinkKeySize))
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSecrets(key, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, plain := secrets(1), []byte("twenty bytes of them")
	sealed, err := s.SealSecret("totp", "ana", plain)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.SealSecret("totp", "ana", plain)
	if err != nil || bytes.Equal(again, sealed) || bytes.Contains(sealed, plain) {
		t.Fatalf("%x and %x: %v", sealed, again, err)
	}
	if got, err := s.OpenSecret("totp", "ana", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("%q, %v", got, err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another account":  func() ([]byte, error) { return s.OpenSecret("totp", "ben", sealed) },
		"another purpose":  func() ([]byte, error) { return s.OpenSecret("totp-setup", "ana", sealed) },
		"another link key": func() ([]byte, error) { return secrets(2).OpenSecret("totp", "ana", sealed) },
		"altered":          func() ([]byte, error) { return s.OpenSecret("totp", "ana", altered) },
		"cut":              func() ([]byte, error) { return s.OpenSecret("totp", "ana", sealed[:20]) },
		"empty":            func() ([]byte, error) { return s.OpenSecret("totp", "ana", nil) },
	} {
		if got, err := open(); !gateway.Is(err, gateway.CodeBlobDamaged) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
