//go:build unix

package vault

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"dropslot/gateway"
)

// modes walks the vault and gives the modes of its folders and files.
func modes(t *testing.T, folder string) (folders, files map[fs.FileMode]int) {
	t.Helper()
	folders, files = map[fs.FileMode]int{}, map[fs.FileMode]int{}
	err := filepath.WalkDir(folder, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || at == folder {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			folders[info.Mode().Perm()]++
		} else {
			files[info.Mode().Perm()]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders, files
}

func TestNobodyElseMayReadTheVault(t *testing.T) {
	before := syscall.Umask(0)
	defer syscall.Umask(before)
	folder := filepath.Join(t.TempDir(), "vault")
	d := newTestDisk(t, folder)
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("vault folder %v, %v", info.Mode(), err)
	}
	folders, files := modes(t, folder)
	if len(folders) != 1 || folders[0o700] != 5 || len(files) != 1 || files[0o600] != 1 {
		t.Errorf("folders %v, files %v", folders, files)
	}
}

// Intake and desk may run as two users of one group: the operator opens the
// vault's folder to the group, whatever umask the services have.
func TestAGroupMayShareTheVault(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o770); err != nil {
		t.Fatal(err)
	}
	d := newTestDisk(t, folder)
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	folders, files := modes(t, folder)
	if len(folders) != 1 || folders[0o770] != 5 || len(files) != 1 || files[0o640] != 1 {
		t.Errorf("folders %v, files %v", folders, files)
	}
}

func TestLinksThatLeadOutAreNotFollowed(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	d := newTestDisk(t, folder)
	if err := os.Symlink(outside, filepath.Join(folder, "objects", "away")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), "away/secret"); err == nil {
		t.Error("opened a file outside of the vault")
	}
	if err := store(d, "away/page", content); err == nil {
		t.Error("wrote outside of the vault")
	}
	if err := d.Remove(t.Context(), "away/secret"); err == nil {
		t.Error("removed outside of the vault")
	}
	if _, err := os.Stat(filepath.Join(outside, "secret")); err != nil {
		t.Error(err)
	}
	err := d.List(t.Context(), "", func(b gateway.BlobInfo) error {
		return fmt.Errorf("listed %s", b.Name)
	})
	if err != nil {
		t.Error(err)
	}
}
