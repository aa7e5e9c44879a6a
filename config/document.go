package config

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// path leads from the root of the file to one key or list entry.
type path []string

// to gives the path of something inside.
func (p path) to(keys ...string) path { return slices.Concat(p, keys) }

func (p path) key() string { return strings.Join(p, "\x00") }

// last is the innermost key, as the operator wrote it.
func (p path) last() string {
	if len(p) == 0 {
		return "the file"
	}
	return p[len(p)-1]
}

type position struct{ line, column int }

// document is one YAML file: where each key and each value stands, and what
// is wrong so far.
type document struct {
	file   string
	values map[string]position
	keys   map[string]position
	faults Faults
	// The values that could not be read: what they mean is not checked too.
	unread map[position]bool
}

// parse reads YAML into nodes. A syntax error is the one fault that hides the
// others, because nothing behind it can be read.
func parse(file string, content []byte) (*document, *yaml.Node) {
	d := &document{file: file, values: map[string]position{}, keys: map[string]position{}, unread: map[position]bool{}}
	var root yaml.Node
	if err := yaml.Load(content, &root, yaml.WithUniqueKeys(false)); err != nil {
		d.syntax(err)
		return d, nil
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		return d, root.Content[0]
	}
	return d, &root
}

func (d *document) syntax(err error) {
	at, what := position{1, 1}, err.Error()
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		what = e.Message
		if e.Mark.Line > 0 {
			at = position{e.Mark.Line, max(e.Mark.Column, 1)}
		}
	}
	d.add(at, wrong("this is no YAML ("+what+")", "check the indentation, quotes and brackets here and in the line above"))
}

func (d *document) add(at position, p *problem) {
	d.faults = append(d.faults, d.made(at, p))
}

func (d *document) made(at position, p *problem) Fault {
	return Fault{File: d.file, Line: at.line, Column: at.column, Wrong: p.wrong, Instead: p.instead}
}

func (d *document) fault(n *yaml.Node, p *problem) {
	at := position{n.Line, n.Column}
	d.unread[at] = true
	d.add(at, p)
}

// note remembers where a value stands. An empty value has no place of its
// own worth showing; its key then stands for it.
func (d *document) note(at path, key, value *yaml.Node) {
	if key != nil {
		d.keys[at.key()] = position{key.Line, key.Column}
	}
	d.values[at.key()] = position{value.Line, value.Column}
}

// at gives where a value stands, or the nearest thing around it.
func (d *document) at(p path) position {
	for ; len(p) > 0; p = p[:len(p)-1] {
		if found, ok := d.values[p.key()]; ok {
			return found
		}
	}
	return position{1, 1}
}

// keyAt gives where a key stands, or its value, or the nearest thing around it.
func (d *document) keyAt(p path) position {
	if found, ok := d.keys[p.key()]; ok {
		return found
	}
	if len(p) > 0 {
		if _, ok := d.values[p.key()]; !ok {
			return d.keyAt(p[:len(p)-1])
		}
	}
	return d.at(p)
}

// has tells whether the file says anything at the path.
func (d *document) has(p path) bool {
	_, ok := d.values[p.key()]
	return ok
}
