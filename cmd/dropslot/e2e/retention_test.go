package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	supervisorLogin    = "sue"
	supervisorPassword = "correct horse supervisor staple canary"
)

// TestASupervisorHoldsPapers follows papers from the list of what goes next week
// into a legal hold and out of it, for everybody's eyes; and looks at the pages
// that only somebody with more rights sees.
func TestASupervisorHoldsPapers(t *testing.T) {
	source := axeSource(t)
	w := openTown(t)
	w.command(supervisorPassword+"\n", "staff", "add", supervisorLogin, "--office", "north", "--role", "supervisor", "--role", "admin",
		"-c", w.config, "--password-file", w.secretFile(supervisorPassword))
	w.secrets.keep("the supervisor's password", supervisorPassword)
	going, forgotten, unread := w.bringsPapers("Nora"), w.bringsPapers("Ola"), w.bringsPapers("Pia")
	const ago = "CAST(strftime('%s', 'now') AS INTEGER) * 1000 - ?1 * 86400000"
	w.query("UPDATE submissions SET state = 'handled', handled = 1, handled_as = 'delivered', handled_at = "+ago+" WHERE id = ?2", 85, going)
	w.query("UPDATE submissions SET finished_at = "+ago+", last_page_at = "+ago+" WHERE id = ?2", 100, forgotten)
	w.query("INSERT INTO erasure_warnings (submission, office, warned_at) SELECT ?2, 'north', "+ago, 40, forgotten)
	w.query(`INSERT INTO holds (submission, office, staff, reason, at, released_at, stored_at) SELECT ?2, 'north', '', 'unreadable', `+ago+", 0, 1", 5, unread)

	sue := w.caseworker(supervisorLogin, supervisorPassword)
	sue.visit("http://" + w.desk + "/retention")
	if n := sue.number(`document.querySelectorAll(".going").length`); n != 3 {
		t.Errorf("%v are listed", n)
	}
	day := sue.text("section:nth-of-type(1) .going p")
	if at, err := time.Parse("on Mon, Jan 2, 2006", day); err != nil || time.Until(at) > 6*24*time.Hour || time.Until(at) < 3*24*time.Hour {
		t.Errorf("papers that were done 85 days ago go %q", day)
	}
	sue.sees("Never marked done (1)")
	sue.sees("Find out why these papers were held")
	sue.lookedAtByAll(source, "retention")

	form := `form[action="/retention/` + going + `/hold"]`
	run(sue.tab, "choose the reason", chromedp.SetValue(chromedp.CSS(form+" select"), "hearing"))
	sue.clickThrough(form + " button")
	sue.sees("The papers are held.")
	sue.sees("Nothing that is done is erased within a week.")
	sue.sees("by " + supervisorLogin)
	sue.lookedAtByAll(source, "retention-held")
	sue.visit("http://" + w.desk + "/submissions/" + going)
	sue.sees("Fair hearing or appeal, by " + supervisorLogin)
	sue.clickThrough(`form[action="/retention/` + going + `/release"] button`)
	sue.sees("The papers are released.")
	if again := sue.text("section:nth-of-type(1) .going p"); again != day {
		t.Errorf("released, they go %q, not %q", again, day)
	}

	sue.visit("http://" + w.desk + "/notices")
	sue.lookedAtByAll(source, "notices")
	sue.visit("http://" + w.desk + "/accounts")
	sue.lookedAtByAll(source, "accounts")
	sue.clickThrough(`main a[href^="/accounts/"]`)
	sue.lookedAtByAll(source, "account-one")
	sue.visit("http://" + w.desk + "/account")
	if !strings.Contains(sue.shown(), "signed in") {
		t.Error("the sessions are not listed")
	}
	sue.lookedAtByAll(source, "account-sessions")
}

// bringsPapers is a client who sends one page and is done.
func (w *town) bringsPapers(name string) (submission string) {
	w.t.Helper()
	p := w.newPerson(name)
	p.asks("Hi, may I have the link please")
	p.enters()
	p.photographs("pay-stub")
	p.isDone("")
	submission = p.submission()
	return submission
}
