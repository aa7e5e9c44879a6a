package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// deliverable writes a partner's key and gives the lines of deliver.
func (h *house) deliverable(change ...string) []string {
	h.t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		h.t.Fatal(err)
	}
	host, err := ssh.NewPublicKey(public)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("keys/partner.sftp", string(pem.EncodeToMemory(block)), 0o600)
	h.write("keys/partner.pub", hybrid(h.t)+"\n", 0o644)
	lines := `    deliver:
      name: State eligibility
      host: sftp.example.gov
      host_key: ` + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host))) + `
      user: dropslot
      key: {file: keys/partner.sftp}
      path: incoming/{office}/{case}-{date}
      seal_to: keys/partner.pub
`
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(lines, change[i]) {
			h.t.Fatalf("no %q", change[i])
		}
		lines = strings.Replace(lines, change[i], change[i+1], 1)
	}
	return []string{"    download: {caseworker: on, supervisor: on}\n", "    download: {caseworker: off}\n" + lines}
}

func TestAPartnerIsRead(t *testing.T) {
	h := newHouse(t)
	c, err := h.load(RoleDesk, h.deliverable()...)
	if err != nil {
		t.Fatal(err)
	}
	office := c.Offices["north"]
	d := office.Deliver
	if d.Host != "sftp.example.gov:22" || d.Form != FormPDF || !strings.HasPrefix(d.Key.Reveal(), "-----BEGIN OPENSSH PRIVATE KEY-----") || len(d.Recipients) != 1 {
		t.Errorf("%+v", d)
	}
	if office.Download["caseworker"] != Off {
		t.Errorf("%+v", office.Download)
	}
	// Only the desk reads the key.
	c, err = h.load(RoleIntake, h.deliverable()...)
	if err != nil || c.Offices["north"].Deliver.Key.IsSet() {
		t.Errorf("the intake has the key: %v", err)
	}
}

func TestFaultsOfAPartner(t *testing.T) {
	for want, change := range map[string][]string{
		"this is no server":                        {"host: sftp.example.gov", "host: ':22'"},
		"this is no host key":                      {"host_key: ssh-ed25519 ", "host_key: ssh-ed25519 x"},
		"path has a placeholder that there is not": {"{case}", "{name}"},
		"path is none that files can be put to":    {"incoming/", "../"},
		"name is empty":                            {"name: State eligibility", "name: ' '"},
		"user is empty":                            {"user: dropslot", "user: ''"},
		"form is neither pdf nor originals":        {"user: dropslot", "user: dropslot\n      form: doc"},
		"deliver has no key and no password":       {"      key: {file: keys/partner.sftp}\n", ""},
		"is no private key without a passphrase":   {"keys/partner.sftp", "keys/link.key"},
		"keys/nobody.pub does not exist":           {"keys/partner.pub", "keys/nobody.pub"},
	} {
		h := newHouse(t)
		_, err := h.load(RoleDesk, h.deliverable(change...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	h := newHouse(t)
	for want, lines := range map[string]string{
		`"auditor" is no role that sees papers`: "    download: {auditor: on}\n",
		"this is neither on nor off":            "    download: {caseworker: yes}\n",
	} {
		if _, err := h.load(RoleDesk, "    download: {caseworker: on, supervisor: on}\n", lines); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAddressesOfTheScanner(t *testing.T) {
	h := newHouse(t)
	for address, good := range map[string]bool{
		"unix:/run/clamav/clamd.ctl": true, "tcp:127.0.0.1:3310": true, "tcp:[::1]:3310": true,
		"/run/clamd.ctl": false, "unix:clamd.ctl": false, "tcp:localhost": false, "udp:1.2.3.4:1": false,
	} {
		_, err := h.load(RoleDesk, "agreements: []\n", "agreements: []\nscan: {clamd: \""+address+"\"}\n")
		if (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
}
