package web

import (
	"net/http"
	"strings"
	"testing"

	"dropslot/gateway"
)

// What a caseworker asks for stands on the page, and their words are words:
// nothing in them is taken for a part of the page.
func TestClientReadsWhatIsAskedFor(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	ask := func() string {
		return h.ask(http.MethodGet, "/send/"+string(submission), "", "Cookie", cookie).Body.String()
	}
	if strings.Contains(ask(), `id="wish"`) {
		t.Error("something is asked for, and nothing is")
	}
	h.wish = gateway.Wish{Asks: []string{"pay-stub"}, Words: `<script>alert(1)</script> both sides`}
	body := ask()
	for _, want := range []string{"asks for these papers", "<li>Pay stub</li>", "&lt;script&gt;alert(1)&lt;/script&gt; both sides"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	h.wish = gateway.Wish{Page: "x", Label: "pay-stub", Reason: gateway.AgainCutOff}
	body = ask()
	for _, want := range []string{"Please send this page again", "<strong>Pay stub</strong>", "A part was cut off.", `<option value="pay-stub" selected>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	h.wish.Reason = gateway.AgainOther
	if strings.Contains(ask(), "why-") {
		t.Error("a key of the catalog is shown")
	}
}

func TestCameraIsTold(t *testing.T) {
	h := newHouse(t)
	path := "/send/" + string(submission) + "/camera"
	if w := h.ask(http.MethodPost, path, ""); w.Code != http.StatusNotFound || h.cameras != 0 {
		t.Errorf("a stranger: %d, %d times", w.Code, h.cameras)
	}
	cookie := h.claimed(t)
	if w := h.ask(http.MethodPost, path, "", "Cookie", cookie); w.Code != http.StatusNoContent || h.cameras != 1 {
		t.Errorf("%d, %d times", w.Code, h.cameras)
	}
}
