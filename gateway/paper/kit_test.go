package paper

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dropslot/gateway"
)

// program gives a program that a test runs, or ends the test: it is skipped by
// name, unless everything is required.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatalf("%s is missing: .ci/needs installs it", name)
		}
		t.Skipf("%s is missing: .ci/needs installs it", name)
	}
	return path
}

func sheetOf(number, rotation int, content []byte) gateway.Sheet {
	return gateway.Sheet{Number: number, Rotation: rotation, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func missing(out []gateway.LeftOut) gateway.Cover {
	list := gateway.CoverList{Title: "Not in this file"}
	for _, o := range out {
		list.Lines = append(list.Lines, fmt.Sprintf("Page %d: %s", o.Number, o.Reason))
	}
	return gateway.Cover{Title: "Left out", Lists: []gateway.CoverList{list}}
}

func bindingOf(sheets ...gateway.Sheet) gateway.Binding {
	return gateway.Binding{Title: "Papers", Sheets: sheets, MostPixels: 100_000_000, Missing: missing}
}

func prepare(t testing.TB, b gateway.Binding) gateway.PDF {
	t.Helper()
	pdf, err := NewBinder().Prepare(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func written(t testing.TB, pdf gateway.PDF) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := pdf.Write(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// valid fails unless qpdf finds nothing to say about the PDF.
func valid(t testing.TB, pdf []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program(t, "qpdf"), "--check", path).CombinedOutput()
	if err != nil || strings.Contains(string(said), "WARNING") {
		t.Fatalf("qpdf --check: %v\n%s", err, said)
	}
	return path
}

// rendered draws a page of a PDF, from 1, at 72 dots an inch.
func rendered(t testing.TB, path string, page int) image.Image {
	t.Helper()
	at := fmt.Sprint(page)
	said, err := exec.Command(program(t, "pdftoppm"), "-png", "-r", "72", "-f", at, "-l", at, path).Output()
	if err != nil {
		t.Fatalf("pdftoppm: %v", err)
	}
	drawn, err := png.Decode(bytes.NewReader(said))
	if err != nil {
		t.Fatal(err)
	}
	return drawn
}

func words(t testing.TB, path string) string {
	t.Helper()
	said, err := exec.Command(program(t, "pdftotext"), "-layout", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	return string(said)
}

func jpegOf(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// oriented puts an orientation of Exif into a JPEG.
func oriented(picture []byte, orientation byte) []byte {
	segment := []byte{
		0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
	}
	return bytes.Join([][]byte{picture[:2], segment, picture[2:]}, nil)
}

// The colors of the corners of corners(), from the first row's first pixel.
var (
	red    = color.RGBA{220, 30, 30, 255}
	green  = color.RGBA{30, 180, 30, 255}
	blue   = color.RGBA{30, 30, 220, 255}
	yellow = color.RGBA{230, 210, 30, 255}
)

// corners is a picture whose four quarters differ: red, green; blue, yellow.
func corners(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, [2][2]color.RGBA{{red, green}, {blue, yellow}}[2*y/height][2*x/width])
		}
	}
	return m
}

// photograph is a picture that compresses about as badly as a photographed
// letter: paper with noise, and lines of print.
func photograph(width, height int, seed uint32) *image.YCbCr {
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		seed = seed*1664525 + 1013904223
		x, y := i%m.YStride, i/m.YStride
		v := 200 + seed>>28
		if y%40 < 14 && x%9 < 4 && (x/60)%5 > 0 {
			v = 50 + seed>>28
		}
		m.Y[i] = uint8(v)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 126, 130
	}
	return m
}
