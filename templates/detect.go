package templates

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Detect guesses which of the languages somebody writes in from the words
// that only that language's catalog lists. It is empty if nothing tells, or
// if two languages are told equally.
func (t *Texts) Detect(words string, languages []string) string {
	written := strings.FieldsFunc(fold(words), func(r rune) bool { return !unicode.IsLetter(r) })
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
