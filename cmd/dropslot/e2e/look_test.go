package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/look.js
var lookScript string

// axeSource is axe-core, which knows the rules of WCAG that a program can check.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", "npm", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		const what = "axe-core is not installed: npm ci in cmd/dropslot/e2e/testdata/npm"
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	return string(source)
}

// rules are the sets of axe's rules that a page is held against.
const (
	allRules   = `{}`
	colorRules = `{runOnly: ["color-contrast", "link-in-text-block"]}`
)

// axe gives what axe finds wrong with the page as it is now.
func (w *tab) axe(source, rules string) []string {
	w.t.Helper()
	// axe speaks to nobody; the page's own policy does not bind what the test runs.
	expression := fmt.Sprintf(`(async () => {
		if (!window.axe) { %s }
		const found = await axe.run(document, {resultTypes: ["violations"], ...%s});
		if (!found.passes.length) return ["axe looked at nothing"];
		return found.violations.flatMap((rule) => rule.nodes.map((node) => rule.id + ": " + node.html.slice(0, 120) + " " + node.failureSummary));
	})()`, source, rules)
	return run(w, "run axe", chromedp.Evaluate[[]string](expression, chromedp.EvalAwaitPromise))
}

// wanted is what a page is held against besides.
type wanted struct {
	Language  string `json:"language"`
	Direction string `json:"direction"`
	Regions   int    `json:"regions"` // live regions it needs; more than one is always a fault
	Still     bool   `json:"still"`   // less motion is wanted
}

// look gives what is wrong with the page for eyes and thumbs.
func (w *tab) look(want wanted) []string {
	w.t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		w.t.Fatal(err)
	}
	return run(w, "look", chromedp.Evaluate[[]string]("("+strings.TrimSpace(lookScript)+")("+string(text)+")"))
}

// prefers sets what the phone's owner chose in its settings: pairs of a
// feature of CSS and its value.
func (w *tab) prefers(pairs ...string) {
	w.t.Helper()
	params := emulation.SetEmulatedMediaParams{}
	for i := 0; i < len(pairs); i += 2 {
		params.Features = append(params.Features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	w.do("set what is preferred", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, params)
		return chromedp.Void{}, err
	})
}

// bothLights holds what the window shows against axe by day and by night, and
// against the look by day; it keeps pictures of both.
func (p *person) bothLights(name string) {
	p.t.Helper()
	texts, err := catalog()
	if err != nil {
		p.t.Fatal(err)
	}
	want := wanted{Language: p.language, Direction: "ltr", Regions: 1}
	for _, language := range texts.Languages() {
		if language.Tag == p.language {
			want.Direction = language.Dir
		}
	}
	source := axeSource(p.t)
	for _, light := range []string{"dark", "light"} {
		p.prefers("prefers-color-scheme", light)
		p.settles()
		rules, faults := colorRules, []string(nil)
		if light == "light" {
			rules, faults = allRules, p.look(want)
		}
		if faults = append(faults, p.axe(source, rules)...); len(faults) > 0 {
			p.t.Errorf("%s, %s:\n%s", name, light, strings.Join(faults, "\n"))
		}
		p.picture(name + "-" + light)
	}
}

// textTwice shows the page on a small screen to somebody who reads twice the
// usual size, or as it was.
func (w *tab) textTwice(twice bool) {
	w.t.Helper()
	width, size := phoneScreen.width, ""
	if twice {
		width, size = 320, "225%" // of 112.5
	}
	w.do("change the size of the text", chromedp.EmulateViewport(width, phoneScreen.height, chromedp.EmulateMobile),
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.documentElement.style.fontSize = %q", size)))
}

// The checks have to find what they are there for.
func TestLookFindsFaults(t *testing.T) {
	b := openBrowser(t, payStatement)
	server := pageServer(t, `<!doctype html><html lang="en"><title>bad</title><meta name=viewport content="width=device-width"><style>a { text-decoration: none } .x { animation: m 1s infinite } @keyframes m { to { opacity: 0 } }</style>
		<main><h1>one</h1><h1>two</h1><p>Go <a href="/">here</a> now</p><p role=status></p><p aria-live=polite>x</p>
		<p class=x style="width: 900px">wide</p><p style="width: 4em; overflow: hidden; white-space: nowrap">words that are cut off</p>
		<p style="color: #ccc; background: #fff">pale</p><input></main></html>`)
	w := b.open("Ann", phoneScreen, strings.TrimPrefix(server, "http://"))
	w.visit(server)
	found := strings.Join(w.look(wanted{Language: "es", Direction: "rtl", Regions: 1, Still: true}), "\n")
	for _, want := range []string{"is in en", "runs ltr", "not one h1", "wider than", "cut off", "to tap", "2 live regions", "color alone", "moves"} {
		if !strings.Contains(found, want) {
			t.Errorf("the look does not find %q:\n%s", want, found)
		}
	}
	source := axeSource(t)
	for rules, wants := range map[string][]string{allRules: {"color-contrast", "label"}, colorRules: {"color-contrast"}} {
		found := strings.Join(w.axe(source, rules), "\n")
		for _, want := range wants {
			if !strings.Contains(found, want) {
				t.Errorf("axe does not find %q:\n%s", want, found)
			}
		}
	}
}
