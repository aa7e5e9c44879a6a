package e2e

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"dropslot/gateway/twilio/twiliotest"
)

// person is a client: a phone number and the browser of that phone.
type person struct {
	*tab
	town     *town
	phone    string
	link     string
	language string // of the pages
}

// newPerson gives somebody a phone that nobody had before.
func (w *town) newPerson(name string) *person {
	w.t.Helper()
	return &person{tab: w.browser.open(name, phoneScreen, w.public), town: w, phone: w.newPhone(), language: "en"}
}

// newPhone gives a number that nobody wrote from before.
func (w *town) newPhone() string {
	phone := fmt.Sprintf("+1312%07d", 2_000_000+serial.Add(1))
	w.secrets.keepPhone(phone)
	return phone
}

// otherPhone is a second browser that has the link of the first.
func (p *person) otherPhone(name string) *person {
	p.t.Helper()
	return &person{tab: p.town.browser.open(name, phoneScreen, p.town.public), town: p.town, phone: p.phone, link: p.link, language: p.language}
}

// texts sends words to the office and gives what came back. A link in it is
// the person's own from now on.
func (p *person) texts(words string) string {
	p.t.Helper()
	if len(words) >= 8 {
		p.town.secrets.keep("the words of a text", words)
	}
	exchange, err := p.town.twilio.Text(p.t.Context(), twiliotest.Inbound{From: p.phone, To: ourNumber, Body: words})
	if err != nil || exchange.ErrorCode != 0 {
		p.t.Fatalf("%s's text: error %d, %v", p.name, exchange.ErrorCode, err)
	}
	if len(exchange.Replies) == 0 {
		return ""
	}
	p.take(exchange.Replies[0].Body)
	return exchange.Replies[0].Body
}

var linkPattern = regexp.MustCompile(`https?://\S+/c/([a-z2-7]{26})`)

// take finds the link in a text.
func (p *person) take(body string) {
	p.t.Helper()
	found := linkPattern.FindStringSubmatch(body)
	if found == nil {
		p.t.Fatalf("%s got no link: %q", p.name, body)
	}
	p.link = found[0]
	p.town.secrets.keep("the token of a link", found[1])
}

// asks texts and expects a link.
func (p *person) asks(words string) {
	p.t.Helper()
	if p.texts(words) == "" {
		p.t.Fatalf("%s got no answer", p.name)
	}
}

// enters opens the link of the text and taps its button.
func (p *person) enters() {
	p.t.Helper()
	p.visit(p.link)
	p.click("main form button")
	p.inside()
}

// inside waits for the page that takes photographs, whose address has no token.
func (p *person) inside() {
	p.t.Helper()
	p.visible("#file-form")
	if where := p.location(); !strings.Contains(where, "/send/") || strings.Contains(where, "/c/") {
		p.t.Fatalf("%s is at %s", p.name, where)
	}
	p.town.secrets.keep("the secret in a client's cookie", p.cookie("__Host-b"))
}

// submission is the identifier of what the person is sending.
func (p *person) submission() string {
	p.t.Helper()
	address, _, _ := strings.Cut(p.location(), "?")
	address, _, _ = strings.Cut(address, "#")
	return path.Base(strings.TrimSuffix(address, "/receipt"))
}

// opensCamera waits until the camera shows something and may be released. After
// a photograph was sent it is open already.
func (p *person) opensCamera() {
	p.t.Helper()
	p.lookedAt()
	if !p.isVisible("#camera") {
		p.click("#take")
	}
	p.holds("the camera to open", `!document.getElementById("camera").hidden && !document.getElementById("shutter").disabled &&
		document.getElementById("video").videoWidth > 0`)
}

// shoots takes a photograph and looks at it.
func (p *person) shoots() {
	p.t.Helper()
	p.opensCamera()
	p.presses("#shutter")
	p.visible("#preview")
}

// isVisible tells whether the page shows something now.
func (w *tab) isVisible(selector string) bool {
	w.t.Helper()
	return run(w, "look for "+selector, chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q)?.offsetParent != null`, selector)))
}

// holds waits until an expression is true in the page.
func (w *tab) holds(what, expression string) {
	w.t.Helper()
	w.do("wait for "+what, chromedp.Poll[chromedp.Void](expression))
}

// photographs takes one page with the camera, looks at it, and sends it.
func (p *person) photographs(label string) {
	p.t.Helper()
	p.shoots()
	p.sends(label)
}

// sends labels what is looked at and sends it; it is listed when the server
// has it.
func (p *person) sends(label string) {
	p.t.Helper()
	before := p.pages()
	p.do("label the page", chromedp.SetValue(chromedp.CSS("#label"), label))
	p.presses("#send")
	waitFor(p.t, p.name+"'s page to be received", stepTimeout, func() bool { return p.pages() == before+1 })
}

// pages counts what the page says was received.
func (p *person) pages() int {
	p.t.Helper()
	return run(p.tab, "count the pages", chromedp.Evaluate[int](`document.querySelectorAll("#list > li[data-state=received]").length`))
}

// isDone says so, with a name or none.
func (p *person) isDone(name string) {
	p.t.Helper()
	p.leavesCamera()
	if name != "" {
		p.town.secrets.keep("a client's name", name)
		first, last := name, ""
		if at := strings.LastIndexByte(name, ' '); at > 0 {
			first, last = name[:at], name[at+1:]
		}
		p.town.secrets.keepName(first, last)
		p.fill("#name", first)
		if last != "" {
			p.fill("#last-name", last)
		}
	}
	p.click("#done button.done")
	p.visible(".reference")
}

// leavesCamera goes back to where the pages are listed.
func (p *person) leavesCamera() {
	p.t.Helper()
	p.lookedAt()
	if p.isVisible("#camera") {
		p.click("#camera-back")
	}
	p.visible("#start")
}

// lookedAt waits until a page that was sent is off the screen.
func (p *person) lookedAt() {
	p.t.Helper()
	p.holds("the review to be over", `document.getElementById("review").hidden`)
}

// cookie gives the value of one of the window's cookies.
func (w *tab) cookie(name string) string {
	w.t.Helper()
	cookies := run(w, "read the cookies", func(ctx context.Context, target *chromedp.Target) (network.GetCookiesResult, error) {
		return cdp.Call(ctx, target, network.GetCookies, network.GetCookiesParams{})
	})
	for _, cookie := range cookies.Cookies {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	w.t.Fatalf("%s has no cookie %s", w.name, name)
	return ""
}

// chooses gives files to the page's file field.
func (w *tab) chooses(files ...string) {
	w.t.Helper()
	w.do("choose files", chromedp.SetUploadFiles(chromedp.CSS("#file"), files))
}
