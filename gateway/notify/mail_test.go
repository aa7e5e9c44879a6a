package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// handler is what the test's server does with a message, by its recipient.
const handler = `
import asyncio, os
class Handler:
    def __init__(self): self.box = os.environ["MAILBOX"]
    @classmethod
    def from_cli(cls, parser, *args): return cls()
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("full@"): return "452 4.2.2 Mailbox full"
        if address.startswith("nobody@"): return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_RSET(self, server, session, envelope):
        return "421 4.3.2 Going down" if getattr(self, "down", False) else "250 OK"
    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to.startswith("later@"): return "451 4.3.0 Try again later"
        with open(os.path.join(self.box, to), "ab") as f:
            f.write(b"TLS\n" if session.ssl else b"CLEAR\n")
            f.write(envelope.content + b"\n")
        self.down = to.startswith("taken@")
        if to.startswith("dropped@"):
            server.transport.abort()
            await asyncio.sleep(1)
        return "250 OK"
`

// mailServer runs a real SMTP server, and gives a configuration that reaches it
// and the folder where it puts what it took.
func mailServer(t *testing.T, secure bool) (MailConfig, string) {
	t.Helper()
	program, err := exec.LookPath("aiosmtpd")
	if err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal("aiosmtpd is not installed")
		}
		t.Skip("aiosmtpd is not installed")
	}
	folder := t.TempDir()
	roots := certify(t, folder)
	if err := os.WriteFile(filepath.Join(folder, "boxes.py"), []byte(handler), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	args := []string{"-n", "-l", address, "-c", "boxes.Handler"}
	if secure { // the server then takes nothing without STARTTLS
		args = append(args, "--tlscert", filepath.Join(folder, "cert.pem"), "--tlskey", filepath.Join(folder, "key.pem"))
	}
	server := exec.Command(program, args...)
	server.Env = append(os.Environ(), "PYTHONPATH="+folder, "MAILBOX="+folder)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the mail server does not listen")
		}
		time.Sleep(50 * time.Millisecond)
	}
	_, port, _ := net.SplitHostPort(address)
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return MailConfig{
		Host: "127.0.0.1", Port: number, TLS: StartTLS, From: "dropslot@example.gov",
		Roots: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12},
	}, folder
}

func certify(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(certificate)
	return roots
}

func send(t *testing.T, c MailConfig, to string) error {
	t.Helper()
	m, err := NewMailer(c)
	if err != nil {
		t.Fatal(err)
	}
	return m.Mail(t.Context(), to, "3 new submissions in North County", "3 new submissions in North County\n\nhttps://desk.example.gov/\n", "0123456789")
}

func TestMailGoesOverTLS(t *testing.T) {
	c, box := mailServer(t, true)
	if err := send(t, c, "ana@example.gov"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(box, "ana@example.gov"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TLS\n", "Subject: 3 new submissions in North County", "From: <dropslot@example.gov>", "Auto-Submitted: auto-generated", "https://desk.example.gov/"} {
		if !strings.Contains(strings.ReplaceAll(string(got), "\r\n", "\n"), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// What the server says decides whether the message is tried again; a connection
// that breaks off after the content leaves it open.
func TestWhatTheServerSaysOfAMail(t *testing.T) {
	c, box := mailServer(t, true)
	for to, want := range map[string]struct{ sure, final bool }{
		"full@example.gov":    {sure: true},
		"later@example.gov":   {sure: true},
		"nobody@example.gov":  {sure: true, final: true},
		"dropped@example.gov": {},
	} {
		err := send(t, c, to)
		refused, sure := errors.AsType[*gateway.NotTaken](err)
		if err == nil || sure != want.sure || sure && refused.Final != want.final {
			t.Errorf("%s: %v", to, err)
		}
		if err != nil && strings.Contains(err.Error(), to) {
			t.Errorf("the error tells the address: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(box, "dropped@example.gov")); err != nil {
		t.Error("the server did not get what it dropped") // so that "open" was right
	}
}

// What the server says after it took a mail takes nothing back.
func TestATakenMailIsSentWhateverFollows(t *testing.T) {
	c, box := mailServer(t, true)
	if err := send(t, c, "taken@example.gov"); err != nil {
		t.Errorf("the send gave %v", err)
	}
	if _, err := os.Stat(filepath.Join(box, "taken@example.gov")); err != nil {
		t.Error(err)
	}
}

func TestMailNeverGoesInClear(t *testing.T) {
	c, box := mailServer(t, false)
	err := send(t, c, "ana@example.gov")
	if refused, sure := errors.AsType[*gateway.NotTaken](err); !sure || refused.Final {
		t.Errorf("a server without TLS: %v", err)
	}
	c.TLS = NoTLS
	if err := send(t, c, "ben@example.gov"); err != nil { // unless the file says so
		t.Errorf("%v", err)
	}
	secure, _ := mailServer(t, true)
	secure.Roots = &tls.Config{ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	if err := send(t, secure, "ana@example.gov"); err == nil {
		t.Error("a certificate of nobody was taken")
	}
	if _, err := os.Stat(filepath.Join(box, "ana@example.gov")); err == nil {
		t.Error("it went in clear")
	}
}

func TestTheServerIsReached(t *testing.T) {
	c, _ := mailServer(t, true)
	m, err := NewMailer(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Reach(t.Context()); err != nil {
		t.Error(err)
	}
	c.Port = 1
	if m, err = NewMailer(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if m.Reach(ctx) == nil {
		t.Error("a server that is not there was reached")
	}
}
