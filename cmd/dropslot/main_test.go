package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts call the real main, each in a process of its own.
func TestMain(m *testing.M) {
	recordsPatience = time.Minute
	testscript.Main(m, map[string]func(){
		"dropslot": func() {
			identityWork = 10 // milliseconds instead of a second and 256 MiB
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
			stop()
			os.Exit(code)
		},
		// hardened FILE: what main begins with, then a file as a library makes it.
		"hardened": func() {
			if err := errors.Join(harden(), os.WriteFile(os.Args[1], nil, 0o666)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

func TestScripts(t *testing.T) {
	age := ageFolder(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", age+string(os.PathListSeparator)+env.Getenv("PATH"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			return name == "age" && age != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"modes": scriptModes,
			"cut":   scriptCut,
			"empty": scriptEmpty,
		},
	})
}

// ageFolder gives the folder of the standard age tool: the one that CI built,
// or one of the version that is sealed with. Empty if there is neither.
func ageFolder(t *testing.T) string {
	t.Helper()
	if built := os.Getenv("DROPSLOT_AGE"); built != "" {
		return filepath.Dir(built)
	}
	folder := t.TempDir()
	command := exec.Command("go", "install", "filippo.io/age/cmd/age@v1.3.2")
	command.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=-mod=mod")
	if out, err := command.CombinedOutput(); err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatalf("build age: %v\n%s", err, out)
		}
		return ""
	}
	return folder
}

// modes 600 PATH...: whether files are readable by whom they should be.
func scriptModes(ts *testscript.TestScript, not bool, args []string) {
	if not || len(args) < 2 {
		ts.Fatalf("usage: modes OCTAL PATH...")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	for _, path := range args[1:] {
		info, err := os.Stat(ts.MkAbs(path))
		ts.Check(err)
		if got := info.Mode().Perm(); got != fs.FileMode(want) {
			ts.Fatalf("%s has mode %v, want %v", path, got, fs.FileMode(want))
		}
	}
}

// cut PATH N: takes the last N bytes off a file.
func scriptCut(ts *testscript.TestScript, not bool, args []string) {
	if not || len(args) != 2 {
		ts.Fatalf("usage: cut PATH N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), info.Size()-n))
}

// empty PATH: whether a folder holds nothing, hidden files included.
func scriptEmpty(ts *testscript.TestScript, not bool, args []string) {
	if not || len(args) != 1 {
		ts.Fatalf("usage: empty PATH")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, entry := range entries {
		ts.Fatalf("%s holds %s", args[0], entry.Name())
	}
}
