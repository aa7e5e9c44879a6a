package templates

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed static/dist
var distFiles embed.FS

// staticFile is one file of static/dist with its Brotli form, if it has one.
type staticFile struct {
	url         string // path with the content's hash in it
	contentType string
	plain       []byte
	brotli      []byte
}

var (
	staticByName = loadStatic()
	staticByURL  = indexByURL(staticByName)
)

// Asset gives the URL path of a file of static/dist ("client.js" becomes
// "/static/client.<hash>.js"), or "" if there is none. The hash is of the
// content, so that a URL never changes its meaning.
func Asset(name string) string { return staticByName[name].url }

// StaticHandler serves static/dist under the paths of Asset, to be kept by
// browsers for a year, as Brotli where the client takes it.
func StaticHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, known := staticByURL[r.URL.Path]
		if !known {
			http.NotFound(w, r)
			return
		}
		header := w.Header()
		header.Set("Content-Type", file.contentType)
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
		header.Set("Vary", "Accept-Encoding")
		content := file.plain
		if file.brotli != nil && acceptsBrotli(r.Header.Values("Accept-Encoding")) {
			header.Set("Content-Encoding", "br")
			content = file.brotli
		}
		header.Set("Content-Length", strconv.Itoa(len(content)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(content) // a client that went away needs no answer
		}
	})
}

// acceptsBrotli reads Accept-Encoding (RFC 9110, section 12.5.3).
func acceptsBrotli(values []string) bool {
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, parameters, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "br") {
			continue
		}
		weight, found := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

// loadStatic panics on an unreadable embedded file, which no build produces.
func loadStatic() map[string]staticFile {
	files := make(map[string]staticFile)
	entries, err := fs.ReadDir(distFiles, "static/dist")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasSuffix(name, ".br") {
			continue
		}
		plain, err := distFiles.ReadFile("static/dist/" + name)
		if err != nil {
			panic(err)
		}
		compressed, err := distFiles.ReadFile("static/dist/" + name + ".br")
		if err != nil {
			compressed = nil
		}
		sum := sha256.Sum256(plain)
		extension := path.Ext(name)
		files[name] = staticFile{
			url:         "/static/" + strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:8]) + extension,
			contentType: contentType(extension),
			plain:       plain,
			brotli:      compressed,
		}
	}
	return files
}

// contentType does not ask the machine's MIME tables for what browsers are
// strict about.
func contentType(extension string) string {
	switch extension {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if known := mime.TypeByExtension(extension); known != "" {
		return known
	}
	return "application/octet-stream"
}

func indexByURL(byName map[string]staticFile) map[string]staticFile {
	byURL := make(map[string]staticFile, len(byName))
	for _, file := range byName {
		byURL[file.url] = file
	}
	return byURL
}
