package config

import (
	"strings"
	"testing"
)

// warned loads the example with replacements and gives the warnings that hold
// a part of a sentence.
func (h *house) warned(role Role, part string, replacements ...string) []string {
	h.t.Helper()
	c, err := h.load(role, replacements...)
	if err != nil {
		h.t.Fatal(err)
	}
	var found []string
	for _, line := range c.Warnings.Lines() {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	return found
}

// Behind a proxy that is not named, every browser has the proxy's address.
func TestAProxyMustBeNamed(t *testing.T) {
	h := newHouse(t)
	const part = "trusted_proxies names none"
	loopback := []string{"public_url: https://docs.example.gov", "public_url: http://127.0.0.1:8080", "desk_url: https://desk.example.gov", "desk_url: http://127.0.0.1:8081"}
	for _, c := range []struct {
		name         string
		role         Role
		replacements []string
		want         int
	}{
		{"intake", RoleIntake, nil, 1},
		{"desk", RoleDesk, nil, 1},
		{"both, told once", RoleAll, nil, 1},
		{"the worker serves no browser", RoleWorker, nil, 0},
		{"named", RoleAll, []string{"trusted_proxies: []", "trusted_proxies: [127.0.0.1]"}, 0},
		{"no proxy on one's own machine", RoleAll, loopback, 0},
		{"the desk alone is behind one", RoleDesk, loopback[:2], 1},
		{"and the intake is not", RoleIntake, loopback[:2], 0},
		{"no proxy with TLS of our own", RoleIntake, []string{"mode: off ", "mode: autocert #"}, 0},
	} {
		if got := h.warned(c.role, part, c.replacements...); len(got) != c.want {
			t.Errorf("%s: %v, want %d", c.name, got, c.want)
		}
	}
}

// Cookies know no ports.
func TestTheDeskNeedsAHostOfItsOwn(t *testing.T) {
	h := newHouse(t)
	const public, desk = "public_url: https://docs.example.gov", "desk_url: https://desk.example.gov"
	for _, c := range []struct {
		public, desk string
		want         int
	}{
		{"https://docs.example.gov", "https://desk.example.gov", 0},
		{"https://docs.example.gov", "https://docs.example.gov:8443", 1},
		{"https://docs.example.gov:8443", "https://docs.example.gov", 1},
		{"https://192.168.1.7:8444", "https://192.168.1.7:8445", 1},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081", 0},
		{"https://localhost:8080", "https://localhost:8081", 0},
	} {
		got := h.warned(RoleAll, "a browser sends cookies to every port of a host", public, "public_url: "+c.public, desk, "desk_url: "+c.desk)
		if len(got) != c.want {
			t.Errorf("%s and %s: %v, want %d", c.public, c.desk, got, c.want)
		}
	}
}

// Let's Encrypt asks on port 443 and nowhere else.
func TestAutocertThatNeverWorks(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		role         Role
		intake, desk string
		want         []string
	}{
		{RoleAll, ":8080", "127.0.0.1:8081", []string{"for intake on :8080", "for desk on 127.0.0.1:8081"}},
		{RoleAll, ":443", "127.0.0.1:443", []string{"for desk on 127.0.0.1:443"}},
		{RoleAll, "192.0.2.1:443", "[2001:db8::2]:443", nil},
		{RoleIntake, ":443", "127.0.0.1:8081", nil},
		{RoleDesk, ":8080", "10.0.0.5:443", nil},
		{RoleWorker, ":8080", "127.0.0.1:8081", nil},
	} {
		got := h.warned(c.role, "autocert gets no certificate", "mode: off ", "mode: autocert #",
			`intake: ":8080"`, `intake: "`+c.intake+`"`, `desk: "127.0.0.1:8081"`, `desk: "`+c.desk+`"`)
		if len(got) != len(c.want) {
			t.Errorf("%s, intake %s, desk %s: %v", c.role, c.intake, c.desk, got)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s, want %q", got[i], want)
			}
		}
	}
}

// An address for ops from the command line is checked like one of the file.
func TestOpsElsewhere(t *testing.T) {
	h := newHouse(t)
	h.write("dropslot.yaml", h.example(), 0o644)
	load := func(text string) (*Config, error) {
		t.Helper()
		address, err := ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		return Load(h.folder+"/dropslot.yaml", RoleDesk, WithOps(address))
	}
	c, err := load("127.0.0.1:9092")
	if err != nil || c.Listen.Ops != "127.0.0.1:9092" || strings.Contains(c.Warnings.Error(), "health and metrics") {
		t.Errorf("loopback: %v, %v", c, err)
	}
	c, err = load(":9092")
	if err != nil || !strings.Contains(c.Warnings.Error(), "health and metrics are open to whoever reaches :9092") {
		t.Errorf("open to everybody: %v", err)
	}
	_, err = load("127.0.0.1:8081")
	wantFaults(t, err, "ops and desk listen on the same address")
	for _, text := range []string{"", "9092", "127.0.0.1", "ops.example.gov:9092", "127.0.0.1:99999", "::1:9092"} {
		if _, err := ParseAddress(text); err == nil || !strings.Contains(err.Error(), "no address to listen on; write an IP address and a port") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// An auth token is never repeated, whatever stands where it belongs.
func TestTokensAreLettersAndDigits(t *testing.T) {
	h := newHouse(t)
	for _, token := range []string{"canary token", "canary-token", "canary/0123456789", "\"canary\""} {
		t.Setenv("TWILIO_AUTH_TOKEN", token)
		for _, role := range Roles {
			_, err := h.load(role)
			wantFaults(t, err, "the auth token holds more than letters and digits; copy it again")
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the token is repeated: %v", err)
			}
		}
	}
}

func TestValidOffice(t *testing.T) {
	for id, want := range map[string]bool{
		"north": true, "n-2": true, "": false, "North": false, "2north": false, "../north": false, "north_2": false,
		strings.Repeat("n", 31): true, strings.Repeat("n", 32): false,
	} {
		if ValidOffice(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

// Each language that has a catalog can be chosen, by the name of its file.
func TestADraftLanguageIsWarnedOf(t *testing.T) {
	for _, draft := range []string{"tl", "vi"} {
		h := newHouse(t)
		c, err := h.load(RoleAll, "languages: [en, es]", "languages: [en, "+draft+"]")
		if err != nil || !strings.Contains(c.Warnings.Error(), "the texts and pages in the language "+draft+" are a draft") {
			t.Errorf("%s: %v, %v", draft, c.Warnings, err)
		}
	}
}
