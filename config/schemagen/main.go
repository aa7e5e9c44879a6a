// Command schemagen writes config/schema.json, the JSON Schema that editors
// check a configuration file with. It runs by go generate in config.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"dropslot/config"
)

func main() {
	content, err := generate(".")
	if err == nil {
		err = os.WriteFile("schema.json", content, 0o644) // #nosec G306 -- public
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

// generate makes the schema from the tree and the comments of the Go files in
// the folder of package config.
func generate(folder string) ([]byte, error) {
	r := &jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		Anonymous:                  true,
		ExpandedStruct:             true,
		Mapper:                     customType,
	}
	if err := r.AddGoComments("dropslot/config", folder, jsonschema.WithFullComment()); err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	for name, comment := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(comment), " ")
	}
	schema := r.Reflect(&config.Config{})
	// The map of numbers is described by hand, so what it holds is added.
	number := r.Reflect(&config.Number{})
	for name, definition := range number.Definitions {
		schema.Definitions[name] = definition
	}
	number.Version, number.Definitions = "", nil
	schema.Definitions["Number"] = number
	schema.Title = "Dropslot configuration"
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return out.Bytes(), nil
}

// text makes the schema of a value with a text form.
func text(pattern, description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Description: description}
}

// secret makes the schema of {file: PATH} or {env: NAME}.
func secret() *jsonschema.Schema {
	source := func(key, pattern, description string) *jsonschema.Schema {
		properties := jsonschema.NewProperties()
		properties.Set(key, text(pattern, description))
		return &jsonschema.Schema{
			Type: "object", Properties: properties, Required: []string{key},
			AdditionalProperties: jsonschema.FalseSchema,
		}
	}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		source("file", "", "A file that holds the secret and nothing else, readable by its owner alone (chmod 600)."),
		source("env", "^[A-Za-z_][A-Za-z0-9_]*$", "The name of an environment variable that holds the secret."),
	}}
}

const e164 = `^\+[1-9][0-9]{6,14}$`

// customType gives the schemas of the types that are written in a form of
// their own; nil leaves the type to the reflector.
func customType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[config.Secret]():
		return secret()
	case reflect.TypeFor[config.SecretURL]():
		return &jsonschema.Schema{OneOf: append([]*jsonschema.Schema{
			text("", "The address itself, if it holds no password."),
		}, secret().OneOf...)}
	case reflect.TypeFor[config.Duration]():
		return text("^([0-9]+[dhms])+$", "A length of time, like 90d, 4h, 15m or 30s.")
	case reflect.TypeFor[config.Size]():
		return text("^[0-9]+ ?(KiB|MiB|GiB|kB|MB|GB)$", "A size, like 20MiB.")
	case reflect.TypeFor[config.Dollars]():
		return &jsonschema.Schema{Type: "number", Description: "An amount of US dollars, like 25 or 0.0113."}
	case reflect.TypeFor[config.Date]():
		return text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "A day, like 2026-01-31.")
	case reflect.TypeFor[config.Switch]():
		return text("^(on|off)$", "on or off")
	case reflect.TypeFor[config.E164]():
		return text(e164, "A telephone number in E.164 form, in quotes.")
	case reflect.TypeFor[config.Network]():
		return text("", "A network address, like 10.0.0.7, or a range, like 10.0.0.0/8.")
	case reflect.TypeFor[config.Address]():
		return text(":[0-9]+$", "An address to listen on, like \"127.0.0.1:8081\" or \":8080\".")
	case reflect.TypeFor[map[config.E164]*config.Number]():
		return &jsonschema.Schema{
			Type:                 "object",
			PatternProperties:    map[string]*jsonschema.Schema{e164: {Ref: "#/$defs/Number"}},
			AdditionalProperties: jsonschema.FalseSchema,
		}
	}
	return nil
}
