package e2e

import (
	"bytes"
	"image/jpeg"
	"path"
	"strings"
)

// inFirefox is a client whose browser is not Chromium: it takes a photograph
// and chooses a file, seals both itself, and the age tool opens them.
func inFirefox(w *town) {
	f := openFirefox(w.t, w.said)
	fox := &person{tab: &tab{t: w.t, name: "Fox"}, town: w, phone: w.newPhone(), language: "en"}
	fox.asks("Hi, may I have the link please")
	f.visit(fox.link)
	f.click("main form button")
	f.holds("the page that takes photographs", `location.pathname.startsWith("/send/") && document.getElementById("file-form")`)
	submission := path.Base(f.read("location.pathname"))
	if secret := f.read("document.cookie"); secret != "" {
		w.t.Errorf("a script can read the cookie %q", secret)
	}

	letter := pdf(300<<10, "canary words in the letter of Fox")
	f.chooses(w.file("canary-name-of-Fox-letter.pdf", letter))
	f.click("#send")
	f.holds("the letter to be received", `document.querySelectorAll("#list > li[data-state=received]").length === 1`)

	f.click("#take")
	f.holds("the camera to open", `!document.getElementById("shutter").disabled && document.getElementById("video").videoWidth > 0`)
	f.click("#shutter")
	f.holds("the photograph", `document.getElementById("preview").checkVisibility()`)
	f.click("#send")
	f.holds("the photograph to be received", `document.querySelectorAll("#list > li[data-state=received]").length === 2`)
	f.click("#camera-back")
	f.click("#done button.done")
	f.holds("the receipt", `document.querySelector(".reference")`)

	age := ageCommand(w.t)
	letters, photographs := 0, 0
	for _, sealed := range w.sealedPagesOf(submission) {
		content := w.openWithAge(age, sealed)
		if bytes.Equal(content, letter) {
			letters++
		} else if photo, err := jpeg.DecodeConfig(bytes.NewReader(content)); err == nil && photo.Width >= 1280 { // scaled down from what Firefox shows in place of a camera
			photographs++
		}
	}
	if letters != 1 || photographs != 1 {
		w.t.Errorf("the age tool finds %d letters and %d photographs, one of each was sent", letters, photographs)
	}
	dana := w.dana()
	dana.opens(submission)
	dana.sees("sealed on the phone")
	dana.sees("1 of 2")
	if strings.Contains(dana.shown(), "sealed by the server") {
		w.t.Error("Firefox left the sealing to the server")
	}
}
