package records

import (
	"io/fs"
	"os"
	"path/filepath"
)

const (
	privateFile fs.FileMode = 0o600
	sharedFile  fs.FileMode = 0o660
)

// makeSQLiteFile makes sure that the database's file is there and may be
// written. SQLite would make it with the permissions of the umask; its side
// files (-wal, -shm) get those of this one.
func makeSQLiteFile(path string) error {
	mode := sqliteMode(filepath.Dir(path))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, mode) // #nosec G304 -- the operator's configuration names it
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// The umask may have taken the group's rights away, and a crash may have
	// fallen before this line: an empty file is not begun. What an operator
	// did to one that is in use stays.
	if mode == sharedFile && info.Size() == 0 && info.Mode().Perm() != mode {
		return file.Chmod(mode)
	}
	return nil
}

// sqliteMode takes the mode from the folder, as the vault does: private to
// one user, unless the operator gave the folder to a group (chmod 2770), as
// one does when intake and desk run as two users.
func sqliteMode(folder string) fs.FileMode {
	info, err := os.Stat(folder)
	if err == nil && info.Mode()&fs.ModeSetgid != 0 && info.Mode().Perm()&0o070 == 0o070 {
		return sharedFile
	}
	return privateFile
}
