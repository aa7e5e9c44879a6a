package recordstest

import "syscall"

// attributes run a program as an account, and end it (by Postgres's signal for
// an immediate shutdown) if this process is killed before it could.
func attributes(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT}
}
