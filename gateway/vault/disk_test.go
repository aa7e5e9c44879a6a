package vault

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/vault/vaulttest"
)

func newTestDisk(t testing.TB, folder string) *Disk {
	t.Helper()
	d, err := NewDisk(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestContract(t *testing.T) {
	vaulttest.Run(t, func(t *testing.T) gateway.Vault { return newTestDisk(t, filepath.Join(t.TempDir(), "a", "vault")) })
}

// The disk of the power-cut tests keeps the contract too, or what they prove
// would hold for that disk alone.
func TestContractOnTheVolatileDisk(t *testing.T) {
	vaulttest.Run(t, func(t *testing.T) gateway.Vault {
		d, err := newDisk(newVolatile(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestObjectsOutliveTheProcess(t *testing.T) {
	folder := t.TempDir()
	if err := store(newTestDisk(t, folder), page, content); err != nil {
		t.Fatal(err)
	}
	blob, err := newTestDisk(t, folder).Open(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	got := make([]byte, blob.Size())
	if _, err := blob.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
}

func TestWhatIsNotOursIsNotListed(t *testing.T) {
	folder := t.TempDir()
	d := newTestDisk(t, folder)
	for _, name := range []string{"lost+found", ".snapshot"} {
		if err := os.Mkdir(filepath.Join(folder, "objects", name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "objects", name, "x"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := d.List(t.Context(), "", func(b gateway.BlobInfo) error { return fmt.Errorf("listed %s", b.Name) })
	if err != nil {
		t.Error(err)
	}
}

func TestEmptyFoldersGoWithTheSweep(t *testing.T) {
	folder := t.TempDir()
	d := newTestDisk(t, folder)
	for _, name := range []gateway.BlobName{"north/1/a", "north/2/a", "south/1/a"} {
		if err := store(d, name, content); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []gateway.BlobName{"north/1/a", "south/1/a"} {
		if err := d.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.SweepTemporary(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "objects", "north", "1")); err != nil {
		t.Error("a folder went that a process may remember as durable")
	}
	d.now = func() time.Time { return time.Now().Add(24 * time.Hour) }
	if _, err := d.SweepTemporary(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"north/1": false, "south/1": false, "north/2/a": true} {
		if _, err := os.Stat(filepath.Join(folder, "objects", name)); (err == nil) != want {
			t.Errorf("%s after the sweep: %v", name, err)
		}
	}
	if err := store(d, "north/1/b", content); err != nil {
		t.Errorf("a folder that was swept is made again: %v", err)
	}
}

// Two processes write into the same new folders while a third sweeps: every
// commit either holds or is told.
func TestWritersAndASweepAtOnce(t *testing.T) {
	folder := t.TempDir()
	disks := []*Disk{newTestDisk(t, folder), newTestDisk(t, folder)}
	sweeper := newTestDisk(t, folder)
	sweeper.now = func() time.Time { return time.Now().Add(24 * time.Hour) } // folders count as old at once
	stop := make(chan struct{})
	var writers, sweeping sync.WaitGroup
	sweeping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := sweeper.sweepFolders(t.Context(), objectsFolder, time.Now().Add(time.Hour)); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for w, d := range disks {
		writers.Go(func() {
			for i := range 40 {
				name := gateway.BlobName(fmt.Sprintf("north/%d/page-%d", i, w))
				if err := store(d, name, []byte("x")); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	sweeping.Wait()
	count := 0
	err := sweeper.List(t.Context(), "", func(gateway.BlobInfo) error { count++; return nil })
	if err != nil || count != 80 {
		t.Errorf("%d objects of 80: %v", count, err)
	}
}

func TestFreeSpace(t *testing.T) {
	free, err := newTestDisk(t, t.TempDir()).Free()
	if err != nil || free <= 0 {
		t.Errorf("%d bytes free: %v", free, err)
	}
}

func TestAVaultThatIsGoneIsNotReady(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "vault")
	d := newTestDisk(t, folder)
	free, err := d.Free()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Ready(t.Context()); (err == nil) != (free >= readyBytes) {
		t.Errorf("%d bytes free: %v", free, err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := d.Ready(t.Context()); err == nil {
		t.Error("a vault without its folder is ready")
	}
}

func TestAFolderThatCannotBeUsedIsToldAtTheStart(t *testing.T) {
	if _, err := NewDisk("/proc/dropslot"); err == nil {
		t.Error("a vault in /proc")
	}
	inTheWay := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewDisk(inTheWay); err == nil {
		t.Error("a vault in a file")
	}
}

// Full disks and lost temporary files leave nothing behind.
func TestNoTemporaryFileIsLeft(t *testing.T) {
	folder := t.TempDir()
	d := newTestDisk(t, folder)
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	if err := store(d, page, content); err == nil {
		t.Fatal("stored twice")
	}
	w, err := d.Create(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := d.Replace(t.Context(), "a/c", []byte("x")); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(folder, "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("%d temporary files: %v", len(left), err)
	}
}

func BenchmarkCommit3MB(b *testing.B) {
	for _, parallel := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(parallel*2), func(b *testing.B) {
			d := newTestDisk(b, b.TempDir())
			piece := vaulttest.Noise(9, 64<<10)
			var n sync.Mutex
			count := 0
			b.SetBytes(48 << 16)
			b.ReportAllocs()
			b.SetParallelism(parallel)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n.Lock()
					count++
					name := gateway.BlobName(fmt.Sprintf("submissions/north/%d/page-%d", count/10, count))
					n.Unlock()
					w, err := d.Create(b.Context(), name)
					if err != nil {
						b.Error(err)
						return
					}
					for range 48 {
						if _, err := w.Write(piece); err != nil {
							b.Error(err)
						}
					}
					if err := w.Commit(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
