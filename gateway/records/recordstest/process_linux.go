package recordstest

import "syscall"

// attributes run a program as an account, and end it (by Postgres's signal for
// an immediate shutdown) if this process is killed before it could.
func attributes(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT}
}

// shm is where Linux keeps files in memory.
const shm = "/dev/shm"

// free tells how many bytes a folder has room for.
func free(folder string) uint64 {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(folder, &stat); err != nil {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize) // #nosec G115 -- never negative
}
