package config

import (
	"crypto/tls"
	"net/mail"
	"net/url"
	"os"
	"strings"
)

// validator checks what the values mean. Every check adds its fault and goes
// on, so that the operator sees all of them at once.
type validator struct {
	document *document
	config   *Config
	role     Role
	catalog  Catalog // nil: languages and texts are not checked
	ops      Address // takes the place of listen.ops unless empty
	warnings Faults
}

// fault adds what is wrong with a value, unless it could not be read at all.
func (v *validator) fault(at path, p *problem) {
	if where := v.document.at(at); !v.document.unread[where] {
		v.document.add(where, p)
	}
}

// faultKey adds what is wrong with a key, or what is missing below it.
func (v *validator) faultKey(at path, p *problem) {
	v.document.add(v.document.keyAt(at), p)
}

func (v *validator) warn(at path, p *problem) {
	v.warnings = append(v.warnings, v.document.made(v.document.keyAt(at), p))
}

func (v *validator) validate() {
	v.addresses()
	v.listeners()
	v.proxies()
	v.tls()
	v.redis()
	v.records()
	v.vault()
	v.linkKey()
	v.twilio()
	v.countries()
	v.offices()
	v.numbers()
	v.singleSignOn()
	v.smtp()
	v.scan()
	v.limits()
	if v.role == RoleAll {
		v.warn(nil, wrong("the role all puts the key that opens documents on the public machine",
			"use it for trials; for real, run intake, desk and worker apart"))
	}
}

func (v *validator) addresses() {
	c := v.config
	if v.document.has(path{"public_url"}) {
		v.publicAddress("public_url", c.PublicURL, "https://docs.example.gov")
	}
	if v.document.has(path{"data_dir"}) && c.DataDir == "" {
		v.fault(path{"data_dir"}, wrong("data_dir is empty", "write a folder, like /var/lib/dropslot"))
	}
	switch {
	case v.document.has(path{"desk_url"}):
		v.publicAddress("desk_url", c.DeskURL, "https://desk.example.gov")
		v.apart()
	case v.role.OpensPages():
		v.faultKey(path{"desk_url"}, wrong("the key desk_url is missing; the role "+string(v.role)+" needs it",
			"write desk_url: https://desk.example.gov"))
	}
}

// apart checks that clients and caseworkers have hosts of their own. Cookies
// know no ports: on one host, whoever took over the public side could set the
// desk's and would be sent them. On one's own machine that is no matter.
func (v *validator) apart() {
	public, err := url.Parse(v.config.PublicURL)
	desk, errDesk := url.Parse(v.config.DeskURL)
	switch {
	case err != nil || errDesk != nil || desk.Host == "":
		return // told already
	case v.config.DeskURL == v.config.PublicURL:
		v.fault(path{"desk_url"}, wrong("desk_url is the same as public_url",
			"give the desk a host name of its own: clients and caseworkers may not share cookies"))
	case desk.Hostname() == public.Hostname() && !loopbackHost(desk.Hostname()):
		v.warn(path{"desk_url"}, wrong("desk_url and public_url differ in their port alone, and a browser sends cookies to every port of a host",
			"give the desk a host name of its own, like https://desk.example.gov"))
	}
}

// publicAddress checks an address that people's browsers use: cookies with
// the __Host- prefix need https and the root path.
func (v *validator) publicAddress(key, text, example string) {
	at := path{key}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		v.fault(at, wrong(key+" is no web address", "write one like "+example))
	case u.User != nil:
		v.fault(at, wrong(key+" holds a user name", "write it without: "+example))
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		v.fault(at, wrong(key+" is http, which anybody on the way can read", "write https://; http is for loopback addresses only"))
	case u.Scheme != "https" && u.Scheme != "http":
		v.fault(at, wrong(key+" does not begin with https://", "write one like "+example))
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		v.fault(at, wrong(key+" has something behind the host name", "write scheme and host only, without a slash at the end: "+u.Scheme+"://"+u.Host))
	case strings.ToLower(u.Host) != u.Host || u.Scheme+"://"+u.Host != text:
		v.fault(at, wrong(key+" must be in lower case", "write "+strings.ToLower(u.Scheme+"://"+u.Host)))
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" || strings.HasSuffix(u.Host, ":"):
		v.fault(at, wrong(key+" names the port that it has anyway, which Twilio does not sign", "write "+u.Scheme+"://"+u.Hostname()))
	}
}

func (v *validator) tls() {
	t, at := v.config.TLS, path{"tls"}
	switch t.Mode {
	case TLSOff, TLSAutocert:
		v.leftOut(at, "cert", t.Mode)
		v.leftOut(at, "key", t.Mode)
	case TLSFiles:
		v.tlsFiles(t, at)
	default:
		v.fault(at.to("mode"), wrong("this is no mode of TLS", "write off, files or autocert"))
		return
	}
	if t.Mode != TLSAutocert {
		v.leftOut(at, "email", t.Mode)
		return
	}
	if u, err := url.Parse(v.config.PublicURL); err == nil && u.Scheme != "https" {
		v.fault(at.to("mode"), wrong("autocert needs an https public_url", "write public_url: https://..., or tls: {mode: off}"))
	}
	if _, err := mail.ParseAddress(t.Email); v.document.has(at.to("email")) && err != nil {
		v.fault(at.to("email"), wrong("this is no e-mail address", "write one like webmaster@example.gov"))
	}
	v.autocert()
}

// autocert warns of listeners for which no certificate is ever given: Let's
// Encrypt asks on port 443 of the host's public address.
func (v *validator) autocert() {
	listen := v.config.Listen
	for _, l := range []struct {
		key     string
		address Address
		open    bool
	}{{"intake", listen.Intake, v.role.TakesPages()}, {"desk", listen.Desk, v.role.OpensPages()}} {
		if l.open && (l.address.port() != "443" || l.address.Loopback()) {
			v.warn(path{"listen", l.key}, wrong("autocert gets no certificate for "+l.key+" on "+string(l.address)+", because Let's Encrypt asks on port 443 of the public address",
				`listen on ":443", have that port forwarded here, or write tls: {mode: files, cert: PATH, key: PATH}`))
		}
	}
}

func (v *validator) leftOut(at path, key, mode string) {
	if v.document.has(at.to(key)) {
		v.faultKey(at.to(key), wrong(key+" has no meaning with tls mode "+mode, "take it out, or change the mode"))
	}
}

func (v *validator) tlsFiles(t TLS, at path) {
	complete := true
	for key, file := range map[string]string{"cert": t.Cert, "key": t.Key} {
		if file == "" && !v.document.unread[v.document.at(at.to(key))] {
			v.faultKey(at, wrong("tls mode files needs "+key, "write "+key+": PATH"))
		}
		complete = complete && file != ""
	}
	if !complete || v.role == RoleWorker {
		return
	}
	if _, err := os.Stat(t.Cert); err != nil {
		v.fault(at.to("cert"), unreadable(t.Cert, err))
		complete = false
	}
	if p := checkPrivate(t.Key, ownerAndGroup); p != nil {
		v.fault(at.to("key"), p)
		complete = false
	}
	if !complete {
		return
	}
	// The library's error tells a kind of mistake and no part of the key.
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		v.fault(at.to("cert"), wrong("certificate and key do not go together: "+reason(err), "name the PEM files of one certificate, the leaf first"))
	}
}
