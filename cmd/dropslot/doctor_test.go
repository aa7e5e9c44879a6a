package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// doctored is the configuration of a town whose public address is loopback, so
// that no certificate of somebody's is looked at.
func (w *town) doctored() *config.Config {
	c := *w.config
	c.PublicURL, c.Twilio.APIURL = "http://127.0.0.1:8080", w.api
	return &c
}

// examine runs doctor and gives its report.
func (w *town) examine(c *config.Config) (string, error) {
	var out bytes.Buffer
	err := doctor(w.t.Context(), streams{out: &out, err: &out}, c, config.RoleWorker)
	if strings.Contains(out.String(), c.Twilio.AuthTokens[0].Reveal()) {
		w.t.Error("the auth token is in the report")
	}
	return out.String(), err
}

func has(t *testing.T, report string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(report, line) {
			t.Errorf("no %q in\n%s", line, report)
		}
	}
}

func TestDoctorSaysWhatToDoAndSyncDoesIt(t *testing.T) {
	w := newTown(t, nil)
	c := w.doctored()
	report, err := w.examine(c)
	if err == nil {
		t.Error("a number that leads elsewhere is no fault")
	}
	has(t, report,
		"ok     Redis answers and keeps every key", "ok     the vault takes and gives back what is written",
		"ok     Twilio takes the credentials of account "+demoAccount,
		"FAULT  +15551230100: 4 of its addresses at Twilio are not what they should be", "dropslot numbers sync --apply",
		"look   +15551230100: no picture lies at Twilio", "look   no agreement is on record",
		"ok     not yet erased at Twilio: 0 texts, 0 texts of ours; 0 given up",
		"ok     north has spent 0% of what its texts may cost today")

	client, err := twilioClient(c)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := syncNumbers(t.Context(), &out, c, client, false); err != nil {
		t.Fatal(err)
	}
	has(t, out.String(), "+ http://127.0.0.1:8080/twilio/messages#rc=2&rp=all", "+ http://127.0.0.1:8080/twilio/voice", "Nothing was changed")
	for range 2 {
		if err := syncNumbers(t.Context(), &out, c, client, true); err != nil {
			t.Fatal(err)
		}
	}
	has(t, out.String(), "  set\n", "+15551230100: as it should be")
	report, err = w.examine(c)
	if err != nil {
		t.Errorf("after sync: %v\n%s", err, report)
	}
	has(t, report, "ok     +15551230100: Twilio turns to this Dropslot")
}

func TestDoctorFindsWhatIsLeftAndWhatIsOpen(t *testing.T) {
	w := newTown(t, nil)
	c := w.doctored()
	c.Agreements = []config.Agreement{
		{With: "Twilio", Kind: "BAA", Signed: config.Date(time.Now().AddDate(-2, 0, 0)), Until: config.Date(time.Now().AddDate(0, 0, -1))},
		{With: "Host", Kind: "BAA", Signed: config.Date(time.Now().AddDate(-2, 0, 0))},
	}
	w.text(client, "my papers", twiliotest.Media{Content: picture(t, 1)})
	w.fake.Settle()
	rows, err := w.records.ClaimTexts(t.Context(), time.Now().Add(time.Second), time.Minute, 1)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d texts are due, %v", len(rows), err)
	}
	if err := w.records.PostponeText(t.Context(), rows[0], gateway.Postponed{Step: gateway.StepDead, Tries: 9, Fault: gateway.CodeForbidden}, nil); err != nil {
		t.Fatal(err)
	}
	report, err := w.examine(c)
	if err == nil {
		t.Error("no fault")
	}
	has(t, report, "1 given up", "dropslot jobs retry --all", "BAA with Twilio, signed", "renew it, then write", "ok     BAA with Host",
		"+15551230100: pictures need a password")
	if err := w.records.ChannelBoard(time.Now).Retry(t.Context(), "text:"+string(rows[0].ID)); err != nil {
		t.Fatal(err)
	}
	w.work()
	if w.count("pages") != 1 || w.count("texts WHERE step = 'dead'") != 0 {
		t.Error("the text was not taken on again")
	}
}

// An older Dropslot may be at work on its records: they are left to it.
func TestDoctorLeavesAnOlderSchemaAlone(t *testing.T) {
	w := newTown(t, nil)
	if _, err := w.db().ExecContext(t.Context(), "DELETE FROM schema_versions WHERE version > 1"); err != nil {
		t.Fatal(err)
	}
	report, err := w.examine(w.doctored())
	if err == nil {
		t.Error("no fault")
	}
	has(t, report, "FAULT  records and vault open: records: the database has the schema of an older Dropslot, and was left alone: stop that Dropslot")
	if w.count("schema_versions") != 1 {
		t.Error("the schema was brought up to date")
	}
}

// Whatever a browser would not take is a fault, whenever the certificate ends.
func TestDoctorTakesNoCertificateThatABrowserRefuses(t *testing.T) {
	now := time.Now()
	for name, valid := range map[string][2]time.Time{
		"not valid yet":     {now.Add(24 * time.Hour), now.AddDate(1, 0, 0)},
		"ended":             {now.AddDate(-1, 0, 0), now.Add(-24 * time.Hour)},
		"of nobody we know": {now.Add(-24 * time.Hour), now.AddDate(1, 0, 0)},
	} {
		server := httptest.NewUnstartedServer(nil)
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{selfSigned(t, valid[0], valid[1])}}
		server.StartTLS()
		var out bytes.Buffer
		r := &report{out: &out}
		r.certificate(t.Context(), &config.Config{PublicURL: server.URL}, now)
		server.Close()
		if r.faults != 1 || !strings.Contains(out.String(), "is not in order: ") {
			t.Errorf("%s:\n%s", name, out.String())
		}
	}
}

func selfSigned(t *testing.T, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
