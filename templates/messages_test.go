package templates

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The longest name and address that a shipped text must fit in one segment with.
var longest = Filling{
	Office: "North County Benefits", // 21 letters
	Phone:  "+15551230199",
	Link:   "https://documents.northcounty.example.gov"[:40] + "/c/" + "abcdefghijklmnopqrstuvwxyz",
	TTL:    72 * time.Hour,

	Languages: []string{"en", "es"}, Count: 40, Reference: "7K3PW",
}

func TestEveryShippedTextIsOneSegmentOfGSM7(t *testing.T) {
	texts := loaded(t)
	for _, language := range texts.Languages() {
		for _, key := range MessageKeys() {
			if key == Spoken {
				continue
			}
			text, err := texts.SMS(language.Tag, key, texts.Vars(language.Tag, key, longest), nil)
			if err != nil {
				t.Errorf("%s %s: %v", language.Tag, key, err)
				continue
			}
			s := CountSegments(text)
			if language.Shipped && (s.Encoding != GSM7 || s.Count != 1) {
				t.Errorf("%s %s is %d segments of %s (%d units): %s", language.Tag, key, s.Count, s.Encoding, s.Units, text)
			}
			before, after, carries := strings.Cut(text, longest.Link)
			if carries != slices.Contains(messageRules[key].must, "link") {
				t.Errorf("%s %s carries a link: %v", language.Tag, key, carries)
			}
			if carries && (!strings.HasSuffix(before, " ") || !strings.HasPrefix(after, " ") || strings.TrimSpace(after) == "") {
				t.Errorf("%s %s: the link is not between words: %s", language.Tag, key, text)
			}
		}
	}
}

func TestThePlainAnswerReadsAsAgreed(t *testing.T) {
	texts := loaded(t)
	f := Filling{Office: "North County Benefits", Phone: "+15551230199", Link: "LINK", TTL: 4 * time.Hour}
	for language, want := range map[string]string{
		"en": "North County Benefits: send papers safely here. No app, no password. LINK Works for 4 hours.",
		"es": "North County Benefits: mande documentos de forma segura. Sin app ni clave. LINK Sirve 4 horas.",
	} {
		if got, err := texts.SMS(language, "link", texts.Vars(language, "link", f), nil); got != want || err != nil {
			t.Errorf("%s: %q, %v", language, got, err)
		}
	}
	got, err := texts.SMS("en", "photo-not-kept", texts.Vars("en", "photo-not-kept", f), nil)
	if err != nil || !strings.Contains(strings.ToLower(got), "we did not keep your photo. please send it safely here: link ") {
		t.Errorf("photo-not-kept: %q, %v", got, err)
	}
}
