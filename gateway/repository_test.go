package gateway_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// repositoryFiles names what is in the repository, or would be with the next
// commit, from its root. Without git there is no telling.
func repositoryFiles(t *testing.T) []string {
	t.Helper()
	command := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	command.Dir = ".."
	out, err := command.Output()
	if err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatalf("git ls-files: %v", err)
		}
		t.Skip("this needs git and a checkout")
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// The names are put together here so that this file does not hold them.
var (
	machineFolders = strings.Join([]string{"ro" + "ot", "ho" + "me", "wo" + "rk", "Us" + "ers"}, "|")
	registryHosts  = strings.Join([]string{
		`registry` + `\.[a-z0-9-]+\.(com|org|net|io|dev)`,
		`npm` + `\.pkg\.[a-z]+\.com`,
		`(proxy|sum)` + `\.golang\.org`,
		`goproxy` + `\.(io|cn|com)`,
		`py` + `pi\.org`,
		`(docker|ghcr|quay|gcr)` + `\.io`,
		`deb` + `\.debian\.org`,
	}, "|")
)

var strangers = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"the path of somebody's machine", regexp.MustCompile(`(^|[^A-Za-z0-9_.$})-])/(` + machineFolders + `)/[A-Za-z0-9_.-]`)},
	{"a registry's host name", regexp.MustCompile(`(?i)\b(` + registryHosts + `)\b`)},
	{"where a package was fetched from", regexp.MustCompile(`"resolved":\s*"https?:`)},
}

// TestNoMachineInTheRepository keeps out what only holds on the machine of
// whoever wrote it: paths of home folders and names of package registries.
func TestNoMachineInTheRepository(t *testing.T) {
	for _, name := range repositoryFiles(t) {
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil || !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
			continue // deleted and not committed yet, or no text
		}
		for n, line := range strings.Split(string(content), "\n") {
			for _, stranger := range strangers {
				if found := stranger.pattern.FindString(line); found != "" {
					t.Errorf("%s:%d: %s: %s", name, n+1, stranger.what, strings.TrimSpace(found))
				}
			}
		}
	}
}

func TestStrangersAreSeen(t *testing.T) {
	seen := []string{
		`cd /wo` + `rk/main`, `"/ro` + `ot/x.pem"`, `file:///ho` + `me/ann/keys`, `FROM docker` + `.io/library/golang`,
		`https://registry` + `.npmjs.org/esbuild`, `"resolved": "https` + `://x/y.tgz"`, `GOPROXY=https://pro` + `xy.golang.org`,
	}
	for _, line := range seen {
		if !matchesAny(line) {
			t.Errorf("not seen: %s", line)
		}
	}
	fine := []string{
		`path/to/wo` + `rk/x`, `./ro` + `ot/x`, `GET /ho` + `me`, `$(HOME)/wo` + `rk/x`, `docs.example.gov`, `golang.org/x/text`,
		`registry.MustRegister(x)`, `https://go.dev/dl`,
	}
	for _, line := range fine {
		if matchesAny(line) {
			t.Errorf("taken for a stranger: %s", line)
		}
	}
}

func matchesAny(line string) bool {
	for _, stranger := range strangers {
		if stranger.pattern.MatchString(line) {
			return true
		}
	}
	return false
}
