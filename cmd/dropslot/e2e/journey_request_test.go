package e2e

import (
	"strings"

	"github.com/chromedp/chromedp"

	"dropslot/gateway/twilio/twiliotest"
)

// linkFromDesk is a caseworker who sends a link and watches how far it comes,
// without touching her page.
func linkFromDesk(w *town) {
	ida := w.newPerson("Ida")
	dana := w.dana()
	digits := strings.TrimPrefix(ida.phone, "+1")
	typed := "(" + digits[:3] + ") " + digits[3:6] + "-" + digits[6:]
	dana.expects("422")
	dana.fill("#phone", typed+"\r")
	dana.sees("Did the client ask for it?")
	dana.again("")
	dana.wasAsked()
	dana.fill("#phone", typed+"\r")
	waitFor(w.t, "the text to arrive", stepTimeout, func() bool { return len(w.twilio.Outbox(ida.phone)) == 1 })
	sent := w.twilio.Outbox(ida.phone)[0]
	if sent.Direction != twiliotest.FromAPI || !strings.Contains(sent.Body, "North County Benefits") {
		w.t.Errorf("what arrived: %s %q", sent.Direction, sent.Body)
	}
	ida.take(sent.Body)
	dana.sees("Phone ending " + digits[6:])
	dana.sees("The text is on the phone. Waiting for the client to open it.")
	dana.steps("Sent")
	ida.enters()
	dana.sees("The client opened the link. Waiting for page 1.")
	dana.steps("Sent", "Opened")
	ida.photographs("photo-id")
	dana.sees("Page 1 received. The client may be taking the next one.")
	dana.steps("Sent", "Opened", "Camera on", "Page 1 received")
	dana.picture("request")
	dana.clickThrough("[data-send-state] [data-part=papers]")
	dana.sees("still sending")
	dana.showsPicture()
	ida.isDone("")
	dana.visit("http://" + w.desk + "/requests")
	dana.sees("The client is done: 1 page.")
}

// noLinkFromDesk is what the desk says when no text may or can be sent.
func noLinkFromDesk(w *town) {
	dana := w.dana()
	dana.expects("422")
	stopped := w.newPhone()
	if _, err := w.twilio.Text(w.t.Context(), twiliotest.Inbound{From: stopped, To: ourNumber, Body: "STOP"}); err != nil {
		w.t.Fatal(err)
	}
	before := len(w.twilio.Outbox(stopped)) // Twilio's own answer to STOP
	dana.wasAsked()
	dana.fill("#phone", stopped+"\r")
	dana.sees("This phone texted STOP. No text may be sent to it. Ask the client to text START to (555) 123-0100, then send the link again.")
	if now := len(w.twilio.Outbox(stopped)); now != before {
		w.t.Errorf("%d texts went to a phone that texted STOP", now-before)
	}
	dana.again("12345\r")
	dana.sees("Not a phone number")
	unreachable := w.newPhone()
	w.twilio.FailTo(unreachable, 30006)
	dana.again(unreachable + "\r")
	dana.sees("This is a landline, which cannot take texts.")
	if _, err := w.twilio.Text(w.t.Context(), twiliotest.Inbound{From: stopped, To: ourNumber, Body: "START"}); err != nil {
		w.t.Fatal(err)
	}
	dana.wasAsked()
	dana.again(stopped + "\r")
	waitFor(w.t, "the text after START", stepTimeout, func() bool {
		texts := w.twilio.Outbox(stopped)
		return len(texts) > before && linkPattern.MatchString(texts[len(texts)-1].Body)
	})
}

// wasAsked says that the client asked for the link.
func (c *caseworker) wasAsked() {
	c.t.Helper()
	c.do("tick that the client asked", chromedp.Evaluate[chromedp.Void](`document.querySelector("[name=asked]").checked = true`))
}

// again types into the box in which something stood.
func (c *caseworker) again(typed string) {
	c.t.Helper()
	c.do("empty the box", chromedp.Evaluate[chromedp.Void](`document.getElementById("phone").value = ""`))
	c.fill("#phone", typed)
}

// steps holds the stations that the newest sent link has passed against those
// that it should have passed.
func (c *caseworker) steps(want ...string) {
	c.t.Helper()
	found := run(c.tab, "read the steps", chromedp.Evaluate[[]string](
		`[...document.querySelectorAll("[data-send-state] .sent:first-child li[data-done]")].map((item) => item.textContent)`))
	if strings.Join(found, ", ") != strings.Join(want, ", ") {
		c.t.Errorf("the desk shows the steps %q, want %q", found, want)
	}
}
