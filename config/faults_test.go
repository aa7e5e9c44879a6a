package config

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func keysOfSchema(t *testing.T) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(Schema()), &root); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var walk func(node any)
	walk = func(node any) {
		object, _ := node.(map[string]any)
		for key, value := range object {
			if properties, ok := value.(map[string]any); ok && key == "properties" {
				keys = append(keys, sortedKeys(properties)...)
			}
			walk(value)
		}
		if list, ok := node.([]any); ok {
			for _, value := range list {
				walk(value)
			}
		}
	}
	walk(root)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// One change of the example each, for the role all, and the fault it makes.
func TestFaults(t *testing.T) {
	const number = "\"+15551230100\":\n    office: north\n"
	for _, c := range []struct{ name, old, new, want string }{
		{"duplicate key", "trusted_proxies: []", "trusted_proxies: []\ncountries: [US]", `"countries" stands here a second time`},
		{"duplicate number", "numbers:\n", "numbers:\n  \"+15551230100\": {office: north}\n", `"+15551230100" stands here a second time, after line`},
		{"number not E.164", number, "\"15551230100\":\n    office: north\n", "no telephone number in E.164 form"},
		{"number too short", number, "\"+1555123\":\n    office: north\n", "no telephone number in E.164 form"},
		{"text for a list", "countries: [US, CA]", "countries: US", "countries must be a list"},
		{"list for text", "name: North County Benefits", "name: [North]", "name must be a single value"},
		{"number for text", "name: North County Benefits", "name: 42", "name must be text; put the value in quotes"},
		{"number for a section", "    texts: {}", "    texts: 5", "texts must hold keys of its own"},
		{"no value", "name: North County Benefits", "name:", "name has no value"},
		{"empty name", "name: North County Benefits", `name: " "`, "name is empty"},
		{"missing key", "    name: North County Benefits\n", "", "the key name is missing; write name: North County Benefits"},
		{"later keys are unknown", "    texts: {}", "    journey: {}", `the key "journey" is unknown here`},
		{"plain secret", "{file: keys/link.key}", "canary-plain-secret", "a secret may not stand in this file"},
		{"secret of two sources", "{file: keys/link.key}", "{file: a, env: B}", "exactly one source"},
		{"secret of no source", "{file: keys/link.key}", "{}", "exactly one source"},
		{"secret's key misspelled", "{file: keys/link.key}", "{fiel: a}", "did you mean file?"},
		{"bad variable", "{env: NORTH_PASSPHRASE}", "{env: NORTH PASS}", "no name of a variable"},
		{"missing secret file", "{file: keys/link.key}", "{file: keys/lnk.key}", "keys/lnk.key does not exist; correct the path"},
		{"secret is a folder", "{file: keys/link.key}", "{file: keys}", "is no file"},
		{"link key of the wrong kind", "{file: keys/link.key}", "{file: keys/north.key}", "not 32 bytes in base64"},
		{"address without https", "desk_url: https://desk.example.gov", "desk_url: ftp://desk.example.gov", "does not begin with https://"},
		{"address with a path", "public_url: https://docs.example.gov", "public_url: https://docs.example.gov/x", "something behind the host name; write scheme and host only, without a slash at the end: https://docs.example.gov"},
		{"address with a slash", "public_url: https://docs.example.gov", "public_url: https://docs.example.gov/", "something behind the host name"},
		{"address in capitals", "public_url: https://docs.example.gov", "public_url: https://Docs.example.gov", "lower case"},
		{"address with a needless port", "public_url: https://docs.example.gov", "public_url: https://docs.example.gov:443", "port that it has anyway"},
		{"address with a user", "public_url: https://docs.example.gov", "public_url: https://me:canary@docs.example.gov", "holds a user name"},
		{"no address", "public_url: https://docs.example.gov", "public_url: docs.example.gov", "no web address"},
		{"http outside", "public_url: https://docs.example.gov", "public_url: http://docs.example.gov", "public_url is http"},
		{"one address for both", "desk_url: https://desk.example.gov", "desk_url: https://docs.example.gov", "same as public_url"},
		{"bad listener", `intake: ":8080"`, `intake: "8080"`, "no address to listen on"},
		{"two listeners on one address", `desk: "127.0.0.1:8081"`, `desk: "127.0.0.1:9090"`, "listen on the same address"},
		{"everybody is trusted", "trusted_proxies: []", "trusted_proxies: [0.0.0.0/0]", "trusts every computer"},
		{"bad proxy", "trusted_proxies: []", "trusted_proxies: [proxy.local]", "no network address"},
		{"unknown TLS mode", "mode: off ", "mode: on ", "no mode of TLS"},
		{"TLS files are missing", "mode: off ", "mode: files ", "needs cert"},
		{"two ways to Redis", `url: "redis://127.0.0.1:6379/0"`, `cluster: ["a:1"]` + "\n  url: \"redis://127.0.0.1:6379/0\"", "exactly one of url, sentinel and cluster"},
		{"bad Redis address", `"redis://127.0.0.1:6379/0"`, `"http://:canary@127.0.0.1:6379"`, "no Redis address"},
		{"bad Redis option", `"redis://127.0.0.1:6379/0"`, `"redis://127.0.0.1:6379/0?canary=1"`, "no Redis address"},
		{"bad cluster node", `url: "redis://127.0.0.1:6379/0"`, `cluster: ["10.0.0.1"]`, "no host and port"},
		{"unknown database", `"sqlite:records.db"`, `"mysql://canary@x/y"`, "no database address"},
		{"SQLite with options", `"sqlite:records.db"`, `"sqlite:records.db?mode=ro"`, "no SQLite address"},
		{"S3 is for later", `"file:vault"`, `"s3://bucket/prefix"`, "in a folder only, not in S3; write file: and a folder"},
		{"no tokens", "    - {env: TWILIO_AUTH_TOKEN}\n", "    []\n", "auth_tokens is empty"},
		{"missing token", "{env: TWILIO_AUTH_TOKEN}", "{env: DROPSLOT_NEVER_SET}", "the variable DROPSLOT_NEVER_SET is not set"},
		{"Twilio with a path", "  # api_url: http://127.0.0.1:9999 ", "  api_url: http://127.0.0.1:9999/canary #", "something behind the host name; write scheme and host only, like http://127.0.0.1:9999"},
		{"Twilio over http", "  # api_url: http://127.0.0.1:9999 ", "  api_url: http://fake.example.gov #", "api_url is http"},
		{"office's short name", "  north:\n", "  North:\n", "no short name of an office"},
		{"unknown language", "languages: [en, es]", "languages: [en, de]", "no texts in the language de"},
		{"no language", "languages: [en, es]", "languages: [en, spanish!]", "this is no language"},
		{"language twice", "languages: [en, es]", "languages: [en, en]", "named twice"},
		{"unknown time zone", "America/Chicago", "Chicago", "no time zone"},
		{"short retention", "retention: 90d", "retention: 1h", "shorter than a day"},
		{"tiny photographs", "photo_long_side: 2400", "photo_long_side: 800", "photo_long_side is not between 1000 and 4000"},
		{"large photographs", "photo_long_side: 2400", "photo_long_side: 4001", "photo_long_side is not between 1000 and 4000"},
		{"pictures where the phone alone seals", "sealing: browser-or-server", "sealing: browser-only", "write mms: discard here"},
		{"unknown sealing", "sealing: browser-or-server", "sealing: server", "sealing is neither browser-or-server nor browser-only"},
		{"unknown ask", "asks: [photo-id,", "asks: [passport,", "no label called passport"},
		{"own text without its link", "    texts: {}", "    texts: {en: {link: go away}}", `the text "link" cannot be used; write {link} into it`},
		{"own text in another language", "    texts: {}", "    texts: {fr: {link: \"{link}\"}}", `does not write in "fr"`},
		{"unknown mms", "mms: seal ", "mms: keep ", "write seal or discard"},
		{"link for ever", "    link_ttl: 4h ", "    link_ttl: 90d ", "at least 5m and at most 14d"},
		{"limit of zero", "link_pages: 40 ", "link_pages: 0 ", "link_pages must be above zero"},
		{"size without unit", "page_size: 20MiB", "page_size: 20", "write a number and a unit, like 20MiB"},
		{"page above link", "page_size: 20MiB", "page_size: 1GiB", "page_size (1GiB) is above link_size (200MiB)"},
		{"hour above day", "answers_per_hour: 5 ", "answers_per_hour: 50 ", "answers_per_hour (50) is above answers_per_day (20)"},
		{"subaccount without its token", "    # account:                # if a subaccount owns the number\n    #   sid: AC", "    account:\n      sid: AC", "the key auth_tokens is missing"},
		{"subaccount that is none", "    # account:                # if a subaccount owns the number\n", "    account: {sid: AC00000000000000000000000000000000, auth_tokens: [{env: TWILIO_AUTH_TOKEN}]}\n", "no subaccount; take account out here"},
		{"merge keys are no keys", "limits:\n", "limits:\n  <<: {link_pages: 3}\n", `the key "<<" is unknown here`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			_, err := h.load(RoleAll, c.old, c.new)
			faults, ok := errors.AsType[Faults](err)
			if !ok {
				t.Fatalf("got %v, want faults", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("no fault about %q:\n%v", c.want, err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("a value that may be secret is repeated:\n%v", err)
			}
			if len(faults) > 3 {
				t.Errorf("one mistake makes %d faults:\n%v", len(faults), err)
			}
		})
	}
}

func TestSyntaxErrorsHaveTheirPlace(t *testing.T) {
	h := newHouse(t)
	for _, text := range []string{"a: [1, 2\nb: 3\n", "\tx: 1\n", "a: 1\n---\nb: 2\n", "a: \"x\n"} {
		_, err := h.loadText(RoleAll, text)
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) != 1 || faults[0].Line < 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "# nothing\n", "5\n", "- a\n"} {
		if _, err := h.loadText(RoleAll, text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	if _, err := Load(filepath.Join(h.folder, "nowhere.yaml"), RoleAll); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestRecipients(t *testing.T) {
	for _, c := range []struct{ name, own, want string }{
		{"nonsense", "age1nonsense", "line 2 of"},
		{"an identity", "AGE-SECRET-KEY-PQ-1CANARY", "is an identity, the key that opens documents"},
		{"classic beside post-quantum", classic(t), "are mixed"},
		{"nothing", "# nothing yet", "holds no recipient; make one with: dropslot keygen"},
		{"an ssh key", "ssh-ed25519 AAAAC3Nz canary", "is no age recipient"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.write("keys/north.pub", "# the office's own\n"+c.own+"\n", 0o644)
			_, err := h.load(RoleIntake)
			wantFaults(t, err, c.want)
			if err != nil && strings.Contains(strings.ToLower(err.Error()), "canary") {
				t.Errorf("what the file holds is repeated: %v", err)
			}
		})
	}
	h := newHouse(t)
	if err := os.Remove(filepath.Join(h.folder, "keys/north.pub")); err != nil {
		t.Fatal(err)
	}
	_, err := h.load(RoleIntake)
	wantFaults(t, err, "north.pub does not exist")
}

// Roles that run as users of their own share secrets through a group, which
// may read them; nobody shares the key that opens documents.
func TestSecretFilesAreForTheirOwnerAndGroup(t *testing.T) {
	h := newHouse(t)
	link := base64.StdEncoding.EncodeToString(make([]byte, 32))
	const passphrase, key = "passphrase: {env: NORTH_PASSPHRASE}", "file: keys/north.key "
	for _, mode := range []os.FileMode{0o400, 0o440, 0o600, 0o640} {
		h.write("keys/link.key", link, mode)
		h.write("keys/passphrase", "canary", mode)
		h.write("keys/token", "canary", mode)
		if _, err := h.load(RoleDesk, passphrase, "passphrase: {file: keys/passphrase}", "env: TWILIO_AUTH_TOKEN", "file: keys/token"); err != nil {
			t.Errorf("%04o: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o604, 0o660, 0o642, 0o641} {
		h.write("keys/link.key", link, mode)
		h.write("keys/passphrase", "canary", mode)
		_, err := h.load(RoleDesk, passphrase, "passphrase: {file: keys/passphrase}")
		wantFaults(t, err, "run: chmod 600 "+h.folder+"/keys/link.key, or chmod 640", "run: chmod 600 "+h.folder+"/keys/passphrase, or chmod 640")
	}
	h.write("keys/link.key", link, 0o640)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o610} {
		h.write("keys/north.key", "x", mode)
		_, err := h.load(RoleDesk)
		wantFaults(t, err, "run: chmod 600 "+h.folder+"/keys/north.key")
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"role all", "", "", "the role all puts the key"},
		{"one recipient", "      - {file: keys/north-recovery.pub}\n", "", "one recipient only"},
		{"open desk", `desk: "127.0.0.1:8081"`, `desk: "0.0.0.0:8081"`, "the desk listens on 0.0.0.0:8081 without TLS"},
		{"open metrics", `ops: "127.0.0.1:9090"`, `ops: ":9090"`, "health and metrics are open"},
		{"password in the file", `"redis://127.0.0.1:6379/0"`, `"redis://:canary@127.0.0.1:6379/0"`, "a password stands in this file"},
		{"nobody answers", `phone: "+15551230199"`, `phone: "+15551230100"`, "where nobody answers a call"},
		{"a fake Twilio", "  # api_url: http://127.0.0.1:9999 ", "  api_url: http://127.0.0.1:9999 #", "instead of Twilio"},
	} {
		h := newHouse(t)
		config, err := h.load(RoleAll, c.old, c.new)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		lines := strings.Join(config.Warnings.Lines(), "\n")
		if !strings.Contains(lines, c.want) || strings.Contains(lines, "canary") {
			t.Errorf("%s: got %s", c.name, lines)
		}
	}
}
