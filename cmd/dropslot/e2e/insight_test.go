package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	auditorLogin    = "ada"
	auditorPassword = "correct horse auditor staple canary"
)

// insightScreens are those that the desk is used on.
var insightScreens = map[string]screen{
	"wide":   {width: 1280, height: 800, scale: 1},
	"tablet": {width: 820, height: 1180, scale: 1},
	"phone":  phoneScreen,
}

// TestAnAuditorLooks follows what a caseworker did: in the trail, by the
// client, with a verification, and in the figures, for everybody's eyes.
func TestAnAuditorLooks(t *testing.T) {
	source := axeSource(t)
	w := openTown(t)
	w.command(auditorPassword+"\n", "staff", "add", auditorLogin, "--office", "north", "--role", "auditor", "-c", w.config,
		"--password-file", w.secretFile(auditorPassword))
	w.secrets.keep("the auditor's password", auditorPassword)
	nora := w.newPerson("Nora")
	nora.asks("Hi, may I have the link please")
	nora.enters()
	nora.photographs("pay-stub")
	nora.isDone("")
	submission := nora.submission()
	dana := w.dana()
	dana.opens(submission)
	dana.showsPicture()
	w.command("", "audit", "verify", "-c", w.config)

	ada := w.caseworker(auditorLogin, auditorPassword)
	ada.expects("403")
	ada.visit("http://" + w.desk + "/audit")
	ada.sees("Page viewed")
	ada.sees(staffLogin)
	ada.lookedAtByAll(source, "audit")

	ada.fill("#client", nora.phone)
	ada.clickThrough(".search button.main")
	ada.sees("Link opened by the client")
	ada.sees("Page viewed")
	if where := ada.location(); strings.Contains(where, nora.phone[2:]) || !strings.HasSuffix(where, "/audit") {
		t.Errorf("the search is at %s", where)
	}
	if others := ada.number(`[...document.querySelectorAll("tbody td:nth-child(3)")].filter((c) => /^(Signed|Account|Dropslot)/.test(c.textContent)).length`); others != 0 {
		t.Errorf("%v rows are of no client", others)
	}
	ada.visit("http://" + w.desk + "/audit")
	ada.clickThrough(`form[action="/audit/verify"] button`)
	ada.sees("No sign of tampering")
	ada.lookedAtByAll(source, "audit-proof")

	w.roles["worker"].stop()
	w.roles["worker"] = w.serve("worker")["worker"] // counts as it starts
	waitFor(t, "the figures to be counted", stepTimeout, func() bool {
		ada.visit("http://" + w.desk + "/figures")
		return ada.number(`document.querySelectorAll("svg rect.texts").length`) > 0
	})
	ada.sees("Texts from clients")
	ada.lookedAtByAll(source, "figures")

	ada.visit("http://" + w.desk + "/submissions/" + submission)
	ada.sees("This was refused")
	dana.expects("403")
	dana.visit("http://" + w.desk + "/audit")
	dana.sees("This was refused")
}

// lookedAtByAll holds the page against axe, light and dark, on each screen.
func (c *caseworker) lookedAtByAll(source, name string) {
	c.t.Helper()
	c.lookedAtOn(insightScreens, source, name)
}

func (c *caseworker) lookedAtOn(screens map[string]screen, source, name string) {
	c.t.Helper()
	for size, s := range screens {
		c.do("use another screen", chromedp.EmulateViewport(s.width, s.height, chromedp.EmulateScale(s.scale)))
		for _, scheme := range []string{"light", "dark"} {
			c.prefers("prefers-color-scheme", scheme)
			if faults := c.axe(source, allRules); len(faults) > 0 {
				c.t.Errorf("%s, %s, %s:\n%s", name, size, scheme, strings.Join(faults, "\n"))
			}
			if wide := c.number(`document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				c.t.Errorf("%s, %s: %v px wider than the screen", name, size, wide)
			}
			c.picture("desk-" + name + "-" + size + "-" + scheme)
		}
	}
	c.do("use the first screen again", chromedp.EmulateViewport(desktopScreen.width, desktopScreen.height))
}
