package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// anotherDesk starts a second process of the desk on the same records.
func (h *house) anotherDesk() string {
	h.t.Helper()
	address := freeAddress(h.t)
	config := h.path("dropslot-desk-2.yaml")
	h.edit(h.config, config, "desk: \""+h.desk+"\"", "desk: \""+address+"\"", "desk_url: http://"+h.desk, "desk_url: http://"+address)
	p := startProcess(h.t, "desk-2", h.said, h.environment(), binary, "serve", "-c", config, "--role", "desk", "--ops", freeAddress(h.t))
	p.listening(h.t, address)
	return address
}

// answersSoon lets a person who texts again get the next link at once.
func answersSoon(h *house) {
	h.configure("limits: {number_per_hour", "limits: {words_pause: 1s, number_per_hour")
}

// sendsPapers goes the whole way from the text to "I'm done".
func (p *person) sendsPapers(words string) (submission string) {
	p.t.Helper()
	p.texts(words)
	p.visit(p.link)
	p.enters()
	p.photographs("pay-stub")
	submission = p.submission()
	p.isDone("")
	return submission
}

// TestInboxAndThread is a caseworker's day with the list: what comes in shows
// by itself in another process of the desk, keys move about in it, and what is
// said of papers and of a phone is found again.
func TestInboxAndThread(t *testing.T) {
	source := axeSource(t)
	w := openTown(t, answersSoon)
	address := w.anotherDesk()
	dana := &caseworker{tab: w.browser.open("the second desk", screen{width: 1280, height: 800, scale: 1}, address), town: w}
	base := "http://" + address
	looks := func(name string) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			dana.prefers("prefers-reduced-motion", "reduce", "prefers-color-scheme", scheme)
			if faults := dana.axe(source, allRules); len(faults) > 0 {
				t.Errorf("%s, %s:\n%s", name, scheme, strings.Join(faults, "\n"))
			}
			dana.picture("thread-" + name + "-" + scheme)
			dana.do("a tablet", chromedp.EmulateViewport(820, 1180))
			dana.picture("thread-" + name + "-" + scheme + "-tablet")
			dana.do("the desktop", chromedp.EmulateViewport(1280, 800))
		}
	}
	dana.visit(base + "/")
	dana.signIn(staffLogin, staffPassword)
	dana.sees("Nothing is waiting.")

	maria := w.newPerson("Maria")
	first := maria.sendsPapers("Hello")
	dana.visible(`a.row[href$="` + first + `"][data-unread]`)
	dana.sees("came in")
	second := maria.sendsPapers("one more")
	dana.visible(`a.row[href$="` + second + `"]`)
	looks("inbox")

	// Keys: down, up, open.
	dana.press("j")
	dana.press("j")
	dana.press("k")
	dana.holds("the newest to have the focus", `document.activeElement.matches("a.row[href$='`+second+`']")`)
	dana.press("?")
	dana.visible("dialog[data-keys][open]")
	dana.click("dialog[data-keys] button")
	dana.press(kb.Enter)
	dana.visible("[data-stage]")

	dana.fill("#case", "12-345/B")
	dana.clickThrough("form[action$='/case'] button")
	dana.fill("#client-name", "Rosa")
	dana.clickThrough("form[action$='/name'] button")
	dana.do("choose the stage", chromedp.SetValue(chromedp.CSS("#stage"), "waiting"))
	dana.clickThrough("form[action$='/stage'] button")
	dana.fill("#words", "Called, sends the rest on Monday")
	dana.clickThrough("form[action$='/notes'] button")
	dana.sees("Called, sends the rest on Monday")
	looks("submission")

	dana.visit(base + "/?status=waiting")
	dana.sees("Rosa")
	dana.sees("12-345/B")
	dana.holds("one row", `document.querySelectorAll("a.row").length === 1`)

	for _, typed := range []string{"12345b", maria.phone} {
		dana.visit(base + "/search")
		dana.fill("#q", typed)
		dana.clickThrough("form[role=search] button")
		if where := dana.location(); strings.Contains(where, "345") || strings.Contains(where, strings.TrimPrefix(maria.phone, "+")) {
			t.Errorf("what was typed stands in the address: %s", where)
		}
		dana.visible(`a.row[href$="` + second + `"]`)
		if typed == "12345b" {
			looks("search")
		}
	}
	for _, words := range []string{"delivered", "opened", "1 page", "viewed by " + staffLogin, "Called, sends the rest"} {
		dana.sees(words)
	}
	looks("client")

	// Marked done from the list, by a key.
	dana.visit(base + "/")
	dana.press("j")
	dana.press("j")
	dana.press("e")
	dana.visible("dialog[data-finish][open]")
	dana.click("dialog[data-finish] input[value=delivered]")
	dana.clickThrough("dialog[data-finish] button.main")
	dana.visit(base + "/?done=1")
	dana.visible(`a.row[href$="` + first + `"]`)
}

// TestMergeWithoutScript puts two submissions of one phone together in a
// browser without JavaScript.
func TestMergeWithoutScript(t *testing.T) {
	w := openTown(t, answersSoon)
	maria := w.newPerson("Maria")
	first := maria.sendsPapers("Hello")
	second := maria.sendsPapers("one more")
	dana := &caseworker{tab: w.browser.open("the caseworker", desktopScreen, w.desk), town: w}
	dana.withoutScripts()
	base := "http://" + w.desk
	dana.visit(base + "/")
	dana.fill("#login", staffLogin)
	dana.fill("#password", staffPassword)
	dana.clickThrough("form[action='/login'] button")
	dana.visit(base + "/?status=new")
	dana.visible(`a.row[href$="` + first + `"]`)
	dana.clickThrough(`a.row[href$="` + first + `"]`)
	dana.click("details:has(form[action$='/merge']) summary")
	dana.do("choose the other papers", chromedp.SetValue(chromedp.CSS("#merge-to"), second))
	dana.clickThrough("form[action$='/merge'] button")
	if where := dana.location(); !strings.Contains(where, second) {
		t.Errorf("merged, and at %s", where)
	}
	dana.sees("1 other submission was merged into this one.")
	dana.visit(base + "/")
	dana.visible(`a.row[href$="` + second + `"]`)
	if strings.Contains(run(dana.tab, "read the inbox", chromedp.OuterHTML(chromedp.CSS("main"))), first) {
		t.Error("what was merged is still in the inbox")
	}
}
