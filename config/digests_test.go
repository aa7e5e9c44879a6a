package config

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Comments and the order of keys say nothing; what was said is told by name.
func TestDigestsTellWhichKeysDiffer(t *testing.T) {
	digests := func(text string) map[string]string {
		t.Helper()
		d, root := parse("dropslot.yaml", []byte(text))
		if root == nil {
			t.Fatal(d.faults)
		}
		c := &Config{said: func() map[string]string { return saidIn(root) }}
		return c.Digests([]byte("key of the digests"))
	}
	const text = "limits: {page_size: 20MiB, link_pages: 40}\noffices: {north: {languages: [en, es], name: North}}\n"
	before := digests(text)
	if want := []string{"limits.link_pages", "limits.page_size", "offices.north.languages", "offices.north.name"}; !slices.Equal(slices.Sorted(maps.Keys(before)), want) {
		t.Errorf("keys %v", slices.Sorted(maps.Keys(before)))
	}
	if again := digests("# a comment\noffices: {north: {name: North, languages: [en, es]}}\nlimits:\n  link_pages: 40\n  page_size: 20MiB\n"); !maps.Equal(before, again) {
		t.Error("the order of keys counts")
	}
	changed := digests(strings.Replace(text, "[en, es]", "[es, en]", 1))
	for name, digest := range before {
		if (changed[name] != digest) != (name == "offices.north.languages") {
			t.Errorf("%s: %s and %s", name, digest, changed[name])
		}
		if strings.Contains(digest, "North") || len(digest) != 24 {
			t.Errorf("%s is %s", name, digest)
		}
	}
	if loop := digests("a: &a {b: *a}\n"); len(loop) != 1 || loop["a.b"] == "" {
		t.Errorf("a file that holds itself says %v", loop)
	}
	if len((&Config{}).Digests(nil)) != 0 {
		t.Error("no file says something")
	}
}
