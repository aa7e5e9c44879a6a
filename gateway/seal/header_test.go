package seal

import (
	"bytes"
	"testing"

	"filippo.io/age"
)

// FuzzHeader compares with age's own parser: what is accepted here is
// accepted there with the same length, and changing a byte of it is never
// read as another header of the same count unless age reads it too.
func FuzzHeader(f *testing.F) {
	for _, kind := range []Kind{PostQuantum, Classic} {
		_, texts := pair(f, kind)
		sealed := sealWith(f, newTestSealer(f, texts...), []byte("page"))
		f.Add(sealed)
		f.Add(bytes.Replace(sealed, []byte("\n"), []byte("\r\n"), 1))
		f.Add(bytes.Replace(sealed, []byte("---"), []byte("-> X25519 a\n\n---"), 1))
		f.Add(sealed[:len(sealed)/2])
	}
	f.Add([]byte("age-encryption.org/v1\n--- AAAA\n"))
	f.Fuzz(func(t *testing.T, start []byte) {
		h, err := parseHeader(start)
		if err != nil {
			return
		}
		if len(h.kinds) == 0 || h.length <= 0 || h.length > int64(len(start)) {
			t.Fatalf("accepted a header of %d stanzas and %d bytes", len(h.kinds), h.length)
		}
		theirs, err := age.ExtractHeader(bytes.NewReader(start))
		if err != nil {
			t.Fatalf("accepted what age refuses: %v", err)
		}
		if !bytes.Equal(theirs, start[:h.length]) {
			t.Fatalf("age reads a header of %d bytes, here it has %d", len(theirs), h.length)
		}
	})
}

func TestHeadersThatAgeAllowsButOursNeverHave(t *testing.T) {
	_, texts := pair(t, Classic)
	sealed := sealWith(t, newTestSealer(t, texts[0]), []byte("page"))
	if _, err := parseHeader(sealed); err != nil {
		t.Fatal(err)
	}
	stanza := sealed[len(headerVersion)+1 : bytes.Index(sealed, []byte("---"))]
	line, body, _ := bytes.Cut(stanza, []byte("\n"))
	version := []byte(headerVersion + "\n")
	rest := sealed[bytes.Index(sealed, []byte("---")):]
	for name, parts := range map[string][][]byte{
		"no stanza":            {version, rest},
		"grease":               {version, stanza, []byte("-> x-grease a\n\n"), rest},
		"passphrase":           {version, []byte("-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n"), body, rest},
		"a second argument":    {version, line, []byte(" x\n"), body, rest},
		"a longer body":        {version, line, []byte("\n"), bytes.Repeat([]byte("A"), 64), []byte("\n"), body, rest},
		"an empty body":        {version, line, []byte("\n\n"), rest},
		"carriage returns":     {version, line, []byte("\r\n"), body, rest},
		"other version":        {[]byte("age-encryption.org/v2\n"), stanza, rest},
		"padding":              {version, line, []byte("=\n"), body, rest},
		"a bit that is no bit": {version, line[:len(line)-1], []byte("9\n"), body, rest},
		"armor":                {[]byte("-----BEGIN AGE ENCRYPTED FILE-----\n"), sealed},
		"space before":         {[]byte(" "), sealed},
		"second space":         {version, bytes.Replace(stanza, []byte("-> X"), []byte("->  X"), 1), rest},
		"short MAC":            {version, stanza, []byte("--- AAAA\n")},
		"MAC without a space":  {version, stanza, []byte("---"), rest[4:]},
		"MAC line without end": {version, stanza, rest[:40]},
	} {
		if h, err := parseHeader(bytes.Join(parts, nil)); err == nil {
			t.Errorf("%s: accepted %+v", name, h)
		}
	}
}
