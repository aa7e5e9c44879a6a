package e2e

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
	"testing"
)

// TestJourneys lets people and caseworkers go through one running Dropslot,
// one journey after the other. The search for what must lie nowhere comes
// last and looks through all that the others left.
func TestJourneys(t *testing.T) {
	w := openTown(t)
	for _, journey := range []struct {
		name string
		walk func(*town)
	}{
		{"photograph to desk", photographToDesk},
		{"by keyboard", byKeyboard},
		{"without script", withoutScript},
		{"in Firefox", inFirefox},
		{"in Spanish", inSpanish},
		{"odd phones", oddPhones},
		{"odd files", oddFiles},
		{"two browsers", twoBrowsers},
		{"answer lost", answerLost},
		{"previews first", previewsFirst},
		{"Redis forgets", redisForgets},
		{"link from the desk", linkFromDesk},
		{"no link from the desk", noLinkFromDesk},
		{"refused kindly", refusedKindly},
		{"time is over", timeIsOver},
		{"papers are missing", papersAreMissing},
		{"at the counter", atTheCounter},
		{"nothing in clear", nothingInClear},
	} {
		t.Run(journey.name, func(t *testing.T) { journey.walk(w.on(t)) })
	}
}

// photographToDesk is the main job: a text, a link, a photograph that the
// browser seals, a caseworker who sees it.
func photographToDesk(w *town) {
	maria := w.newPerson("Maria")
	answer := maria.texts("Hi, I have my papers for canary Maria")
	if !strings.HasPrefix(answer, "North County Benefits: ") || strings.HasSuffix(answer, maria.link) {
		w.t.Errorf("the link has to stand inside the text: %q", answer)
	}
	maria.visit(maria.link)
	maria.reads("page.link.heading")
	maria.is("the phone's own browser need not be left", `document.getElementById("in-app").hidden`)
	maria.reads("page.trust")
	maria.enters()
	maria.opensCamera()
	maria.picture("capture")
	maria.click("#camera-back")
	maria.photographs("pay-stub")
	maria.readsPage("page.script.received", "1")
	maria.photographs("photo-id")
	maria.picture("sent")
	maria.isDone("Maria Example")
	maria.reads("page.receipt.heading")
	maria.reads("page.receipt.pages", "count", "2")
	reference := maria.text(".reference")
	submission := maria.submission()

	dana := w.dana()
	dana.sees("Maria Example")
	dana.sees("Phone ending " + maria.phone[len(maria.phone)-4:])
	dana.sees(reference)
	dana.picture("inbox")
	dana.opens(submission)
	dana.showsPicture()
	dana.sees("Pay stub")
	dana.sees("sealed on the phone")
	dana.picture("desk")
	w.samePages(dana, submission, func(page int, content []byte, header http.Header) {
		showsPaper(w.t, content, payStatement)
		disposition, names, err := mime.ParseMediaType(header.Get("Content-Disposition"))
		if err != nil || disposition != "attachment" || !strings.HasSuffix(names["filename"], ".jpg") {
			w.t.Errorf("page %d is served as %q", page, header.Get("Content-Disposition"))
		}
	})
	dana.marksDone(submission)
}

// samePages holds each page that the desk serves as original against what the
// age tool finds in the vault: the same bytes, one file for each page.
func (w *town) samePages(c *caseworker, submission string, look func(page int, content []byte, header http.Header)) {
	w.t.Helper()
	age := ageCommand(w.t)
	sealed := w.sealedPagesOf(submission)
	if len(sealed) == 0 {
		w.t.Fatal("the vault holds no page of the submission")
	}
	opened := make([][]byte, len(sealed))
	for i, file := range sealed {
		opened[i] = w.openWithAge(age, file)
	}
	for page := range sealed {
		content, header := c.original(page + 1)
		found := 0
		for i := range opened {
			if opened[i] != nil && bytes.Equal(opened[i], content) {
				opened[i] = nil
				found++
				break
			}
		}
		if found != 1 {
			w.t.Errorf("no file of the vault opens to page %d as the desk serves it", page+1)
		}
		look(page+1, content, header)
	}
}
