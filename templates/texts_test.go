package templates

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func loaded(t *testing.T) *Texts {
	t.Helper()
	texts, err := LoadTexts()
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// A key that a language lacks would be said in English in the middle of a
// page, and a placeholder that it lacks would lose the link or the telephone.
func TestEveryLanguageHasEveryKeyWithTheSamePlaceholders(t *testing.T) {
	texts := loaded(t)
	english := texts.catalogs[English].texts
	for _, language := range texts.Languages() {
		own := texts.catalogs[language.Tag].texts
		for key, text := range english {
			if counted(key) {
				continue
			}
			other, ok := own[key]
			if !ok {
				t.Errorf("%s lacks %s", language.Tag, key)
				continue
			}
			if want, got := sortedPlaceholders(t, text), sortedPlaceholders(t, other); !slices.Equal(want, got) {
				t.Errorf("%s %s has the placeholders %v, English has %v", language.Tag, key, got, want)
			}
		}
		for key := range own {
			if _, ok := english[key]; !ok && !counted(key) {
				t.Errorf("%s has %s, which English lacks", language.Tag, key)
			}
		}
		if len(texts.catalogs[language.Tag].words) < 20 {
			t.Errorf("%s has too few words to be recognized by", language.Tag)
		}
	}
	for key := range messageRules {
		_, plain := english[dotted(key)]
		if _, other := english[dotted(key)+".other"]; !plain && !other {
			t.Errorf("there are no words for the message %s", key)
		}
	}
	if keys := MessageKeys(); len(keys) != len(messageRules) {
		t.Errorf("MessageKeys has %v, there are rules for %d", keys, len(messageRules))
	}
}

// counted tells whether a key is a counted message's, whose categories differ
// between languages.
func counted(key string) bool {
	for message, rule := range messageRules {
		if rule.counted && strings.HasPrefix(key, dotted(message)+".") {
			return true
		}
	}
	return false
}

// Each language has the text of every category that its counts fall into.
func TestCountsAreSaidInEveryLanguage(t *testing.T) {
	texts := loaded(t)
	for _, l := range texts.Languages() {
		for key, rule := range messageRules {
			if !rule.counted {
				continue
			}
			for n := range 130 {
				form := plural.Cardinal.MatchPlural(language.Make(l.Tag), n, 0, 0, 0, 0)
				if _, ok := texts.catalogs[l.Tag].texts[dotted(key)+"."+categories[form]]; !ok && n > 0 {
					t.Errorf("%s %s: no text of the category %s for %d", l.Tag, key, categories[form], n)
				}
			}
		}
	}
	f := longest
	f.Count = 1
	one, err := texts.SMS("en", "receipt", texts.Vars("en", "receipt", f), nil)
	if err != nil || !strings.Contains(one, "we got 1 page. Ref 7K3PW") {
		t.Errorf("one page: %q, %v", one, err)
	}
}

func sortedPlaceholders(t *testing.T, text string) []string {
	t.Helper()
	names, err := placeholdersOf(text)
	if err != nil {
		t.Errorf("%q: %v", text, err)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestLanguages(t *testing.T) {
	languages := loaded(t).Languages()
	if languages[0] != (Language{Tag: "en", Name: "English", Dir: "ltr", Shipped: true}) {
		t.Errorf("the first language is %+v", languages[0])
	}
	if !slices.Contains(languages, Language{Tag: "es", Name: "Español", Dir: "ltr", Shipped: true}) {
		t.Errorf("no Spanish in %+v", languages)
	}
}

func TestSayFallsBackAndFillsOnce(t *testing.T) {
	texts, err := loadTexts(fstest.MapFS{
		"text/en.yaml": {Data: []byte("name: English\ndir: ltr\npage: {send: {title: \"Send to {office}\", only: only here}}\n")},
		"text/es.yaml": {Data: []byte("name: Español\ndir: ltr\npage: {send: {title: \"Mande a {office}\"}}\n")},
	}, "text")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ language, key, want string }{
		{"es", "page.send.title", "Mande a {phone} & Co"}, // the value is not searched again
		{"es-MX", "page.send.title", "Mande a {phone} & Co"},
		{"es", "page.send.only", "only here"},
		{"vi", "page.send.title", "Send to {phone} & Co"},
		{"", "page.send.title", "Send to {phone} & Co"},
		{"en", "page.nowhere", "page.nowhere"},
	} {
		if got := texts.Say(c.language, c.key, Vars{"office": "{phone} & Co", "phone": "1"}); got != c.want {
			t.Errorf("Say(%q, %q) = %q, want %q", c.language, c.key, got, c.want)
		}
	}
}

func TestFaultyCatalogsAreRefused(t *testing.T) {
	const head = "name: English\ndir: ltr\n"
	for name, content := range map[string]string{
		"no direction":        "name: English\n",
		"duplicate key":       head + "page: {a: x, a: y}\n",
		"number":              head + "page: {a: 1}\n",
		"list":                head + "page: {a: [x]}\n",
		"lone brace":          head + "page: {a: \"x}\"}\n",
		"odd placeholder":     head + "page: {a: \"{Two Words}\"}\n",
		"unknown message":     head + "sms: {lnk: \"{office} x {link} y\"}\n",
		"unknown placeholder": head + "sms: {link: \"{office} x {link} {name}\"}\n",
		"missing link":        head + "sms: {link: \"{office} call us\"}\n",
		"missing phone":       head + "sms: {link-last: \"{office} x {link} y\"}\n",
		"link last":           head + "sms: {link: \"{office} here: {link}\"}\n",
		"link first":          head + "sms: {link: \"{link} from {office}\"}\n",
		"link touched":        head + "sms: {link: \"{office} here: {link}. Bye\"}\n",
		"link twice":          head + "sms: {link: \"{office} x {link} y {link} z\"}\n",
	} {
		if _, err := loadTexts(fstest.MapFS{"text/en.yaml": {Data: []byte(content)}}, "text"); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
}

func TestSMSTakesTheOfficesOwnWords(t *testing.T) {
	texts := loaded(t)
	own := map[string]map[string]string{"es": {"link": "{office}: entre a {link} hoy"}}
	vars := Vars{"office": "Norte", "link": "https://x.test/c/abc", "phone": "+1 555 123 0199", "hours": "4 horas"}
	got, err := texts.SMS("es-MX", "link", vars, own)
	if err != nil || got != "Norte: entre a https://x.test/c/abc hoy" {
		t.Errorf("own words: %q, %v", got, err)
	}
	if got, err = texts.SMS("en", "link", vars, own); err != nil || !strings.HasPrefix(got, "Norte: send papers") {
		t.Errorf("the other language: %q, %v", got, err)
	}
	delete(vars, "link")
	if got, err = texts.SMS("en", "link", vars, nil); err == nil {
		t.Errorf("without a link: %q", got)
	}
	if _, err = texts.SMS("en", "lnk", vars, nil); err == nil {
		t.Error("an unknown message was given")
	}
}

func TestCheckTextSaysWhatToWrite(t *testing.T) {
	texts := loaded(t)
	for _, c := range []struct{ language, key, text, want string }{
		{"en", "link", "{office}: go to {link} now", ""},
		{"en", "voice", "This is {office}. Call {phone}.", ""},
		{"xx", "link", "{office}: go to {link} now", "language"},
		{"en", "lnk", "{office}: go to {link} now", "link-last"},
		{"en", "link", "{office}: go to {url} now", "{url}"},
		{"en", "link", "go to {link} now", "{office} is missing"},
		{"en", "link-last", "{office}: {link} now", "{phone} is missing"},
		{"en", "link", "{office}: go to {link}, now", "space"},
		{"en", "link", "{office}: go to\n {link} now", "one line"},
		{"en", "link", "{office}: { {link} now", "braces"},
		{"en", "link", "{office}: " + strings.Repeat("x", 500) + " {link} now", "at most"},
		{"en", "voice", "This is {office}. Go to {link} or call {phone}.", "{link}"},
	} {
		err := texts.CheckText(c.language, c.key, c.text)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s %q: %v", c.key, c.text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: got %v, want something about %q", c.key, c.text, err, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	texts := loaded(t)
	for _, c := range []struct {
		language string
		d        time.Duration
		want     string
	}{
		{"en", 4 * time.Hour, "4 hours"},
		{"en", time.Hour, "1 hour"},
		{"en", 119 * time.Minute, "1 hour"},
		{"en", 45 * time.Minute, "45 minutes"},
		{"es", 72 * time.Hour, "72 horas"},
		{"es", time.Minute, "1 minuto"},
	} {
		if got := texts.Span(c.language, c.d); got != c.want {
			t.Errorf("Span(%s, %v) = %q, want %q", c.language, c.d, got, c.want)
		}
	}
}

func TestDetect(t *testing.T) {
	texts := loaded(t)
	both := []string{"en", "es"}
	for words, want := range map[string]string{
		"Hola":                            "es",
		"NECESITO AYUDA con mis papeles":  "es",
		"en espanol por favor":            "es",
		"¿Dónde mando la carta?":          "es",
		"Hi, where do I send my papers?":  "en",
		"hello?":                          "en",
		"thanks!!":                        "en",
		"":                                "",
		"12345":                           "",
		"👍":                               "",
		"Kowalski":                        "",
		"hola hello":                      "",
		"xin chao toi can giup do":        "",
		"la casa is my casa, necesito la": "es",
	} {
		if got := texts.Detect(words, both); got != want {
			t.Errorf("Detect(%q) = %q, want %q", words, got, want)
		}
	}
	if got := texts.Detect("hola gracias", []string{"en"}); got != "" {
		t.Errorf("a language that the office does not write in: %q", got)
	}
	if got := texts.Detect("hola gracias", []string{"en", "es-MX"}); got != "es-MX" {
		t.Errorf("a regional tag: %q", got)
	}
}

func TestDetectKnowsLanguagesByNameAndScript(t *testing.T) {
	texts := loaded(t)
	all := []string{"en", "es", "vi", "zh-Hans", "tl", "ht", "ru", "ar"}
	for words, want := range map[string]string{
		"español": "es", "Espanol please": "es", "spanish": "es", "tiếng việt": "vi", "TIENG VIET": "vi", "Vietnamese": "vi",
		"中文": "zh-Hans", "你好": "zh-Hans", "Chinese": "zh-Hans", "tagalog po": "tl", "kreyòl": "ht", "Haitian creole": "ht",
		"русский": "ru", "Здравствуйте": "ru", "по-русски": "ru", "العربية": "ar", "مرحبا": "ar", "arabic": "ar",
		"no english": "", "spanish or chinese": "",
	} {
		if got := texts.Detect(words, all); got != want {
			t.Errorf("Detect(%q) = %q, want %q", words, got, want)
		}
	}
	if got := texts.Detect("chinese", []string{"en", "es"}); got == "zh-Hans" {
		t.Error("a language that the office does not write in")
	}
}

func FuzzDetect(f *testing.F) {
	texts, err := LoadTexts()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"hola", "no english", "中文 русский", "\xff\xfe", "🙂"} {
		f.Add(seed)
	}
	languages := []string{"en", "es", "ru", "ar"}
	f.Fuzz(func(t *testing.T, words string) {
		if got := texts.Detect(words, languages); got != "" && !slices.Contains(languages, got) {
			t.Errorf("Detect(%q) = %q", words, got)
		}
	})
}

func TestPhones(t *testing.T) {
	for _, c := range []struct{ e164, shown, spoken string }{
		{"+15551230199", "(555) 123-0199", "5 5 5, 1 2 3, 0 1 9 9"},
		{"+14165550142", "(416) 555-0142", "4 1 6, 5 5 5, 0 1 4 2"},
		{"+442079460958", "+44 20 7946 0958", "4 4, 2 0, 7 9 4 6, 0 9 5 8"},
	} {
		if got := FormatPhone(c.e164); got != c.shown {
			t.Errorf("FormatPhone(%s) = %q", c.e164, got)
		}
		if got := SpellPhone(c.e164); got != c.spoken {
			t.Errorf("SpellPhone(%s) = %q", c.e164, got)
		}
	}
}
