package gateway

import (
	"log/slog"
	"strings"
	"unicode"
)

// Name says whom papers are for: people share phones. Both parts are optional.
// It rests sealed to the office, its parts on two lines, and prints redacted.
type Name struct{ First, Last string }

// nameRunes bounds each part of a name.
const nameRunes = 80

// clean keeps what a name can hold and bounds it.
func (n Name) clean() Name { return Name{First: cleanName(n.First), Last: cleanName(n.Last)} }

// Whole is the name as people say it; empty if none was given.
func (n Name) Whole() string { return strings.TrimSpace(n.First + " " + n.Last) }

func (Name) String() string       { return "[name]" }
func (Name) GoString() string     { return "[name]" }
func (Name) LogValue() slog.Value { return slog.StringValue("[name]") }

// seal gives the sealed name; nil if none was given.
func (n Name) seal(s Sealer, office OfficeID) ([]byte, error) {
	if n = n.clean(); n.Whole() == "" {
		return nil, nil
	}
	return sealBytes(s, office, []byte(n.First+"\n"+n.Last))
}

// parseName reads what was sealed. A name on one line is one that was given whole.
func parseName(plain []byte) Name {
	first, last, _ := strings.Cut(string(plain), "\n")
	return Name{First: first, Last: last}
}

// cleanName keeps what a part of a name can hold and bounds it.
func cleanName(name string) string {
	var out strings.Builder
	count := 0
	for _, r := range strings.Join(strings.Fields(name), " ") {
		if !unicode.IsGraphic(r) || count == nameRunes {
			continue
		}
		out.WriteRune(r)
		count++
	}
	return out.String()
}
