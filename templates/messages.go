package templates

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// messageRule tells which placeholders a message must and may have.
type messageRule struct {
	must, may []string
	// counted messages have a text for each plural category of the language
	// (CLDR: zero, one, two, few, many, other), as keys below the message.
	counted bool
}

// The messages by the occasion on which Dropslot writes, and what is said to
// a caller. A carrier wants to know who writes, so each names the office.
var messageRules = map[string]messageRule{
	"link":                 {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"link-last":            {must: []string{"office", "link", "phone"}, may: []string{"hours"}},
	"photo-not-kept":       {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"photo-not-kept-last":  {must: []string{"office", "link", "phone"}, may: []string{"hours"}},
	"greeting":             {must: []string{"office", "link", "choices"}, may: []string{"phone", "hours"}},
	"photos-arriving":      {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"photos-arriving-last": {must: []string{"office", "link", "phone"}, may: []string{"hours"}},
	"photos-saved":         {must: []string{"office"}, may: []string{"count", "phone"}, counted: true},
	"photos-partly":        {must: []string{"office", "link"}, may: []string{"count", "phone", "hours"}, counted: true},
	"receipt":              {must: []string{"office", "reference"}, may: []string{"count", "phone"}, counted: true},
	"reminder":             {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"again":                {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"remind-me":            {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"request":              {must: []string{"office", "link"}, may: []string{"phone", "hours"}},
	"voice":                {must: []string{"office", "phone"}},
}

// MessageKeys lists the messages in the order in which a person reads them.
func MessageKeys() []string {
	return []string{
		"greeting", "link", "link-last", "photos-arriving", "photos-arriving-last", "photos-saved", "photos-partly",
		"photo-not-kept", "photo-not-kept-last", "request", "receipt", "reminder", "again", "remind-me", "voice",
	}
}

// Spoken is the message that is said, not texted.
const Spoken = "voice"

// dotted gives the place of a message in the catalogs.
func dotted(key string) string {
	if key == Spoken {
		return "voice.greeting"
	}
	return "sms." + key
}

// checkMessage checks the catalog's text of a dotted key if it is a message.
func checkMessage(place, text string) error {
	for key, rule := range messageRules {
		whole := dotted(key)
		if rule.counted {
			category, below := strings.CutPrefix(place, whole+".")
			if below && slices.Contains(slices.Collect(maps.Values(categories)), category) {
				return checkRule(key, text)
			}
			continue
		}
		if whole == place {
			return checkRule(key, text)
		}
	}
	if strings.HasPrefix(place, "sms.") || strings.HasPrefix(place, "voice.") {
		return errors.New("there is no such message")
	}
	return nil
}

// An office's own text is a text, not a letter; Twilio refuses above 1,600.
const maxMessageRunes = 480

// CheckText tells what is wrong with an office's own words for a message, in
// words for the operator.
func (t *Texts) CheckText(language, key, text string) error {
	if !t.HasLanguage(language) {
		return errors.New("write in a language that there are texts in")
	}
	if _, known := messageRules[key]; !known {
		return errors.New("write one of: " + strings.Join(MessageKeys(), ", "))
	}
	return checkRule(key, text)
}

func checkRule(key, text string) error {
	rule := messageRules[key]
	allowed := "{" + strings.Join(slices.Concat(rule.must, rule.may), "}, {") + "}"
	names, err := placeholdersOf(text)
	if err != nil {
		return fmt.Errorf("%w: braces are for %s", err, allowed)
	}
	for _, name := range names {
		if !slices.Contains(rule.must, name) && !slices.Contains(rule.may, name) {
			return fmt.Errorf("{%s} is unknown here: write %s", name, allowed)
		}
	}
	for _, name := range rule.must {
		if !slices.Contains(names, name) {
			return fmt.Errorf("{%s} is missing: the text needs it", name)
		}
	}
	switch {
	case text != strings.TrimSpace(text) || strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("write it on one line, without spaces around it")
	case len([]rune(text)) > maxMessageRunes:
		return fmt.Errorf("write at most %d characters", maxMessageRunes)
	case slices.Contains(names, "link"):
		return checkLink(text)
	}
	return nil
}

// checkLink wants the link once, inside the text and between spaces: phones
// take punctuation that touches a link for a part of it, and previews hide a
// link that stands at the end.
func checkLink(text string) error {
	if strings.Count(text, "{link}") != 1 || strings.Count(text, " {link} ") != 1 {
		return errors.New("write {link} once, with words before and after it and a space on both sides")
	}
	return nil
}

// SMS gives a message (see MessageKeys) filled for one client. overrides are
// the office's own words by language and message; they win over the catalog.
// It is an error if a placeholder of the message has no value.
func (t *Texts) SMS(language, key string, vars Vars, overrides map[string]map[string]string) (string, error) {
	if _, known := messageRules[key]; !known {
		return "", fmt.Errorf("there is no message %q", key)
	}
	text, ok := "", false
	for tag := language; tag != "" && !ok; tag = parent(tag) {
		text, ok = overrides[tag][key]
	}
	if !ok {
		text, ok = t.message(language, key, vars)
	}
	if !ok {
		return "", fmt.Errorf("no catalog has the message %q", key)
	}
	names, err := t.checkedNames(key, text)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if vars[name] == "" {
			return "", fmt.Errorf("message %q: {%s} has no value", key, name)
		}
	}
	return fill(text, vars), nil
}

// checkedNames checks a message's text and gives its placeholders. Each text is
// checked once: the webhook says the same few again and again.
func (t *Texts) checkedNames(key, text string) ([]string, error) {
	type place struct{ key, text string }
	if names, ok := t.checked.Load(place{key, text}); ok {
		return names.([]string), nil
	}
	if err := checkRule(key, text); err != nil {
		return nil, fmt.Errorf("message %q: %w", key, err)
	}
	names, err := placeholdersOf(text)
	if err != nil {
		return nil, err
	}
	t.checked.Store(place{key, text}, names)
	return names, nil
}

// categories are the names of CLDR's plural categories.
var categories = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

// message finds the catalog's text of a message; of a counted one that of the
// count's category.
func (t *Texts) message(tag, key string, vars Vars) (string, bool) {
	if !messageRules[key].counted {
		return t.find(tag, dotted(key))
	}
	n, err := strconv.Atoi(vars["count"])
	if err != nil {
		return "", false
	}
	if _, has := t.catalogs[tag]; !has {
		tag = English // the count's category must be that of the words
	}
	form := plural.Cardinal.MatchPlural(language.Make(tag), n, 0, 0, 0, 0)
	if text, ok := t.find(tag, dotted(key)+"."+categories[form]); ok {
		return text, true
	}
	return t.find(tag, dotted(key)+".other")
}

// choices offers the further languages of an office to somebody whose language
// nothing tells, each in its own words with the digit to answer with.
func (t *Texts) choices(first string, languages []string) string {
	var offers []string
	for i, tag := range languages {
		if tag != first {
			offers = append(offers, t.Say(tag, "choice.language", Vars{"n": strconv.Itoa(i + 1)}))
		}
	}
	return strings.Join(offers, " ")
}

// Filling is what a message is filled with.
type Filling struct {
	Office string
	Phone  string        // the office's, in E.164 form
	Link   string        // empty for what is said
	TTL    time.Duration // how long the link works

	Languages []string // of the office, for the greeting
	Count     int      // of pages or pictures
	Reference string   // of the submission
}

// Vars makes the values of a message's placeholders in a language.
func (t *Texts) Vars(language, key string, f Filling) Vars {
	phone := t.officePhone(f.Phone)
	if key == Spoken {
		phone = SpellPhone(f.Phone)
	}
	vars := Vars{"office": f.Office, "phone": phone, "link": f.Link, "hours": t.Span(language, f.TTL),
		"count": strconv.Itoa(f.Count), "reference": f.Reference}
	if slices.Contains(messageRules[key].must, "choices") {
		vars["choices"] = t.choices(language, f.Languages)
	}
	return vars
}

// officePhone remembers what it formatted: that takes longer than all else that
// an answer says. No client's number may come here, for none is forgotten.
func (t *Texts) officePhone(e164 string) string {
	if known, ok := t.phones.Load(e164); ok {
		return known.(string)
	}
	phone := FormatPhone(e164)
	t.phones.Store(e164, phone)
	return phone
}

// Span says a length of time in whole hours, or in minutes below one hour,
// never more than there is.
func (t *Texts) Span(language string, d time.Duration) string {
	n, key := int(d/time.Hour), "hour"
	if n < 1 {
		n, key = int(d/time.Minute), "minute"
	}
	if n != 1 {
		key += "s"
	}
	return t.Say(language, "time."+key, Vars{"n": strconv.Itoa(n)})
}
