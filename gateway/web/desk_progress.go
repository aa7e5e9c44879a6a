package web

import (
	"fmt"
	"strings"

	"dropslot/gateway"
	"dropslot/templates"
)

// requestView puts into words how far a sent link came.
func (d *desk) requestView(r gateway.RequestView) requestView {
	view := requestView{
		URL: requestURL(r.ID), LastFour: r.LastFour, Office: r.Office.Name,
		When: momentOf(r.CreatedAt, d.Now(), r.Office.Location),
		Steps: []step{
			{"Sent", r.Opened || textLeft(r.State)},
			{"Opened", r.Opened},
			{"Camera on", r.Camera || r.Pages > 0},
			{pagesReceived(r.Pages), r.Pages > 0},
		},
	}
	view.Asks = d.wishWords(r.Wish)
	if r.CanCancel {
		view.Cancel = requestURL(r.ID) + "/cancel"
	}
	if r.Renewable() {
		view.Renew, view.Fresh = requestURL(r.ID)+"/renew", d.newSendingID()
	}
	if r.Pages+r.Lacks > 0 || r.Wish.Page != "" {
		view.Papers = submissionURL(r.Submission)
	}
	view.Words, view.Tone, view.Moving = d.progress(r)
	return view
}

func canceledWords(r gateway.RequestView) string {
	if r.Pages == 0 {
		return "You or a colleague took the link back. Nothing came."
	}
	return "You or a colleague took the link back. " + plural(r.Pages, "page") + " came before."
}

// wishWords says what a link asks for.
func (d *desk) wishWords(w gateway.Wish) string {
	var parts []string
	if w.Page != "" {
		page := "One page again"
		if w.Label != "" {
			page += " (" + d.AskName(w.Label) + ")"
		}
		words, _ := wordsOf(againReasons, string(w.Reason))
		parts = append(parts, page+": "+strings.ToLower(words))
	}
	for _, ask := range w.Asks {
		parts = append(parts, d.AskName(ask))
	}
	if w.Words != "" {
		parts = append(parts, "“"+w.Words+"”")
	}
	return strings.Join(parts, ", ")
}

func textLeft(s gateway.DeliveryState) bool {
	return s == gateway.DeliveryQueued || s == gateway.DeliverySent || s == gateway.DeliveryDelivered
}

func pagesReceived(n int) string {
	if n > 1 {
		return fmt.Sprintf("%d pages received", n)
	}
	return "Page 1 received"
}

// progress tells the furthest that is known. What the client did counts more
// than what Twilio reports of the text.
func (d *desk) progress(r gateway.RequestView) (words, tone string, moving bool) {
	switch {
	case r.Pages == 0 && r.Lacks > 0 && r.Ended != gateway.RequestRuns:
		return "No page came. The client says what they do not have.", "over", false
	case r.Ended == gateway.RequestCanceled:
		return canceledWords(r), "over", false
	case r.Ended == gateway.RequestFinished:
		return "The client is done: " + plural(r.Pages, "page") + ".", "good", false
	case r.Ended == gateway.RequestExpired && r.Pages > 0:
		return "The link's time is over. " + plural(r.Pages, "page") + " came; the client did not say that they are done.", "over", false
	case r.Ended == gateway.RequestSuperseded:
		return "A newer link was sent to this phone before this one was opened.", "over", false
	case r.Ended == gateway.RequestExpired:
		return "The link's time is over and nothing came. Send a new one if you still need the papers.", "over", false
	case r.Pages > 0:
		return pagesReceived(r.Pages) + ". The client may be taking the next one.", "good", true
	case r.Camera:
		return "The client’s camera is on. Waiting for page 1.", "good", true
	case r.Opened:
		return "The client opened the link. Waiting for page 1.", "good", true
	}
	if r.State == gateway.DeliveryFailed {
		return d.failedWords(r), "bad", false
	}
	return sendingWords[r.State], "wait", true
}

var sendingWords = map[gateway.DeliveryState]string{
	gateway.DeliverySending:   "Sending the text.",
	gateway.DeliveryUnknown:   "The text may or may not have been sent. Ask the client whether it arrived before you send another one.",
	gateway.DeliveryQueued:    "The text is on its way.",
	gateway.DeliverySent:      "The text is on its way.",
	gateway.DeliveryDelivered: "The text is on the phone. Waiting for the client to open it.",
}

// Twilio's error codes that a caseworker can do something about.
// https://www.twilio.com/docs/api/errors
var failures = map[int]string{
	21211: "This is not a phone number that can be texted. Check it with the client.",
	21408: "Texts to this country are not switched on. Tell the person who runs Dropslot.",
	21614: "This number cannot take texts. Ask the client for a mobile number.",
	30003: "The phone is switched off or has no signal. Try again later.",
	30004: "The client's carrier blocks our texts. Ask the client to text your office's number instead.",
	30005: "This number does not exist. Check it with the client.",
	30006: "This is a landline, which cannot take texts. Ask the client for a mobile number.",
	30007: "The carrier took the text for spam. Ask the client to text your office's number instead, and tell the person who runs Dropslot.",
	30032: "Your office's number is not registered with the carriers yet. Tell the person who runs Dropslot.",
	30034: "Your office's number is not registered with the carriers yet. Tell the person who runs Dropslot.",
}

// twilioOptedOut is Twilio's code for a phone that texted STOP.
const twilioOptedOut = 21610

func (d *desk) failedWords(r gateway.RequestView) string {
	if r.ErrorCode == twilioOptedOut {
		return "This phone texted STOP. " + d.optedOutWords(r.Office.ID)
	}
	if words, known := failures[r.ErrorCode]; known {
		return "The text did not arrive. " + words
	}
	return "The text did not arrive. Check the number with the client and send the link again."
}

// optedOutWords says how a client lets the office text them again.
func (d *desk) optedOutWords(office gateway.OfficeID) string {
	number := "your office's number"
	if rule, ok := d.Directory.NumberOf(office); ok {
		number = templates.FormatPhone(string(rule.Number))
	}
	return "No text may be sent to it. Ask the client to text START to " + number + ", then send the link again."
}
