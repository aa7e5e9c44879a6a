// Package e2e drives the real program as its users do: a phone that texts, a
// browser with a camera, a caseworker, and somebody who pulls the plug. It is
// a module of its own, so that a browser's driver is no part of the product.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dropslot/gateway/records/recordstest"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "dropslot-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "dropslot")
	if err := build(binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer recordstest.Stop()
	return m.Run()
}

// build makes the program; it shares what other builds of the day compiled.
func build(output string, flags ...string) error {
	args := append([]string{"build", "-o", output}, flags...)
	command := exec.Command("go", append(args, "./cmd/dropslot")...)
	command.Dir = filepath.Join("..", "..", "..") // the product's own module
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build dropslot: %w\n%s", err, out)
	}
	return nil
}

// program finds a program of this machine, or skips the test by its name.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
		t.Fatalf("%v is not installed", names)
	}
	t.Skipf("%v is not installed", names)
	return ""
}
