package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// SingleSignOn is the organization's identity provider, which the desk's staff
// sign in through by OpenID Connect. Accounts that sign in at the desk go on
// beside it.
type SingleSignOn struct {
	// The provider's issuer, exactly as its /.well-known/openid-configuration
	// writes it: https, or http on a loopback address.
	Issuer string `yaml:"issuer" jsonschema:"required" write:"https://login.example.gov"`
	// The desk's name at the provider. Register it there as a web application
	// with the redirect address desk_url + /login/sso/back.
	ClientID string `yaml:"client_id" jsonschema:"required" write:"dropslot"`
	// The desk's secret at the provider. Read by the desk role alone.
	ClientSecret Secret `yaml:"client_secret" jsonschema:"required" write:"{env: SSO_CLIENT_SECRET}"`
	// What staff call the provider; it stands on the button. Default: your organization.
	Name string `yaml:"name" write:"Example County"`
	// The claim that holds a person's groups, in the ID token or at the
	// provider's userinfo_endpoint. Default: groups.
	GroupsClaim string `yaml:"groups_claim" write:"groups"`
	// What each of the provider's groups may do: by office, the roles. They are
	// taken anew at each sign-in; who is in none of the groups gets in nowhere.
	Groups map[string]map[string][]string `yaml:"groups" jsonschema:"required" write:"{benefits-north: {north: [caseworker]}}"`
	// What tells that the provider asked for a second factor. An office of these
	// groups with second_factor: required needs it.
	SecondFactor *SSOSecondFactor `yaml:"second_factor"`
}

// SSOSecondFactor is what tells that the provider asked for a second factor:
// one of the three.
type SSOSecondFactor struct {
	// Methods of the ID token's claim amr (RFC 8176): one of them is enough.
	AMR []string `yaml:"amr" write:"[mfa, otp, hwk]"`
	// Classes of the ID token's claim acr; they are asked for too.
	ACR []string `yaml:"acr" write:"[\"https://login.example.gov/two-factor\"]"`
	// true: the provider asks everybody for a second factor, and no token has to
	// say so.
	Trust bool `yaml:"trust"`
}

// SSORedirect is the path, behind desk_url, that the provider sends browsers to.
const SSORedirect = "/login/sso/back"

// staffRoles are the roles that a group may bring.
var staffRoles = []string{"caseworker", "supervisor", "auditor", "admin"}

func (v *validator) singleSignOn() {
	s, at := v.config.SingleSignOn, path{"single_sign_on"}
	if s == nil {
		return
	}
	if v.document.has(at.to("issuer")) {
		v.issuer(s.Issuer, at.to("issuer"))
	}
	if v.document.has(at.to("client_id")) && s.ClientID == "" {
		v.fault(at.to("client_id"), wrong("client_id is empty", "write the name that the provider gave the desk, like dropslot"))
	}
	if v.role.OpensPages() {
		v.resolve(&s.ClientSecret, at.to("client_secret"))
	}
	if s.GroupsClaim == "" || strings.ContainsAny(s.GroupsClaim, " \t") {
		v.fault(at.to("groups_claim"), wrong("this is no name of a claim", "write one like groups"))
	}
	if strings.TrimSpace(s.Name) == "" || len([]rune(s.Name)) > maxNameRunes {
		v.fault(at.to("name"), wrong("name is empty or longer than 60 characters", "write what staff call the provider, like Example County"))
	}
	v.ssoGroups(s, at.to("groups"))
	v.ssoSecondFactor(s, at)
}

// issuer checks an address that may have a path and a slash at its end: it has
// to be what the provider writes.
func (v *validator) issuer(text string, at path) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		v.fault(at, wrong("issuer is no web address", "write one like https://login.example.gov"))
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		v.fault(at, wrong("issuer holds more than an address and a path", "write it as the provider's /.well-known/openid-configuration does"))
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		v.fault(at, wrong("issuer is http, which anybody on the way can change", "write https://; http is for loopback addresses only"))
	}
}

func (v *validator) ssoGroups(s *SingleSignOn, at path) {
	if v.document.has(at) && len(s.Groups) == 0 {
		v.fault(at, wrong("groups is empty, so nobody could sign in", "write one like benefits-north: {north: [caseworker]}"))
	}
	for _, group := range sortedKeys(s.Groups) {
		if strings.TrimSpace(group) == "" {
			v.faultKey(at.to(group), wrong("the group has no name", "write the name or number that the provider sends for it"))
		}
		if len(s.Groups[group]) == 0 {
			v.faultKey(at.to(group), wrong("the group brings nothing", "write an office and its roles, like {north: [caseworker]}"))
		}
		for _, office := range sortedKeys(s.Groups[group]) {
			here := at.to(group, office)
			if v.config.Offices[office] == nil {
				v.faultKey(here, wrong("there is no office "+shown(office), "write one of: "+strings.Join(v.config.OfficeIDs(), ", ")))
			}
			if len(s.Groups[group][office]) == 0 {
				v.faultKey(here, wrong("the group brings no role at this office", "write some of: "+strings.Join(staffRoles, ", ")))
			}
			for i, role := range s.Groups[group][office] {
				if !slices.Contains(staffRoles, role) {
					v.fault(here.to(strconv.Itoa(i)), wrong(shown(role)+" is no role", "write some of: "+strings.Join(staffRoles, ", ")))
				}
			}
		}
	}
}

func (v *validator) ssoSecondFactor(s *SingleSignOn, at path) {
	here := at.to("second_factor")
	if f := s.SecondFactor; f != nil {
		ways := 0
		for _, said := range []bool{len(f.AMR) > 0, len(f.ACR) > 0, f.Trust} {
			if said {
				ways++
			}
		}
		if ways != 1 {
			v.faultKey(here, wrong("second_factor needs exactly one of amr, acr and trust: true", "write one, like {amr: [mfa]}"))
		}
		v.noBlank(f.AMR, here, "amr", "mfa")
		v.noBlank(f.ACR, here, "acr", "https://login.example.gov/two-factor")
		return
	}
	for _, group := range sortedKeys(s.Groups) {
		for _, office := range sortedKeys(s.Groups[group]) {
			if o := v.config.Offices[office]; o != nil && o.SecondFactor == SecondFactorRequired {
				v.faultKey(at, wrong("the office "+office+" asks for a second factor, and nothing says how the provider tells of one",
					"write second_factor: {amr: [mfa]} or {acr: [...]}, or {trust: true} if the provider asks everybody for one"))
				return
			}
		}
	}
}

// noBlank refuses an entry that a token without the claim would be taken for.
func (v *validator) noBlank(list []string, at path, claim, like string) {
	for i, entry := range list {
		if strings.TrimSpace(entry) == "" {
			v.fault(at.to(claim, strconv.Itoa(i)), wrong("the entry of "+claim+" is empty", "write what the provider's tokens say, like "+like+", or leave the entry out"))
		}
	}
}
