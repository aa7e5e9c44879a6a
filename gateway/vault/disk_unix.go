//go:build unix

package vault

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFolder makes durable which names a folder holds.
func syncFolder(folder *os.File) error { return folder.Sync() }

// freeBytes tells how much an unprivileged process may still write.
func freeBytes(folder *os.File) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(folder.Fd()), &s); err != nil { // #nosec G115 -- file descriptors are small
		return 0, err
	}
	// The fields' types differ between systems, so what is idle on one is not on another.
	available, block := int64(s.Bavail), int64(s.Bsize) //nolint:gosec,unconvert // as said; both are below 8 EiB
	return available * block, nil
}
