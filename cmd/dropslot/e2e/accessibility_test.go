package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pageState is one thing that a client may have before the eyes.
type pageState struct {
	name    string
	reach   func(language string)
	key     string // words of the catalog that have to be there
	regions int    // live regions that it needs
	who     *person
}

// inTwoLanguages are states whose words other states show in all of them.
var inTwoLanguages = map[string]bool{"send without script": true, "lacks open": true, "receipt for what came late": true}

// TestPagesForEverybody holds every state of every client's page, in every
// language, against axe, and against what axe cannot see: a small screen with
// text of twice the size, thumbs, one voice, less motion.
func TestPagesForEverybody(t *testing.T) {
	source := axeSource(t)
	texts, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, language := range texts.Languages() {
		tags = append(tags, language.Tag)
	}
	w := openTown(t, func(h *house) { h.configure("languages: [en, es]", "languages: ["+strings.Join(tags, ", ")+"]") })
	states := clientStates(w)
	for _, language := range texts.Languages() {
		t.Run(language.Tag, func(t *testing.T) {
			for _, s := range states {
				if inTwoLanguages[s.name] && language.Tag != "en" && language.Tag != "ar" {
					continue
				}
				s.who.t, s.who.language = t, language.Tag
				s.reach(language.Tag)
				s.who.reads(s.key)
				want := wanted{Language: language.Tag, Direction: language.Dir, Regions: s.regions, Still: true}
				name := "state-" + language.Tag + "-" + strings.ReplaceAll(s.name, " ", "-")
				report := func(how string, faults []string) {
					if len(faults) > 0 {
						t.Errorf("%s, %s:\n%s", s.name, how, strings.Join(faults, "\n"))
					}
				}
				s.who.prefers("prefers-reduced-motion", "reduce", "prefers-color-scheme", "light")
				report("axe, light", s.who.axe(source, allRules))
				report("as it is", s.who.look(want))
				report("weight", s.who.heavy())
				s.who.picture(name + "-light")
				s.who.prefers("prefers-reduced-motion", "reduce", "prefers-color-scheme", "dark")
				report("axe, dark", s.who.axe(source, colorRules))
				s.who.picture(name + "-dark")
				s.who.textTwice(true)
				report("320 px and large text", s.who.look(want))
				s.who.picture(name + "-large")
				s.who.textTwice(false)
			}
		})
	}
	for _, s := range states {
		s.who.t = w.t // the windows are looked at when all is over
	}
}

// heavy tells if the page with its style and script, as they are sent, weighs
// more than 30 KB. The worker comes later, while the person is busy.
func (w *tab) heavy() []string {
	w.t.Helper()
	weight := w.number(`[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.filter((e) => !e.name.includes("/worker.") && !e.name.startsWith("blob:")).reduce((sum, e) => sum + e.encodedBodySize, 0)`)
	if weight < 6<<10 || weight > 30<<10 {
		return []string{fmt.Sprintf("%.0f B", weight)}
	}
	return nil
}

// clientStates prepares links and submissions of every kind, and gives the
// ways to the pages that tell of them.
func clientStates(w *town) []pageState {
	w.t.Helper()
	const hello = "Hi, may I have the link please"
	base := "http://" + w.public

	nora := w.newPerson("Nora")
	nora.asks(hello)
	link := nora.link
	mine := w.sharing(nora)
	mine.enters()
	empty := mine.location()
	full := w.sharing(nora)
	full.enters()
	full.photographs("pay-stub")
	full.photographs("")
	holding := full.location()
	finished := w.sharing(nora)
	finished.enters()
	finished.photographs("other")
	finished.isDone("")
	receipt := finished.location()
	over := w.sharing(nora)
	over.enters()
	over.photographs("other")
	overAt := over.location() + "/receipt"
	w.rewind(over.link, 3*time.Hour)

	other := w.newPerson("Ola")
	other.expects("400", "404", "409", "410", "429")
	other.asks(hello)
	expired := other.link
	w.rewind(expired, 5*time.Hour)
	var asking string // for a new one, once
	plain := w.newPerson("Pia")
	plain.withoutScripts()
	plain.asks(hello)
	plain.enters()
	plain.sendsForm(w.file("canary-name-of-Pia.jpg", photograph(w, "canary camera of Pia")), "")
	plainAt, _, _ := strings.Cut(plain.location(), "?")

	at := func(p *person, address string) func(string) {
		return func(language string) { p.visit(address + "?lang=" + language) }
	}
	return []pageState{
		{"home", at(nora, base+"/"), "page.home.heading", 0, nora},
		{"link", at(nora, link), "page.link.heading", 0, nora},
		{"link of mine", at(nora, mine.link), "page.link.mine", 0, nora},
		{"send empty", at(nora, empty), "page.send.first", 1, nora},
		{"send with pages", at(nora, holding), "page.send.pages", 1, nora},
		{"camera", func(language string) { nora.visit(holding + "?lang=" + language); nora.opensCamera() }, "page.send.shutter", 1, nora},
		{"review", func(language string) { nora.visit(holding + "?lang=" + language); nora.shoots() }, "page.send.send", 1, nora},
		{"send without script", func(language string) {
			plain.withoutScripts()
			plain.visit(plainAt + "?lang=" + language)
			plain.scripts(true)
		}, "page.send.choose-plain", 1, plain},
		{"lacks open", func(language string) {
			nora.visit(holding + "?lang=" + language)
			nora.click("#lacks summary")
		}, "page.lacks.reason-help", 1, nora},
		{"receipt for what came late", func(language string) { nora.visit(receipt + "?late=1&lang=" + language) }, "page.receipt.late", 1, nora},
		{"receipt", at(nora, receipt), "page.receipt.heading", 0, nora},
		{"receipt when time is over", at(nora, overAt), "page.receipt.over", 0, nora},
		{"again", func(language string) {
			asking = w.sharing(other).link
			w.rewind(asking, 5*time.Hour)
			other.visit(asking + "?lang=" + language)
			other.clickThrough(`main form[action*="/again"] button`)
		}, "page.again.heading", 0, other},
		{"too soon", func(language string) { other.post(asking + "/again?lang=" + language) }, "errors.again-soon", 0, other},
		{"expired", at(other, expired), "page.problem.link-expired", 0, other},
		{"used elsewhere", at(other, mine.link), "page.problem.link-taken", 0, other},
		{"done", at(other, finished.link), "page.problem.link-closed", 0, other},
		{"unknown", at(other, base+"/c/"+strings.Repeat("a", 26)), "page.problem.link-unknown", 0, other},
		{"no session", at(other, holding), "page.problem.not-found", 0, other},
		{"no cookies", func(language string) {
			other.visit(link + "?lang=" + language)
			other.forgetsCookies()
			other.clickThrough("main form button")
		}, "page.problem.no-cookie", 0, other},
	}
}

// sharing is another phone number whose person uses the same browser: a
// family's phone.
func (w *town) sharing(p *person) *person {
	w.t.Helper()
	next := *p
	next.phone = w.newPhone()
	next.asks("Hi, may I have the link please")
	return &next
}

// forgetsCookies is a browser that keeps none.
func (w *tab) forgetsCookies() {
	w.t.Helper()
	w.do("forget the cookies", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.ClearBrowserCookies, cdp.Empty{})
		return chromedp.Void{}, err
	})
}

// post sends an empty form from the page where the window is.
func (w *tab) post(address string) {
	w.t.Helper()
	run(w, "post to "+address, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`(() => { const f = document.createElement("form"); f.method = "post"; f.action = %q; document.body.append(f); f.submit() })()`, address))))
}
