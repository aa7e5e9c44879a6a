//go:build !linux

package recordstest

import "syscall"

// attributes run a program as an account.
func attributes(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner}
}

const shm = ""

// free knows of no folder in memory.
func free(string) uint64 { return 0 }
