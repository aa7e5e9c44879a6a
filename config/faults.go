package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong at one place of the configuration file.
// It never holds a secret: values are left out wherever one could stand.
type Fault struct {
	File    string // as the operator named it
	Line    int    // from 1
	Column  int    // from 1, in characters
	Wrong   string // what is wrong
	Instead string // what to write or do instead
}

func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s; %s", f.File, f.Line, f.Column, f.Wrong, f.Instead)
}

// Faults are all that is wrong with a configuration file, in the order of
// the file. Load returns them as its error.
type Faults []Fault

// Error gives one line for each fault.
func (f Faults) Error() string { return strings.Join(f.Lines(), "\n") }

// Lines gives each fault as `file:line:column: what is wrong; what to write instead`.
func (f Faults) Lines() []string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return lines
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Wrong, b.Wrong))
	})
}

// problem is a fault that does not know yet where it stands.
type problem struct{ wrong, instead string }

func (p *problem) Error() string { return p.wrong + "; " + p.instead }

func wrong(what, instead string) *problem { return &problem{wrong: what, instead: instead} }
