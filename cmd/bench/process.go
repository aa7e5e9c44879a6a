package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server that the benchmark started.
type process struct {
	name    string
	address string
	command *exec.Cmd
	done    chan struct{} // closed when it ended
	said    *tail
}

// tail keeps the end of what a process printed.
type tail struct {
	mutex sync.Mutex
	kept  []byte
}

const tailBytes = 1500

func (t *tail) Write(p []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailBytes; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.kept)
}

// freeAddress gives a loopback address that nothing listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// cutPort splits the port off an address.
func cutPort(address string) (host, port string, found bool) { return strings.Cut(address, ":") }

// start runs a program and waits until it takes connections at the address.
func start(ctx context.Context, name, address string, environment []string, program string, args ...string) (*process, error) {
	p := &process{name: name, address: address, done: make(chan struct{}), said: &tail{}}
	p.command = exec.CommandContext(ctx, program, args...)
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stdout, p.command.Stderr = p.said, p.said
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.WaitDelay = 10 * time.Second
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.command.Wait() //nolint:errcheck // how it ended shows in what it said
	}()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			connection.Close()
			return p, nil
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("%s ended at once:\n%s", name, p.said)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen on %s:\n%s", name, address, p.said)
}

// stop ends the process and waits for its end.
func (p *process) stop() {
	if p == nil {
		return
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.command.Process.Kill() //nolint:errcheck // it may have ended meanwhile
		<-p.done
	}
}

// peak is the highest resident memory so far, in bytes (VmHWM in proc(5)).
func (p *process) peak() (int64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.command.Process.Pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if rest, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(rest)), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmHWM: this needs Linux")
}
