package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	// What navigator.mediaDevices.getUserMedia does on phones that are not as one hopes.
	cameraRefused = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"))`
	cameraMissing = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotFoundError"))`
	cameraUnknown = `Object.defineProperty(Navigator.prototype, "mediaDevices", {get: () => undefined})`

	facebook  = "Mozilla/5.0 (Linux; Android 10; SM-A105M Build/QP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/450.0.0.0;]"
	instagram = "Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 320.0.0.0 (iPhone12,1; iOS 15_0; es_US)"
)

// oddPhones are browsers in which something is missing: a page arrives all the
// same, or the phone's owner is told what to do.
func oddPhones(w *town) {
	for _, c := range []struct {
		name   string
		before func(*person)
		send   func(*person)
	}{
		{"camera refused", func(p *person) { p.begins(cameraRefused) }, (*person).choosesAfterTheCamera},
		{"no camera", func(p *person) { p.begins(cameraMissing) }, (*person).choosesAfterTheCamera},
		{"browser that knows no camera", func(p *person) { p.begins(cameraUnknown) }, (*person).choosesLetter},
		{"inside Facebook", func(p *person) { p.isNamed(facebook) }, func(p *person) { p.photographs("") }},
		{"inside Facebook, no camera", func(p *person) { p.isNamed(facebook); p.begins(cameraRefused); p.mayLeaveTheApp() }, (*person).isInsideAnApp},
		{"inside Instagram, no camera", func(p *person) { p.isNamed(instagram); p.begins(cameraUnknown); p.mayLeaveTheApp() }, func(p *person) {
			p.reads("page.script.in-app")
			p.visible("#own")
			p.bothLights("in-app")
			p.choosesLetter()
		}},
		{"script that does not load or parse", func(p *person) { p.blocks("client.*.js") }, (*person).sendsPlainLetter},
		{"worker that does not load", func(p *person) { p.blocks("worker.*.js") }, (*person).choosesLetter},
	} {
		p := w.newPerson("Odd, " + c.name)
		p.expects("ERR_BLOCKED_BY_CLIENT")
		p.asks("Hi, may I have the link please")
		c.before(p)
		p.enters()
		c.send(p)
		if n := p.pages(); n != 1 {
			w.t.Errorf("%s: %d pages are listed", c.name, n)
		}
		p.isDone("")
		p.reads("page.receipt.pages", "count", "1")
		if n := len(w.sealedPagesOf(p.submission())); n != 1 {
			w.t.Errorf("%s: the vault keeps %d pages", c.name, n)
		}
	}
}

// oddFiles are what people choose in good faith.
func oddFiles(w *town) {
	amy := w.newPerson("Amy")
	amy.asks("Hi, may I have the link please")
	amy.enters()

	// Told what is wrong and what to do; nothing else is lost.
	for name, c := range map[string]struct {
		content []byte
		key     string
	}{
		"canary-empty-of-Amy.jpg":     {nil, "errors.page-empty"},
		"canary-program-of-Amy.jpg":   {append([]byte("MZ\x90\x00\x03\x00\x00\x00"), make([]byte, 4096)...), "errors.page-type"},
		"canary-notes-of-Amy.pdf":     {[]byte("<html>not found</html>"), "errors.page-type"},
		"canary-too-big-of-Amy-1.pdf": {pdf(21<<20, "canary too big of Amy"), "errors.page-too-big"},
	} {
		amy.chooses(w.file(name, c.content))
		amy.sees(say(w.t, "en", c.key))
		amy.sees(name) // which of the files
		if n := amy.pages(); n != 0 {
			w.t.Errorf("%s: %d pages are listed", name, n)
		}
	}

	// Sent as they are: the caseworker gets the same bytes.
	files := map[string][]byte{
		"canary-album-of-Amy.heic":   append([]byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic"), bytes.Repeat([]byte("canary heic of Amy "), 3000)...),
		"canary-misnamed-of-Amy.jpg": append([]byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic"), bytes.Repeat([]byte("canary misnamed of Amy "), 3000)...),
		"canary-lease-of-Amy.pdf":    pdfOf(20, "canary lease of Amy", false),
		"canary-locked-of-Amy.pdf":   pdfOf(1, "canary locked of Amy", true), // it may open without a password
	}
	for name, content := range files {
		amy.chooses(w.file(name, content))
		amy.visible("#send")
		amy.sends("")
	}
	amy.isDone("")
	amy.reads("page.receipt.pages", "count", fmt.Sprint(len(files)))
	submission := amy.submission()

	dana := w.dana()
	dana.opens(submission)
	found := 0
	w.samePages(dana, submission, func(_ int, content []byte, _ http.Header) {
		for _, sent := range files {
			if bytes.Equal(content, sent) {
				found++
			}
		}
	})
	if found != len(files) {
		w.t.Errorf("%d of %d files came as they were", found, len(files))
	}
}

// begins runs a script in each page before the page's own.
func (w *tab) begins(script string) {
	w.t.Helper()
	w.do("change what the browser can do", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return chromedp.Void{}, err
	})
}

// isNamed gives the browser another name.
func (w *tab) isNamed(agent string) {
	w.t.Helper()
	w.do("name the browser", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent})
		return chromedp.Void{}, err
	})
}

// blocks keeps static files from being loaded.
func (w *tab) blocks(name string) {
	w.t.Helper()
	w.do("block "+name, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.SetBlockedURLs, network.SetBlockedURLsParams{
			URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/static/" + name, Block: true}},
		})
		return chromedp.Void{}, err
	})
}

func (p *person) letter() string {
	p.t.Helper()
	return p.town.file("canary-name-of-an-odd-letter.pdf", pdf(4<<10, "canary words in an odd letter"))
}

// choosesAfterTheCamera finds that there is none, is told so, and chooses a file.
func (p *person) choosesAfterTheCamera() {
	p.t.Helper()
	p.click("#take")
	p.holds("words about the camera", `(() => { const s = document.querySelector("[role=status]"); return s.textContent.trim().length > 20 && document.getElementById("fault").checkVisibility() && document.getElementById("camera").hidden })()`)
	p.choosesLetter()
}

// mayLeaveTheApp reads, before the link is opened, how to go on in the phone's
// own browser: what another app's browser claims is lost to that one.
func (p *person) mayLeaveTheApp() {
	p.t.Helper()
	p.visit(p.link)
	p.visible("#in-app")
	p.reads("page.link.in-app")
}

// isInsideAnApp is told why there is no camera, and chooses a file.
func (p *person) isInsideAnApp() {
	p.t.Helper()
	p.click("#take")
	p.visible("#fault")
	p.reads("page.script.in-app")
	p.choosesLetter()
}

func (p *person) choosesLetter() {
	p.t.Helper()
	p.holds("a way to choose a file", `(() => { const f = document.getElementById("file"); return !f.disabled && f.labels[0].checkVisibility() })()`)
	p.chooses(p.letter())
	p.visible("#send")
	p.sends("")
}

func (p *person) sendsPlainLetter() {
	p.t.Helper()
	p.sendsForm(p.letter(), "")
	p.reads("page.send.added", "number", "1")
}

// pdfOf is a whole PDF with so many pages. Locked, it says that nobody reads
// it without a password.
func pdfOf(pages int, words string, locked bool) []byte {
	var b bytes.Buffer
	var at []int
	object := func(format string, values ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(at)}, values...)...)
	}
	b.WriteString("%PDF-1.7\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	var kids strings.Builder
	for n := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*n)
	}
	object("<< /Type /Pages /Count %d /Kids [%s] >>", pages, kids.String())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	for n := range pages {
		text := fmt.Sprintf("BT /F 24 Tf 72 700 Td (%s, page %d) Tj ET", words, n+1)
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >> /Contents %d 0 R >>", 5+2*n)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)
	}
	trailer := ""
	if locked {
		object("<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>", strings.Repeat("5a", 32), strings.Repeat("a5", 32))
		trailer = fmt.Sprintf(" /Encrypt %d 0 R /ID [<00> <00>]", len(at))
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, trailer, start)
	return b.Bytes()
}
