package e2e

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestOutbox is what becomes of a page after "Send this page": on weak lines,
// through reloads, in two windows.
func TestOutbox(t *testing.T) {
	w := openTown(t)
	for _, walk := range []struct {
		name string
		walk func(*town)
	}{
		{"reload in the middle", reloadInTheMiddle},
		{"offline", goesOffline},
		{"two windows", twoWindows},
		{"removed and undone", removedAndUndone},
		{"removed without a signal", removedWithoutASignal},
		{"order and labels", orderAndLabels},
		{"done while pages wait", doneWhilePagesWait},
		{"sealed in the browser or not at all", browserOnly},
		{"no room on the phone", noRoom},
		{"a weak line", onAWeakLine},
		{"a paper is missing", lacksAPaper},
		{"a paper is missing, without a signal", lacksOffline},
	} {
		t.Run(walk.name, func(t *testing.T) { walk.walk(w.on(t)) })
	}
}

// onLine gives somebody who has entered through a line of their own.
func (w *town) onLine(name string) (*person, *weakLine) {
	w.t.Helper()
	line := newWeakLine(w.t, w.public)
	p := w.newPerson(name)
	p.asks("Hello, may I send papers?")
	p.through(line)
	p.enters()
	return p, line
}

// takes photographs a page and does not wait until it is received.
func (p *person) takes(label string) {
	p.t.Helper()
	before := p.listed()
	p.shoots()
	p.do("label the page", chromedp.SetValue(chromedp.CSS("#label"), label))
	p.presses("#send")
	waitFor(p.t, p.name+"'s page to be in the list", stepTimeout, func() bool { return p.listed() == before+1 })
	p.leavesCamera() // the list is not beside the camera
}

// listed counts the pages of the list, whatever their state.
func (p *person) listed() int {
	p.t.Helper()
	return p.counts(`#list > li:not([data-state=gone])`)
}

func (p *person) counts(selector string) int {
	p.t.Helper()
	return run(p.tab, "count "+selector, chromedp.Evaluate[int](`document.querySelectorAll("`+selector+`").length`))
}

// receives waits until so many pages are received.
func (p *person) receives(n int) {
	p.t.Helper()
	waitFor(p.t, fmt.Sprintf("%s's %d pages to be received", p.name, n), 2*stepTimeout, func() bool { return p.pages() == n })
}

// onPhone is what IndexedDB holds: how many parcels, and whether the bytes of
// each begin as those of a sealed file, with no picture in them.
type onPhone struct {
	Parcels, Contents, Sealed int
	Plain                     bool
	Labels                    string
}

func (p *person) onPhone() onPhone {
	p.t.Helper()
	return run(p.tab, "look into IndexedDB", chromedp.Evaluate[onPhone](`new Promise((resolve, reject) => {
		const asked = indexedDB.open("dropslot");
		asked.onerror = () => reject(asked.error);
		asked.onsuccess = () => {
			const db = asked.result;
			if (!db.objectStoreNames.contains("parcels")) { db.close(); return resolve({Labels: ""}); }
			const look = db.transaction(["parcels", "contents"]);
			const parcels = look.objectStore("parcels").getAll(), contents = look.objectStore("contents").getAll();
			look.oncomplete = () => {
				const texts = contents.result.map((bytes) => new TextDecoder("latin1").decode(bytes));
				const told = JSON.stringify(parcels.result);
				db.close();
				resolve({
					Labels: parcels.result.map((kept) => " " + kept.label).sort().join(""),
					Parcels: parcels.result.length, Contents: texts.length,
					Sealed: texts.filter((text) => text.startsWith("age-encryption.org/v1")).length,
					Plain: [...texts, told].some((text) => text.includes("JFIF") || text.includes("ÿØÿ") || text.includes("blob:") || text.includes("data:")),
				});
			};
		};
	})`, chromedp.EvalAwaitPromise))
}

// keepsNothing waits until nothing is left on the phone.
func (p *person) keepsNothing() {
	p.t.Helper()
	waitFor(p.t, "the phone to keep nothing", stepTimeout, func() bool { return p.onPhone() == onPhone{} })
}

// looksAway hides the window, as far as its page can tell.
func (p *person) looksAway(away bool) {
	p.t.Helper()
	p.do("look away", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`Object.defineProperty(document, "hidden", {value: %t, configurable: true}); document.dispatchEvent(new Event("visibilitychange"))`, away)))
}

func (p *person) reloads() {
	p.t.Helper()
	p.do("reload", chromedp.Reload())
	p.inside()
}

func (p *person) offline(off bool) {
	p.t.Helper()
	p.do("switch the network", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		if err != nil {
			return chromedp.Void{}, err
		}
		_, err = cdp.Call(ctx, target, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
		return chromedp.Void{}, err
	})
}

// picturesOf holds the list, or what is open in it, to what everybody needs.
func (p *person) picturesOf(name string) {
	p.t.Helper()
	p.evaluate("look at the list", `(document.querySelector("#list details[open]") || document.getElementById("pages")).scrollIntoView()`)
	p.bothLights("outbox-" + name)
}

// once holds that the house was given each page once.
func once(t *testing.T, line *weakLine, pages int) {
	t.Helper()
	arrived := line.arrived()
	if len(arrived) != pages {
		t.Errorf("the house was given %d pages, want %d", len(arrived), pages)
	}
	for key, n := range arrived {
		if n != 1 {
			t.Errorf("page %s was sent whole %d times", key, n)
		}
	}
}

// reloadInTheMiddle loses the window while one page is on its way and one
// waits: both are taken up from the phone.
func reloadInTheMiddle(w *town) {
	ana, line := w.onLine("Ana")
	line.hold()
	ana.takes("pay-stub")
	ana.readsPage("page.script.on-way", "1")
	ana.takes("photo-id")
	ana.holds("the first page to be sent", `document.querySelector("#list > li[data-state=sending]") !== null`)
	ana.picturesOf("sending")
	if ana.pages() != 0 {
		w.t.Error("a page counts as received before the house has it")
	}
	if n := ana.counts("#list img[src^='blob:']:not([hidden])"); n != 2 {
		w.t.Errorf("%d pages have a picture, want 2", n)
	}
	ana.looksAway(true)
	if n := ana.counts("#list img[src]"); n != 0 {
		w.t.Errorf("%d pictures are left when nobody looks", n)
	}
	ana.looksAway(false)
	ana.holds("the pictures to come back", `document.querySelectorAll("#list img[src]").length === 2`)
	if kept := ana.onPhone(); kept.Parcels != 2 || kept.Contents != 2 || kept.Sealed != 2 || kept.Plain {
		w.t.Errorf("the phone keeps %+v, want two sealed pages", kept)
	}
	ana.reloads()
	waitFor(w.t, "the list to come again", stepTimeout, func() bool { return ana.listed() == 2 })
	if ana.pages() != 0 {
		w.t.Error("a page counts as received after a reload")
	}
	ana.picturesOf("reloaded")
	line.release()
	ana.receives(2)
	ana.reads("asks.photo-id")
	ana.keepsNothing()
	ana.reloads()
	ana.readsPage("page.script.safe", "1")
	ana.readsPage("page.script.safe", "2")
	ana.picturesOf("safe")
	ana.isDone("")
	ana.reads("page.receipt.pages", "count", "2")
	ana.keepsNothing()
	if n := len(w.sealedPagesOf(ana.submission())); n != 2 {
		w.t.Errorf("the vault has %d pages, want 2", n)
	}
}

// goesOffline photographs without a signal; it goes on when that is back.
func goesOffline(w *town) {
	bo, _ := w.onLine("Bo")
	bo.opensCamera() // loads what seals
	bo.holds("the worker", `performance.getEntriesByType("resource").some((entry) => entry.name.includes("/worker."))`)
	bo.click("#camera-back")
	bo.offline(true)
	bo.takes("other")
	bo.reads("page.script.offline")
	bo.reads("page.script.no-signal")
	bo.picturesOf("offline")
	if kept := bo.onPhone(); kept.Parcels != 1 {
		w.t.Errorf("the phone keeps %d pages, want 1", kept.Parcels)
	}
	bo.offline(false)
	bo.readsPage("page.script.received", "1")
	bo.keepsNothing()
	bo.picturesOf("received")
}

// twoWindows has the same link open twice while a page waits.
func twoWindows(w *town) {
	cy, line := w.onLine("Cy")
	line.hold()
	cy.takes("other")
	cy.takes("pay-stub")
	other := &person{town: w, phone: cy.phone, link: cy.link, language: cy.language}
	in := &browser{t: w.t, context: cy.context}
	other.tab = in.window("Cy's other window", phoneScreen, cy.watch.hosts, chromedp.WithNewWindow(true))
	other.expects("net::ERR", "404")
	other.visit(cy.location())
	waitFor(w.t, "the other window to know of both", stepTimeout, func() bool { return other.listed() == 2 })
	line.release()
	cy.receives(2)
	other.receives(2)
	once(w.t, line, 2)
	cy.keepsNothing()
}

// removedAndUndone takes pages back before and after they are received.
func removedAndUndone(w *town) {
	di, line := w.onLine("Di")
	di.takes("pay-stub")
	di.takes("photo-id")
	di.receives(2)
	di.removes(1)
	di.readsPage("page.script.removed", "1")
	di.picturesOf("removed")
	di.click("#list > li[data-state=gone] .undo")
	di.receives(2)
	di.notesRemovals(0)
	di.reloads()
	di.receives(2)
	di.removes(1)
	di.looksAway(true) // that ends the time for "Undo"
	di.looksAway(false)
	waitFor(w.t, "the removal to be told", stepTimeout, func() bool { return di.counts("#list > li") == 1 })
	waitFor(w.t, "the house to have one page", stepTimeout, func() bool { return len(w.sealedPagesOf(di.submission())) == 1 })
	line.hold()
	di.takes("other")
	di.removes(2)
	di.keepsNothing()
	line.release()
	di.isDone("") // at once: the removal is told before the end
	di.reads("page.receipt.pages", "count", "1")
	di.keepsNothing()
}

// removedWithoutASignal takes a page back while no line carries the word, and
// closes the window: the next one tells it.
func removedWithoutASignal(w *town) {
	ira, line := w.onLine("Ira")
	ira.takes("pay-stub")
	ira.takes("photo-id")
	ira.receives(2)
	at := ira.location()
	line.set(func(l *weakLine) { l.cut = true })
	ira.removes(1)
	ira.readsPage("page.script.removed", "1")
	ira.notesRemovals(1)
	run(ira.tab, "close the page", chromedp.WaitEvent(page.LoadEventFired, nil,
		chromedp.Evaluate[chromedp.Void](`location.assign("about:blank")`)))
	line.set(func(l *weakLine) { l.cut = false })
	if n := len(w.sealedPagesOf(path.Base(at))); n != 2 {
		w.t.Fatalf("the house has %d pages before it is told, want 2", n)
	}
	ira.visit(at)
	waitFor(w.t, "the house to be told", stepTimeout, func() bool { return len(w.sealedPagesOf(path.Base(at))) == 1 })
	waitFor(w.t, "the page to be off the list", stepTimeout, func() bool { return ira.counts("#list > li") == 1 })
	ira.isDone("")
	ira.reads("page.receipt.pages", "count", "1")
}

// notesRemovals waits until so many removals are written down on the phone.
func (p *person) notesRemovals(n int) {
	p.t.Helper()
	p.holds("the removals on the phone", fmt.Sprintf(`new Promise((resolve) => {
		const asked = indexedDB.open("dropslot");
		asked.onsuccess = () => {
			const found = asked.result.transaction("removals").objectStore("removals").count();
			found.onsuccess = () => { asked.result.close(); resolve(found.result === %d); };
		};
	})`, n))
}

// change opens what can be done with a page.
func (p *person) change(n int) string {
	p.t.Helper()
	row := fmt.Sprintf("#list > li:nth-child(%d)", n)
	p.do("open the row", chromedp.Evaluate[chromedp.Void](`document.querySelector("`+row+` details").open = true`))
	return row
}

func (p *person) removes(n int) {
	p.t.Helper()
	p.click(p.change(n) + " form.remove button")
}

// keys gives the Page-Ids in the order of the list.
func (p *person) keys() []string {
	p.t.Helper()
	return run(p.tab, "read the order", chromedp.Evaluate[[]string](`[...document.querySelectorAll("#list > li")].map((item) => item.dataset.key)`))
}

// orderAndLabels changes both by keyboard, before and after the pages arrive.
func orderAndLabels(w *town) {
	ed, line := w.onLine("Ed")
	line.hold()
	ed.takes("pay-stub")
	ed.takes("photo-id")
	ed.takes("")
	before := ed.keys()
	row := ed.change(3)
	ed.picturesOf("change")
	ed.do("look at a small screen in large type", chromedp.EmulateViewport(320, 740, chromedp.EmulateMobile),
		chromedp.Evaluate[chromedp.Void](`document.documentElement.style.fontSize = "225%"`))
	ed.picturesOf("large")
	if wide := run(ed.tab, "measure", chromedp.Evaluate[[]string](`[...document.querySelectorAll("#start *, #pages *")]
		.filter((one) => one.getBoundingClientRect().right > 320).map((one) => one.outerHTML.slice(0, 80))`)); len(wide) > 0 {
		w.t.Errorf("at 320 pixels in large type this is too wide: %q", wide)
	}
	ed.do("go back to the phone", chromedp.EmulateViewport(phoneScreen.width, phoneScreen.height, chromedp.EmulateMobile),
		chromedp.Evaluate[chromedp.Void](`document.documentElement.style.fontSize = ""`))
	ed.do("press up", chromedp.Focus(chromedp.CSS(row+" .up")), chromedp.KeyEvent("\r"), chromedp.KeyEvent("\r"))
	want := []string{before[2], before[0], before[1]}
	if got := ed.keys(); strings.Join(got, " ") != strings.Join(want, " ") {
		w.t.Errorf("the order is %v, want %v", got, want)
	}
	if focused := run(ed.tab, "find the focus", chromedp.Evaluate[string](`document.activeElement.className`)); !strings.Contains(focused, "down") {
		w.t.Errorf("the focus is on %q, want the button that is left", focused)
	}
	ed.do("name it", chromedp.Evaluate[chromedp.Void](`{
		const select = document.querySelector("#list > li:first-child select");
		select.value = "benefit-letter";
		select.dispatchEvent(new Event("change"));
	}`))
	ed.reads("asks.benefit-letter")
	waitFor(w.t, "the phone to keep the label", stepTimeout, func() bool { return ed.onPhone().Labels == " benefit-letter pay-stub photo-id" })
	ed.reloads()
	waitFor(w.t, "the list to come again", stepTimeout, func() bool { return ed.listed() == 3 })
	if got := ed.keys(); strings.Join(got, " ") != strings.Join(want, " ") {
		w.t.Errorf("after a reload the order is %v, want %v", got, want)
	}
	line.release()
	ed.receives(3)
	ed.reads("asks.benefit-letter")
	ed.isDone("")
	submission := ed.submission()
	dana := w.dana()
	dana.opens(submission)
	dana.sees("Benefit letter")
}

// doneWhilePagesWait says "I'm done" too early: it waits, or lets the person
// choose to stay, and then ends by itself.
func doneWhilePagesWait(w *town) {
	flo, line := w.onLine("Flo")
	line.hold()
	flo.takes("pay-stub")
	flo.takes("photo-id")
	flo.fill("#name", "Flo Canaria Early")
	w.secrets.keep("a client's name", "Flo Canaria Early")
	flo.click("#done button.done")
	flo.reads("page.script.done-waits", "count", "2")
	flo.picturesOf("waits")
	flo.click("#done-stay")
	flo.visible("#done button.done")
	flo.click("#done button.done")
	flo.reads("page.script.done-waits", "count", "2")
	line.release()
	flo.visible(".reference")
	flo.reads("page.receipt.pages", "count", "2")
	flo.keepsNothing()
	submission := flo.submission()
	dana := w.dana()
	dana.opens(submission)
	dana.sees("Flo Canaria Early")
}

// browserOnly is an office whose pages never leave unsealed, and a browser
// that cannot seal.
func browserOnly(w *town) {
	gil, line := w.onLine("Gil")
	gil.do("let nothing seal", chromedp.Evaluate[chromedp.Void](`document.getElementById("settings").dataset.sealing = "browser-only"; delete window.Worker; window.Worker = undefined`))
	gil.takes("other")
	gil.holds("the page to need help", `document.querySelector("#list > li[data-state=needs]") !== null`)
	gil.sees("Your phone could not lock this page. So we did not send it.")
	gil.picturesOf("needs")
	if n := len(line.arrived()); n != 0 || line.requests > 2 { // the claim, and that the camera runs
		w.t.Errorf("%d requests went out", line.requests)
	}
	gil.click("#list .again")
	gil.is("the focus stays in the row", `document.activeElement.matches("#list > li summary")`)
	gil.holds("it to need help again", `document.querySelector("#list > li[data-state=needs]") !== null`)
	gil.click("#done button.done")
	gil.reads("page.script.done-needs", "count", "1")
	gil.picturesOf("needs-done")
	gil.click("#done-stay")
}

// noRoom is a phone whose browser keeps nothing: the page says to stay open,
// and arrives all the same.
func noRoom(w *town) {
	hal, line := w.onLine("Hal")
	line.hold()
	hal.do("take IndexedDB away", chromedp.Evaluate[chromedp.Void](`IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError") }`))
	hal.takes("other")
	hal.readsPage("page.script.keep-open", "1")
	hal.picturesOf("keep-open")
	line.release()
	hal.receives(1)
}

// onAWeakLine sends pages while one request of five breaks: the first in the
// middle.
func onAWeakLine(w *town) {
	ivy, line := w.onLine("Ivy")
	const pages, kilobytes, rate = 8, 200, 120_000
	line.set(func(l *weakLine) { l.rate, l.every, l.requests, l.broken = rate, 5, 4, 2 })
	ivy.arrive(pages, kilobytes)
}

// TestAMegabyteOverAWeakLine is the worst line that is promised: 50 kbit/s, of
// whose requests one in five fails. The first is cut off early, so that there is
// one whole try: it takes three minutes.
func TestAMegabyteOverAWeakLine(t *testing.T) {
	t.Parallel() // next to the kills, which take as long
	ivy, line := openTown(t).onLine("Ivy")
	line.set(func(l *weakLine) { l.rate, l.every, l.requests, l.broken, l.share = 50_000/8, 5, 4, 2, 0.02 })
	begun := time.Now()
	ivy.arrive(1, 1<<10)
	if took := time.Since(begun); took < time.Minute {
		t.Errorf("a megabyte took %v: that is no weak line", took)
	}
	if line.broken == 2 {
		t.Error("nothing failed")
	}
	once(t, line, 1)
}

// arrive sends so many files of so many kilobytes and is done when they are there.
func (p *person) arrive(pages, kilobytes int) {
	p.t.Helper()
	for n := range pages {
		p.chooses(p.town.file(fmt.Sprintf("canary-name-of-%s-%d.pdf", p.name, n), pdf(kilobytes<<10, "canary words in the letter of "+p.name)))
		p.visible("#review")
		p.presses("#send")
		p.visible("#start")
	}
	ctx, cancel := context.WithTimeout(p.context, 10*time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.querySelectorAll("#list > li[data-state=received]").length === %d`, pages),
		chromedp.WithPollingInterval(time.Second), chromedp.WithPollingTimeout(0))); err != nil {
		p.t.Fatalf("the pages to arrive: %v\n%s", err, p.state())
	}
	p.isDone("")
	p.reads("page.receipt.pages", "count", strconv.Itoa(pages))
	p.keepsNothing()
}
