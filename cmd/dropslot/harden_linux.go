package main

import "golang.org/x/sys/unix"

// harden keeps plaintext in memory out of core dumps and away from debuggers
// of the same user. It cannot keep it out of swap: the README says so.
func harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
