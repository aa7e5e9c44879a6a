//go:build !linux

package recordstest

import "syscall"

// attributes run a program as an account.
func attributes(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner}
}
