package main

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"

	"dropslot/config"
	"dropslot/gateway/scan/scantest"
	"dropslot/gateway/sftp/sftptest"
)

// lookAt gives what doctor says of partners and the virus scanner.
func lookAt(t *testing.T, c *config.Config) (said string, faults int) {
	t.Helper()
	var out bytes.Buffer
	r := &report{out: &out}
	r.partners(t.Context(), c)
	return out.String(), r.faults
}

func nobodyListens(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestDoctorSignsInAtPartnersAndLeavesNothingThere(t *testing.T) {
	server := sftptest.Start(t)
	deliver := &config.Deliver{Name: "State eligibility", Host: server.Address, HostKey: server.HostKey, User: server.User, Key: config.NewSecret(server.Key)}
	c := &config.Config{Offices: map[string]*config.Office{"north": {Deliver: deliver}, "south": {}}}
	said, faults := lookAt(t, c)
	has(t, said, "ok     the keys for partners can be read", "ok     State eligibility takes the sign-in of office north at "+server.Address)
	left, err := os.ReadDir(server.Folder)
	if faults != 0 || err != nil || len(left) > 0 {
		t.Errorf("%d faults, %d files lie there, %v", faults, len(left), err)
	}
	for name, test := range map[string]struct {
		spoil func(*config.Deliver)
		todo  string
	}{
		"another host key": {func(d *config.Deliver) { d.HostKey = sftptest.NewHostKey(t) }, "ask the partner, by telephone, whether the host key was changed"},
		"not let in":       {func(d *config.Deliver) { d.User = "nobody-here" }, "whether the user and the key (or password) are still good"},
		"down":             {func(d *config.Deliver) { d.Host = nobodyListens(t) }, "see that the server can be reached from here"},
		"no key":           {func(d *config.Deliver) { d.Key = config.NewSecret("no key at all") }, "correct deliver in the configuration"},
	} {
		spoiled := *deliver
		test.spoil(&spoiled)
		said, faults := lookAt(t, &config.Config{Offices: map[string]*config.Office{"north": {Deliver: &spoiled}}})
		if faults != 1 || !strings.Contains(said, "FAULT") || !strings.Contains(said, test.todo) {
			t.Errorf("%s: %d faults:\n%s", name, faults, said)
		}
		if strings.Contains(said, "PRIVATE KEY") || strings.Contains(said, "no key at all") {
			t.Errorf("%s: the key is in the report", name)
		}
	}
}

func TestDoctorTriesTheScannerWithTheLargestPage(t *testing.T) {
	unix, _ := scantest.Start(t, "3M", "2M")
	c := &config.Config{Scan: config.Scan{Clamd: unix}}
	c.Limits.PageSize = 1 << 20
	said, faults := lookAt(t, c)
	has(t, said, "ok     the virus scanner answers at "+unix, "ok     clamd looks through as much as the largest page, 1 MiB, if its AlertExceedsMax is on")
	if faults != 0 {
		t.Errorf("%d faults", faults)
	}
	c.Limits.PageSize = 20 << 20
	said, faults = lookAt(t, c)
	has(t, said, "FAULT  clamd takes at most ", ", and a page may have 20 MiB", "set StreamMaxLength, MaxFileSize and MaxScanSize")
	if faults != 1 {
		t.Errorf("%d faults", faults)
	}
	c.Scan.Clamd = "tcp:" + nobodyListens(t)
	said, faults = lookAt(t, c)
	has(t, said, "FAULT  the virus scanner answers at "+c.Scan.Clamd, "start clamd, or correct scan.clamd")
	if faults != 1 {
		t.Errorf("%d faults", faults)
	}
}
