package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	accountSID = "AC" + "0123456789abcdef0123456789abcdef"
	authToken  = "0123456789abcdef0123456789abcdef"
	ourNumber  = "+15551230100"
	passphrase = "a passphrase of the tests"
)

// house is one installation: a Redis, a folder with configuration, keys,
// records and vault, and the processes that a test starts on them.
type house struct {
	t            *testing.T
	folder       string
	config       string
	public       string // host:port of the intake
	desk         string
	ops          string
	redis        string
	redisData    string
	redisProcess *process
	twilio       string // URL of what stands in for Twilio's API
	said         *transcript
}

const configuration = `public_url: http://%[1]s
data_dir: %[2]s
listen: {intake: %[1]q, desk: %[3]q, ops: %[4]q}
desk_url: http://%[3]s
trusted_proxies: ["127.0.0.1/32"]
redis: {url: "redis://%[5]s/0"}
records: {url: "sqlite:records.db"}
vault: {url: "file:vault"}
link_key: {file: keys/link.key}
twilio:
  account_sid: %[6]s
  auth_tokens: [{env: E2E_AUTH_TOKEN}]
  api_url: %[7]s
countries: [US]
offices:
  north:
    name: North County Benefits
    phone: "+15551230199"
    recipients: [{file: keys/north.pub}, {file: keys/north-recovery.pub}]
    identity: {file: keys/north.key, passphrase: {env: E2E_PASSPHRASE}}
    languages: [en, es]
    timezone: America/Chicago
    second_factor: optional
    daily_spend: 900000
    asks: [photo-id, pay-stub, benefit-letter, other]
numbers:
  %[8]q: {office: north}
limits: {number_per_hour: 100000000}
`

// newHouse makes keys and configuration and starts Redis; no process of
// Dropslot runs yet. The program's temp folder is the house's own, so that
// what should not be left there would be found.
func newHouse(t *testing.T, twilioURL string) *house {
	t.Helper()
	h := &house{
		t: t, folder: t.TempDir(), twilio: twilioURL, said: &transcript{},
		public: freeAddress(t), desk: freeAddress(t), ops: freeAddress(t),
	}
	for _, folder := range []string{"data", "tmp", "redis", "offline"} {
		if err := os.Mkdir(h.path(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.startRedis()
	h.config = h.path("dropslot.yaml")
	text := fmt.Sprintf(configuration, h.public, h.path("data"), h.desk, h.ops, h.redis, accountSID, h.twilio, ourNumber)
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.command("", "keygen", "--office", "north", "--out", h.path("data", "keys"), "--recovery-out", h.path("offline"))
	return h
}

// configure replaces words of the configuration.
func (h *house) configure(old, replacement string) {
	h.t.Helper()
	text, err := os.ReadFile(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		h.t.Fatalf("the configuration does not say %q", old)
	}
	if err := os.WriteFile(h.config, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) path(elements ...string) string {
	return filepath.Join(append([]string{h.folder}, elements...)...)
}

func (h *house) environment() []string {
	return []string{
		"E2E_AUTH_TOKEN=" + authToken, "E2E_PASSPHRASE=" + passphrase, "DROPSLOT_PASSPHRASE=" + passphrase,
		"TMPDIR=" + h.path("tmp"),
	}
}

// command runs one of the program's commands to its end and gives what it printed.
func (h *house) command(input string, args ...string) string {
	h.t.Helper()
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), h.environment()...)
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	_, _ = h.said.Write(out)
	if err != nil {
		h.t.Fatalf("dropslot %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// serve starts the roles, each as a process of its own, and waits for them.
func (h *house) serve(roles ...string) map[string]*process {
	h.t.Helper()
	running := map[string]*process{}
	for _, role := range roles {
		running[role] = h.launch(binary, role)
	}
	for role, p := range running {
		switch role {
		case "intake":
			p.listening(h.t, h.public)
		case "desk":
			p.listening(h.t, h.desk)
		case "all":
			p.listening(h.t, h.public)
			p.listening(h.t, h.desk)
		}
	}
	return running
}

// launch starts one role of a binary and does not wait. Each role has an ops
// address of its own but for the one that the configuration names.
func (h *house) launch(program, role string) *process {
	h.t.Helper()
	config := h.config
	if role != "intake" && role != "all" {
		text, err := os.ReadFile(h.config)
		if err != nil {
			h.t.Fatal(err)
		}
		config = h.path("dropslot-" + role + ".yaml")
		text = []byte(strings.Replace(string(text), h.ops, freeAddress(h.t), 1))
		if err := os.WriteFile(config, text, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	return startProcess(h.t, role, h.said, h.environment(), program, "serve", "-c", config, "--role", role)
}

// startRedis runs a redis-server of the house's own, with everything that it
// is told on disk.
func (h *house) startRedis() {
	h.t.Helper()
	path := program(h.t, "redis-server")
	h.redis = freeAddress(h.t)
	h.redisData = h.path("redis")
	_, port, err := net.SplitHostPort(h.redis)
	if err != nil {
		h.t.Fatal(err)
	}
	h.redisProcess = startProcess(h.t, "redis-server", h.said, nil, path, "--bind", "127.0.0.1", "--port", port, "--dir", h.redisData,
		"--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
	h.redisProcess.listening(h.t, h.redis)
}
