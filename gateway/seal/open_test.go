package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"dropslot/gateway"
)

func TestDamageIsToldWithoutAByteOfIt(t *testing.T) {
	identities, texts := pair(t, PostQuantum)
	strangers, _ := pair(t, PostQuantum)
	o := NewOpener(map[gateway.OfficeID][]Identity{office: identities})
	sealed := sealWith(t, newTestSealer(t, texts...), make([]byte, 200_000))

	_, err := openWith(NewOpener(map[gateway.OfficeID][]Identity{office: strangers}), sealed)
	wantCode(t, err, gateway.CodeBlobDamaged)
	if !errors.Is(err, ErrOtherKey) {
		t.Errorf("another key is not told as such: %v", err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"cut":                      func(b []byte) []byte { return b[:len(b)-1] },
		"cut at a chunk":           func(b []byte) []byte { return b[:len(b)-(len(b)-3000)%chunkSealed] },
		"longer":                   func(b []byte) []byte { return append(b, 0) },
		"a bit of the last chunk":  func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a bit of the first chunk": func(b []byte) []byte { b[5000] ^= 1; return b },
		"a bit of the header":      func(b []byte) []byte { b[60] ^= 1; return b },
		"a canary for a header":    func([]byte) []byte { return []byte("canary-in-clear") },
		"nothing":                  func([]byte) []byte { return nil },
	} {
		_, err := openWith(o, change(bytes.Clone(sealed)))
		wantCode(t, err, gateway.CodeBlobDamaged)
		if errors.Is(err, ErrOtherKey) {
			t.Errorf("%s: told as another key", name)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error repeats the file: %v", name, err)
		}
	}
}

// A disk that fails must not be taken for a page that was tampered with.
func TestErrorsOfTheDiskStayErrorsOfTheDisk(t *testing.T) {
	identities, texts := pair(t, Classic)
	o := NewOpener(map[gateway.OfficeID][]Identity{office: identities})
	sealed := sealWith(t, newTestSealer(t, texts...), make([]byte, 200_000))
	size := int64(len(sealed))

	_, _, err := o.Open(office, failingReader{bytes.NewReader(sealed), 0}, size)
	if !errors.Is(err, errDisk) || gateway.CodeOf(err) != gateway.CodeUnavailable {
		t.Errorf("opening: %v", err)
	}
	failing := &failingReader{bytes.NewReader(sealed), size}
	plain, n, err := o.Open(office, failing, size)
	if err != nil {
		t.Fatal(err)
	}
	failing.behind = 70_000
	_, err = io.Copy(io.Discard, io.NewSectionReader(plain, 0, n))
	if !errors.Is(err, errDisk) || gateway.CodeOf(err) != gateway.CodeUnavailable {
		t.Errorf("reading: %v", err)
	}
}

func TestOpenedPagesAreReadLikeFiles(t *testing.T) {
	identities, texts := pair(t, Classic)
	plain := make([]byte, 150_000)
	rand.Read(plain)
	sealed := sealWith(t, newTestSealer(t, texts...), plain)
	r, size, err := NewOpener(map[gateway.OfficeID][]Identity{office: identities}).Open(office, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 1000)
	if n, err := r.ReadAt(part, chunkPlain-500); n != 1000 || err != nil || !bytes.Equal(part, plain[chunkPlain-500:chunkPlain+500]) {
		t.Errorf("across a border: %d, %v", n, err)
	}
	if n, err := r.ReadAt(part, size-10); n != 10 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if n, err := r.ReadAt(part, size+10); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	if _, err := r.ReadAt(part, -1); err == nil {
		t.Error("before the start nothing can be read")
	}
}

func TestSecretsPrintRedacted(t *testing.T) {
	identities, _ := pair(t, PostQuantum)
	o := NewOpener(map[gateway.OfficeID][]Identity{office: identities})
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{identities[0], &identities[0], o} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "SECRET") || strings.Contains(text, "0x") {
				t.Errorf("%s of %T prints %.60s", format, value, text)
			}
		}
	}
}
