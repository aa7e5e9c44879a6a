package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const downloadLine = "    download: {caseworker: on, supervisor: on}\n"

func TestEmergencyAccessIsRead(t *testing.T) {
	h := newHouse(t)
	c, err := h.load(RoleDesk)
	if err != nil || c.Offices["north"].EmergencyAccess != nil {
		t.Fatalf("it is on by itself: %v", err)
	}
	c, err = h.load(RoleDesk, downloadLine, downloadLine+"    emergency_access: {roles: [supervisor, admin]}\n")
	if err != nil {
		t.Fatal(err)
	}
	if e := c.Offices["north"].EmergencyAccess; !slices.Equal(e.Roles, []string{"supervisor", "admin"}) || e.For != Duration(time.Hour) {
		t.Errorf("%+v", e)
	}
}

func TestFaultsOfEmergencyAccess(t *testing.T) {
	h := newHouse(t)
	for want, lines := range map[string]string{
		"the key roles is missing":              "{for: 1h}",
		"roles is empty":                        "{roles: []}",
		"auditor is no role for an emergency":   "{roles: [auditor]}",
		"anybody is no role for an emergency":   "{roles: [anybody]}",
		"admin is named twice":                  "{roles: [admin, admin]}",
		"for is not between 5m and 12h":         "{roles: [admin], for: 13h}",
		"for is not between 5m and 12h, as 10s": "{roles: [admin], for: 10s}",
		"this is no length of time":             "{roles: [admin], for: long}",
	} {
		_, err := h.load(RoleDesk, downloadLine, downloadLine+"    emergency_access: "+lines+"\n")
		if part, _, _ := strings.Cut(want, ", as"); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestSomebodyShouldBeToldOfEmergencyAccess(t *testing.T) {
	h := newHouse(t)
	on := "    emergency_access: {roles: [admin]}\n"
	hook := "    webhooks: {cases: {url: \"https://case.example.gov/\", secret: {env: HOOK}, events: [%]}}\n"
	for _, c := range []struct {
		name  string
		lines []string
		want  int
	}{
		{"nobody", []string{downloadLine, downloadLine + on}, 1},
		{"off", nil, 0},
		{"by mail", []string{downloadLine, downloadLine + on, "agreements: []\n", "agreements: []\nsmtp: {host: localhost, tls: none, from: a@example.gov}\n"}, 0},
		{"by a webhook", []string{downloadLine, downloadLine + on, "    webhooks: {}\n", strings.Replace(hook, "%", "emergency", 1)}, 0},
		{"by one that is told of other things", []string{downloadLine, downloadLine + on, "    webhooks: {}\n", strings.Replace(hook, "%", "submission", 1)}, 1},
	} {
		if got := h.warned(RoleDesk, "nobody is told of emergency access", c.lines...); len(got) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
