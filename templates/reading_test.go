package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Whoever left school after five years reads what is said here.
const readingGrade = 5

// grades are the measures of reading ease by language, each in years of
// school. They are made for passages: each text of whole sentences is measured
// by itself, and the labels and headings of a page together with the page.
//
//   - English: the grade of Flesch and Kincaid (Kincaid and others, Derivation
//     of New Readability Formulas for Navy Enlisted Personnel, 1975).
//   - Spanish: the formula of Crawford, made from schoolbooks in Spanish of
//     grades one to six (A. N. Crawford, "Fórmula y gráfico para determinar la
//     comprensibilidad de textos del nivel primario en castellano", Lectura y
//     Vida 6, no. 4, 1985).
var grades = map[string]func(text string) float64{"en": fleschKincaid, "es": crawford}

// unmeasured are drafts in languages without a formula made for them.
var unmeasured = []string{"ar", "ht", "ru", "tl", "vi", "zh-Hans"}

// What fills the placeholders in here: names, numbers and links are not read
// letter by letter.
var readingVars = map[string]Vars{
	"en": {"office": "we", "phone": "us", "number": "us", "link": "", "hours": "4 hours", "page": "page", "ask": "letter", "percent": "ten", "count": "two", "until": "two", "time": "two", "day": "Sunday", "file": "It", "why": "", "n": "two", "choices": "", "reference": "A"},
	"es": {"office": "la casa", "phone": "tres", "number": "tres", "link": "", "hours": "4 horas", "page": "página", "ask": "carta", "percent": "diez", "count": "dos", "until": "dos", "time": "dos", "day": "lunes", "file": "eso", "why": "", "n": "dos", "choices": "", "reference": "A"},
}

// A layout and a list of names are not read as sentences.
var notRead = []string{"page.when.clock", "page.when.weekdays"}

// Fewer words than this are a label or a heading. No formula measures so
// little, so each of its words has to be short by itself.
const fewWords = 5

var longestWord = map[string]int{"en": 3, "es": 4} // syllables

// What everybody calls it, however long it is.
var knownWords = []string{"identificación"}

func TestTextsReadAtGradeFive(t *testing.T) {
	texts := loaded(t)
	for _, language := range texts.Languages() {
		grade := grades[language.Tag]
		if grade == nil && slices.Contains(unmeasured, language.Tag) {
			if language.Shipped {
				t.Errorf("%s is shipped, and nothing says how well people read it", language.Name)
			}
			continue
		}
		if grade == nil {
			t.Errorf("say how well people read %s", language.Name)
			continue
		}
		for _, fault := range hardToRead(language.Tag, texts.catalogs[language.Tag].texts) {
			t.Error(fault)
		}
	}
}

// The test of the texts must not be one that never fails: a hard sentence and
// a hard label are found wherever a client could come to read them.
func TestHardTextsAreFoundUnderEveryKey(t *testing.T) {
	hard := map[string][]string{
		"en": {"Documentation submitted subsequent to expiration necessitates supplementary authorization.", "Documentation authorization"},
		"es": {"La documentación presentada con posterioridad al vencimiento requiere autorización complementaria.", "Documentación complementaria"},
	}
	texts := loaded(t)
	for language, sentences := range hard {
		own := texts.catalogs[language].texts
		for key := range own {
			if slices.Contains(notRead, key) {
				continue
			}
			for _, sentence := range sentences {
				changed := maps.Clone(own)
				changed[key] = sentence
				found := strings.Join(hardToRead(language, changed), "\n")
				if !strings.Contains(found, language+" "+key+" ") {
					t.Errorf("%s %s may be %q: %s", language, key, sentence, found)
				}
			}
		}
	}
}

// hardToRead names what is too hard among the texts of a language: each by
// itself, and all of a page together.
func hardToRead(language string, own map[string]string) (faults []string) {
	grade := grades[language]
	pages := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if slices.Contains(notRead, key) {
			continue
		}
		text := fill(own[key], readingVars[language])
		if strings.ContainsAny(text, "{}") {
			faults = append(faults, fmt.Sprintf("%s %s: give its placeholders a value in readingVars: %s", language, key, text))
		}
		if strings.HasPrefix(key, "page.") {
			page := key[:strings.LastIndexByte(key, '.')]
			pages[page] += strings.TrimRight(text, ".") + ". "
		}
		words := wordsOf(text)
		if len(words) >= fewWords {
			if got := grade(text); got > readingGrade {
				faults = append(faults, fmt.Sprintf("%s %s reads at grade %.1f: %s", language, key, got, text))
			}
			continue
		}
		for _, word := range words {
			if n := syllables[language](word); n > longestWord[language] && !slices.Contains(knownWords, word) {
				faults = append(faults, fmt.Sprintf("%s %s has a word of %d syllables: %s", language, key, n, text))
			}
		}
	}
	for page, text := range pages {
		if got := grade(text); got > readingGrade {
			faults = append(faults, fmt.Sprintf("%s: all of %s reads at grade %.1f: %s", language, page, got, text))
		}
	}
	return faults
}

var syllables = map[string]func(word string) int{"en": englishSyllables, "es": spanishSyllables}

// Hard words must not pass: the measures would then say nothing.
func TestMeasuresOfReading(t *testing.T) {
	for _, c := range []struct {
		language, text string
		least, most    float64
	}{
		{"en", "We got your page. Please send the next one.", -3, 2},
		{"en", "Documentation submitted subsequent to expiration necessitates supplementary authorization.", 20, 60},
		{"es", "Mande la hoja. Le llega un enlace.", -3, 3},
		{"es", "La documentación presentada con posterioridad al vencimiento requiere autorización complementaria.", 10, 20},
	} {
		if got := grades[c.language](c.text); got < c.least || got > c.most {
			t.Errorf("grade %.1f, want %.0f to %.0f: %s", got, c.least, c.most, c.text)
		}
	}
	for word, want := range map[string]int{
		"página": 3, "guía": 2, "que": 1, "ahora": 3, "hoy": 1, "ya": 1, "y": 1, "teléfono": 4, "leer": 2,
		"después": 2, "ciudad": 2, "averiguáis": 4, "país": 2, "día": 2, "construye": 3, "aéreo": 4, "vergüenza": 3,
	} {
		if got := spanishSyllables(word); got != want {
			t.Errorf("%s has %d syllables, want %d", word, got, want)
		}
	}
}

// fleschKincaid is 0.39 words a sentence + 11.8 syllables a word - 15.59.
func fleschKincaid(text string) float64 {
	words := wordsOf(text)
	n := float64(len(words))
	return 0.39*n/sentencesOf(text) + 11.8*sum(words, englishSyllables)/n - 15.59
}

// crawford is 0.049 syllables a hundred words - 0.205 sentences a hundred
// words - 3.407.
func crawford(text string) float64 {
	words := wordsOf(text)
	n := float64(len(words))
	return 4.9*sum(words, spanishSyllables)/n - 20.5*sentencesOf(text)/n - 3.407
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
}

func sentencesOf(text string) float64 {
	sentences := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".:?!", r) })
	sentences = slices.DeleteFunc(sentences, func(s string) bool { return len(wordsOf(s)) == 0 })
	return float64(max(len(sentences), 1))
}

func sum(words []string, count func(string) int) float64 {
	total := 0
	for _, word := range words {
		total += count(word)
	}
	return float64(total)
}

// englishSyllables counts groups of vowels, without a silent e at the end.
func englishSyllables(word string) int {
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

// spanishSyllables counts vowels that stand apart: two strong ones (a, e, o, and
// an accented í or ú) side by side are two syllables, a weak one joins its
// neighbor.
func spanishSyllables(word string) int {
	if before, found := strings.CutSuffix(word, "y"); found {
		word = before + "i"
	}
	const consonant, weak, strong = 0, 1, 2
	count, before := 0, consonant
	for _, r := range word {
		kind := consonant
		switch {
		case strings.ContainsRune("aeoáéóíú", r):
			kind = strong
		case strings.ContainsRune("iuü", r):
			kind = weak
		}
		if kind != consonant && (before == consonant || before == strong && kind == strong) {
			count++
		}
		before = kind
	}
	return max(count, 1)
}
