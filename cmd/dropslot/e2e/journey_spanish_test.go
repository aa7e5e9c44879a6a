package e2e

import (
	"github.com/chromedp/chromedp"
)

// inSpanish is somebody who writes in Spanish: the answer and every page are
// in Spanish, until a tap on "English" changes that for good.
func inSpanish(w *town) {
	rosa := w.newPerson("Rosa")
	rosa.language = "es"
	answer := rosa.texts("Hola, necesito mandar los papeles de mi familia")
	if want := say(w.t, "es", "sms.link", "link", rosa.link, "hours", "4 horas"); answer != want {
		w.t.Errorf("the answer to a Spanish text is %q, want %q", answer, want)
	}
	rosa.visit(rosa.link)
	rosa.reads("page.link.heading")
	rosa.reads("page.trust")
	rosa.speaks()
	rosa.enters()
	rosa.speaks()
	rosa.photographs("pay-stub")
	rosa.readsPage("page.script.received", "1")
	rosa.reads("asks.pay-stub")
	rosa.picture("spanish")

	hugo := rosa.otherPhone("Hugo")
	hugo.expects("409")
	hugo.visit(rosa.link)
	hugo.reads("page.problem.link-taken")
	hugo.speaks()

	rosa.leavesCamera() // there is no room for the languages beside the picture
	rosa.click(`.languages a[lang="en"]`)
	rosa.language = "en"
	rosa.reads("page.send.pages")
	rosa.reads("page.send.page", "number", "1")
	rosa.reads("asks.pay-stub")
	rosa.speaks()
	rosa.visit(rosa.link)
	rosa.reads("page.link.mine")
	rosa.speaks()
	rosa.enters()
	rosa.isDone("")
	rosa.reads("page.receipt.heading")
	rosa.speaks()
	submission := rosa.submission()

	dana := w.dana()
	dana.opens(submission)
	dana.sees("Español")
	dana.sees("Pay stub")
}

// speaks holds the language that the page says it is in against the person's.
func (p *person) speaks() {
	p.t.Helper()
	found := run(p.tab, "read the language", chromedp.Evaluate[string]("document.documentElement.lang"))
	if found != p.language {
		p.t.Errorf("%s's page is in %q, want %q\n%s", p.name, found, p.language, p.state())
	}
}
