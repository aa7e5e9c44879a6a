package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropslot/config"
)

func TestSchemaIsCurrent(t *testing.T) {
	t.Chdir("..") // where go generate runs
	want, err := generate(".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), config.Schema()); diff != "" {
		t.Errorf("config/schema.json is old; run: go generate ./config\n%s", diff)
	}
}

func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	var schema struct {
		Definitions map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(config.Schema()), &schema); err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(config.Schema(), `"$ref": "#/$defs/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := schema.Definitions[name]; !ok {
			t.Errorf("$defs has no %s", name)
		}
	}
}

// An editor shows the description beside the key: a key without one has no manual.
func TestEveryKeyHasItsManual(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal([]byte(config.Schema()), &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(at string, node map[string]any)
	walk = func(at string, node map[string]any) {
		for key, value := range node {
			inner, ok := value.(map[string]any)
			if !ok {
				continue
			}
			if key != "properties" {
				walk(at+"/"+key, inner)
				continue
			}
			for name, property := range inner {
				p := property.(map[string]any)
				if p["description"] == nil {
					t.Errorf("%s/%s has no description", at, name)
				}
				walk(at+"/"+name, p)
			}
		}
	}
	walk("", schema)
}
