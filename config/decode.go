package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The library turns text into nodes; the walk from nodes to the tree is here,
// because every fault must say at its own place what to write instead, and
// none may repeat a value that could be a secret.

// scalarReader is a value with a text form of its own.
type scalarReader interface{ readScalar(text string) *problem }

// nodeReader is a value that is written in several ways.
type nodeReader interface {
	readNode(d *document, n *yaml.Node, at path)
}

// decode fills out, which must be settable, from the node.
func (d *document) decode(n *yaml.Node, at path, out reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if out.Kind() == reflect.Pointer {
		out.Set(reflect.New(out.Type().Elem()))
		out = out.Elem()
	}
	switch reader := out.Addr().Interface().(type) {
	case nodeReader:
		reader.readNode(d, n, at)
		return
	case scalarReader:
		if text, ok := d.scalar(n, at); ok {
			if p := reader.readScalar(text); p != nil {
				d.fault(n, p)
			}
		}
		return
	}
	switch out.Kind() {
	case reflect.Struct:
		d.decodeStruct(n, at, out)
	case reflect.Map:
		d.decodeMap(n, at, out)
	case reflect.Slice:
		d.decodeList(n, at, out)
	default:
		d.decodePlain(n, at, out)
	}
}

func (d *document) decodeStruct(n *yaml.Node, at path, out reflect.Value) {
	fields := fieldsOf(out.Type())
	seen := map[string]bool{}
	ok := d.eachKey(n, at, func(key, value *yaml.Node) {
		i, known := fields[key.Value]
		if !known {
			d.fault(key, unknownKey(key.Value, sortedKeys(fields)))
			return
		}
		seen[key.Value] = true
		inner := at.to(key.Value)
		d.note(inner, key, value)
		d.decode(value, inner, out.Field(i))
	})
	for i := 0; ok && i < out.NumField(); i++ {
		field := out.Type().Field(i)
		name := field.Tag.Get("yaml")
		if seen[name] || !slices.Contains(strings.Split(field.Tag.Get("jsonschema"), ","), "required") {
			continue
		}
		d.add(d.keyAt(at), wrong("the key "+name+" is missing", "write "+name+": "+field.Tag.Get("write")))
	}
}

func (d *document) decodeMap(n *yaml.Node, at path, out reflect.Value) {
	out.Set(reflect.MakeMap(out.Type()))
	d.eachKey(n, at, func(key, value *yaml.Node) {
		inner := at.to(key.Value)
		d.note(inner, key, value)
		name := reflect.New(out.Type().Key()).Elem()
		if reader, ok := name.Addr().Interface().(scalarReader); ok {
			if p := reader.readScalar(key.Value); p != nil {
				d.fault(key, p)
			}
		}
		name.SetString(key.Value)
		element := reflect.New(out.Type().Elem()).Elem()
		d.decode(value, inner, element)
		out.SetMapIndex(name, element)
	})
}

func (d *document) decodeList(n *yaml.Node, at path, out reflect.Value) {
	if n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, wrong(at.last()+" must be a list", "write "+at.last()+": [ ... ]"))
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, entry := range n.Content {
		inner := at.to(strconv.Itoa(i))
		d.note(inner, nil, entry)
		d.decode(entry, inner, out.Index(i))
	}
}

// decodePlain reads text, whole numbers and true or false.
func (d *document) decodePlain(n *yaml.Node, at path, out reflect.Value) {
	text, ok := d.scalar(n, at)
	if !ok {
		return
	}
	switch out.Kind() {
	case reflect.String:
		if n.ShortTag() != "!!str" {
			d.fault(n, wrong(at.last()+" must be text", "put the value in quotes"))
			return
		}
		out.SetString(text)
	case reflect.Int:
		number, err := strconv.ParseInt(text, 10, 32)
		if n.ShortTag() != "!!int" || err != nil {
			d.fault(n, wrong(at.last()+" must be a whole number", "write digits only, without quotes"))
			return
		}
		out.SetInt(number)
	case reflect.Bool:
		if n.ShortTag() != "!!bool" {
			d.fault(n, wrong(at.last()+" must be true or false", "write true or false, without quotes"))
			return
		}
		out.SetBool(strings.EqualFold(text, "true"))
	default:
		panic("config: no way to read a " + out.Kind().String())
	}
}

// scalar gives the text of a single value; anything else is a fault.
func (d *document) scalar(n *yaml.Node, at path) (string, bool) {
	switch {
	case n.ShortTag() == "!!null":
		d.unread[position{n.Line, n.Column}] = true
		d.add(d.keyAt(at), wrong(at.last()+" has no value", "write one, or take the line out"))
	case n.Kind != yaml.ScalarNode:
		d.fault(n, wrong(at.last()+" must be a single value", "write it without brackets, braces or lines below it"))
	default:
		return n.Value, true
	}
	return "", false
}

// eachKey calls visit for each first key of a mapping; a key that comes again
// is a fault, since one of the two would be lost without a word. It tells
// whether there was a mapping; an empty value is one without keys.
func (d *document) eachKey(n *yaml.Node, at path, visit func(key, value *yaml.Node)) bool {
	if n.ShortTag() == "!!null" {
		return true
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, wrong(at.last()+" must hold keys of its own", "write key: value lines below it, or {key: value}"))
		return false
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.fault(key, wrong("a key must be a single word", "write key: value"))
			continue
		}
		if line, again := first[key.Value]; again {
			d.fault(key, wrong(fmt.Sprintf("%s stands here a second time, after line %d", shown(key.Value), line),
				"keep one of the two"))
			continue
		}
		first[key.Value] = key.Line
		visit(key, value)
	}
	return true
}

// fieldsOf gives the index of each key's field.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			fields[name] = i
		}
	}
	return fields
}

func (d *document) secretSource(n *yaml.Node, at path) (secretSource, bool) {
	var source secretSource
	before := len(d.faults)
	d.decode(n, at, reflect.ValueOf(&source).Elem())
	if len(d.faults) > before {
		return source, false
	}
	switch {
	case (source.File == "") == (source.Env == ""):
		d.fault(n, wrong("a secret has exactly one source", "write {file: PATH} or {env: NAME}"))
		return source, false
	case source.Env != "" && !variablePattern.MatchString(source.Env):
		d.fault(n, wrong("this is no name of a variable", "write letters, digits and underscores, like TWILIO_AUTH_TOKEN"))
		return source, false
	}
	return source, true
}

// shown bounds what a message repeats of the file.
func shown(text string) string {
	if len([]rune(text)) > 40 {
		text = string([]rune(text)[:40]) + "..."
	}
	return strconv.Quote(text)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
