package twilio

import (
	"fmt"
	"io"
	"log/slog"
)

const redactedToken = "[auth token]" // #nosec G101 -- what is printed instead of one

// AuthToken is the secret of a Twilio account: it signs webhooks and opens the
// REST API. It prints redacted under every verb.
type AuthToken struct{ secret string }

// NewAuthToken takes the token in clear.
func NewAuthToken(secret string) AuthToken { return AuthToken{secret: secret} }

func (AuthToken) String() string { return redactedToken }

// GoString covers %#v.
func (AuthToken) GoString() string { return redactedToken }

// LogValue covers slog.
func (AuthToken) LogValue() slog.Value { return slog.StringValue(redactedToken) }

// MarshalText covers JSON and YAML.
func (AuthToken) MarshalText() ([]byte, error) { return []byte(redactedToken), nil }

// Format covers the verbs that String does not, such as %d.
func (AuthToken) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redactedToken) }
