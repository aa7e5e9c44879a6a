package templates

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// northAmerica is the country code of the US, Canada and the islands that
// share their numbering plan.
const northAmerica = 1

// FormatPhone writes a number in E.164 form as people read it: one of North
// America as (555) 123-0199, every other as +44 20 7946 0958. Phones make both
// a number to tap, and a client meets the same form in texts and on pages.
// What is no number stays as it is.
func FormatPhone(e164 string) string {
	number, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	if number.GetCountryCode() == northAmerica {
		return phonenumbers.Format(number, phonenumbers.NATIONAL)
	}
	return strings.ReplaceAll(phonenumbers.Format(number, phonenumbers.INTERNATIONAL), "-", " ")
}

// SpellPhone writes a number so that a voice says it digit by digit with a
// pause between groups. The country code of the caller's own country, +1, is
// left out.
func SpellPhone(e164 string) string {
	groups := strings.FieldsFunc(FormatPhone(e164), func(r rune) bool { return !unicode.IsDigit(r) })
	for i, group := range groups {
		groups[i] = strings.Join(strings.Split(group, ""), " ")
	}
	return strings.Join(groups, ", ")
}
