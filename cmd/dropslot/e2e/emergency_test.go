package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// deskScreens are those of an office, and of somebody who is called at night.
var deskScreens = map[string]screen{"wide": insightScreens["wide"], "phone": {width: 360, height: 740, scale: 1}}

// secondOffice is one more office in the configuration of a house.
const secondOffice = `  south:
    name: South County Housing
    phone: "+15551230299"
    recipients: [{file: keys/south.pub}, {file: keys/south-recovery.pub}]
    identity: {file: keys/south.key, passphrase: {env: E2E_PASSPHRASE}}
    second_factor: optional
numbers:
  "+15551230200": {office: south}
`

// mailbox starts a real SMTP server, and gives the lines of the configuration
// that lead to it and what it took.
func mailbox(h *house) (lines string, took func() string) {
	address, folder := freeAddress(h.t), h.path("mail") // the server makes the folder
	host, port, _ := strings.Cut(address, ":")
	server := startProcess(h.t, "aiosmtpd", h.said, nil, program(h.t, "aiosmtpd"), "-n", "-l", address, "-c", "aiosmtpd.handlers.Mailbox", folder)
	server.listening(h.t, address)
	return "smtp: {host: " + host + ", port: " + port + ", tls: none, from: dropslot@example.gov}\n", func() string {
		var all strings.Builder
		files, err := filepath.Glob(filepath.Join(folder, "new", "*"))
		if err != nil {
			h.t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				h.t.Fatal(err)
			}
			all.Write(content)
		}
		return strings.ReplaceAll(all.String(), "\r\n", "\n")
	}
}

// TestSomebodyOpensPapersInAnEmergency follows it from the refusal to the end:
// the office hears of it by a real e-mail while it lasts, sees who and why, and
// ends it; and how each person is told is theirs to choose.
func TestSomebodyOpensPapersInAnEmergency(t *testing.T) {
	source := axeSource(t)
	var mails func() string
	w := openTown(t, func(h *house) {
		h.command("", "keygen", "--office", "south", "--out", h.path("data", "keys"), "--recovery-out", h.path("offline"))
		h.configure("    daily_spend: 900000\n", "    daily_spend: 900000\n    emergency_access: {roles: [caseworker], for: 30m}\n")
		h.configure("numbers:\n", secondOffice)
		var lines string
		lines, mails = mailbox(h)
		h.configure("countries: [US]\n", lines+"countries: [US]\n")
	})
	for login, role := range map[string][]string{
		"sam": {"--office", "south"}, "sue@example.gov": {"--office", "north", "--role", "supervisor"},
	} {
		w.command("", append([]string{"staff", "add", login, "-c", w.config, "--password-file", w.secretFile(staffPassword)}, role...)...)
	}
	nora := w.newPerson("Nora")
	nora.asks("Hi, may I have the link please")
	nora.enters()
	nora.photographs("pay-stub")
	nora.isDone("")
	submission := nora.submission()

	sam := w.caseworker("sam", staffPassword)
	sam.expects("404", "403", "422")
	sam.visit("http://" + w.desk + "/submissions/" + submission)
	sam.sees("In an emergency")
	sam.lookedAtOn(map[string]screen{"wide": insightScreens["wide"]}, source, "emergency-refused")
	sam.clickThrough(`main a[href^="/emergency"]`)
	sam.lookedAtOn(deskScreens, source, "emergency-form")
	const reason = "Nora Petersen is evicted at five today, and nobody picks up in the north."
	w.secrets.keep("a reason that names a client", reason)
	sam.fill("#reason", reason)
	sam.fill("#password", "not the password\r")
	sam.sees("The password is not right")
	sam.holds("what was typed", `document.querySelector("#reason").value.startsWith("Nora Petersen")`)
	sam.fill("#password", staffPassword)
	sam.clickThrough("form[action='/emergency'] button")
	sam.showsPicture()
	sam.sees("30 minutes left")
	sam.lookedAtByAll(source, "emergency-papers") // wide and on a tablet
	if shown := sam.shown(); strings.Contains(shown, "Mark done") || strings.Contains(shown, "Original") || strings.Contains(shown, "Send link") {
		t.Errorf("more than looking is offered:\n%s", shown)
	}

	waitFor(t, "the supervisor's e-mail", 20*time.Second, func() bool { return strings.Contains(mails(), "1 emergency access to papers in North County Benefits") })
	if mail := mails(); !strings.Contains(mail, "X-RcptTo: sue@example.gov") || !strings.Contains(mail, "http://"+w.desk+"/emergency\n") ||
		strings.Contains(mail, "Nora") || strings.Contains(mail, "sam") {
		t.Errorf("told:\n%s", mail)
	}

	sue := w.caseworker("sue@example.gov", staffPassword)
	sue.sees("Papers of your office were opened in an emergency")
	sue.clickThrough(".alarm a")
	sue.sees(reason)
	sue.lookedAtOn(deskScreens, source, "emergency-watched")
	sue.clickThrough(`form[action$="/seen"] button`)
	sue.sees("seen by sue@example.gov")
	sue.clickThrough(`form[action$="/end"] button`)
	sue.sees("the office ended it")

	sam.visit("http://" + w.desk + "/submissions/" + submission)
	sam.sees("Nothing here for you")
	// What the office ended is not opened anew before its time.
	w.query("UPDATE emergencies SET until = $1 WHERE ended_by = 'overseer'", time.Now().UnixMilli())
	for _, scripts := range []bool{true, false} {
		if !scripts {
			sam.withoutScripts()
		}
		sam.opensInEmergency()
		w.query("UPDATE emergencies SET until = $1 WHERE ended_at = 0", time.Now().Add(2*time.Second).UnixMilli())
		sam.visit("http://" + w.desk + "/?office=north")
		waitFor(t, "the papers to leave the screen", stepTimeout, func() bool { return strings.HasSuffix(sam.location(), "/emergency?auto=1") })
		if strings.Contains(sam.shown(), "Emergency access to") {
			t.Error("the banner stays")
		}
	}

	sue.visit("http://" + w.desk + "/notices")
	sue.holds("her login as her address", `document.querySelector("#address").value === "sue@example.gov"`)
	sue.lookedAtOn(deskScreens, source, "notices")
	sue.click(`[name=pace][value=hourly]`)
	sue.clickThrough(".notices button.main")
	sue.sees("Saved.")
}

// opensInEmergency opens the papers of the north, and goes to its inbox.
func (c *caseworker) opensInEmergency() {
	c.t.Helper()
	c.visit("http://" + c.town.desk + "/emergency")
	c.fill("#reason", "it cannot wait")
	c.fill("#password", staffPassword)
	c.clickThrough("form[action='/emergency'] button")
	c.sees("Emergency access to North County Benefits")
}

// A desk that locked keeps what was typed in its tab, and not what was opened
// in an emergency: that ends with the lock.
func TestTheLockEndsAnEmergency(t *testing.T) {
	w := openTown(t, func(h *house) {
		h.command("", "keygen", "--office", "south", "--out", h.path("data", "keys"), "--recovery-out", h.path("offline"))
		h.configure("    daily_spend: 900000\n", "    daily_spend: 900000\n    emergency_access: {roles: [caseworker]}\n")
		h.configure("numbers:\n", secondOffice)
		h.configure("number_per_hour: 100000000}", "number_per_hour: 100000000, desk_idle: 4s}")
	})
	w.command("", "staff", "add", "sam", "--office", "south", "-c", w.config, "--password-file", w.secretFile(staffPassword))
	sam := w.caseworker("sam", staffPassword)
	sam.expects("status of 401")
	sam.opensInEmergency()
	sam.visible("#lock-password")
	sam.fill("#lock-password", staffPassword+"\r")
	waitFor(t, "the page to be loaded anew", stepTimeout, func() bool {
		shown := sam.shown()
		return strings.Contains(shown, "Sign out") && !strings.Contains(shown, "Emergency access to")
	})
}
