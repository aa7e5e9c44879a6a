package seal

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"filippo.io/age"

	"dropslot/gateway"
)

const office gateway.OfficeID = "north"

// pair makes two identities of a kind and the texts of their recipients.
func pair(t testing.TB, kind Kind) ([]Identity, []string) {
	t.Helper()
	var identities []Identity
	var texts []string
	for range 2 {
		var id Identity
		var err error
		if kind == PostQuantum {
			id, err = NewIdentity()
		} else {
			var key *age.X25519Identity
			if key, err = age.GenerateX25519Identity(); err == nil {
				id, err = newIdentity([]age.Identity{key})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		identities = append(identities, id)
		texts = append(texts, id.Recipients()...)
	}
	return identities, texts
}

func newTestSealer(t testing.TB, texts ...string) *Sealer {
	t.Helper()
	s, err := NewSealer(map[gateway.OfficeID][]string{office: texts})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sealWith(t testing.TB, s *Sealer, plain []byte) []byte {
	t.Helper()
	sealed, err := s.SealBytes(office, plain)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func openWith(o *Opener, sealed []byte) ([]byte, error) {
	plain, size, err := o.Open(office, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(plain, 0, size))
}

func wantCode(t *testing.T, err error, code gateway.Code) {
	t.Helper()
	if !gateway.Is(err, code) {
		t.Errorf("error %v, want code %s", err, code)
	}
}

var errDisk = errors.New("input/output error")

// failingReader is a disk that gives up behind an offset.
type failingReader struct {
	content *bytes.Reader
	behind  int64
}

func (f failingReader) ReadAt(b []byte, offset int64) (int, error) {
	if offset+int64(len(b)) > f.behind {
		return 0, errDisk
	}
	return f.content.ReadAt(b, offset)
}
