package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/seal"
	"dropslot/templates"
)

// demoKeys are the office's keys for one run.
type demoKeys struct {
	identity   seal.Identity
	passphrase string
	files      map[string]string // by name
}

func newDemoKeys() (demoKeys, error) {
	k := demoKeys{passphrase: randomText(20)}
	var err error
	if k.identity, err = seal.NewIdentity(); err != nil {
		return k, err
	}
	recovery, err := seal.NewIdentity()
	if err != nil {
		return k, err
	}
	var sealed strings.Builder
	// The passphrase is random: stretching it would only cost memory.
	if err := k.identity.WriteSealed(&sealed, k.passphrase, time.Now(), demoWork); err != nil {
		return k, err
	}
	linkKey := make([]byte, gateway.LinkKeySize)
	_, _ = rand.Read(linkKey) // never fails: crypto/rand ends the process instead
	k.files = map[string]string{
		"north.key":          sealed.String(),
		"north.passphrase":   k.passphrase,
		"north.pub":          strings.Join(k.identity.Recipients(), "\n") + "\n",
		"north-recovery.pub": strings.Join(recovery.Recipients(), "\n") + "\n",
		"link.key":           base64.StdEncoding.EncodeToString(linkKey),
	}
	return k, nil
}

// configure writes keys and YAML, and loads them as the server would.
func (p *demoPlace) configure(keys demoKeys, redisAddress string) (*config.Config, error) {
	files := map[string]string{"twilio.token": p.authToken, "demo.yaml": p.yaml(redisAddress)}
	maps.Copy(files, keys.files)
	if p.secure {
		certificate, private, err := selfMadeCertificate(p.intakeURL, time.Now())
		if err != nil {
			return nil, err
		}
		files["cert.pem"], files["key.pem"] = certificate, private
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	texts, err := templates.LoadTexts()
	if err != nil {
		return nil, err
	}
	return config.Load(filepath.Join(p.dir, "demo.yaml"), config.RoleAll, config.WithCatalog(texts))
}

func (p *demoPlace) yaml(redisAddress string) string {
	tls := "{mode: off}"
	if p.secure {
		tls = "{mode: files, cert: cert.pem, key: key.pem}"
	}
	return fmt.Sprintf(`public_url: %q
data_dir: %q
listen: {intake: %q, desk: %q, ops: %q}
desk_url: %q
tls: %s
redis: {url: "redis://%s/0"}
link_key: {file: link.key}
twilio: {account_sid: %s, auth_tokens: [{file: twilio.token}], api_url: "http://%s"}
countries: [US, CA]
offices:
  %s:
    name: North County Benefits
    phone: "+15551230199"
    recipients: [{file: north.pub}, {file: north-recovery.pub}]
    identity: {file: north.key, passphrase: {file: north.passphrase}}
    languages: [en, es]
    timezone: America/Chicago
    second_factor: optional
numbers:
  %q: {office: %s}
`, p.intakeURL, p.dir, p.intake, p.desk, p.ops, p.deskURL, tls, redisAddress, demoAccount, p.twilio,
		demoOffice, demoNumber, demoOffice)
}
