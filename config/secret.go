package config

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"

	"go.yaml.in/yaml/v4"
)

const redacted = "[secret]"

// Secret is a value that the file names but does not hold: {file: PATH} or
// {env: NAME}. It prints as [secret] in every format; only Reveal gives it.
// Load resolves the secrets that its role needs and leaves the others unset.
type Secret struct {
	file, env string
	// The value hides in a closure: a printer that walks values by reflection
	// skips the methods below when the secret lies in an unexported field,
	// and of a function it can show nothing but the address.
	reveal func() string
}

// NewSecret makes a set secret, for a configuration that no file describes.
func NewSecret(value string) Secret { return Secret{reveal: func() string { return value }} }

// Reveal gives the value in clear; empty if the role does not need it.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsSet tells whether Load resolved the secret.
func (s Secret) IsSet() bool { return s.reveal != nil }

// Source tells where the value comes from, for messages to the operator.
func (s Secret) Source() string {
	switch {
	case s.file != "":
		return "file " + s.file
	case s.env != "":
		return "variable " + s.env
	}
	return "configuration"
}

// named tells whether the file says anything of this secret.
func (s Secret) named() bool { return s.file != "" || s.env != "" || s.reveal != nil }

// Format prints [secret] for every verb and flag.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Secret) MarshalYAML() (any, error)    { return redacted, nil }

// SecretURL is an address that may hold a password: written plainly, or as
// {file: PATH} or {env: NAME}. It prints like a Secret.
type SecretURL struct{ Secret }

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secretSource is how a secret is written in the file.
type secretSource struct {
	// A file that holds the secret and nothing else, readable by its owner
	// (chmod 600) or by its group too (chmod 640), never by others. A line
	// break at its end does not count.
	File string `yaml:"file"`
	// The name of an environment variable that holds the secret.
	Env string `yaml:"env"`
}

func (s *Secret) readNode(d *document, n *yaml.Node, at path) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, wrong("a secret may not stand in this file", "write {file: PATH} or {env: NAME}"))
		return
	}
	source, ok := d.secretSource(n, at)
	if ok {
		*s = Secret{file: source.File, env: source.Env}
	}
}

func (s *SecretURL) readNode(d *document, n *yaml.Node, at path) {
	if n.Kind != yaml.ScalarNode {
		s.Secret.readNode(d, n, at)
		return
	}
	if n.Value == "" || n.ShortTag() == "!!null" {
		d.fault(n, wrong("the address is empty", "write an address, {file: PATH} or {env: NAME}"))
		return
	}
	s.Secret = NewSecret(n.Value)
}
