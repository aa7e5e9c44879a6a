package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browser is one Chromium with a fake camera. Each person gets a tab with
// cookies of its own.
type browser struct {
	t       *testing.T
	context context.Context
}

// stepTimeout bounds one step in a browser, on a slow and busy machine.
const stepTimeout = 90 * time.Second

// openBrowser starts Chromium; its camera sees the paper of these lines.
func openBrowser(t *testing.T, lines []string) *browser {
	t.Helper()
	return openBrowserSeeing(t, paperFilm(t, lines))
}

// openBrowserSeeing starts one whose camera sees the film.
func openBrowserSeeing(t *testing.T, film string) *browser {
	t.Helper()
	return openBrowserWith(t,
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", film))
}

func openBrowserWith(t *testing.T, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path := program(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	options = append(options, flags...)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocated, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	first, cancelFirst := chromedp.NewContext(allocated)
	t.Cleanup(cancelFirst)
	if err := chromedp.Do(first); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &browser{t: t, context: first}
}

// tab is one person's window.
type tab struct {
	t       *testing.T
	name    string
	context context.Context
	watch   *watch
}

// screen is the size of a window in CSS pixels.
type screen struct {
	width, height int64
	scale         float64
	mobile        bool
}

var (
	phoneScreen   = screen{width: 360, height: 740, scale: 1, mobile: true}
	desktopScreen = screen{width: 1120, height: 720, scale: 1}
)

// on gives the same browser to a part of the test.
func (b *browser) on(t *testing.T) *browser { return &browser{t: t, context: b.context} }

// open gives a new window whose cookies nobody else has. It may talk to the
// hosts (host:port) and to nobody else, and its console stays silent: both
// are looked at when the test ends.
func (b *browser) open(name string, s screen, hosts ...string) *tab {
	b.t.Helper()
	return b.window(name, s, hosts, chromedp.WithNewBrowserContext())
}

func (b *browser) window(name string, s screen, hosts []string, how chromedp.ContextOption) *tab {
	b.t.Helper()
	seen := newWatch(hosts)
	opened, cancel := chromedp.NewContext(b.context, how, chromedp.WithListener(seen.event))
	b.t.Cleanup(cancel)
	w := &tab{t: b.t, name: name, context: opened, watch: seen}
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(s.scale)}
	if s.mobile {
		options = append(options, chromedp.EmulateMobile)
	}
	// The first step binds the window's life to its context: no timeout here.
	if err := chromedp.Do(opened, chromedp.EmulateViewport(s.width, s.height, options...)); err != nil {
		b.t.Fatalf("open a window for %s: %v", name, err)
	}
	go seen.console(chromedp.Console(opened))
	go answerDialogs(opened)
	b.t.Cleanup(w.quiet) // before the window closes
	return w
}

// withoutScripts turns JavaScript off, from the next page on.
func (w *tab) withoutScripts() { w.t.Helper(); w.scripts(false) }

// scripts turns JavaScript off, or on again: for what the test runs in a page
// that was loaded without.
func (w *tab) scripts(on bool) {
	w.t.Helper()
	w.do("turn JavaScript off or on", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// do takes steps; one that fails ends the test with a picture of the window.
func (w *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.context, stepTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%s: %s: %v\n%s", w.name, what, err, w.state())
	}
}

// run takes one step that gives something.
func run[T any](w *tab, what string, step chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.context, stepTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	if err != nil {
		w.t.Fatalf("%s: %s: %v\n%s", w.name, what, err, w.state())
	}
	return value
}

func (w *tab) visit(address string) { w.t.Helper(); w.do("visit", chromedp.Navigate(address)) }
func (w *tab) click(selector string) {
	w.t.Helper()
	w.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// presses a button wherever it is by now: advice that comes while a person
// looks moves it, and a machine does not see that it missed.
func (w *tab) presses(selector string) {
	w.t.Helper()
	w.visible(selector)
	w.do("press "+selector, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).click()`, selector)))
}

// clickThrough clicks on what leads to another page and waits for that page,
// also where it looks like the one before.
func (w *tab) clickThrough(selector string) {
	w.t.Helper()
	run(w, "click "+selector+" and wait for the next page", chromedp.WaitEvent(page.LoadEventFired, nil,
		chromedp.Click(chromedp.CSS(selector))))
}

func (w *tab) visible(selector string) {
	w.t.Helper()
	w.do("see "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}
func (w *tab) text(selector string) string {
	w.t.Helper()
	return run(w, "read "+selector, chromedp.Text(chromedp.CSS(selector)))
}

func (w *tab) fill(selector, value string) {
	w.t.Helper()
	w.do("fill "+selector, chromedp.SendKeys(chromedp.CSS(selector), value))
}

func (w *tab) location() string { w.t.Helper(); return run(w, "read the address", chromedp.Location()) }

// sees waits until the window shows the words. While a page makes way for the
// next one there may be nothing to read.
func (w *tab) sees(words string) {
	w.t.Helper()
	for deadline := time.Now().Add(stepTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(w.shown(), words) {
			return
		}
	}
	w.t.Fatalf("%s waited for the words %q\n%s", w.name, words, w.state())
}

// shown is what the window says now, "" if there is nothing to read.
func (w *tab) shown() string {
	ctx, cancel := context.WithTimeout(w.context, 5*time.Second)
	defer cancel()
	shown, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	return asRead.Replace(shown)
}

// asRead leaves out what keeps a number in one piece and nobody sees.
var asRead = strings.NewReplacer("\u2066", "", "\u2069", "", "\u2060", "", "\u00a0", " ")

// state is what a person would see now, for the message of a failure.
func (w *tab) state() string {
	ctx, cancel := context.WithTimeout(w.context, 5*time.Second)
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	return "at " + where + "\n" + w.shown() + "\nconsole: " + strings.Join(w.watch.complaints(), "\n")
}

// settles waits until nothing glides from one look to another.
func (w *tab) settles() {
	w.t.Helper()
	w.holds("the last transition", `document.getAnimations().every((a) => a.playState === "finished" || !(a instanceof CSSTransition))`)
}

// screenshots is the folder for pictures of what the tests saw; none are
// kept unless the variable names one.
var screenshots = os.Getenv("DROPSLOT_SCREENSHOTS")

// picture keeps what the window shows now.
func (w *tab) picture(name string) {
	w.t.Helper()
	if screenshots == "" {
		return
	}
	w.settles()
	content := run(w, "take a picture", chromedp.CaptureScreenshot())
	if err := os.MkdirAll(screenshots, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(screenshots, name+".png"), content, 0o644); err != nil {
		w.t.Fatal(err)
	}
}
