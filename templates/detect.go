package templates

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// languageNames are how people ask for a language, in itself and in English.
var languageNames = map[string][]string{
	"en": {"english"}, "es": {"español", "castellano", "spanish"}, "vi": {"tiếng việt", "vietnamese"},
	"zh": {"中文", "汉语", "普通话", "chinese", "mandarin"}, "tl": {"tagalog", "filipino"},
	"ht": {"kreyòl", "creole", "haitian"}, "ru": {"русский", "по-русски", "russian"}, "ar": {"العربية", "عربي", "arabic"},
}

// scripts tell a language where no other of the office's is written so.
var scripts = map[string]*unicode.RangeTable{"zh": unicode.Han, "ru": unicode.Cyrillic, "ar": unicode.Arabic}

// askedMost is how many words somebody uses who only asks for a language.
const askedMost = 4

// Detect guesses which of the languages somebody writes in: by the name of a
// language in a short text, by its script, or by the words that only its
// catalog lists. It is empty if nothing tells, or if two are told equally.
func (t *Texts) Detect(words string, languages []string) string {
	written := strings.FieldsFunc(fold(words), func(r rune) bool { return !unicode.IsLetter(r) })
	if asked := askedFor(written, languages); len(asked) > 0 {
		if len(asked) > 1 || slices.Contains(written, "no") || slices.Contains(written, "not") {
			return "" // "no English" says which one it is not
		}
		return asked[0]
	}
	if told := scriptOf(words, languages); told != "" {
		return told
	}
	best, most, tied := "", 0, false
	for _, tag := range languages {
		hits := 0
		for _, word := range written {
			if t.wordsOf(tag)[word] {
				hits++
			}
		}
		switch {
		case hits > most:
			best, most, tied = tag, hits, false
		case hits == most && most > 0:
			tied = true
		}
	}
	if tied {
		return ""
	}
	return best
}

// base is the language of a tag without script and region.
func base(tag string) string {
	first, _, _ := strings.Cut(tag, "-")
	return first
}

// askedFor gives the languages that a short text names.
func askedFor(written, languages []string) (found []string) {
	if len(written) == 0 || len(written) > askedMost {
		return nil
	}
	said := " " + strings.Join(written, " ") + " "
	for _, tag := range languages {
		if slices.ContainsFunc(languageNames[base(tag)], func(name string) bool {
			return strings.Contains(said, " "+strings.ReplaceAll(fold(name), "-", " ")+" ")
		}) {
			found = append(found, tag)
		}
	}
	return found
}

// scriptOf gives the one language of the office that is written as the words are.
func scriptOf(words string, languages []string) string {
	found := ""
	for _, tag := range languages {
		script := scripts[base(tag)]
		if script == nil || !strings.ContainsFunc(words, func(r rune) bool { return unicode.Is(script, r) }) {
			continue
		}
		if found != "" {
			return ""
		}
		found = tag
	}
	return found
}

func (t *Texts) wordsOf(tag string) map[string]bool {
	for ; tag != ""; tag = parent(tag) {
		if c, ok := t.catalogs[tag]; ok {
			return c.words
		}
	}
	return nil
}

// fold makes words comparable: people text without capitals and accents.
func fold(words string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(words)) {
		if !unicode.Is(unicode.Mn, r) {
			out.WriteRune(r)
		}
	}
	return out.String()
}
