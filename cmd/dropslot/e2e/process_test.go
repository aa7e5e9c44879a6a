package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is a server that a test started.
type process struct {
	name    string
	command *exec.Cmd
	said    *transcript
	done    chan struct{} // closed when it ended
}

// transcript is what processes printed. It is searched for canaries at the end.
type transcript struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}

// startProcess runs a program until stop, kill, or the end of the test.
func startProcess(t *testing.T, name string, said *transcript, environment []string, program string, args ...string) *process {
	t.Helper()
	p := &process{name: name, said: said, done: make(chan struct{})}
	p.command = exec.Command(program, args...)
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stdout, p.command.Stderr = said, said
	// A test that is killed itself leaves nothing behind.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.command.Wait()
	}()
	t.Cleanup(p.stop)
	return p
}

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
)

// listening waits until the process takes connections.
func (p *process) listening(t *testing.T, address string) {
	t.Helper()
	waitFor(t, p.name+" to listen on "+address, startTimeout, func() bool {
		select {
		case <-p.done:
			t.Fatalf("%s ended:\n%s", p.name, p.said)
		default:
		}
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		connection.Close()
		return true
	})
}

// stop ends the process as an operator does.
func (p *process) stop() {
	if err := p.command.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		p.kill()
	}
}

// kill ends the process as a power cut would end it.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.done
}

// waitFor asks again and again; what runs in other processes sends no event.
func waitFor(t *testing.T, what string, timeout time.Duration, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("waited %v for %s", timeout, what)
}

// nextPort is where the next free port is looked for: below those that systems
// give to whoever wants any (32768 on Linux, 49152 elsewhere), so that nobody
// gets it before the program that it is for has started.
var nextPort atomic.Int32

func init() { nextPort.Store(10_000 + rand.Int32N(20_000)) }

// freeAddress gives a loopback address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+nextPort.Add(1)%22_000)
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
