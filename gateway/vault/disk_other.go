//go:build !unix

package vault

import (
	"errors"
	"os"
)

// syncFolder does nothing: this system has no way to sync a folder. Dropslot
// runs here for trying it out; a vault that must last wants Linux.
func syncFolder(*os.File) error { return nil }

func freeBytes(*os.File) (int64, error) {
	return 0, errors.New("free space is not known on this system")
}
