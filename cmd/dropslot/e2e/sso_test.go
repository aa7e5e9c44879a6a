package e2e

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"dropslot/gateway/sso/ssotest"
)

const clientSecret = "canary-secret-of-the-desk"

// county is an organization whose provider the desk of a town asks. The desk is
// reached by name and the provider by number: to a browser they are two sites.
func county(t *testing.T, idle string, people map[string]ssotest.Person) (*town, string, *ssotest.Provider) {
	t.Helper()
	var provider *ssotest.Provider
	w, desk := accountsTown(t, idle, func(h *house) {
		_, port, err := net.SplitHostPort(h.desk)
		if err != nil {
			t.Fatal(err)
		}
		provider = ssotest.Start(t, ssotest.Options{
			Clients: []ssotest.Client{{ID: "dropslot", Secret: clientSecret, Redirect: "http://localhost:" + port + "/login/sso/back"}}, People: people,
		})
		if err := os.WriteFile(h.path("sso.secret"), []byte(clientSecret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.configure("limits: {", `single_sign_on:
  issuer: `+provider.Issuer+`
  client_id: dropslot
  client_secret: {file: `+h.path("sso.secret")+`}
  name: North County
  groups: {north-workers: {north: [caseworker]}, north-leads: {north: [supervisor]}}
  second_factor: {amr: [otp]}
limits: {`)
	})
	return w, desk, provider
}

// isWho tells the provider who sits there.
func (w *tab) isWho(name string) {
	w.t.Helper()
	w.visible("#who")
	w.fill("#who", name)
	w.click("#in")
}

// past are the addresses that the window's history holds.
func (w *tab) past() string {
	w.t.Helper()
	var all []string
	for _, entry := range run(w, "read the history", chromedp.NavigationEntries()).Entries {
		all = append(all, entry.URL)
	}
	return strings.Join(all, "\n")
}

func TestCaseworkerSignsInThroughTheOrganization(t *testing.T) {
	hana := ssotest.Person{Name: "Hana@example.gov", Groups: []string{"north-workers"}, AMR: []string{"pwd", "otp"}}
	w, desk, provider := county(t, "5s", map[string]ssotest.Person{
		"hana-at-the-county": hana, "ivo-at-the-county": {Name: "ivo", Groups: []string{"gardeners"}, AMR: []string{"otp"}},
	})
	host := strings.TrimPrefix(desk, "http://")
	c := w.browser.open("Hana", bigScreen, host, provider.Address)
	c.expects("status of 401", "status of 403")
	c.visit(desk + "/requests")
	c.sees("Sign in with North County")
	c.good("sso-login")
	c.click("a.main")
	c.isWho("ivo-at-the-county")
	c.sees("You have no work here yet")
	c.good("sso-group")
	c.click("a.main")
	c.isWho("hana-at-the-county")
	c.sees("Sent links")
	if past := c.past(); strings.Contains(past, "/login/sso/back") || strings.Contains(past, "code=") {
		t.Errorf("the history holds what the provider sent:\n%s", past)
	}
	c.visit(desk + "/account")
	c.sees("You sign in with North County")
	c.good("sso-account")

	// The screen locks, and opens through the provider, which asks anew.
	c.visit(desk + "/")
	c.fill("#phone", "555 123 01")
	c.sees("Unlock with North County")
	c.good("sso-locked")
	opened := chromedp.WaitNewTarget(c.context, func(info *target.Info) bool { return true })
	c.click("[data-lock-first]")
	second := w.browser.window("Hana's second tab", bigScreen, []string{host, provider.Address}, chromedp.WithTargetID(<-opened))
	second.expects("status of 401") // it locks as well
	second.isWho("hana-at-the-county")
	second.sees("You are signed in again")
	c.visible("#phone")
	c.holds("what was typed", `document.querySelector("#phone").value === "555 123 01"`)

	// Her groups change; what she may do changes with the next sign-in.
	hana.Groups = []string{"north-leads"}
	provider.Know(map[string]ssotest.Person{"hana-at-the-county": hana})
	c.sees("Unlock with North County")
	c.visit(desk + "/retention")
	c.sees("Unlock with North County")
	c.click("a.main")
	c.isWho("hana-at-the-county")
	c.sees("Retention and holds")

	// Switched off here, she stays out, whatever the provider says.
	w.command("", "staff", "change", "hana@example.gov", "--disable", "-c", w.config)
	c.visit(desk + "/retention")
	c.visible("a.main")
	tablet := w.browser.open("Hana's tablet", tabletScreen, host, provider.Address)
	tablet.expects("status of 403")
	tablet.visit(desk + "/login")
	tablet.click("a.main")
	tablet.isWho("hana-at-the-county")
	tablet.sees("Your account here is switched off")

	// Without the provider, and without JavaScript, local accounts sign in.
	provider.Stop()
	d := w.browser.open("Dana", bigScreen, host)
	d.expects("status of 503")
	d.withoutScripts()
	d.visit(desk + "/login")
	d.click("a.main")
	d.sees("does not answer")
	d.click("summary")
	d.fill("#login", staffLogin)
	d.fill("#password", staffPassword+"\r")
	d.sees("Protect your account")

	for _, secret := range []string{clientSecret, "hana-at-the-county", "Hana@example.gov", "code=", "state="} {
		if strings.Contains(w.said.String(), secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}
