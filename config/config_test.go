package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
)

// house is a folder with the keys that the example names.
type house struct {
	t      *testing.T
	folder string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, folder: t.TempDir()}
	h.write("keys/link.key", base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n", 0o600)
	h.write("keys/north.key", "an identity, which Load does not open", 0o600)
	h.write("keys/north.pub", "# the office's own\n"+hybrid(t)+"\n", 0o644)
	h.write("keys/north-recovery.pub", hybrid(t)+"\n", 0o644)
	t.Setenv("TWILIO_AUTH_TOKEN", "canaryauthtoken")
	t.Setenv("NORTH_PASSPHRASE", "canary-passphrase")
	return h
}

func (h *house) write(name, content string, mode os.FileMode) {
	h.t.Helper()
	file := filepath.Join(h.folder, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		h.t.Fatal(err)
	}
}

// load writes the example with replacements (old, new, old, new...) and loads it.
func (h *house) load(role Role, replacements ...string) (*Config, error) {
	h.t.Helper()
	return h.loadText(role, h.example(replacements...))
}

func (h *house) example(replacements ...string) string {
	h.t.Helper()
	text := Example()
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(text, replacements[i]) {
			h.t.Fatalf("the example does not hold %q", replacements[i])
		}
		text = strings.Replace(text, replacements[i], replacements[i+1], 1)
	}
	return strings.Replace(text, "data_dir: /var/lib/dropslot", "data_dir: .", 1)
}

func (h *house) loadText(role Role, text string) (*Config, error) {
	h.t.Helper()
	h.write("dropslot.yaml", text, 0o644)
	return Load(filepath.Join(h.folder, "dropslot.yaml"), role, WithCatalog(fakeCatalog{}))
}

// fakeCatalog stands for package templates, which this package may not import.
type fakeCatalog struct{}

func (fakeCatalog) HasLanguage(tag string) bool { return tag == "en" || tag == "es" || fakeDraft(tag) }
func (fakeCatalog) IsDraft(tag string) bool     { return fakeDraft(tag) }
func fakeDraft(tag string) bool                 { return tag == "vi" || tag == "tl" }
func (fakeCatalog) HasAsk(key string) bool {
	return slices.Contains([]string{"photo-id", "pay-stub", "benefit-letter", "other"}, key)
}
func (fakeCatalog) CheckText(_, key, text string) error {
	if key != "link" || !strings.Contains(text, "{link}") {
		return errors.New("write {link} into it")
	}
	return nil
}

func hybrid(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String()
}

func classic(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String()
}

func TestExampleLoadsForEveryRole(t *testing.T) {
	for _, role := range Roles {
		h := newHouse(t)
		c, err := h.load(role)
		if err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		if c.DataDir != h.folder || c.VaultFolder() != filepath.Join(h.folder, "vault") {
			t.Errorf("%s: data %s, vault %s", role, c.DataDir, c.VaultFolder())
		}
		if got, want := c.Records.URL.Reveal(), "sqlite:"+filepath.Join(h.folder, "records.db"); got != want {
			t.Errorf("%s: records %s, want %s", role, got, want)
		}
		if raw, err := c.LinkKeyBytes(); err != nil || len(raw) != 32 {
			t.Errorf("%s: link key of %d bytes, %v", role, len(raw), err)
		}
		office := c.Offices["north"]
		if len(office.RecipientKeys()) != 2 || c.Numbers["+15551230100"].Office != "north" {
			t.Errorf("%s: %d recipients, numbers %v", role, len(office.RecipientKeys()), c.Numbers)
		}
		if got := office.Identity.Passphrase.IsSet(); got != role.OpensPages() {
			t.Errorf("%s: passphrase set: %v", role, got)
		}
		if c.Twilio.AuthTokens[0].Reveal() != "canaryauthtoken" {
			t.Errorf("%s: the auth token is not there", role)
		}
	}
}

// The example shows every key: a key that is not in it does not exist for the operator.
func TestExampleShowsEveryKey(t *testing.T) {
	for _, key := range keysOfSchema(t) {
		if !strings.Contains(Example(), key+":") {
			t.Errorf("example.yaml does not show %s", key)
		}
	}
}

// The intake's machine holds neither identity nor passphrase.
func TestEachRoleNeedsItsOwnSecretsOnly(t *testing.T) {
	for _, role := range Roles {
		h := newHouse(t)
		if err := os.Remove(filepath.Join(h.folder, "keys/north.key")); err != nil {
			t.Fatal(err)
		}
		if err := os.Unsetenv("NORTH_PASSPHRASE"); err != nil {
			t.Fatal(err)
		}
		_, err := h.load(role)
		if role.OpensPages() {
			wantFaults(t, err, "dropslot.yaml:101:13: "+h.folder+"/keys/north.key does not exist;", "the variable NORTH_PASSPHRASE is not set;")
		} else if err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	h := newHouse(t)
	_, err := h.load(RoleIntake, "desk_url: https://desk.example.gov\n", "", "    identity:\n      file: keys/north.key    # chmod 600, owned by the desk's user\n      passphrase: {env: NORTH_PASSPHRASE}\n", "")
	if err != nil {
		t.Errorf("an intake without anything of the desk: %v", err)
	}
	_, err = h.load(RoleDesk, "desk_url: https://desk.example.gov\n", "", "    identity:\n      file: keys/north.key    # chmod 600, owned by the desk's user\n      passphrase: {env: NORTH_PASSPHRASE}\n", "")
	wantFaults(t, err, "desk_url is missing; the role desk needs it", "identity is missing; the role desk needs it")
}

// wantFaults checks that the error holds a fault for each part and no other.
func wantFaults(t *testing.T, err error, parts ...string) {
	t.Helper()
	faults, ok := errors.AsType[Faults](err)
	if !ok {
		t.Errorf("got %v, want faults", err)
		return
	}
	lines := faults.Lines()
	for _, part := range parts {
		i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, part) })
		if i < 0 {
			t.Errorf("no fault %q", part)
			continue
		}
		lines = slices.Delete(lines, i, i+1)
	}
	for _, line := range lines {
		t.Errorf("unexpected: %s", line)
	}
	if t.Failed() {
		t.Logf("all faults:\n%v", err)
	}
}

func TestAllFaultsAtOnceInTheOrderOfTheFile(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(RoleAll,
		"public_url: https://docs.example.gov", "public_url: http://docs.example.gov/",
		"  ops: \"127.0.0.1:9090\"", "  opz: \"127.0.0.1:9090\"",
		"  account_sid: AC00000000000000000000000000000000", "  account_sid: AC1",
		"countries: [US, CA]", "countries: [US, Canada]",
		"phone: \"+15551230199\"", "phone: \"555-1230\"",
		"retention: 90d", "retention: forever",
		"office: north\n    mms", "office: nroth\n    mms",
		"link_pages: 40 ", "link_pages: many ",
	)
	faults, ok := errors.AsType[Faults](err)
	if !ok {
		t.Fatal(err)
	}
	wantFaults(t, err, "public_url is http,", `the key "opz" is unknown here; did you mean ops?`, "no account SID",
		"no country", "no telephone number", "no length of time", `no office "nroth"; write one of: north`,
		"no number belongs to the office north", "link_pages must be a whole number")
	if !slices.IsSortedFunc(faults, func(a, b Fault) int { return a.Line - b.Line }) {
		t.Errorf("not in order:\n%v", err)
	}
	for _, line := range faults.Lines() {
		if !strings.HasPrefix(line, filepath.Join(h.folder, "dropslot.yaml")+":") || !strings.Contains(line, "; ") {
			t.Errorf("not file:line:column: wrong; instead: %s", line)
		}
	}
}

func TestPositionsPointAtTheValue(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(RoleIntake, "countries: [US, CA]", "countries: [US, XX]")
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) != 1 {
		t.Fatal(err)
	}
	line := strings.Split(h.example("countries: [US, CA]", "countries: [US, XX]"), "\n")[faults[0].Line-1]
	if !strings.HasPrefix(line[faults[0].Column-1:], "XX") {
		t.Errorf("%v points at %q", faults[0], line[faults[0].Column-1:])
	}
}

func ExampleFault() {
	fmt.Println(Fault{"dropslot.yaml", 12, 3, "the key phnoe is unknown here", "did you mean phone?"})
	// Output: dropslot.yaml:12:3: the key phnoe is unknown here; did you mean phone?
}
