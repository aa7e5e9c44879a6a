package gateway_test

import (
	"strings"
	"testing"

	"dropslot/gateway"
)

func TestSniffType(t *testing.T) {
	tests := []struct {
		name, start string
		media       string // empty: refused
	}{
		{"JPEG with JFIF", "\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"},
		{"JPEG with Exif", "\xff\xd8\xff\xe1", "image/jpeg"},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"},
		{"lossy WebP", "RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"},
		{"lossless WebP", "RIFF\x10\x00\x00\x00WEBPVP8L", "image/webp"},
		{"extended WebP", "RIFF\x10\x00\x00\x00WEBPVP8X", "image/webp"},
		{"HEIC of an iPhone", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"},
		{"HEIC of another phone", "\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heichevc", "image/heic"},
		{"burst of HEVC", "\x00\x00\x00\x18ftyphevc\x00\x00\x00\x00msf1hevc", "image/heic"},
		{"PDF", "%PDF-1.7\n", "application/pdf"},
		{"PDF 2", "%PDF-2.0\n", "application/pdf"},

		{"nothing", "", ""},
		{"half a JPEG signature", "\xff\xd8", ""},
		{"PNG signature without its header", "\x89PNG\r\n\x1a\n\x00\x00\x00\x04CgBI", ""},
		{"PNG signature that a text transfer broke", "\x89PNG\n\x1a\n\x00\x00\x00\rIHDR", ""},
		{"PDF behind a line feed", "\n%PDF-1.7", ""},
		{"PDF behind a byte order mark", "\xef\xbb\xbf%PDF-1.7", ""},
		{"PDF behind a page of HTML", "<html><script>1</script>%PDF-1.7", ""},
		{"PDF without a version", "%PDF-", ""},
		{"FDF", "%FDF-1.2", ""},
		{"AVIF", "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf", ""},
		{"AVIF that says mif1", "\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avifmif1", ""},
		{"MP4", "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", ""},
		{"ftyp box too small", "\x00\x00\x00\x08ftypheic\x00\x00\x00\x00mif1", ""},
		{"WAV", "RIFF\x10\x00\x00\x00WAVEfmt ", ""},
		{"WebP with an unknown first chunk", "RIFF\x10\x00\x00\x00WEBPICCP", ""},
		{"GIF", "GIF89a", ""},
		{"SVG", "<svg xmlns='http://www.w3.org/2000/svg'>", ""},
		{"HTML", "<!DOCTYPE html>", ""},
		{"ZIP, docx", "PK\x03\x04", ""},
		{"TIFF", "II*\x00\x08\x00\x00\x00", ""},
		{"BMP", "BM", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			kind, known := gateway.SniffType([]byte(test.start))
			if known != (test.media != "") || kind.Media != test.media {
				t.Errorf("got %q (%v), want %q", kind.Media, known, test.media)
			}
			if known && !strings.HasPrefix(kind.Extension, ".") {
				t.Errorf("extension %q has no dot", kind.Extension)
			}
		})
	}
}

// TestInlineTypes: what a browser may show is a picture it decodes by itself
// or a PDF; HEIC is for download.
func TestInlineTypes(t *testing.T) {
	for start, want := range map[string]gateway.FileType{
		"\xff\xd8\xff": {Media: "image/jpeg", Extension: ".jpg", Picture: true, Inline: true},
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": {Media: "image/heic", Extension: ".heic", Picture: true},
		"%PDF-1.4": {Media: "application/pdf", Extension: ".pdf", Inline: true},
	} {
		if got, _ := gateway.SniffType([]byte(start)); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
