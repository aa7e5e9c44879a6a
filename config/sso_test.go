package config

import (
	"strings"
	"testing"
)

const singleSignOn = `single_sign_on:
  issuer: https://login.example.gov/realms/county
  client_id: dropslot
  client_secret: {env: SSO_CLIENT_SECRET}
  groups:
    benefits-north: {north: [caseworker, admin]}
  second_factor: {amr: [mfa]}
agreements: []`

// signingOn gives the example with single sign-on, changed.
func signingOn(t *testing.T, change ...string) []string {
	t.Helper()
	t.Setenv("SSO_CLIENT_SECRET", "canary-client-secret")
	text := singleSignOn
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("no %q", change[i])
		}
		text = strings.Replace(text, change[i], change[i+1], 1)
	}
	return []string{"agreements: []", text}
}

func TestSingleSignOnIsRead(t *testing.T) {
	h := newHouse(t)
	c, err := h.load(RoleDesk, signingOn(t)...)
	if err != nil {
		t.Fatal(err)
	}
	s := c.SingleSignOn
	if s.Name != "your organization" || s.GroupsClaim != "groups" || s.ClientSecret.Reveal() != "canary-client-secret" || len(s.Groups["benefits-north"]["north"]) != 2 {
		t.Errorf("%+v", s)
	}
	// Only the desk needs the secret.
	t.Setenv("SSO_CLIENT_SECRET", "")
	for _, role := range []Role{RoleIntake, RoleWorker} {
		if c, err = h.load(role, "agreements: []", singleSignOn); err != nil || c.SingleSignOn.ClientSecret.IsSet() {
			t.Errorf("the %s has the secret, or needs it: %v", role, err)
		}
	}
	// Where no office asks for a second factor, nothing has to tell of one.
	optional := append(signingOn(t, "  second_factor: {amr: [mfa]}\n", ""), "second_factor: required", "second_factor: optional")
	if _, err := h.load(RoleDesk, optional...); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfSingleSignOn(t *testing.T) {
	for want, change := range map[string][]string{
		"the key issuer is missing":             {"  issuer: https://login.example.gov/realms/county\n", ""},
		"issuer is http":                        {"https://login", "http://login"},
		"issuer is no web address":              {"https://login.example.gov/realms/county", "login.example.gov"},
		"issuer holds more than an address":     {"realms/county", "realms/county?x=1"},
		"client_id is empty":                    {"client_id: dropslot", `client_id: ""`},
		"a secret may not stand in this file":   {"{env: SSO_CLIENT_SECRET}", "canary-client-secret"},
		"SSO_NEVER_SET is not set":              {"SSO_CLIENT_SECRET", "SSO_NEVER_SET"},
		"groups is empty":                       {"\n    benefits-north: {north: [caseworker, admin]}", " {}"},
		"the group brings nothing":              {"{north: [caseworker, admin]}", "{}"},
		`there is no office "nrth"`:             {"{north: [", "{nrth: ["},
		"the group brings no role":              {"[caseworker, admin]", "[]"},
		`"boss" is no role`:                     {"admin", "boss"},
		"the office north asks for a second":    {"  second_factor: {amr: [mfa]}\n", ""},
		"exactly one of amr, acr and trust":     {"{amr: [mfa]}", "{amr: [mfa], trust: true}"},
		"second_factor needs exactly one of":    {"{amr: [mfa]}", "{trust: false}"},
		`the key "groupsclaim" is unknown here`: {"  groups:", "  groupsclaim: roles\n  groups:"},
		"the entry of amr is empty":             {"{amr: [mfa]}", `{amr: [" ", mfa]}`},
		"the entry of acr is empty":             {"{amr: [mfa]}", `{acr: [high, ""]}`},
		"the group has no name":                 {"benefits-north:", `"":`},
		"name is empty":                         {"  groups:", "  name: \" \"\n  groups:"},
		"this is no name of a claim":            {"  groups:", "  groups_claim: a b\n  groups:"},
	} {
		_, err := newHouse(t).load(RoleAll, signingOn(t, change...)...)
		wantFaults(t, err, want)
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("a secret is told: %v", err)
		}
	}
}
