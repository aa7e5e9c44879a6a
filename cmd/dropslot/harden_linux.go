package main

import "golang.org/x/sys/unix"

// harden keeps plaintext in memory out of core dumps and away from debuggers
// of the same user. It cannot keep it out of swap: the README says so. Files
// are for their owner and at most a group, whatever umask the process was
// started with: where a folder is shared, SQLite's side files are open to the
// group from their first moment, and a role that starts just then finds them so.
func harden() error {
	unix.Umask(0o007)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
