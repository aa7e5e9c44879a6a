// Package sftptest starts OpenSSH's server for tests, and a proxy in front of
// it that breaks connections.
package sftptest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Server is one sshd on a loopback port that serves SFTP and nothing else.
type Server struct {
	Address string
	User    string
	HostKey string // as a line of known_hosts without the host
	Key     string // a private key that is let in, PEM
	Folder  string // what a relative path begins at
}

// Start starts a server, or ends the test: it is skipped by name where there
// is no sshd, unless everything is required.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal("sshd is missing: .ci/needs installs it")
		}
		t.Skip("sshd is missing: .ci/needs installs it")
	}
	if os.Geteuid() == 0 { // sshd wants it then, and Debian makes it with the service
		must(t, os.MkdirAll("/run/sshd", 0o755)) // #nosec G301 -- sshd refuses a closer one
	}
	me, err := user.Current()
	must(t, err)
	folder := t.TempDir()
	s := &Server{User: me.Username, Folder: filepath.Join(folder, "files")}
	must(t, os.Mkdir(s.Folder, 0o700))
	hostKey, hostPublic := newKey(t)
	key, public := newKey(t)
	s.HostKey, s.Key = strings.TrimSpace(hostPublic), key
	write(t, filepath.Join(folder, "host"), hostKey)
	write(t, filepath.Join(folder, "authorized"), public)
	s.Address = freeAddress(t)
	_, port, err := net.SplitHostPort(s.Address)
	must(t, err)
	write(t, filepath.Join(folder, "config"), fmt.Sprintf(`Port %s
ListenAddress 127.0.0.1
HostKey %s/host
AuthorizedKeysFile %s/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
MaxStartups 200
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d %s
`, port, folder, folder, s.Folder))
	command := exec.Command(program, "-D", "-e", "-f", filepath.Join(folder, "config")) // #nosec G204 -- the test's own sshd
	var said strings.Builder
	command.Stderr = &said
	must(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	for range 200 {
		conn, err := net.Dial("tcp", s.Address)
		if err == nil {
			_ = conn.Close()
			return s
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	t.Fatalf("sshd does not listen: %s", said.String())
	return nil
}

// NewHostKey gives a host key that no server has.
func NewHostKey(t testing.TB) string {
	_, public := newKey(t)
	return strings.TrimSpace(public)
}

func newKey(t testing.TB) (private, public string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	must(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	must(t, err)
	return string(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func write(t testing.TB, file, content string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(content), 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Proxy stands in front of a server and breaks connections off.
type Proxy struct {
	Address string
	server  string
	answers atomic.Int64 // of the server's that still pass; negative: all
	asks    atomic.Int64 // of the client's that still pass
}

// NewProxy starts a proxy that lets everything pass.
func NewProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &Proxy{Address: listener.Addr().String(), server: server}
	p.Heal()
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// Heal lets everything pass from now on.
func (p *Proxy) Heal() { p.BreakAfter(-1, -1) }

// BreakAfter breaks a connection off when the server answered that often, or
// the client asked that often: what came last is lost. -1 is never.
func (p *Proxy) BreakAfter(answers, asks int64) {
	p.answers.Store(answers)
	p.asks.Store(asks)
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { pass(server, client, &p.asks) })
	ways.Go(func() { pass(client, server, &p.answers) })
	ways.Wait()
}

// pass copies until either side ends or the count is used up.
func pass(to io.WriteCloser, from io.ReadCloser, left *atomic.Int64) {
	defer func() { _ = to.Close() }()
	defer func() { _ = from.Close() }()
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			for {
				count := left.Load()
				if count == 0 {
					return
				}
				if count < 0 || left.CompareAndSwap(count, count-1) {
					break
				}
			}
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
