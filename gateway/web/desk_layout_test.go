package web

import (
	"net/http"
	"net/url"
	"testing"

	"dropslot/gateway"
)

// Who cannot see the page hears its first link first: it names what is there.
func TestSkipLinkNamesThePage(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	sent := b.post("/requests", url.Values{"phone": {"(555) 123-0142"}, "language": {"en"}}).Header().Get("Location")
	stranger := h.browser(t)
	for _, c := range []struct {
		browser    *browser
		path, want string
	}{
		{stranger, "/login", "Skip to the sign-in form"},
		{b, "/", "Skip to the papers"},
		{b, submissionURL(s.ID), "Skip to the papers"},
		{b, "/requests", "Skip to the sent links"},
		{b, sent, "Skip to the sent link"},
		{b, submissionURL(gateway.SubmissionID("0123456789abcdefghijklmnop")), "Skip to what happened"},
	} {
		answer := c.browser.get(c.path)
		if answer.Code == http.StatusSeeOther {
			t.Errorf("%s leads to %s", c.path, answer.Header().Get("Location"))
		}
		wantText(t, answer, `<a class="skip" href="#main">`+c.want+`</a>`)
	}
}
