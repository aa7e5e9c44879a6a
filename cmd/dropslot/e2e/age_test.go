package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ageCommand finds the standard age tool, or builds it.
func ageCommand(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("DROPSLOT_AGE"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "age")
	if out, err := exec.Command("go", "build", "-o", path, "filippo.io/age/cmd/age").CombinedOutput(); err != nil {
		t.Fatalf("build age: %v\n%s", err, out)
	}
	return path
}

// sealedPagesOf gives the vault's files of a submission's pages.
func (h *house) sealedPagesOf(submission string) []string {
	h.t.Helper()
	found, err := filepath.Glob(h.path("data", "vault", "objects", "submissions", "north", submission, "page-*.age"))
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// openWithAge opens a sealed file as an operator without Dropslot would: with
// the age tool, the office's identity file, and its passphrase typed at a
// terminal.
func (h *house) openWithAge(age, sealed string) []byte {
	h.t.Helper()
	out := filepath.Join(h.t.TempDir(), "opened")
	command := exec.Command(age, "--decrypt", "--identity", h.path("data", "keys", "north.key"), "--output", out, sealed)
	said, err := atTerminal(command, "passphrase", passphrase)
	if err != nil {
		h.t.Fatalf("age: %v\n%s", err, said)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		h.t.Fatal(err)
	}
	return content
}

// atTerminal runs a command in a terminal of its own and types a line when it
// asks for it.
func atTerminal(command *exec.Cmd, question, line string) (said string, err error) {
	master, slave, err := openTerminal()
	if err != nil {
		return "", err
	}
	defer master.Close()
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return "", errors.Join(err, slave.Close())
	}
	slave.Close()
	stuck := time.AfterFunc(stepTimeout, func() { _ = command.Process.Kill() })
	defer stuck.Stop()
	var text bytes.Buffer
	typed := false
	piece := make([]byte, 1024)
	for {
		n, readErr := master.Read(piece) // EIO when the command is gone
		text.Write(piece[:n])
		if !typed && strings.Contains(text.String(), question) {
			typed = true
			if _, err := io.WriteString(master, line+"\n"); err != nil {
				return text.String(), err
			}
		}
		if readErr != nil {
			return text.String(), command.Wait()
		}
	}
}

// openTerminal gives both ends of a pseudo-terminal.
func openTerminal() (master, slave *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	raw, err := master.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	var number int
	var refused error
	err = raw.Control(func(fd uintptr) {
		if refused = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); refused == nil {
			number, refused = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(err, refused); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open a terminal: %w", err), master.Close())
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	return master, slave, nil
}
