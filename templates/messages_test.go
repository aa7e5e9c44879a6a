package templates

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// The longest name and address that a shipped text must fit in one segment with.
var longest = Filling{
	Office: "North County Benefits", // 21 letters
	Phone:  "+15551230199",
	Link:   "https://documents.northcounty.example.gov"[:40] + "/c/" + "abcdefghijklmnopqrstuvwxyz",
	TTL:    72 * time.Hour,
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
			before, after, _ := strings.Cut(text, longest.Link)
			if !strings.HasSuffix(before, " ") || !strings.HasPrefix(after, " ") || strings.TrimSpace(after) == "" {
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
		"es": "North County Benefits: mande sus papeles de forma segura. Sin app ni clave. LINK Vale 4 horas.",
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

// The Flesch-Kincaid grade of the English texts, without name, link and
// telephone, which nobody reads letter by letter.
func TestTextsReadAtGradeFive(t *testing.T) {
	texts := loaded(t)
	for _, key := range MessageKeys() {
		text := texts.Say(English, dotted(key), Vars{"office": "We", "phone": "us", "link": "", "hours": "4 hours"})
		if grade := fleschKincaid(text); grade > 5 {
			t.Errorf("%s reads at grade %.1f: %s", key, grade, text)
		}
	}
}

// fleschKincaid is 0.39 words a sentence + 11.8 syllables a word - 15.59.
func fleschKincaid(text string) float64 {
	sentences := float64(len(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".:?!", r) })))
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	syllables := 0
	for _, word := range words {
		syllables += countSyllables(strings.ToLower(word))
	}
	n := float64(len(words))
	return 0.39*n/sentences + 11.8*float64(syllables)/n - 15.59
}

func countSyllables(word string) int {
	count, inVowels := 0, false
	for _, r := range strings.TrimSuffix(word, "e") {
		vowel := strings.ContainsRune("aeiouy", r)
		if vowel && !inVowels {
			count++
		}
		inVowels = vowel
	}
	return max(count, 1)
}
