// Package ssotest starts an OpenID Connect provider for tests: oidc-provider,
// from npm, as a process of its own.
package ssotest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Client is a program that the provider knows.
type Client struct {
	ID       string `json:"id"`
	Secret   string `json:"secret"`
	Redirect string `json:"redirect"`
}

// Person is somebody whom the provider knows, under a name of their own.
type Person struct {
	Name   string   `json:"name,omitempty"` // preferred_username
	Email  string   `json:"email,omitempty"`
	Groups []string `json:"groups,omitempty"`
	AMR    []string `json:"amr,omitempty"`
	ACR    string   `json:"acr,omitempty"`
}

// Options are how a provider behaves.
type Options struct {
	Issuer  string // empty: its own address
	Clients []Client
	People  map[string]Person
	InToken bool // names and groups are in the ID token, not at the userinfo_endpoint alone
}

// Provider is one that runs until the test ends.
type Provider struct {
	tb      testing.TB
	Issuer  string
	Address string // host:port
	people  string
	options Options
	command *exec.Cmd
	ended   sync.WaitGroup
}

// Start starts one. Without node or its packages the test is skipped, or fails
// if DROPSLOT_REQUIRE_ALL is 1.
func Start(tb testing.TB, o Options) *Provider {
	tb.Helper()
	p := &Provider{tb: tb, Issuer: o.Issuer, Address: freeAddress(tb), people: filepath.Join(tb.TempDir(), "people.json"), options: o}
	if p.Issuer == "" {
		p.Issuer = "http://" + p.Address
	}
	p.Know(o.People)
	p.Run()
	tb.Cleanup(p.Stop)
	return p
}

// Run starts the process, also again after Stop.
func (p *Provider) Run() {
	p.tb.Helper()
	folder := npmFolder()
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(folder, "node_modules", "oidc-provider")); err != nil || missing != nil {
		const what = "needs node and: npm ci in gateway/sso/testdata/npm"
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			p.tb.Fatal(what)
		}
		p.tb.Skip(what)
	}
	argument, err := json.Marshal(map[string]any{
		"issuer": p.Issuer, "listen": p.Address, "clients": p.options.Clients, "people": p.people,
		"inToken": p.options.InToken,
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.command = exec.Command(node, "provider.mjs", string(argument)) // #nosec G204 -- a test's own
	p.command.Dir = folder
	var said bytes.Buffer
	p.command.Stderr = &said
	out, err := p.command.StdoutPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		p.tb.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ready := lines.Scan() && lines.Text() == "listening"
	p.ended.Go(func() {
		for lines.Scan() { // nothing waits for room in the pipe
		}
		_ = p.command.Wait()
	})
	if !ready {
		p.Stop()
		p.tb.Fatalf("the provider does not start:\n%s", said.String())
	}
}

// Stop ends the process.
func (p *Provider) Stop() {
	_ = p.command.Process.Kill()
	p.ended.Wait()
}

// Know makes these the people that there are, from the next sign-in on.
func (p *Provider) Know(people map[string]Person) {
	p.tb.Helper()
	text, err := json.Marshal(people)
	if err == nil { // in one step: the provider may be reading
		err = os.WriteFile(p.people+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(p.people+".new", p.people)
	}
	if err != nil {
		p.tb.Fatal(err)
	}
}

func npmFolder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(filepath.Dir(file)), "testdata", "npm")
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
