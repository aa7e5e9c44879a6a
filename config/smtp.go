package config

import (
	"encoding/base64"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SMTP is the mail server that notices to caseworkers go through.
type SMTP struct {
	// The server's host name.
	Host string `yaml:"host" jsonschema:"required" write:"smtp.example.gov"`
	// Its port. Default: 587, or 465 with tls: tls.
	Port int `yaml:"port" write:"587"`
	// starttls: TLS is required before anything is said. tls: from the first
	// byte. none: for a server on a loopback address. Default: starttls.
	TLS string `yaml:"tls" jsonschema:"enum=starttls,enum=tls,enum=none"`
	// The user at the server, if it asks for one.
	Username string `yaml:"username" write:"dropslot"`
	// The user's password.
	Password Secret `yaml:"password"`
	// Whom the e-mail is from.
	From string `yaml:"from" jsonschema:"required" write:"dropslot@example.gov"`
}

// Webhook is where another system is told, by signed requests.
type Webhook struct {
	// The address: https, or http on a loopback address.
	URL string `yaml:"url" jsonschema:"required" write:"https://case.example.gov/dropslot"`
	// What requests are signed with, as Standard Webhooks has it: whsec_ and 24
	// to 64 random bytes in base64.
	Secret Secret `yaml:"secret" jsonschema:"required" write:"{env: NORTH_WEBHOOK_SECRET}"`
	// What is told: submission (papers arrived), overdue (papers wait for longer
	// than overdue_after), erasure (unfinished papers will be erased), emergency
	// (somebody opened the papers in an emergency; told at once). Default: all of
	// them.
	Events []string `yaml:"events" write:"[submission]"`
}

// Key gives the bytes of the secret.
func (w *Webhook) Key() ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(w.Secret.Reveal(), "whsec_"))
}

// The ways to speak TLS with the mail server.
const (
	SMTPStartTLS = "starttls"
	SMTPTLS      = "tls"
	SMTPNone     = "none"
)

var (
	webhookPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	noticeEvents   = []string{"submission", "overdue", "erasure", "emergency"}
)

func (v *validator) works() bool { return v.role == RoleWorker || v.role == RoleAll }

func (v *validator) smtp() {
	s, at := v.config.SMTP, path{"smtp"}
	if s == nil {
		return
	}
	if v.document.has(at.to("host")) && (s.Host == "" || strings.ContainsAny(s.Host, " /:@")) {
		v.fault(at.to("host"), wrong("this is no host name", "write the mail server's, like smtp.example.gov"))
	}
	if s.Port < 1 || s.Port > 65535 {
		v.fault(at.to("port"), wrong("this is no port", "write 587 or 465"))
	}
	switch s.TLS {
	case SMTPStartTLS, SMTPTLS:
	case SMTPNone:
		if !loopbackHost(s.Host) {
			v.fault(at.to("tls"), wrong("without TLS anybody on the way reads the password", "write starttls or tls; none is for a server on a loopback address"))
		}
	default:
		v.fault(at.to("tls"), wrong("this is no way to speak TLS", "write starttls or tls"))
	}
	if address, err := mail.ParseAddress(s.From); v.document.has(at.to("from")) && (err != nil || address.Address != s.From) {
		v.fault(at.to("from"), wrong("this is no e-mail address", "write one like dropslot@example.gov"))
	}
	if (s.Username != "") != s.Password.named() {
		v.faultKey(at, wrong("username and password go together", "write both, or none"))
	}
	if v.works() {
		v.resolve(&s.Password, at.to("password"))
	}
}

func (v *validator) webhooks(office *Office, at path) {
	for _, name := range sortedKeys(office.Webhooks) {
		hook, here := office.Webhooks[name], at.to("webhooks", name)
		if !webhookPattern.MatchString(name) {
			v.faultKey(here, wrong("this is no name of a webhook", "write lowercase letters, digits and hyphens, like case-system"))
		}
		u, err := url.Parse(hook.URL)
		switch {
		case !v.document.has(here.to("url")):
		case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
			v.fault(here.to("url"), wrong("this is no address of a webhook", "write one like https://case.example.gov/dropslot"))
		case u.Scheme == "http" && !loopbackHost(u.Hostname()):
			v.fault(here.to("url"), wrong("the webhook's address is http, which anybody on the way can read", "write https://; http is for loopback addresses only"))
		}
		for i, event := range hook.Events {
			if !slices.Contains(noticeEvents, event) {
				v.fault(here.to("events", strconv.Itoa(i)), wrong(event+" is nothing that is told", "write some of: "+strings.Join(noticeEvents, ", ")))
			}
		}
		if !v.works() {
			continue
		}
		v.resolve(&hook.Secret, here.to("secret"))
		if !hook.Secret.IsSet() {
			continue
		}
		if key, err := hook.Key(); err != nil || len(key) < 24 || len(key) > 64 {
			v.fault(here.to("secret"), wrong("this is no secret of a webhook", "make one with: echo whsec_$(openssl rand -base64 32)"))
		}
	}
}
