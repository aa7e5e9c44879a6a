package e2e

import (
	"context"
	"encoding/base32"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"dropslot/gateway"
)

var joinLink = regexp.MustCompile(`http://\S+/join/[a-z2-7]{26}`)

var bigScreen = screen{width: 1280, height: 800, scale: 1}

// accountsTown is a town whose desk is reached by name, since passkeys are
// bound to one, and whose offices ask for a second factor. The desk locks soon.
func accountsTown(t *testing.T, idle string, more ...func(*house)) (*town, string) {
	w := openTown(t, func(h *house) {
		_, port, err := net.SplitHostPort(h.desk)
		if err != nil {
			t.Fatal(err)
		}
		h.configure("desk_url: http://"+h.desk, "desk_url: http://localhost:"+port)
		h.configure("    second_factor: optional\n", "")
		h.configure("number_per_hour: 100000000}", "number_per_hour: 100000000, desk_idle: "+idle+"}")
		for _, change := range more {
			change(h)
		}
	})
	_, port, _ := net.SplitHostPort(w.desk)
	return w, "http://localhost:" + port
}

// hasAuthenticator gives the window a device with a fingerprint sensor that
// always knows its owner.
func (w *tab) hasAuthenticator() {
	w.t.Helper()
	w.do("plug an authenticator in", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true,
				IsUserVerified: true, AutomaticPresenceSimulation: true,
			},
		})
		return err
	}))
}

// app is an authenticator app that scanned a page's secret.
type app struct{ secret []byte }

func (w *tab) scans() app {
	w.t.Helper()
	secret, err := base32Secret(w.text(".secret code"))
	if err != nil {
		w.t.Fatal(err)
	}
	return app{secret}
}

// code is a fresh code: one that was used works no more.
func (a app) code(used string) string {
	for {
		if code := gateway.TOTPCode(a.secret, time.Now().Unix()/30); code != used {
			return code
		}
		time.Sleep(time.Second)
	}
}

// good checks a state of the desk for everybody, and keeps its picture.
func (w *tab) good(name string) {
	w.t.Helper()
	source := axeSource(w.t)
	for _, scheme := range []string{"light", "dark"} {
		w.prefers("prefers-color-scheme", scheme)
		for _, fault := range w.axe(source, allRules) {
			w.t.Errorf("%s, %s: %s", name, scheme, fault)
		}
		w.picture("accounts-" + name + "-" + scheme)
	}
	w.prefers("prefers-color-scheme", "light")
}

func TestInvitedCaseworkerSignsInWithAnApp(t *testing.T) {
	w, desk := accountsTown(t, "15m")
	host := strings.TrimPrefix(desk, "http://")
	link := joinLink.FindString(w.command("", "staff", "invite", "erin@example.gov", "--office", "north",
		"--role", "supervisor", "--role", "admin", "-c", w.config))
	if link == "" {
		t.Fatal("no link was printed")
	}
	const words = "quiet teapots sing at noon"
	w.secrets.keep("a password", words)
	c := w.browser.open("Erin", bigScreen, host)
	c.expects("status of 4")
	c.visit(link)
	if past := c.past(); strings.Contains(past, "/join/") {
		t.Errorf("the history holds the link's token:\n%s", past)
	}
	c.good("join")
	scanned := c.scans()
	c.fill("#password", words)
	c.fill("#again", words)
	first := scanned.code("")
	c.fill("#code", first+"\r")
	c.sees("Nothing is waiting")

	// The admin that she is invites somebody, and hands the link over.
	c.visit(desk + "/accounts")
	c.good("accounts")
	c.fill("#new-login", "finn\r")
	c.sees("Hand this link over")
	c.good("link")
	c.visit(desk + "/account")
	c.sees("Where you are signed in")
	c.good("account")

	// On a tablet, by password and code: the link is of no more use.
	d := w.browser.open("Erin's tablet", tabletScreen, host)
	d.expects("status of 4")
	d.visit(link)
	d.sees("This link does not work any more")
	d.visit(desk + "/requests")
	d.fill("#login", "erin@example.gov")
	d.fill("#password", words+"\r")
	d.visible("#code")
	d.good("second")
	d.fill("#code", first+"\r") // used at the set-up
	d.sees("That code is not right")
	d.fill("#code", scanned.code(first)+"\r")
	d.sees("Sent links")
	d.visit(desk + "/account")
	d.good("account-tablet")

	// The first browser is told, and ends the other's session.
	c.visit(desk + "/account")
	c.sees("New sign-in from a new browser")
	c.good("new-browser")
	c.click(".sessions form button")
	c.sees("Signed out there.")
	d.visit(desk + "/requests")
	d.visible("#login")
}

func TestPasskeySignsInAndUnlocks(t *testing.T) {
	w, desk := accountsTown(t, "4s")
	link := joinLink.FindString(w.command("", "staff", "invite", "gil", "--office", "north", "-c", w.config))
	c := w.browser.open("Gil", bigScreen, strings.TrimPrefix(desk, "http://"))
	c.expects("status of 401", "Clear-Site-Data") // the locked session, asked for; the sign-out
	c.hasAuthenticator()
	c.visit(link)
	c.click("[data-passkey-add] button")
	c.sees("Nothing is waiting")
	c.good("inbox")

	// What Gil typed is there again after the lock screen; nothing of it was sent.
	c.fill("#phone", "555 123 01")
	c.sees("What you typed is kept in this tab")
	if shown := c.shown(); strings.Contains(shown, "Nothing is waiting") {
		t.Errorf("the papers stay on the locked screen:\n%s", shown)
	}
	c.holds("the papers to be gone from the document", `!document.querySelector("#phone, .bar")`)
	c.good("locked")
	c.click("[data-lock-passkey]")
	c.visible("#phone")
	c.holds("what was typed", `document.querySelector("#phone").value === "555 123 01"`)

	c.click(".out button")
	c.visible("#login")
	c.good("login")
	c.click("[data-passkey-use] button")
	c.sees("Nothing is waiting")
}

func TestPasswordUnlocksAndFirstSignInSetsAFactorUp(t *testing.T) {
	w, desk := accountsTown(t, "4s")
	c := w.browser.open("Dana", bigScreen, strings.TrimPrefix(desk, "http://"))
	c.expects("status of 401")
	c.visit(desk + "/")
	c.fill("#login", staffLogin)
	c.fill("#password", staffPassword+"\r")
	c.sees("Protect your account")
	c.good("setup")
	c.fill("#code", c.scans().code("")+"\r")
	c.sees("Nothing is waiting")
	c.fill("#phone", "555 123 01")
	c.visible("#lock-password")
	c.fill("#lock-password", "not the password\r")
	c.sees("Not signed in")
	c.fill("#lock-password", staffPassword+"\r")
	c.visible("#phone")
	c.holds("what was typed", `document.querySelector("#phone").value === "555 123 01"`)
}

func base32Secret(shown string) ([]byte, error) {
	return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.Join(strings.Fields(shown), ""))
}
