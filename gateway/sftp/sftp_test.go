package sftp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"dropslot/gateway"
	"dropslot/gateway/sftp/sftptest"
)

func configOf(s *sftptest.Server) Config {
	return Config{Address: s.Address, User: s.User, HostKey: s.HostKey, Key: s.Key}
}

func connect(t *testing.T, c Config) (gateway.Handover, error) {
	t.Helper()
	courier, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	partner, err := courier.Connect(t.Context())
	if err == nil {
		t.Cleanup(func() { _ = partner.Close() })
	}
	return partner, err
}

func TestAFileArrivesWhole(t *testing.T) {
	s := sftptest.Start(t)
	partner, err := connect(t, configOf(s))
	if err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 3<<20+17)
	_, _ = rand.Read(content)
	put := func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(content))
		return err
	}
	if err := partner.Put("in/north/.part", put); err != nil {
		t.Fatal(err)
	}
	if err := partner.Put("in/north/.part", put); err != nil {
		t.Fatalf("over what an earlier try left: %v", err)
	}
	if err := partner.Rename("in/north/.part", "in/north/a.pdf"); err != nil {
		t.Fatal(err)
	}
	size, found, err := partner.Size("in/north/a.pdf")
	if err != nil || !found || size != int64(len(content)) {
		t.Errorf("%d %v %v", size, found, err)
	}
	if _, found, err := partner.Size("in/north/.part"); err != nil || found {
		t.Errorf("the temporary name is still there: %v", err)
	}
	arrived, err := os.ReadFile(filepath.Join(s.Folder, "in/north/a.pdf"))
	if err != nil || !bytes.Equal(arrived, content) {
		t.Errorf("what arrived differs: %v", err)
	}
}

func TestAServerWithAnotherKeyIsSentNothing(t *testing.T) {
	s := sftptest.Start(t)
	c := configOf(s)
	c.HostKey = sftptest.NewHostKey(t)
	if _, err := connect(t, c); !gateway.Is(err, gateway.CodePartnerKey) {
		t.Errorf("another key: %v", err)
	}
	// A server that has no key of the pinned kind at all.
	c.HostKey = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBK5ypAjqzPxqvNbpoR4+l+IT3uZ6QrMfrD1kjTqQTPzFQ6UPfbtTWb6rSh7HH0yLQgHs0T5vs3N3BuFmgBWFZGs="
	if courier, err := New(c); err == nil {
		if _, err := courier.Connect(t.Context()); !gateway.Is(err, gateway.CodePartnerKey) {
			t.Errorf("another kind of key: %v", err)
		}
	}
}

func TestWhoIsNotLetInSaysSo(t *testing.T) {
	s := sftptest.Start(t)
	other := sftptest.Start(t)
	c := configOf(s)
	c.Key = other.Key
	if _, err := connect(t, c); !gateway.Is(err, gateway.CodePartnerSignIn) {
		t.Errorf("another key of ours: %v", err)
	}
}

func TestWhatIsDownSaysSo(t *testing.T) {
	s := sftptest.Start(t)
	c := configOf(s)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Address = silent.Addr().String()
	_ = silent.Close()
	if _, err := connect(t, c); !gateway.Is(err, gateway.CodePartnerDown) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestAFolderThatIsRefusedIsNamedInNoError(t *testing.T) {
	s := sftptest.Start(t)
	partner, err := connect(t, configOf(s))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Folder, "case-4711"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// A file where a folder should be: refused for root too.
	err = partner.Put("case-4711/x.part", func(io.Writer) error { return nil })
	if !gateway.Is(err, gateway.CodePartnerFolder) && !gateway.Is(err, gateway.CodePartnerDown) || strings.Contains(err.Error(), "4711") {
		t.Errorf("%v", err)
	}
	err = partner.Rename("case-4711-none", "case-4711-new")
	if !gateway.Is(err, gateway.CodePartnerFolder) || strings.Contains(err.Error(), "4711") {
		t.Errorf("%v", err)
	}
}

func TestWhatFailsInTheMakingIsNotThePartnersFault(t *testing.T) {
	s := sftptest.Start(t)
	partner, err := connect(t, configOf(s))
	if err != nil {
		t.Fatal(err)
	}
	damaged := gateway.NewError(gateway.CodeBlobDamaged, nil)
	if err := partner.Put("x.part", func(io.Writer) error { return damaged }); !errors.Is(err, damaged) {
		t.Errorf("%v", err)
	}
}

func TestAServerThatFallsSilentIsLeftWhenTheTimeIsOver(t *testing.T) {
	s := sftptest.Start(t)
	courier, err := New(configOf(s))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	partner, err := courier.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	done := make(chan error, 1)
	go func() {
		_, _, err := partner.Size("x")
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it still answers")
		}
	case <-time.After(10 * time.Second):
		t.Error("it is waited for")
	}
}

func TestWhatIsSealedToThePartnerOpensWithTheirKey(t *testing.T) {
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	courier, err := New(Config{HostKey: sftptest.NewHostKey(t), SealTo: []string{identity.Recipient().String()}})
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	w, err := courier.Seal(&sealed)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "papers")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(&sealed, identity)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(plain); err != nil || string(got) != "papers" {
		t.Errorf("%q %v", got, err)
	}
}

func TestWhatCannotBeUsedIsRefusedAtTheStart(t *testing.T) {
	good := Config{HostKey: sftptest.NewHostKey(t)}
	for name, change := range map[string]func(*Config){
		"host key":  func(c *Config) { c.HostKey = "ssh-ed25519 nonsense" },
		"key":       func(c *Config) { c.Key = "-----BEGIN NOTHING-----" },
		"recipient": func(c *Config) { c.SealTo = []string{"age1nothing"} },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
