package linkstoretest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Server is a redis-server of one test, on the loopback address.
type Server struct {
	Addr    string
	process *exec.Cmd
}

// URL is what a configuration would say.
func (s *Server) URL() string { return "redis://" + s.Addr + "/0" }

// Stop kills the server, as a crash would.
func (s *Server) Stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// Freeze stops the server from answering while its connections stay open, as
// a machine that hangs would.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// StartRedis runs a redis-server that keeps nothing and ends with the test.
// Arguments are added as on its command line. Without a redis-server on this
// machine the test is skipped, or fails if DROPSLOT_REQUIRE_ALL is 1.
func StartRedis(t testing.TB, arguments ...string) *Server {
	t.Helper()
	program := need(t, "redis-server")
	var told string
	for range 3 { // another program may take the port between the choice and the start
		port := freePort(t)
		log := filepath.Join(t.TempDir(), "redis.log")
		all := append([]string{
			"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no",
			"--dir", t.TempDir(), "--logfile", log, "--daemonize", "no",
		}, arguments...)
		s := &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), process: exec.Command(program, all...)} // #nosec G204 -- a test's own arguments
		if err := s.process.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Stop)
		if answers(t, s.Addr) {
			return s
		}
		s.Stop()
		content, _ := os.ReadFile(log) // #nosec G304 -- the test's own file
		told = string(content)
	}
	t.Fatalf("redis-server did not start: %s", told)
	return nil
}

// StartCluster runs a cluster of three masters and gives their addresses.
func StartCluster(t testing.TB) []string {
	t.Helper()
	control := need(t, "redis-cli")
	var addresses []string
	for range 3 {
		file := filepath.Join(t.TempDir(), "nodes.conf")
		bus := strconv.Itoa(freePort(t)) // the default, port + 10000, may not exist
		node := StartRedis(t, "--cluster-enabled", "yes", "--cluster-config-file", file, "--cluster-port", bus)
		addresses = append(addresses, node.Addr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	arguments := append([]string{"--cluster", "create"}, addresses...)
	create := exec.CommandContext(ctx, control, append(arguments, "--cluster-yes")...) // #nosec G204 -- likewise
	if told, err := create.CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --cluster create: %v: %s", err, told)
	}
	for _, address := range addresses {
		waitFor(t, address+" to know the cluster", func() bool {
			return bytes.Contains(ask(address, "CLUSTER INFO\r\n"), []byte("cluster_state:ok"))
		})
	}
	return addresses
}

// StartSentinel runs a sentinel that watches a server under the name "main"
// and gives its address.
func StartSentinel(t testing.TB, watched *Server) string {
	t.Helper()
	host, port, err := net.SplitHostPort(watched.Addr)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	line := fmt.Sprintf("sentinel monitor main %s %s 1\n", host, port)
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	program := need(t, "redis-server")
	sentinelPort := strconv.Itoa(freePort(t))
	s := &Server{Addr: net.JoinHostPort("127.0.0.1", sentinelPort)}
	s.process = exec.Command(program, file, "--sentinel", "--bind", "127.0.0.1", "--port", sentinelPort) // #nosec G204 -- likewise
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	if !answers(t, s.Addr) {
		t.Fatal("the sentinel did not start")
	}
	return s.Addr
}

func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
	return ""
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func answers(t testing.TB, address string) bool {
	t.Helper()
	return poll(func() bool { return bytes.HasPrefix(ask(address, "PING\r\n"), []byte("+PONG")) })
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	if !poll(done) {
		t.Fatalf("waited in vain for %s", what)
	}
}

// poll asks until the answer is yes; another process tells in no other way
// that it is ready.
func poll(done func() bool) bool {
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

// ask sends one inline command and gives the beginning of the answer.
func ask(address, command string) []byte {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return nil
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	if _, err := connection.Write([]byte(command)); err != nil {
		return nil
	}
	answer := make([]byte, 1024)
	n, _ := connection.Read(answer)
	return answer[:n]
}
