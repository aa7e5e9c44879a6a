package gateway_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExiftoolFindsNothing has exiftool, which knows more kinds of metadata
// than anybody, write all it can into pictures and then look for what is left.
func TestExiftoolFindsNothing(t *testing.T) {
	tool, err := exec.LookPath("exiftool")
	if err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal("exiftool is not installed")
		}
		t.Skip("exiftool is not installed")
	}
	for name, page := range map[string][]byte{
		"plain.jpg":       encodeJPEG(t, noise(64, 48), 90),
		"dirty.jpg":       dirtyJPEG(t, 6),
		"progressive.jpg": fixture(t, "progressive.jpg"),
		"cmyk.jpg":        fixture(t, "cmyk.jpg"),
		"plain.png":       encodePNG(t, noise(64, 48)),
		"dirty.png":       dirtyPNG(t, 6),
		"alpha.webp":      fixture(t, "alpha.webp"),
		"dirty.webp":      dirtyWebP(t, "lossy.webp"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if !strings.HasPrefix(name, "dirty") {
				page = writeEverything(t, tool, path, page)
			}
			for tag := range readTags(t, tool, page) {
				if allowedTag(tag) && strings.Contains(tag, "GPS") {
					t.Errorf("%s would be overlooked", tag)
				}
			}
			out := cleaned(t, page)
			tags := readTags(t, tool, out)
			for tag, value := range tags {
				if !allowedTag(tag) {
					t.Errorf("%s is left: %v", tag, value)
				}
			}
			if orientation := tags["EXIF:Orientation"]; !strings.HasSuffix(name, ".webp") && orientation != "Rotate 90 CW" {
				t.Errorf("orientation %v, want Rotate 90 CW", orientation)
			}
			samePixels(t, page, out)
		})
	}
}

func writeEverything(t *testing.T, tool, path string, page []byte) []byte {
	t.Helper()
	if err := os.WriteFile(path, page, 0o600); err != nil {
		t.Fatal(err)
	}
	thumbnail := filepath.Join(filepath.Dir(path), "thumbnail")
	if err := os.WriteFile(thumbnail, encodeJPEG(t, noise(8, 8), 50), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(tool, "-q", "-m", "-overwrite_original", // #nosec G204 -- a test's own arguments
		"-Orientation=Rotate 90 CW", "-GPSLatitude=41.5", "-GPSLatitudeRef=N", "-GPSLongitude=93.5", "-GPSLongitudeRef=W",
		"-Make="+canary, "-Model="+canary, "-SerialNumber="+canary, "-OwnerName="+canary, "-Artist="+canary,
		"-DateTimeOriginal=2026:11:01 10:00:00", "-UserComment="+canary, "-XMP:Creator="+canary, "-XMP:GPSLatitude=41.5",
		"-IPTC:By-line="+canary, "-IPTC:City="+canary, "-Comment="+canary, "-PNG:Author="+canary,
		"-PreviewImage<="+thumbnail, "-ThumbnailImage<="+thumbnail, path)
	if message, err := command.CombinedOutput(); err != nil {
		t.Fatalf("exiftool: %v: %s", err, message)
	}
	written, err := os.ReadFile(path) // #nosec G304 -- the test's own file
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(written, []byte(canary)) {
		t.Fatal("exiftool wrote nothing")
	}
	return written
}

// readTags gives every tag, also unknown and doubled ones, as group:name.
func readTags(t *testing.T, tool string, page []byte) map[string]any {
	t.Helper()
	command := exec.Command(tool, "-j", "-G0", "-a", "-u", "-ee", "-") // #nosec G204 -- a test's own arguments
	command.Stdin = bytes.NewReader(page)
	message, err := command.Output()
	if err != nil {
		t.Fatalf("exiftool: %v: %s", err, message)
	}
	var files []map[string]any
	if err := json.Unmarshal(message, &files); err != nil || len(files) != 1 {
		t.Fatalf("exiftool said %s", message)
	}
	return files[0]
}

// allowedTag tells what a clean picture may say of itself: its orientation,
// and what its format needs to be decoded and printed in its size.
func allowedTag(tag string) bool {
	group, name, _ := strings.Cut(tag, ":")
	switch group {
	case "SourceFile", "ExifTool", "Composite":
		return name != "Comment" && !strings.HasPrefix(name, "GPS")
	case "File":
		return name != "Comment"
	case "JFIF":
		return !strings.HasPrefix(name, "Thumbnail")
	case "EXIF":
		return name == "Orientation"
	case "APP14":
		return true // Adobe's header, of which only the color transform is left
	case "PNG":
		return pngStructure[name]
	case "RIFF":
		return name == "ImageWidth" || name == "ImageHeight" || strings.HasPrefix(name, "VP8") || webpStructure[name]
	}
	return false
}

var pngStructure = map[string]bool{
	"ImageWidth": true, "ImageHeight": true, "BitDepth": true, "ColorType": true, "Compression": true, "Filter": true,
	"Interlace": true, "Gamma": true, "SRGBRendering": true, "PixelsPerUnitX": true, "PixelsPerUnitY": true,
	"PixelUnits": true, "Palette": true, "Transparency": true, "BackgroundColor": true, "SignificantBits": true,
}

var webpStructure = map[string]bool{
	"WebP_Flags": true, "AlphaPreprocessing": true, "AlphaFiltering": true, "AlphaCompression": true,
	"HorizontalScale": true, "VerticalScale": true, "AlphaIsUsed": true,
}
