package vaulttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func wantList(t *testing.T, v gateway.Vault, prefix gateway.BlobName, want ...gateway.BlobName) {
	t.Helper()
	var got []gateway.BlobName
	err := v.List(t.Context(), prefix, func(b gateway.BlobInfo) error {
		got = append(got, b.Name)
		return nil
	})
	if err != nil {
		t.Errorf("list %q: %v", prefix, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list %q (-want +got):\n%s", prefix, diff)
	}
}

func listing(t *testing.T, v gateway.Vault) {
	wantList(t, v, "")
	// In order of bytes: '-' and '.' come before '/', digits and '_' after it.
	names := []gateway.BlobName{"a-b/x", "a.b", "a/b", "a/c-1", "a/c/1", "a/c/2", "a/c0", "a/d", "a0/x", "a_b/y", "b"}
	for i := range names {
		name := names[(i*7)%len(names)]
		mustWrite(t, v, name, []byte(name))
	}
	wantList(t, v, "", names...)
	wantList(t, v, "a", "a/b", "a/c-1", "a/c/1", "a/c/2", "a/c0", "a/d")
	wantList(t, v, "a/c", "a/c/1", "a/c/2")
	wantList(t, v, "a/c/1")
	wantList(t, v, "none/here")
	before := time.Now().Add(-time.Hour)
	err := v.List(t.Context(), "a/c", func(b gateway.BlobInfo) error {
		if b.Size != int64(len(b.Name)) || b.Modified.Before(before) {
			t.Errorf("%s: %d bytes of %v", b.Name, b.Size, b.Modified)
		}
		return v.Remove(context.Background(), b.Name) // what a sweep does while it lists
	})
	if err != nil {
		t.Error(err)
	}
	wantList(t, v, "a/c")
}

func listingStops(t *testing.T, v gateway.Vault) {
	mustWrite(t, v, "a/b", nil)
	mustWrite(t, v, "a/c", nil)
	enough, seen := errors.New("enough"), 0
	err := v.List(t.Context(), "", func(gateway.BlobInfo) error { seen++; return enough })
	if !errors.Is(err, enough) || seen != 1 {
		t.Errorf("%d visits, %v", seen, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.List(over, "", func(gateway.BlobInfo) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended gives %v", err)
	}
}
