package templates

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// FormatPhone writes a number in E.164 form in groups, like +1 555 123 0199:
// every phone makes that a number to tap. What is no number stays as it is.
func FormatPhone(e164 string) string {
	number, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	return strings.ReplaceAll(phonenumbers.Format(number, phonenumbers.INTERNATIONAL), "-", " ")
}

// SpellPhone writes a number so that a voice says it digit by digit with a
// pause between groups. The country code of the caller's own country, +1, is
// left out.
func SpellPhone(e164 string) string {
	groups := strings.Fields(strings.TrimPrefix(FormatPhone(e164), "+"))
	if len(groups) > 1 && groups[0] == "1" {
		groups = groups[1:]
	}
	for i, group := range groups {
		groups[i] = strings.Join(strings.Split(group, ""), " ")
	}
	return strings.Join(groups, ", ")
}
