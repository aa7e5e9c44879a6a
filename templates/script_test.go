package templates

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The page's own script, run by Node: its tests lie beside its source.
func TestClientScript(t *testing.T) {
	const folder = "static"
	npm, err := exec.LookPath("npm")
	if _, missing := os.Stat(filepath.Join(folder, "node_modules", "esbuild")); err != nil || missing != nil {
		const what = "needs npm, and npm ci in templates/static"
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	command := exec.CommandContext(t.Context(), npm, "test", "--silent")
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
