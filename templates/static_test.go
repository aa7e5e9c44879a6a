package templates

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(method, path, encodings string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encodings)
	w := httptest.NewRecorder()
	StaticHandler().ServeHTTP(w, r)
	return w
}

func TestStaticFiles(t *testing.T) {
	path := Asset("client.js")
	if !regexp.MustCompile(`^/static/client\.[0-9a-f]{16}\.js$`).MatchString(path) {
		t.Fatalf("the path is %q", path)
	}
	plain := get(http.MethodGet, path, "")
	packed := get(http.MethodGet, path, "gzip, deflate, br")
	if plain.Code != http.StatusOK || plain.Header().Get("Content-Encoding") != "" || plain.Body.Len() == 0 {
		t.Errorf("plain: %d, %d B", plain.Code, plain.Body.Len())
	}
	if packed.Header().Get("Content-Encoding") != "br" || packed.Body.Len() >= plain.Body.Len() {
		t.Errorf("Brotli: %v, %d B", packed.Header(), packed.Body.Len())
	}
	for _, w := range []*httptest.ResponseRecorder{plain, packed} {
		if w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("Vary") != "Accept-Encoding" ||
			!strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%v", w.Header())
		}
	}
	if w := get(http.MethodHead, path, "br"); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d B", w.Code, w.Body.Len())
	}
}

// Only what was built is there, and only under its current name.
func TestStaticFilesThatAreNot(t *testing.T) {
	for _, path := range []string{
		"/static/client.js", "/static/", "/static/client.0000000000000000.js", Asset("client.js") + ".br",
		"/static/../pages.go", "/static/dist/client.js",
	} {
		if w := get(http.MethodGet, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if Asset("nothing.js") != "" {
		t.Error("a file that is not there has a path")
	}
}

func TestAcceptsBrotli(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": false, "br": true, "gzip, br": true, "BR;q=0.5": true, "br;q=0": false, "br;q=0.0": false,
		"br; q=1": true, "brotli": false, "br;q=x": false,
	} {
		if got := acceptsBrotli([]string{header}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// Every file has a Brotli form: a weak signal pays for what lacks one.
func TestEveryStaticFileIsCompressed(t *testing.T) {
	for name, file := range staticByName {
		if len(file.brotli) == 0 || len(file.brotli) >= len(file.plain) {
			t.Errorf("%s: %d B, as Brotli %d B", name, len(file.plain), len(file.brotli))
		}
	}
}

// "inset" is of 2021: on an older phone what it places lies elsewhere.
func TestStyleIsForOldPhones(t *testing.T) {
	if style := string(staticByName["client.css"].plain); strings.Contains(style, "inset:") {
		t.Error("client.css says inset, which iOS 14 does not know")
	}
}

// The worker seals and cannot open: nothing that decrypts is in its bundle.
func TestWorkerCannotOpen(t *testing.T) {
	worker := string(staticByName["worker.js"].plain)
	if len(staticByName["worker.js"].brotli) > 32<<10 {
		t.Errorf("the worker weighs %d B", len(staticByName["worker.js"].brotli))
	}
	if strings.Contains(worker, "no identity matched") {
		t.Error("the Decrypter was bundled")
	}
}
