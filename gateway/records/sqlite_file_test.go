//go:build unix

package records

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Intake and desk may run as two users of one group: the operator gives the
// folder to the group, whatever umask the services have.
func TestAGroupMayShareTheSQLiteFiles(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	for _, test := range []struct {
		folder, want os.FileMode
		there        os.FileMode // an empty file of this mode is there
	}{
		{folder: 0o770 | os.ModeSetgid, want: 0o660},
		{folder: 0o770 | os.ModeSetgid, want: 0o660, there: 0o600}, // a crash fell between making and opening to the group
		{folder: 0o770, want: 0o600},                               // no setgid: the files would belong to any group
		{folder: 0o750 | os.ModeSetgid, want: 0o600},
		{folder: 0o700, want: 0o600},
	} {
		folder := t.TempDir()
		if err := os.Chmod(folder, test.folder); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "records.db")
		if test.there != 0 {
			if err := os.WriteFile(path, nil, test.there); err != nil {
				t.Fatal(err)
			}
		}
		w := openWorld(t, "sqlite:"+path)
		w.append(1)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != test.want {
				t.Errorf("folder %v: records.db%s has mode %v, want %v", test.folder, suffix, info.Mode().Perm(), test.want)
			}
		}
	}
}

// What an operator closed stays closed.
func TestAModeThatWasChosenStays(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o770|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "records.db")
	w := openWorld(t, "sqlite:"+path)
	w.append(1)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeSQLiteFile(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
