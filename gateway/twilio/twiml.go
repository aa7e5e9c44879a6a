package twilio

import (
	"bytes"
	"encoding/xml"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"dropslot/gateway"
)

// MaxBody is the longest text Twilio takes, in UTF-16 units.
const MaxBody = 1600

// maxTwiML is the longest answer Twilio reads, in bytes.
const maxTwiML = 64 << 10

const (
	twimlBegin = xml.Header + "<Response>"
	twimlEnd   = "</Response>"
)

// silence is the answer that sends nothing.
const silence = xml.Header + "<Response/>"

// Reply is the TwiML that answers a message with one text; an empty body is
// silence. Twilio posts the text's status to action, a path of ours or a URL.
// What is above Twilio's limit is cut off, as Twilio would send none of it.
func (c *Channel) Reply(body, action string) []byte {
	body = cut(body, MaxBody)
	if body == "" {
		return []byte(silence)
	}
	var out bytes.Buffer
	out.Grow(len(twimlBegin) + len(body) + len(action) + 96)
	out.WriteString(twimlBegin + "<Message")
	if action != "" {
		out.WriteString(` action="`)
		escape(&out, action)
		out.WriteString(`" method="POST"`)
	}
	out.WriteString(">")
	escape(&out, body)
	out.WriteString("</Message>" + twimlEnd)
	return out.Bytes()
}

// Say is the TwiML of what a caller hears. Speeches that would make the
// answer longer than Twilio reads are left out.
func (c *Channel) Say(speeches []gateway.Speech) []byte {
	var out bytes.Buffer
	out.WriteString(twimlBegin)
	for _, s := range speeches {
		var one bytes.Buffer
		one.WriteString(`<Say language="`)
		escape(&one, spoken(s.Language))
		one.WriteString(`">`)
		escape(&one, s.Words)
		one.WriteString("</Say>")
		if out.Len()+one.Len()+len(twimlEnd) > maxTwiML {
			break
		}
		out.Write(one.Bytes())
	}
	out.WriteString(twimlEnd)
	return out.Bytes()
}

// escape writes text as XML. What XML cannot hold becomes U+FFFD.
func escape(out *bytes.Buffer, text string) {
	_ = xml.EscapeText(out, []byte(text)) // a bytes.Buffer never fails
}

// cut shortens text to at most so many UTF-16 units, between characters.
func cut(text string, units int) string {
	if len(text) <= units {
		return text // no character has more units than bytes
	}
	for i, r := range text {
		if units -= max(utf16.RuneLen(r), 1); units < 0 {
			return text[:i]
		}
	}
	return text
}

// spokenLanguages are the locales of Twilio's text to speech for languages
// that the configuration names without a country.
var spokenLanguages = map[string]string{
	"ar": "arb", "ca": "ca-ES", "da": "da-DK", "de": "de-DE", "en": "en-US", "es": "es-MX", "fi": "fi-FI",
	"fr": "fr-FR", "hi": "hi-IN", "it": "it-IT", "ja": "ja-JP", "ko": "ko-KR", "nb": "nb-NO", "nl": "nl-NL",
	"pl": "pl-PL", "pt": "pt-BR", "ru": "ru-RU", "sv": "sv-SE", "uk": "uk-UA", "vi": "vi-VN", "zh": "zh-CN",
}

// spoken gives the locale of a voice for a BCP 47 tag.
func spoken(tag string) string {
	if locale, ok := spokenLanguages[tag]; ok {
		return locale
	}
	language, rest, _ := strings.Cut(tag, "-")
	if locale, ok := spokenLanguages[language]; ok && utf8.RuneCountInString(rest) != 2 {
		return locale // zh-Hans and the like: a script is no country
	}
	return tag
}
