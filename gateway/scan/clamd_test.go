package scan

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

const marker = "dropslot-test-signature-7c1f"

// startClamd starts a real clamd whose database is one signature of our own,
// and gives its address.
func startClamd(t *testing.T) (unix, tcp string) {
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
		"own.ndb": "Dropslot.Test:0:*:" + hex.EncodeToString([]byte(marker)) + "\n",
		"clamd.conf": fmt.Sprintf(`LocalSocket %s/clamd.sock
TCPSocket %s
TCPAddr 127.0.0.1
DatabaseDirectory %s
TemporaryDirectory %s
Foreground yes
StreamMaxLength 1M
MaxFileSize 512K
MaxScanSize 512K
AlertExceedsMax yes
`, folder, port, folder, folder),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil { // #nosec G306 -- as above
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	command := exec.Command(program, "--config-file="+filepath.Join(folder, "clamd.conf"))
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	unix, tcp = "unix:"+folder+"/clamd.sock", "tcp:127.0.0.1:"+port
	for range 300 {
		if scannerAt(t, unix).Ping(t.Context()) == nil {
			return unix, tcp
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	t.Fatalf("clamd does not answer: %s", said.String())
	return "", ""
}

func scannerAt(t *testing.T, address string) *Clamd {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestARealScanner(t *testing.T) {
	unix, tcp := startClamd(t)
	for _, address := range []string{unix, tcp} {
		c := scannerAt(t, address)
		for name, test := range map[string]struct {
			content io.Reader
			want    gateway.Code
		}{
			"clean":                     {strings.NewReader("a letter"), ""},
			"empty":                     {strings.NewReader(""), ""},
			"exactly one piece":         {bytes.NewReader(make([]byte, piece)), ""},
			"infected":                  {strings.NewReader("a letter with " + marker), gateway.CodeInfected},
			"more than a stream may be": {bytes.NewReader(make([]byte, 5<<20)), gateway.CodeNotScanned},
			"more than is looked through": {io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("text "), 140_000)), strings.NewReader(marker)),
				gateway.CodeNotScanned},
		} {
			err := c.Scan(t.Context(), test.content)
			if test.want == "" && err != nil || test.want != "" && !gateway.Is(err, test.want) {
				t.Errorf("%s, %s: %v, want %q", address, name, err, test.want)
			}
		}
	}
}

func TestAScannerThatDoesNotAnswerPassesNothing(t *testing.T) {
	answers := map[string]string{
		"nothing": "", "half a verdict": "stream:", "an error": "INSTREAM: something ERROR\x00", "a trick": "stream: OK FOUND OK\x00",
		"another OK": "OK\x00",
	}
	for name, answer := range answers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, len("zINSTREAM\x00")+4+5+4))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}()
		err = scannerAt(t, "tcp:"+listener.Addr().String()).Scan(t.Context(), strings.NewReader("paper"))
		if !gateway.Is(err, gateway.CodeScanner) {
			t.Errorf("%s: %v", name, err)
		}
		_ = listener.Close()
	}
	if err := scannerAt(t, "unix:/nowhere/clamd.sock").Scan(t.Context(), strings.NewReader("x")); !gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("no socket: %v", err)
	}
}

func TestAScannerThatFallsSilentIsLeft(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := scannerAt(t, "tcp:"+listener.Addr().String()).Scan(ctx, strings.NewReader("x")); !gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeReadIsNotTheScannersFault(t *testing.T) {
	unix, _ := startClamd(t)
	gone := errors.New("the disk is gone")
	err := scannerAt(t, unix).Scan(t.Context(), io.MultiReader(strings.NewReader("x"), failing{gone}))
	if !errors.Is(err, gone) || gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAddressesOfClamd(t *testing.T) {
	for _, bad := range []string{"", "/run/clamd.sock", "unix:", "udp:1.2.3.4:1"} {
		if _, err := New(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
