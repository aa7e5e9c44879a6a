package config

import (
	_ "embed" // for the example and the schema
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
)

// Role is which part of Dropslot a process is.
type Role string

// The roles.
const (
	RoleIntake Role = "intake"
	RoleDesk   Role = "desk"
	RoleWorker Role = "worker"
	RoleAll    Role = "all"
)

// Roles are all roles, for messages and completion.
var Roles = []Role{RoleAll, RoleIntake, RoleDesk, RoleWorker}

// ParseRole reads a role as written on the command line.
func ParseRole(text string) (Role, error) {
	if role := Role(text); slices.Contains(Roles, role) {
		return role, nil
	}
	return "", fmt.Errorf("there is no role %q: write one of all, intake, desk and worker", text)
}

// OpensPages tells whether the role reads the offices' identities.
func (r Role) OpensPages() bool { return r == RoleDesk || r == RoleAll }

// TakesPages tells whether the role serves clients.
func (r Role) TakesPages() bool { return r == RoleIntake || r == RoleAll }

//go:embed example.yaml
var example string

//go:embed schema.json
var schema string

// Example is a whole configuration file with each key's manual.
func Example() string { return example }

// Schema is the JSON Schema of the file, for editors.
func Schema() string { return schema }

// Catalog tells Load what the catalogs of texts hold, which this package may
// not import. Its errors are shown to the operator.
type Catalog interface {
	// HasLanguage tells whether there are texts for a BCP 47 tag.
	HasLanguage(tag string) bool
	// IsDraft tells whether nobody who speaks the language has read them yet.
	IsDraft(tag string) bool
	// HasAsk tells whether there is a label for one of an office's asks.
	HasAsk(key string) bool
	// CheckText tells what is wrong with an office's own words for a text.
	CheckText(language, key, text string) error
}

// Option changes what Load checks.
type Option func(*validator)

// WithCatalog lets Load check languages, asks and own texts against the
// catalogs. The server and every command use it.
func WithCatalog(c Catalog) Option { return func(v *validator) { v.catalog = c } }

// WithOps lets the ops listener use another address than listen.ops: the
// processes on one machine share a file, and each needs an address of its own.
// An empty one changes nothing.
func WithOps(a Address) Option { return func(v *validator) { v.ops = a } }

// The configuration file is small; more than this is another file.
const maxFileBytes = 1 << 20

// Load reads and checks the file for a role, resolves the secrets that the
// role needs, fills in defaults and makes paths absolute. Its error is Faults
// with everything that is wrong, or what kept the file from being read.
func Load(file string, role Role, options ...Option) (*Config, error) {
	content, err := readBounded(file, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return loadContent(file, content, role, options...)
}

func loadContent(file string, content []byte, role Role, options ...Option) (*Config, error) {
	d, root := parse(file, content)
	if root == nil {
		return nil, d.faults
	}
	c := &Config{}
	d.decode(root, nil, reflect.ValueOf(c).Elem())
	said := saidIn(root)
	c.said = func() map[string]string { return said }
	v := &validator{document: d, config: c, role: role}
	for _, option := range options {
		option(v)
	}
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("find the folder of the configuration: %w", err)
	}
	c.fillDefaults()
	if v.ops != "" {
		c.Listen.Ops = v.ops
	}
	c.makeAbsolute(folder)
	v.validate()
	if len(d.faults) > 0 {
		d.faults.sort()
		return nil, d.faults
	}
	c.Warnings = v.warnings
	c.Warnings.sort()
	return c, nil
}

// readBounded reads a regular file that may not be larger than the limit.
func readBounded(file string, limit int64) ([]byte, error) {
	info, err := os.Stat(file) // before opening: a named pipe would wait there for ever
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New(file + " is no file")
	case info.Size() > limit:
		return nil, fmt.Errorf("%s is larger than %d bytes", file, limit)
	}
	f, err := os.Open(file) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit))
}
