package e2e

import (
	"strings"
	"sync"
	"testing"

	"dropslot/templates"
)

// catalog holds the words of all pages. The tests ask for words by their key:
// a page may say the same thing better one day.
var catalog = sync.OnceValues(templates.LoadTexts)

// officePhone as the pages write it.
const officePhone = "(555) 123-0199"

// say gives the words of a key in a language, with what the pages always know
// and the pairs of names and values besides.
func say(t *testing.T, language, key string, pairs ...string) string {
	t.Helper()
	texts, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	vars := templates.Vars{"office": "North County Benefits", "phone": officePhone}
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	words := texts.Say(language, key, vars)
	if words == key || strings.Contains(words, "{") {
		t.Fatalf("the catalog says %q for %s", words, key)
	}
	return words
}

// reads waits until the person's page says the words of a key.
func (p *person) reads(key string, pairs ...string) {
	p.t.Helper()
	p.sees(say(p.t, p.language, key, pairs...))
}

// readsPage waits for a sentence about one page, by its number.
func (p *person) readsPage(key, number string) {
	p.t.Helper()
	p.reads(key, "page", say(p.t, p.language, "page.send.page", "number", number))
}
