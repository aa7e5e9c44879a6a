package e2e

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// papersAreMissing is somebody without papers, whose browser runs no
// JavaScript: she says what she does not have, and it reaches the desk.
func papersAreMissing(w *town) {
	lena := w.newPerson("Lena")
	lena.withoutScripts()
	lena.asks("Hello, I do not have everything")
	lena.enters()
	lena.reads("page.lacks.heading")
	lena.says("pay-stub", "remind")
	lena.reads("page.lacks.noted-remind", "ask", say(w.t, "en", "asks.pay-stub"))
	lena.says("pay-stub", "help")
	lena.reads("page.lacks.noted-help", "ask", say(w.t, "en", "asks.pay-stub"))
	lena.says("benefit-letter", "cannot")
	lena.picture("lacks")
	lena.says("benefit-letter", "")
	lena.reads("page.lacks.noted-none", "ask", say(w.t, "en", "asks.benefit-letter"))
	lena.says("benefit-letter", "cannot")
	w.secrets.keep("a client's name", "Magdalena")
	lena.fill("#name", "Magdalena")
	lena.click("#done button.done")
	lena.visible(".reference")
	lena.reads("page.lacks.receipt")
	lena.sees("Pay stub: I need help")
	lena.sees("Benefit letter: I can't get it")
	lena.picture("lacks-receipt")
	submission := lena.submission()

	dana := w.dana()
	dana.sees("2 missing")
	dana.picture("lacks-inbox")
	dana.clickThrough(`a.row[href$="` + submission + `"]`)
	dana.sees("No page came.")
	dana.sees("Magdalena")
	dana.sees("The client does not have")
	dana.sees("Pay stub: needs help with it")
	dana.sees("Benefit letter: cannot get it")
	dana.picture("lacks-desk")
	dana.marksDone(submission)
}

// says opens an ask and taps one of its buttons.
func (p *person) says(ask, reason string) {
	p.t.Helper()
	within := `#lacks details:has([name=ask][value="` + ask + `"])`
	if run(p.tab, "look whether it is open", chromedp.Evaluate[bool](`!document.querySelector(`+"`"+within+"`"+`).open`)) {
		p.click(within + " summary")
	}
	p.clickThrough(within + ` button[value="` + reason + `"]`)
}

// atTheCounter is a caseworker who photographs a client's papers with a phone
// of hers, sealed like the client's own.
func atTheCounter(w *town) {
	dana := w.dana()
	dana.clickThrough(`.bar nav a[href="/counter"]`)
	dana.sees("Whose phone takes the photos?")
	dana.clickThrough("main form button.main") // for the wrong client
	dana.clickThrough(`.links form button`)
	dana.sees("You took the link back. No phone can send anything with it.")
	dana.picture("counter-taken-back")
	dana.clickThrough(`.pager a[href="/counter"]`)
	w.secrets.keep("a client's name", "Theodora Counterman")
	w.secrets.keepName("Theodora", "Counterman")
	dana.fill("#first-name", "Theodora")
	dana.fill("#last-name", "Counterman")
	dana.picture("counter-form")
	dana.clickThrough("main form button.main")
	dana.visible("svg.code")
	dana.sees("Waiting for a phone to open the link.")
	where := dana.location()
	link := dana.text(".link")
	if !strings.HasPrefix(link, "http://"+w.public+"/c/") || strings.Contains(where, link[strings.LastIndex(link, "/"):]) {
		w.t.Fatalf("the page at %s shows the link %q", where, link)
	}

	phone := &person{tab: w.browser.open("the caseworker's phone", phoneScreen, w.public), town: w, language: "en"}
	phone.take(link)
	phone.enters()
	dana.sees("A phone opened the link. Waiting for page 1.")
	dana.picture("counter-code")
	second := phone.otherPhone("somebody behind them")
	second.expects("409")
	second.visit(link)
	second.reads("page.problem.link-taken")
	phone.photographs("photo-id")
	dana.sees("Page 1 received. The phone may be taking the next one.")
	phone.isDone("")
	phone.reads("page.receipt.heading")
	dana.sees("Done: 1 page.")
	dana.clickThrough("[data-part=papers]")
	dana.sees("Theodora Counterman")
	dana.sees("photographed by " + staffLogin)
	dana.sees("sealed on the phone")
	dana.showsPicture()
	dana.picture("counter-desk")
	dana.marksDone(phone.submission())
}
