package config

import (
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Deliver is where an office hands papers over to, by SFTP. The desk does it.
type Deliver struct {
	// The partner's name, as caseworkers know it.
	Name string `yaml:"name" jsonschema:"required" write:"State eligibility"`
	// The partner's server, as host:port; the port is 22 if none is written.
	Host string `yaml:"host" jsonschema:"required" write:"sftp.example.gov:22"`
	// The server's host key, as the partner tells it: the kind and the key. Any
	// other key is refused.
	HostKey string `yaml:"host_key" jsonschema:"required" write:"ssh-ed25519 AAAA..."`
	// The user to sign in as.
	User string `yaml:"user" jsonschema:"required" write:"dropslot"`
	// The private key to sign in with, in PEM form and without a passphrase.
	// Read by the desk role alone. This or password.
	Key Secret `yaml:"key" write:"{file: keys/partner.sftp}"`
	// The password to sign in with. Read by the desk role alone.
	Password Secret `yaml:"password" write:"{env: PARTNER_PASSWORD}"`
	// Where the files go, without their extension. The placeholders are
	// {office}, {reference}, {case} and {date}; each file gets eight more
	// characters, so that no two are alike. Letters, digits, - _ . and / only.
	Path string `yaml:"path" jsonschema:"required" write:"incoming/{office}/{case}-{date}"`
	// What the partner gets. pdf: one PDF with a cover page, and what cannot be
	// in it beside it. originals: each page as the client sent it. Default: pdf.
	Form string `yaml:"form" jsonschema:"enum=pdf,enum=originals"`
	// A file with the partner's own age recipients: then what lies at the
	// partner is sealed to them, and ends in .age.
	SealTo string `yaml:"seal_to" write:"keys/partner.pub"`

	// Recipients is what Load found in seal_to.
	Recipients []string `yaml:"-"`
}

// Scan is the virus scanner.
type Scan struct {
	// ClamAV's clamd, as unix:PATH or tcp:HOST:PORT. Every page is scanned when
	// it is opened and when it is handed on; what the scanner does not call
	// clean is refused, and so is everything while it does not answer. Its
	// StreamMaxLength, MaxFileSize and MaxScanSize must be at least the limit
	// page_size, with AlertExceedsMax on. Default: nothing is scanned.
	Clamd string `yaml:"clamd" write:"unix:/run/clamav/clamd.ctl"`
}

// Switch is on or off.
type Switch string

// The positions of a Switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

func (s *Switch) readScalar(text string) *problem {
	if *s = Switch(text); *s != On && *s != Off {
		return wrong("this is neither on nor off", "write on or off")
	}
	return nil
}

// The forms of a delivery.
const (
	FormPDF       = "pdf"
	FormOriginals = "originals"
)

// downloadRoles are those that see papers at all.
var downloadRoles = map[string]bool{"caseworker": true, "supervisor": true}

func (v *validator) download(office *Office, at path) {
	here := at.to("download")
	for _, role := range sortedKeys(office.Download) {
		if !downloadRoles[role] {
			v.faultKey(here.to(role), wrong(shown(role)+" is no role that sees papers", "write caseworker or supervisor"))
		}
	}
}

var (
	pathPlaceholder = regexp.MustCompile(`\{(office|reference|case|date)\}`)
	pathCharacters  = regexp.MustCompile(`^/?[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)
)

func (v *validator) deliver(office *Office, at path) {
	d, here := office.Deliver, at.to("deliver")
	if d == nil {
		return
	}
	v.deliverHost(d, here)
	plain := pathPlaceholder.ReplaceAllString(d.Path, "x")
	switch {
	case !v.document.has(here.to("path")):
	case strings.ContainsAny(plain, "{}"):
		v.fault(here.to("path"), wrong("path has a placeholder that there is not", "write {office}, {reference}, {case} or {date}"))
	case !pathCharacters.MatchString(plain) || len(d.Path) > 200:
		v.fault(here.to("path"), wrong("path is none that files can be put to", "write letters, digits, - _ . and /, like incoming/{office}/{case}-{date}"))
	}
	if d.Form != FormPDF && d.Form != FormOriginals {
		v.fault(here.to("form"), wrong("form is neither pdf nor originals", "write one of the two"))
	}
	if d.SealTo != "" {
		v.sealTo(d, here.to("seal_to"))
	}
	if !d.Key.named() && !d.Password.named() {
		v.faultKey(here, wrong("deliver has no key and no password", "write key: {file: keys/partner.sftp}"))
	}
	if v.role.OpensPages() {
		v.resolveKey(&d.Key, here.to("key"))
		v.resolve(&d.Password, here.to("password"))
	}
}

func (v *validator) deliverHost(d *Deliver, at path) {
	if v.document.has(at.to("name")) && strings.TrimSpace(d.Name) == "" {
		v.fault(at.to("name"), wrong("name is empty", "write what caseworkers call the partner, like State eligibility"))
	}
	if v.document.has(at.to("user")) && d.User == "" {
		v.fault(at.to("user"), wrong("user is empty", "write the user that the partner gave you"))
	}
	if v.document.has(at.to("host")) {
		host, port, err := net.SplitHostPort(d.Host)
		number, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || bad != nil || host == "" || number == 0 {
			v.fault(at.to("host"), wrong("this is no server", "write host:port, like sftp.example.gov:22"))
		}
	}
	if v.document.has(at.to("host_key")) {
		if _, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(d.HostKey)); err != nil || len(rest) > 0 {
			v.fault(at.to("host_key"), wrong("this is no host key", "ask the partner for it, or look with ssh-keyscan HOST and have the partner confirm it; write it like ssh-ed25519 AAAA..."))
		}
	}
}

func (v *validator) sealTo(d *Deliver, at path) {
	content, err := readBounded(d.SealTo, maxRecipientBytes)
	if err != nil {
		v.fault(at, unreadable(d.SealTo, err))
		return
	}
	found, p := parseRecipients(d.SealTo, string(content))
	if p != nil {
		v.fault(at, p)
		return
	}
	d.Recipients = nil
	for _, r := range found {
		if r.kind != found[0].kind {
			v.fault(at, wrong("post-quantum (age1pq1...) and classic (age1...) recipients are mixed", "use one kind"))
			return
		}
		d.Recipients = append(d.Recipients, r.text)
	}
}

// resolveKey is resolve for a private key, which has many lines.
func (v *validator) resolveKey(s *Secret, at path) {
	if s.IsSet() || !s.named() {
		return
	}
	value, ok := v.secretText(s, at, ownerAlone)
	if !ok {
		return
	}
	if _, err := ssh.ParsePrivateKey([]byte(value)); err != nil {
		v.fault(at, wrong("the secret from the "+s.Source()+" is no private key without a passphrase", "make one with: ssh-keygen -t ed25519 -N '' -f FILE"))
		return
	}
	s.reveal = func() string { return value }
}

func (v *validator) scan() {
	address, at := v.config.Scan.Clamd, path{"scan", "clamd"}
	if !v.document.has(at) {
		return
	}
	kind, where, _ := strings.Cut(address, ":")
	_, _, err := net.SplitHostPort(where)
	if kind == "unix" && filepath.IsAbs(where) || kind == "tcp" && err == nil {
		return
	}
	v.fault(at, wrong("this is no address of clamd", "write unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310"))
}
