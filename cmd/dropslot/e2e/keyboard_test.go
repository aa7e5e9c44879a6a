package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused is where the keyboard is.
type focused struct {
	ID, Name, Tag string
	Top           float64 // from the top of the page
	Ring          bool    // it shows
	Words         string
}

// focus tells where the keyboard is. The ring may be drawn around what stands
// for the element: the label of a file field.
func (w *tab) focus() focused {
	w.t.Helper()
	return run(w, "find the focus", chromedp.Evaluate[focused](`(() => {
		const e = document.activeElement;
		const box = e.getBoundingClientRect();
		const drawn = (x) => { const s = getComputedStyle(x); return s.outlineStyle === "auto" || (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) };
		const seen = [e, ...(e.labels ?? [])].some((x) => { const b = x.getBoundingClientRect(); return drawn(x) && b.width > 1 && b.height > 1 && b.bottom > 0 && b.top < innerHeight });
		return {ID: e.id, Name: e.getAttribute("name") ?? "", Tag: e.tagName, Top: box.top + scrollY, Ring: seen, Words: (e.innerText || e.value || "").trim()};
	})()`))
}

// press types one key, as a person does who has no mouse.
func (w *tab) press(key string) {
	w.t.Helper()
	w.do("press "+fmt.Sprintf("%q", key), chromedp.KeyEvent(key))
}

// tabsTo goes on by Tab until the keyboard is where it should be. On its way
// it never jumps up the page, and it always shows where it is.
func (w *tab) tabsTo(what string, there func(focused) bool) {
	w.t.Helper()
	before := w.focus()
	for range 40 {
		w.press(kb.Tab)
		now := w.focus()
		if now.Tag == "BODY" {
			w.t.Fatalf("%s came to the end of the page and not to %s\n%s", w.name, what, w.state())
		}
		if !now.Ring {
			w.t.Errorf("%s cannot see that the keyboard is at %+v", w.name, now)
		}
		if now.Top < before.Top-60 {
			w.t.Errorf("%s tabbed up the page, from %+v to %+v", w.name, before, now)
		}
		if there(now) {
			return
		}
		before = now
	}
	w.t.Fatalf("%s did not come to %s\n%s", w.name, what, w.state())
}

func byID(id string) func(focused) bool { return func(f focused) bool { return f.ID == id } }
func (p *person) byWords(key string, pairs ...string) func(focused) bool {
	words := say(p.t, p.language, key, pairs...)
	return func(f focused) bool { return f.Words == words }
}

// byKeyboard goes the whole way from the link to the receipt with Tab, Enter
// and Space alone.
func byKeyboard(w *town) {
	kim := w.newPerson("Kim")
	kim.asks("Hi, may I have the link please")
	kim.visit(kim.link)
	kim.tabsTo("the button that opens", kim.byWords("page.link.open"))
	kim.press(kb.Enter)
	kim.inside()
	for page, key := range []string{" ", kb.Enter} {
		if page > 0 {
			kim.visit(kim.location()) // from the top of the page, with a page sent
			kim.visible("#file-form")
		}
		kim.tabsTo("the button that opens the camera", byID("take"))
		kim.press(key)
		kim.holds("the camera to open", `!document.getElementById("camera").hidden && !document.getElementById("shutter").disabled && document.getElementById("video").videoWidth > 0`)
		kim.within("camera")
		kim.tabsTo("the shutter", byID("shutter"))
		kim.press(key)
		kim.visible("#preview")
		kim.within("review")
		kim.tabsTo("the button that sends", byID("send"))
		before := kim.pages()
		kim.press(key)
		waitFor(w.t, "the page to be listed", stepTimeout, func() bool { return kim.pages() == before+1 })
		kim.within("camera")
		kim.tabsTo("the way out of the camera", byID("camera-back"))
		kim.press(key)
		kim.within("start", "pages", "status")
	}
	kim.tabsTo("the field for the name", func(f focused) bool { return f.Name == "name" })
	kim.do("type a name", chromedp.KeyEvent("Kim Canary Keys"))
	w.secrets.keep("a client's name", "Kim Canary Keys")
	kim.tabsTo("the button that ends", kim.byWords("page.send.done"))
	kim.press(kb.Enter)
	kim.visible(".reference")
	kim.reads("page.receipt.pages", "count", "2")
	dana := w.dana()
	dana.opens(kim.submission())
	dana.sees("Kim Canary Keys")
}

// within fails if the keyboard is not in or at one of the parts: what was
// pressed has made way for something else, and whoever does not see the page
// must not be thrown back to its top.
func (w *tab) within(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if run(w, "find the focus", chromedp.Evaluate[bool](fmt.Sprintf(
			`document.activeElement !== document.body && !!document.getElementById(%q)?.contains(document.activeElement)`, id))) {
			return
		}
	}
	w.t.Errorf("%s's keyboard is at %+v, not within %v", w.name, w.focus(), ids)
}

// TestKeyboardFindsFaults proves that a page without rings, or in a wild
// order, would not pass.
func TestKeyboardFindsFaults(t *testing.T) {
	b := openBrowser(t, payStatement)
	server := pageServer(t, `<!doctype html><html lang="en"><title>bad</title><style>#none:focus { outline: none }</style>
		<button id="none">x</button><button id="fine">y</button><p tabindex="-1" id="p">z</p>`)
	w := b.open("Ann", phoneScreen, server[len("http://"):])
	w.visit(server)
	for id, ring := range map[string]bool{"none": false, "fine": true} {
		for w.focus().ID != id {
			w.press(kb.Tab)
		}
		if w.focus().Ring != ring {
			t.Errorf("%s: a ring: %v", id, !ring)
		}
	}
}
