package templates

import (
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

// Layouts and lists of names are not read as sentences.
var notRead = []string{"page.when."}

// Fewer words than this are a label or a heading.
const fewWords = 5

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
		pages := map[string]string{}
		own := texts.catalogs[language.Tag].texts
		for _, key := range slices.Sorted(maps.Keys(own)) {
			section, _, _ := strings.Cut(key, ".")
			if !slices.Contains([]string{"sms", "voice", "page", "errors"}, section) ||
				slices.ContainsFunc(notRead, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
				continue
			}
			text := fill(own[key], readingVars[language.Tag])
			if strings.ContainsAny(text, "{}") {
				t.Errorf("%s %s: give its placeholders a value in readingVars: %s", language.Tag, key, text)
			}
			if section == "page" {
				page := key[:strings.LastIndexByte(key, '.')]
				pages[page] += strings.TrimRight(text, ".") + ". "
			}
			if got := grade(text); len(wordsOf(text)) >= fewWords && got > readingGrade {
				t.Errorf("%s %s reads at grade %.1f: %s", language.Tag, key, got, text)
			}
		}
		for page, text := range pages {
			got := grade(text)
			t.Logf("%s %s: grade %.1f", language.Tag, page, got)
			if got > readingGrade {
				t.Errorf("%s: all of %s reads at grade %.1f: %s", language.Tag, page, got, text)
			}
		}
	}
}

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
