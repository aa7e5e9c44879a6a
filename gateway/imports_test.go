package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "dropslot"

// The table of arrows: which rooms of ours the packages of a room may import.
// A room is the longest of these names that a package's path begins with, and
// every package may import its own room.
var arrows = map[string][]string{
	"gateway":          {},
	"config":           {},
	"templates":        {},
	"linkstore":        {"gateway"},
	"gateway/seal":     {"gateway"},
	"gateway/vault":    {"gateway"},
	"gateway/records":  {"gateway"},
	"gateway/jobs":     {"gateway"},
	"gateway/notify":   {"gateway"},
	"gateway/twilio":   {"gateway"},
	"gateway/paper":    {"gateway"},
	"gateway/scan":     {"gateway"},
	"gateway/sftp":     {"gateway"},
	"gateway/passkeys": {"gateway"},
	"gateway/sso":      {"gateway"},
	"gateway/web":      {"gateway", "templates"},
	"cmd": {
		"gateway", "config", "templates", "linkstore", "gateway/seal", "gateway/vault",
		"gateway/records", "gateway/jobs", "gateway/notify", "gateway/paper", "gateway/scan", "gateway/sftp", "gateway/twilio", "gateway/web", "gateway/passkeys", "gateway/sso",
	},
}

// What a room must not reach for itself, standard library and others alike.
var refused = map[string][]string{
	"gateway/seal": {"os", "net"},
}

// twilio-go stands behind one door. The benchmark measures its validator as
// the floor that our own is compared to.
const twilioLibrary = "github.com/twilio/twilio-go"

var mayImportTwilio = []string{"gateway/twilio", "cmd/bench"}

// listed is what `go list -json` tells of a package, as far as it is read here.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	DepOnly      bool
	Standard     bool
}

// name is the package's path inside the module; the module's root is "".
func (p listed) name() string { return inside(p.ImportPath) }

func inside(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

func ours(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

func thirdParty(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !ours(importPath) && strings.Contains(first, ".")
}

// within tells whether a path is a folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func roomOf(name string) string {
	room := ""
	for candidate := range arrows {
		if within(name, candidate) && len(candidate) > len(room) {
			room = candidate
		}
	}
	return room
}

func packages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	command.Dir = ".."
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read what go list says: %v", err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list names no package")
	}
	return all
}

// faults tells what is wrong with one import of a package of a room.
func faults(name, imported string) error {
	room := roomOf(name)
	switch {
	case ours(imported):
		target := roomOf(inside(imported))
		if target != room && !slices.Contains(arrows[room], target) {
			return fmt.Errorf("%s imports %s: %s may import %v only", name, imported, room, arrows[room])
		}
	case within(imported, twilioLibrary):
		if !slices.ContainsFunc(mayImportTwilio, func(folder string) bool { return within(name, folder) }) {
			return fmt.Errorf("%s imports %s, which is for gateway/twilio alone", name, imported)
		}
	}
	return nil
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		room := roomOf(p.name())
		if room == "" {
			t.Errorf("%s lies in no room of the house", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if err := faults(p.name(), imported); err != nil {
				t.Error(err)
			}
			if room == "gateway" && thirdParty(imported) {
				t.Errorf("%s imports %s: the domain uses the standard library alone", p.name(), imported)
			}
			for _, never := range refused[room] {
				if within(imported, never) {
					t.Errorf("%s imports %s, which this room must not reach", p.name(), imported)
				}
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if err := faults(p.name(), imported); err != nil {
				t.Errorf("in a test: %v", err)
			}
		}
	}
}

// TestArrowsAreChecked proves that the check above sees what it must see.
func TestArrowsAreChecked(t *testing.T) {
	tests := []struct {
		name, imported string
		fault          bool
	}{
		{"gateway", "dropslot/config", true},
		{"gateway", "dropslot/gateway/seal", true},
		{"gateway/vault", "dropslot/gateway/seal", true},
		{"gateway/vault", "dropslot/gateway", false},
		{"gateway/web", "dropslot/gateway/records", true},
		{"gateway/web", "dropslot/templates", false},
		{"linkstore", "dropslot/gateway/jobs", true},
		{"linkstore", "dropslot/linkstore/linkstoretest", false},
		{"gateway/jobs", "dropslot/gateway/twilio", true},
		{"gateway/twilio/twiliotest", "dropslot/gateway/twilio", false},
		{"gateway/twilio", twilioLibrary + "/client", false},
		{"gateway/web", twilioLibrary + "/client", true},
		{"cmd/dropslot", twilioLibrary + "/client", true},
		{"cmd/dropslot", "dropslot/gateway/records", false},
	}
	for _, test := range tests {
		if err := faults(test.name, test.imported); (err != nil) != test.fault {
			t.Errorf("%s imports %s: got %v", test.name, test.imported, err)
		}
	}
}

func TestFiveFolders(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"cmd", "config", "gateway", "linkstore", "templates"}
	for _, entry := range entries {
		hidden := strings.HasPrefix(entry.Name(), ".")
		if entry.IsDir() && !hidden && !slices.Contains(known, entry.Name()) && holdsTracked(t, entry.Name()) {
			t.Errorf("%s: the house has five folders: %v", entry.Name(), known)
		}
	}
	for _, name := range known {
		if _, err := os.Stat(filepath.Join("..", name)); err != nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// holdsTracked tells whether a top-level folder belongs to the repository:
// a folder that git ignores (keys, a build) is nobody's room.
func holdsTracked(t *testing.T, folder string) bool {
	return slices.ContainsFunc(repositoryFiles(t), func(name string) bool { return within(name, folder) })
}
