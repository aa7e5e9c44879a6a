package gateway

import (
	"log/slog"
	"regexp"
)

// E.164: a plus sign and at most 15 digits, the first not 0.
var phonePattern = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

const redactedPhone = "[phone]"

// Phone is a person's telephone number. It prints redacted everywhere; only
// E164 gives the number, and only code that dials or seals it calls that.
type Phone struct{ e164 string }

// ParsePhone reads a number in E.164 form.
func ParsePhone(text string) (Phone, error) {
	if !phonePattern.MatchString(text) {
		return Phone{}, NewError(CodeBadPhone, nil)
	}
	return Phone{e164: text}, nil
}

// E164 gives the number in clear.
func (p Phone) E164() string { return p.e164 }

// IsZero tells whether there is no number.
func (p Phone) IsZero() bool { return p.e164 == "" }

// LastFour gives the last four digits, which is all a list shows of a number.
func (p Phone) LastFour() string {
	if len(p.e164) < 4 {
		return ""
	}
	return p.e164[len(p.e164)-4:]
}

func (Phone) String() string               { return redactedPhone }
func (Phone) GoString() string             { return redactedPhone }
func (Phone) LogValue() slog.Value         { return slog.StringValue(redactedPhone) }
func (Phone) MarshalText() ([]byte, error) { return []byte(redactedPhone), nil }

// Number is one of the offices' own Twilio numbers, in E.164 form. It is
// public: it stands on posters.
type Number string

// SealedPhone is a Phone encrypted under a subkey of the link key.
type SealedPhone []byte

// PhoneIndex stands for one phone at one office wherever something must be
// found again by it: a keyed hash, different at each office. The zero value
// means that the sender is no phone (a short code, a channel).
type PhoneIndex [16]byte

// IsZero tells whether the index stands for no phone.
func (x PhoneIndex) IsZero() bool { return x == PhoneIndex{} }
