package vaulttest

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"dropslot/gateway"
)

// Noise gives bytes that are the same for the same seed.
func Noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(seed)}) // #nosec G115 -- tests use a handful of seeds
	_, _ = source.Read(b)                           // never fails
	return b
}

func write(v gateway.Vault, name gateway.BlobName, content []byte, piece int) error {
	w, err := v.Create(context.Background(), name)
	if err != nil {
		return err
	}
	defer w.Abort()
	for rest := content; len(rest) > 0; {
		n, err := w.Write(rest[:min(piece, len(rest))])
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return w.Commit()
}

func mustWrite(t *testing.T, v gateway.Vault, name gateway.BlobName, content []byte) {
	t.Helper()
	if err := write(v, name, content, 64<<10); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
}

func read(v gateway.Vault, name gateway.BlobName) ([]byte, error) {
	blob, err := v.Open(context.Background(), name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	return io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
}

func wantContent(t *testing.T, v gateway.Vault, name gateway.BlobName, want []byte) {
	t.Helper()
	got, err := read(v, name)
	if err != nil {
		t.Errorf("open %s: %v", name, err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("%s holds %d other bytes, want %d", name, len(got), len(want))
	}
}

func wantCode(t *testing.T, err error, code gateway.Code) {
	t.Helper()
	if !gateway.Is(err, code) {
		t.Errorf("error %v, want code %s", err, code)
	}
}
