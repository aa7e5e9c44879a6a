package e2e

import (
	"fmt"
)

// lacks says why the person does not have a paper.
func (p *person) lacks(ask, reason string) {
	p.t.Helper()
	form := fmt.Sprintf(`#lacks details:has(input[value=%q])`, ask)
	p.evaluate("open the paper", fmt.Sprintf(`document.querySelector(%q).open = true`, form))
	p.click(form + fmt.Sprintf(` button[value=%q]`, reason))
}

// hears waits until the page's live region says the words of a key.
func (p *person) hears(key string, pairs ...string) {
	p.t.Helper()
	p.holds("the words to be spoken", fmt.Sprintf(`document.getElementById("live").textContent.replace(/[\u2066\u2069\u2060]/g, "").replace(/\u00a0/g, " ").trim() === %q`,
		say(p.t, p.language, key, pairs...)))
}

// lacksAPaper says so while a page is on its way: that goes on, and a name that
// was typed and a page that was removed stay as they are.
func lacksAPaper(w *town) {
	lea, line := w.onLine("Lea")
	lea.is("nothing to be done with yet", `document.getElementById("done").hidden`)
	line.hold()
	lea.takes("pay-stub")
	lea.fill("#name", "Leacanaria")
	w.secrets.keep("a client's name", "Leacanaria")
	lea.removes(1)
	lea.is("nothing to be done with again", `document.getElementById("done").hidden`)
	at := lea.location()
	lea.lacks("photo-id", "help")
	lea.reads("page.lacks.noted-help", "ask", say(w.t, "en", "asks.photo-id"))
	lea.hears("page.lacks.noted-help", "ask", say(w.t, "en", "asks.photo-id"))
	lea.is("it can be done without a page, and the name is there", `!document.getElementById("done").hidden && document.getElementById("name").value === "Leacanaria"`)
	lea.click("#list .undo")
	lea.holds("the page to be sent", `document.querySelector("#list > li[data-state=sending]") !== null`)
	lea.lacks("benefit-letter", "cannot")
	lea.reads("page.lacks.noted-cannot", "ask", say(w.t, "en", "asks.benefit-letter"))
	lea.is("the line of the page was not cut, nor its picture lost", `document.querySelector("#list > li[data-state=sending] img[src^='blob:']") !== null`)
	lea.is("the paper tells", `[...document.querySelectorAll("#lacks summary")].map((one) => one.textContent).join() === "Photo ID: I need help,Pay stub,Benefit letter: I can't get it"`)
	if lea.location() != at {
		w.t.Errorf("the page went to %s", lea.location())
	}
	lea.evaluate("look at it", `document.getElementById("lacks").scrollIntoView()`)
	lea.bothLights("lacks")
	line.release()
	lea.receives(1)
	lea.takes("benefit-letter")
	lea.receives(2)
	lea.is("the letter is here by now", `document.querySelectorAll("#lacks [aria-pressed=true]").length === 1`)
	lea.isDone("")
	lea.reads("page.receipt.pages", "count", "2")
	lea.sees("Photo ID: I need help")
	dana := w.dana()
	dana.opens(lea.submission())
	dana.sees("Leacanaria")
}

// lacksOffline says so without a signal: it is told, and sent when that is back,
// before the end.
func lacksOffline(w *town) {
	moe, _ := w.onLine("Moe")
	at := moe.location()
	moe.offline(true)
	moe.lacks("pay-stub", "cannot")
	moe.reads("page.script.offline")
	moe.hears("page.script.offline")
	moe.evaluate("look at it", `document.getElementById("lacks").scrollIntoView()`)
	moe.bothLights("lacks-offline")
	moe.click("#done button.done")
	moe.reads("page.script.ending")
	if moe.location() != at {
		w.t.Errorf("without a signal the page went to %s", moe.location())
	}
	moe.offline(false)
	moe.visible(".reference")
	moe.sees("Pay stub: I can't get it")
}
