package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var (
	wideScreen   = screen{width: 1280, height: 800, scale: 1}
	tabletScreen = screen{width: 820, height: 1180, scale: 1}
)

// redSheet is a PDF of one page, all of it red: what no paper and no button is.
func redSheet() []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.7\n")
	for _, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Contents 4 0 R>>",
		"<</Length 27>>\nstream\n1 0 0 rg 0 0 300 400 re f  \nendstream",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), object)
	}
	start := b.Len()
	b.WriteString("xref\n0 5\n0000000000 65535 f \n")
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	return b.Bytes()
}

// screenOf gives what the window shows now.
func (w *tab) screenOf() image.Image {
	w.t.Helper()
	shown, err := png.Decode(bytes.NewReader(run(w, "take a picture", chromedp.CaptureScreenshot())))
	if err != nil {
		w.t.Fatal(err)
	}
	return shown
}

// reds counts pixels of the red sheet.
func reds(shown image.Image) (n int) {
	bounds := shown.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y += 2 {
		for x := bounds.Min.X; x < bounds.Max.X; x += 2 {
			c := color.NRGBAModel.Convert(shown.At(x, y)).(color.NRGBA)
			if c.R > 235 && c.G < 40 && c.B < 40 {
				n++
			}
		}
	}
	return n
}

func (w *tab) resize(s screen) {
	w.t.Helper()
	w.do("resize", chromedp.EmulateViewport(s.width, s.height))
}

// everyLook holds what a caseworker sees on a desk and on a tablet, by day and
// by night, against axe.
func (c *caseworker) everyLook(source, name string) {
	c.t.Helper()
	for _, light := range []string{"light", "dark"} {
		c.prefers("prefers-color-scheme", light)
		for size, s := range map[string]screen{"wide": wideScreen, "tablet": tabletScreen} {
			c.resize(s)
			c.picture(strings.Join([]string{"viewer", name, size, light}, "-"))
			if wide := c.number("document.documentElement.scrollWidth - innerWidth"); wide > 0 {
				c.t.Errorf("%s, %s: %v px too wide", name, size, wide)
			}
			if long := c.number("document.documentElement.scrollHeight - Math.max(innerHeight, document.body.scrollHeight)"); long > 0 {
				c.t.Errorf("%s, %s: %v px of nothing below the page", name, size, long)
			}
		}
		if found := c.axe(source, allRules); len(found) > 0 {
			c.t.Errorf("%s, %s:\n%s", name, light, strings.Join(found, "\n"))
		}
	}
	c.prefers("prefers-color-scheme", "light")
	c.resize(wideScreen)
}

// TestViewer is a caseworker who looks at three pages: two photographs and a PDF.
func TestViewer(t *testing.T) {
	w := openTown(t)
	vera := w.newPerson("Vera")
	vera.asks("Hi, may I have the link please")
	vera.enters()
	vera.photographs("photo-id")
	vera.photographs("")
	vera.leavesCamera()
	vera.chooses(w.file("canary-red.pdf", redSheet()))
	vera.visible("#pdf-all")
	vera.sends("benefit-letter")
	vera.isDone("Vera Example")
	submission := vera.submission()

	dana := w.dana()
	dana.resize(wideScreen)
	for _, part := range []struct {
		name string
		walk func(*caseworker, string)
	}{
		{"turned", turned}, {"arranged", arranged}, {"side by side", sideBySide}, {"PDF", showsPDF},
		{"faint print", faintPrint}, {"without script", viewerWithoutScript}, {"signed out", nothingAfterSignOut},
	} {
		t.Run(part.name, func(t *testing.T) {
			here := *dana
			window := *dana.tab
			window.t = t
			here.tab, here.town = &window, w.on(t)
			part.walk(&here, submission)
		})
	}
}

const turnOf = `getComputedStyle(document.querySelector("[data-stage] img")).transform`

// turned is kept: after a reload, and for whoever looks next.
func turned(c *caseworker, submission string) {
	c.opens(submission)
	c.showsPicture()
	c.holds("a small picture of a page that nobody opened", `document.querySelectorAll("[data-pages] .thumb")[1].querySelector("img")?.naturalWidth > 0`)
	c.click("[data-rotate]")
	c.sees("Turned to 90 degrees")
	c.holds("the turn", turnOf+`.startsWith("matrix(0, 1, -1, 0")`)
	c.visit(c.location())
	c.showsPicture()
	c.holds("the turn after a reload", turnOf+`.startsWith("matrix(0, 1, -1, 0")`)
	c.holds("a turned thumbnail", `document.querySelector("[data-pages] .thumb").dataset.rotation === "90"`)
	c.do("press r", chromedp.KeyEvent("r"))
	c.sees("Turned to 180 degrees")
	c.click("[data-rotate-left]")
	c.sees("Turned to 90 degrees")
}

// arranged pages keep their order and labels.
func arranged(c *caseworker, submission string) {
	c.opens(submission)
	c.showsPicture()
	c.click(`a[data-page="2"]`)
	c.holds("page 2", `document.querySelector("[data-place]").textContent === "2"`)
	c.do("choose a label", chromedp.SetValue(chromedp.CSS("#page-label"), "pay-stub"))
	c.click("[data-page-form=label] button")
	c.sees("Label saved: Pay stub")
	c.holds("the label in the list", `document.querySelector('a[data-page="2"] [data-label-words]').textContent === "Pay stub"`)
	c.click("[data-earlier]")
	c.holds("page 1", `document.querySelector("[data-place]").textContent === "1"`)
	order := `[...document.querySelectorAll("[data-pages] a")].map((a) => a.dataset.label).join()`
	const want = "Pay stub,Photo ID,Benefit letter"
	c.holds("the order", order+" === "+fmt.Sprintf("%q", want))
	c.everyLook(axeSource(c.t), "one")
	c.visit(c.location())
	c.holds("the order after a reload", order+" === "+fmt.Sprintf("%q", want))
	c.holds("the page", `document.querySelector('a[aria-current]').dataset.label === "Pay stub"`)
}

// sideBySide shows two pages; the toolbar is about the one in hand.
func sideBySide(c *caseworker, submission string) {
	c.opens(submission)
	c.showsPicture()
	c.do("choose a page", chromedp.SetValue(chromedp.CSS("#beside"), "2"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#beside").dispatchEvent(new Event("change"))`))
	c.holds("two pictures", `[...document.querySelectorAll("[data-stage] img")].filter((i) => i.naturalWidth > 0).length === 2`)
	c.holds("them beside each other", `(() => {
		const [a, b] = [...document.querySelectorAll("[data-stage]")].map((s) => s.getBoundingClientRect());
		return a.top === b.top && a.right <= b.left && Math.abs(a.width - b.width) < 2 })()`)
	c.click(".pane:nth-child(2) [data-stage]")
	c.holds("the second in hand", `document.querySelector("[data-place]").textContent === "2"`)
	c.everyLook(axeSource(c.t), "two")
	c.do("choose none", chromedp.SetValue(chromedp.CSS("#beside"), ""),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#beside").dispatchEvent(new Event("change"))`))
	c.holds("one stage", `document.querySelectorAll("[data-stage]").length === 1`)
}

// showsPDF waits for the browser's own viewer to paint the sheet.
func showsPDF(c *caseworker, submission string) {
	c.opens(submission)
	c.showsPicture()
	c.click(`a[data-page="3"]`)
	c.visible("[data-stage] iframe")
	waitFor(c.t, "the sheet to be painted", stepTimeout, func() bool { return reds(c.screenOf()) > 5000 })
	c.picture("viewer-pdf")
	// Some say that the page is in a frame of the desk, none that it may do more.
	response, _ := c.get(run(c.tab, "read the frame's address", chromedp.Evaluate[string](
		`new URL(document.querySelector("[data-stage] iframe").src).pathname`)))
	if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox;") {
		c.t.Errorf("the frame's policy is %q", policy)
	}
}

func faintPrint(c *caseworker, submission string) {
	c.opens(submission)
	c.showsPicture()
	c.click(".light summary")
	c.do("more contrast", chromedp.Evaluate[chromedp.Void](`(() => {
		const bar = document.querySelector("#contrast"); bar.value = 200; bar.dispatchEvent(new Event("input", {bubbles: true})) })()`))
	filter := `getComputedStyle(document.querySelector("[data-stage] img")).filter`
	c.holds("the filter", filter+` === "brightness(1) contrast(2)"`)
	c.everyLook(axeSource(c.t), "faint")
	c.click("[data-light-reset]")
	c.holds("no filter", filter+` === "brightness(1) contrast(1)"`)
}

// viewerWithoutScript does all but zoom by forms and links.
func viewerWithoutScript(c *caseworker, submission string) {
	plain := &caseworker{tab: c.town.browser.open("a caseworker without script", wideScreen, c.town.desk), town: c.town}
	plain.withoutScripts()
	plain.visit("http://" + c.town.desk + "/submissions/" + submission + "?page=1&beside=3")
	plain.fill("#login", staffLogin)
	plain.fill("#password", staffPassword+"\r")
	plain.visible("img.still")
	waitFor(c.t, "the PDF to be painted", stepTimeout, func() bool { return reds(plain.screenOf()) > 5000 })
	plain.picture("viewer-plain-two")
	turns := func() float64 { return plain.number(`Number(document.querySelector("img.still").dataset.rotation)`) }
	before := turns()
	plain.clickThrough("[data-rotate]")
	if now := turns(); now != float64(int(before+90)%360) {
		c.t.Errorf("turned from %v to %v", before, now)
	}
	plain.picture("viewer-plain-turned")
	plain.clickThrough("[data-later]")
	plain.holds("page 2", `document.querySelector("[data-place]").textContent === "2"`)
	plain.clickThrough("[data-earlier]")
	plain.do("choose a label", chromedp.SetValue(chromedp.CSS("#page-label"), "other"))
	plain.clickThrough("[data-page-form=label] button")
	plain.holds("the label", `document.querySelector("a[aria-current]").dataset.label === "Something else"`)
}

// nothingAfterSignOut: neither the history nor the browser's memory shows
// papers to whoever comes to the machine next.
func nothingAfterSignOut(c *caseworker, submission string) {
	c.opens(submission)
	c.showsPicture()
	c.expects("Clear-Site-Data header on") // it says what it cleared
	c.clickThrough(".out button")
	c.visible("#login")
	for range 3 {
		c.do("go back", chromedp.Evaluate[chromedp.Void]("history.back()"))
		time.Sleep(500 * time.Millisecond) // a page from the memory comes without an event
		shown, where := c.shown(), c.location()
		at, err := url.Parse(where)
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.Contains(shown, "Vera") || strings.Contains(shown, "Pay stub") || at.Path != "/login" && !strings.HasPrefix(where, "about:") {
			c.t.Fatalf("after the sign-out, back leads to %s:\n%s", where, shown)
		}
	}
	c.picture("viewer-back")
}
