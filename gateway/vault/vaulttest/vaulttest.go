// Package vaulttest is the contract of gateway.Vault as a test suite. Every
// vault runs it, whatever its bytes rest on.
package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"dropslot/gateway"
)

// Run checks the contract. open gives an empty vault.
func Run(t *testing.T, open func(t *testing.T) gateway.Vault) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, gateway.Vault)
	}{
		{"what was committed comes back", comesBack},
		{"nothing is there before the commit", nothingBefore},
		{"an object is never overwritten", neverOverwritten},
		{"one of many writers of a name wins", oneWins},
		{"what is not there is not found", notFound},
		{"removing", removing},
		{"replacing", replacing},
		{"listing in order of names", listing},
		{"listing stops when told", listingStops},
		{"names that are none", badNames},
		{"a context that ended commits nothing", ended},
		{"sweeping what was never finished", sweeping},
		{"readers at once", readersAtOnce},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func comesBack(t *testing.T, v gateway.Vault) {
	for i, size := range []int{0, 1, 100, 32<<10 - 1, 64 << 10, 64<<10 + 1, 3_000_000} {
		for _, piece := range []int{4096, 16<<10 + 7, 64 << 10, 64<<10 + 16} {
			name := gateway.BlobName(fmt.Sprintf("submissions/north/%d/page-%d.age", i, piece))
			content := Noise(uint64(i), size) // #nosec G115 -- a test's index
			if err := write(v, name, content, piece); err != nil {
				t.Fatalf("%d bytes in pieces of %d: %v", size, piece, err)
			}
			wantContent(t, v, name, content)
		}
	}
	blob, err := v.Open(t.Context(), "submissions/north/4/page-4096.age")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if err := iotest.TestReader(io.NewSectionReader(blob, 0, blob.Size()), Noise(4, 64<<10)); err != nil {
		t.Error(err)
	}
	if n, err := blob.ReadAt(make([]byte, 10), blob.Size()-4); n != 4 || !errors.Is(err, io.EOF) {
		t.Errorf("reading past the end gives %d, %v", n, err)
	}
}

func nothingBefore(t *testing.T, v gateway.Vault) {
	w, err := v.Create(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(Noise(1, 200_000)); err != nil {
		t.Fatal(err)
	}
	_, err = v.Open(t.Context(), "a/b")
	wantCode(t, err, gateway.CodeNotFound)
	wantList(t, v, "")
	w.Abort()
	_, err = v.Open(t.Context(), "a/b")
	wantCode(t, err, gateway.CodeNotFound)
	if _, err := w.Write([]byte("more")); err == nil {
		t.Error("an object that was given up takes more")
	}
	if err := w.Commit(); err == nil {
		t.Error("an object that was given up can be committed")
	}
	w.Abort()
	wantList(t, v, "")
}

func neverOverwritten(t *testing.T, v gateway.Vault) {
	mustWrite(t, v, "a/b", []byte("first"))
	wantCode(t, write(v, "a/b", []byte("second"), 10), gateway.CodeBlobExists)
	wantContent(t, v, "a/b", []byte("first"))
	w, err := v.Create(t.Context(), "a/c")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := w.Commit(); err == nil {
		t.Error("an object can be committed twice")
	}
	wantContent(t, v, "a/c", []byte("kept"))
}

func oneWins(t *testing.T, v gateway.Vault) {
	const writers = 16
	errs := make([]error, writers)
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() { errs[i] = write(v, "one/folder/more/object", Noise(uint64(i), 10_000), 999) }) // #nosec G115 -- a test's index
	}
	wait.Wait()
	winner := -1
	for i, err := range errs {
		if err == nil {
			if winner >= 0 {
				t.Errorf("writers %d and %d both committed", winner, i)
			}
			winner = i
			continue
		}
		wantCode(t, err, gateway.CodeBlobExists)
	}
	if winner < 0 {
		t.Fatal("nobody committed")
	}
	wantContent(t, v, "one/folder/more/object", Noise(uint64(winner), 10_000)) // #nosec G115 -- a test's index
}

func notFound(t *testing.T, v gateway.Vault) {
	mustWrite(t, v, "a/b/c", []byte("x"))
	for _, name := range []gateway.BlobName{"x", "a/x", "a/b", "a", "a/b/c/d"} {
		_, err := v.Open(t.Context(), name)
		wantCode(t, err, gateway.CodeNotFound)
	}
}

func removing(t *testing.T, v gateway.Vault) {
	mustWrite(t, v, "a/b", []byte("x"))
	mustWrite(t, v, "a/c", []byte("y"))
	for _, name := range []gateway.BlobName{"a/b", "a/b", "never/was", "a"} {
		if err := v.Remove(t.Context(), name); err != nil {
			t.Errorf("remove %s: %v", name, err)
		}
	}
	wantList(t, v, "", "a/c")
	mustWrite(t, v, "a/b", []byte("again"))
	wantContent(t, v, "a/b", []byte("again"))
}

func replacing(t *testing.T, v gateway.Vault) {
	for _, content := range []string{"one", "two, longer", ""} {
		if err := v.Replace(t.Context(), "audit/heads/chain", []byte(content)); err != nil {
			t.Fatal(err)
		}
		wantContent(t, v, "audit/heads/chain", []byte(content))
	}
	wantList(t, v, "", "audit/heads/chain")
}

func badNames(t *testing.T, v gateway.Vault) {
	for _, name := range []gateway.BlobName{"", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a/.b", "A", "a b", "a\x00", "a\\b"} {
		if _, err := v.Create(t.Context(), name); err == nil {
			t.Errorf("create %q", name)
		}
		if _, err := v.Open(t.Context(), name); err == nil {
			t.Errorf("open %q", name)
		}
		if err := v.Remove(t.Context(), name); err == nil {
			t.Errorf("remove %q", name)
		}
		if err := v.Replace(t.Context(), name, nil); err == nil {
			t.Errorf("replace %q", name)
		}
	}
}

func ended(t *testing.T, v gateway.Vault) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := v.Create(ctx, "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := w.Commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("commit gives %v", err)
	}
	if _, err := v.Create(ctx, "a/c"); !errors.Is(err, context.Canceled) {
		t.Errorf("create gives %v", err)
	}
	wantList(t, v, "")
}

func sweeping(t *testing.T, v gateway.Vault) {
	mustWrite(t, v, "a/b", []byte("kept"))
	w, err := v.Create(t.Context(), "a/c") // its process was killed
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(Noise(1, 100_000)); err != nil {
		t.Fatal(err)
	}
	if n, err := v.SweepTemporary(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("young: %d swept, %v", n, err)
	}
	if n, err := v.SweepTemporary(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("old: %d swept, %v", n, err)
	}
	if err := w.Commit(); err == nil {
		t.Error("what was swept is committed")
	}
	wantList(t, v, "", "a/b")
	wantContent(t, v, "a/b", []byte("kept"))
}

func readersAtOnce(t *testing.T, v gateway.Vault) {
	content := Noise(3, 500_000)
	mustWrite(t, v, "a/b", content)
	blob, err := v.Open(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			got, err := io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wait.Wait()
}
