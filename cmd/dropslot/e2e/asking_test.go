package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestAsking is a caseworker who asks: for certain papers, for one page again,
// and who takes a link back.
func TestAsking(t *testing.T) {
	w := openTown(t)
	for _, part := range []struct {
		name string
		walk func(*town)
	}{
		{"for certain papers", askForPapers}, {"for a page again", askForPageAgain}, {"and takes it back", takeLinkBack},
	} {
		t.Run(part.name, func(t *testing.T) { part.walk(w.on(t)) })
	}
}

// linkWithin is how long it may take from a caseworker's Enter to the text.
const linkWithin = 10 * time.Second

// askForPapers: the client's page names the papers and shows the words.
func askForPapers(w *town) {
	const words = "The stub of October, please, both sides"
	w.secrets.keep("a caseworker's words", words)
	gus := w.newPerson("Gus")
	gus.language = "es"
	dana := w.dana()
	dana.resize(wideScreen)
	dana.click(".asks summary")
	dana.click(`[name=ask][value=pay-stub]`)
	dana.do("choose Spanish", chromedp.SetValue(chromedp.CSS("#language"), "es"))
	dana.fill("#words", words)
	dana.wasAsked()
	dana.everyLook(axeSource(w.t), "asking")
	dana.fill("#phone", gus.phone)
	entered := time.Now()
	dana.press(kb.Enter)
	// The client is on the phone: they are not to wait for the text.
	waitFor(w.t, "the text to arrive", linkWithin, func() bool { return len(w.twilio.Outbox(gus.phone)) == 1 })
	w.t.Logf("from Enter to the text at Twilio: %d ms", time.Since(entered).Milliseconds())
	dana.sees("Pay stub, “" + words + "”")
	gus.take(w.twilio.Outbox(gus.phone)[0].Body)
	gus.visit(gus.link)
	if strings.Contains(gus.shown(), words) {
		w.t.Error("the words are shown before anybody opened the link")
	}
	gus.enters()
	gus.reads("page.wish.asks", "office", "North County Benefits")
	gus.sees(words)
	gus.sees(say(w.t, "es", "asks.pay-stub"))
	gus.holds("one paper", `document.querySelectorAll("#wish li").length === 1`)
	gus.wishLooks("papers")
	gus.photographs("pay-stub")
	dana.sees("Page 1 received. The client may be taking the next one.")
	dana.steps("Sent", "Opened", "Camera on", "Page 1 received")
	gus.visit(gus.location())
	gus.reads("page.wish.got")
}

// wishLooks holds the client's page against axe by day and by night.
func (p *person) wishLooks(name string) {
	p.t.Helper()
	source := axeSource(p.t)
	for _, light := range []string{"light", "dark"} {
		p.prefers("prefers-reduced-motion", "reduce", "prefers-color-scheme", light) // colors change at once
		p.picture("wish-" + name + "-" + light)
		if found := p.axe(source, allRules); len(found) > 0 {
			p.t.Errorf("%s, %s:\n%s", name, light, strings.Join(found, "\n"))
		}
	}
	p.prefers("prefers-color-scheme", "light")
}

// askForPageAgain: from the viewer to the client's page, and back into the
// same submission.
func askForPageAgain(w *town) {
	ivy := w.newPerson("Ivy")
	ivy.asks("Hi, may I have the link please")
	ivy.enters()
	ivy.photographs("photo-id")
	ivy.photographs("pay-stub")
	ivy.isDone("")
	submission := ivy.submission()

	dana := w.dana()
	dana.resize(wideScreen)
	dana.opens(submission)
	dana.showsPicture()
	dana.click(`a[data-page="2"]`)
	dana.holds("page 2", `document.querySelector("[data-place]").textContent === "2"`)
	dana.clickThrough("[data-again]")
	dana.sees("Page 2, Pay stub")
	dana.everyLook(axeSource(w.t), "again")
	dana.click("[name=reason][value=blurry]")
	before := len(w.twilio.Outbox(ivy.phone))
	dana.clickThrough("main form button.main") // she texted today: nothing is to be ticked
	dana.sees("One page again (Pay stub): it is blurry")
	waitFor(w.t, "the text to arrive", stepTimeout, func() bool { return len(w.twilio.Outbox(ivy.phone)) > before })
	sent := w.twilio.Outbox(ivy.phone)
	ivy.take(sent[len(sent)-1].Body)
	ivy.enters()
	if ivy.submission() != submission {
		w.t.Fatalf("the page goes to %s", ivy.submission())
	}
	ivy.reads("page.wish.again")
	ivy.reads("page.wish.why-blurry")
	ivy.holds("the page", `document.querySelector("#wish strong").textContent === "Pay stub" && document.querySelectorAll("#list > li").length === 0`)
	ivy.wishLooks("again")
	dana.sees("The client opened the link. Waiting for page 1.")
	ivy.chooses(w.file("canary-stub-of-Ivy.pdf", pdf(4<<10, "canary of the stub of Ivy")))
	ivy.visible("#review")
	ivy.is("the label of what is asked for is there", `document.getElementById("label").value === "pay-stub"`)
	ivy.click("#retake") // not this one
	ivy.opensCamera()
	dana.sees("The client’s camera is on. Waiting for page 1.")
	dana.picture("again-state")
	ivy.photographs("pay-stub")
	dana.sees("Page 1 received.")
	ivy.isDone("")
	ivy.reads("page.receipt.pages", "count", "1")
	dana.sees("The client is done: 1 page.")
	dana.opens(submission)
	dana.holds("three pages", `document.querySelectorAll("[data-pages] a[data-page]").length === 3`)
	dana.sees("new picture of page 2 (blurry)")
	dana.sees("page 3 came instead")
	dana.holds("the new one chosen", `[...document.querySelectorAll("[data-handoff] [name=page]")].map((box) => box.checked).join() === "true,false,true"`)
	dana.picture("again-page")
	// The words follow the page that is moved.
	dana.click(`a[data-page="2"]`)
	dana.holds("page 2", `document.querySelector("[data-place]").textContent === "2"`)
	dana.click("[data-earlier]")
	dana.sees("new picture of page 1 (blurry)")
	dana.clickThrough(`#work a[href^="/clients/"]`)
	dana.sees("1 page: new picture of page 1 (blurry)")
	dana.everyLook(axeSource(w.t), "again-thread")
}

// takeLinkBack: whoever has the link cannot open it, and one click sends another.
func takeLinkBack(w *town) {
	mat := w.newPerson("Mat")
	mat.expects("410")
	mat.visit("http://" + w.public + "/")
	dana := w.dana()
	dana.visit("http://" + w.desk + "/")
	dana.wasAsked()
	dana.fill("#phone", mat.phone+"\r")
	waitFor(w.t, "the text to arrive", stepTimeout, func() bool { return len(w.twilio.Outbox(mat.phone)) == 1 })
	mat.take(w.twilio.Outbox(mat.phone)[0].Body)
	dana.click("[data-send-state] [data-part=cancel] button")
	dana.sees("You or a colleague took the link back. Nothing came.")
	mat.visit(mat.link)
	mat.reads("page.problem.link-canceled")
	if mat.isVisible(`form[action$="/again"]`) {
		w.t.Error("whoever has a link that was taken back is offered another")
	}
	mat.picture("canceled")
	dana.click("[data-send-state] [data-part=renew] button")
	waitFor(w.t, "the new link to arrive", stepTimeout, func() bool { return len(w.twilio.Outbox(mat.phone)) == 2 })
	mat.take(w.twilio.Outbox(mat.phone)[1].Body)
	mat.enters()
	dana.sees("The client opened the link. Waiting for page 1.")
	dana.clickThrough(`[data-send-state] .sent:first-child [data-part=url]`)
	dana.click("[data-part=cancel] button")
	dana.sees("You or a colleague took the link back.")
	mat.visit(mat.location())
	mat.reads("page.problem.link-canceled")
}
