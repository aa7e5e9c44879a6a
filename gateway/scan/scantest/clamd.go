// Package scantest starts ClamAV's clamd for tests.
package scantest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Marker is what the one signature of the server's database finds.
const Marker = "dropslot-test-signature-7c1f"

// Start starts a real clamd whose database is one signature of our own, and
// which takes streams of that size, as clamd.conf writes it. It gives its
// addresses. The test is skipped by name where there is no clamd, unless
// everything is required.
func Start(t testing.TB, streamMost, fileMost string) (unix, tcp string) {
	t.Helper()
	program, err := exec.LookPath("clamd")
	if err != nil {
		program = "/usr/sbin/clamd"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal("clamd is missing: .ci/needs installs it")
		}
		t.Skip("clamd is missing: .ci/needs installs it")
	}
	folder, err := os.MkdirTemp("/tmp", "clamd") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil { // #nosec G302 -- clamd may run as another user
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	files := map[string]string{
		"own.ndb": "Dropslot.Test:0:*:" + hex.EncodeToString([]byte(Marker)) + "\n",
		"clamd.conf": fmt.Sprintf(`LocalSocket %s/clamd.sock
TCPSocket %s
TCPAddr 127.0.0.1
DatabaseDirectory %s
TemporaryDirectory %s
Foreground yes
StreamMaxLength %s
MaxFileSize %s
MaxScanSize %s
AlertExceedsMax yes
`, folder, port, folder, folder, streamMost, fileMost, fileMost),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil { // #nosec G306 -- as above
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	command := exec.Command(program, "--config-file="+filepath.Join(folder, "clamd.conf")) // #nosec G204 -- the test's own clamd
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	for range 300 {
		if answers(folder + "/clamd.sock") {
			return "unix:" + folder + "/clamd.sock", "tcp:127.0.0.1:" + port
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	t.Fatalf("clamd does not answer: %s", said.String())
	return "", ""
}

func answers(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "zPING\x00"); err != nil {
		return false
	}
	answer, _ := io.ReadAll(conn)
	return string(answer) == "PONG\x00"
}
