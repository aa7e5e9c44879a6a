package gateway_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"io"
	"testing"

	"dropslot/gateway"
)

// checkCleaning holds whatever the input is: no panic, an error with a code
// for people or clean bytes that stay as they are when they are cleaned
// again, and never more bytes than came in. Where Go's own decoder reads the
// input, it reads the same pixels from the output.
func checkCleaning(t *testing.T, page []byte) {
	kind, reader, err := gateway.CleanPage(bytes.NewReader(page), 1<<20)
	var out []byte
	if err == nil {
		out, err = io.ReadAll(reader)
	}
	if err != nil {
		if _, ok := errors.AsType[*gateway.Error](err); !ok {
			t.Fatalf("an error without a code: %v", err)
		}
		return
	}
	if len(out) > len(page)+8 { // the smallest orientation has 4 bytes that an odd input may lack
		t.Fatalf("%d bytes became %d", len(page), len(out))
	}
	again, err := clean(bytes.NewReader(out))
	if err != nil || !bytes.Equal(again, out) {
		t.Fatalf("cleaning what is clean changes it: %v", err)
	}
	if !kind.Picture || kind.Media == "image/heic" {
		return
	}
	width, height, err := gateway.PictureSize(bytes.NewReader(page))
	if err != nil || width < 1 || height < 1 || width*height > 1<<20 {
		t.Fatalf("size of a picture that was accepted: %d x %d, %v", width, height, err)
	}
	if width*height > 1<<14 {
		return
	}
	before, _, err := image.Decode(bytes.NewReader(page))
	if err != nil {
		return
	}
	after, _, err := image.Decode(bytes.NewReader(out))
	if err != nil || !equalPixels(before, after) {
		t.Fatalf("the pixels changed: %v", err)
	}
}

func FuzzCleanJPEG(f *testing.F) {
	f.Add(dirtyJPEG(f, 6))
	f.Add(fixture(f, "progressive.jpg"))
	f.Add(fixture(f, "cmyk.jpg"))
	f.Add(restartJPEG())
	f.Fuzz(checkCleaning)
}

// FuzzCleanPNG puts the checksums right, or no mutation would get past them.
func FuzzCleanPNG(f *testing.F) {
	f.Add(dirtyPNG(f, 6))
	f.Add(encodePNG(f, image.NewGray16(image.Rect(0, 0, 9, 7))))
	f.Fuzz(func(t *testing.T, page []byte) {
		for at := 8; at+12 <= len(page); {
			length := int(binary.BigEndian.Uint32(page[at:]))
			end := at + 8 + length
			if length > len(page) || end+4 > len(page) {
				break
			}
			binary.BigEndian.PutUint32(page[end:], crc32.ChecksumIEEE(page[at+4:end]))
			at = end + 4
		}
		checkCleaning(t, page)
	})
}

func FuzzCleanWebP(f *testing.F) {
	for _, name := range []string{"lossy.webp", "lossless.webp", "alpha.webp"} {
		f.Add(fixture(f, name))
		f.Add(dirtyWebP(f, name))
	}
	f.Fuzz(checkCleaning)
}

func BenchmarkCleanJPEG(b *testing.B) { benchmarkClean(b, encodeJPEG(b, noise(1700, 1000), 95)) }
func BenchmarkCleanPNG(b *testing.B)  { benchmarkClean(b, encodePNG(b, noise(1000, 1000))) }
func BenchmarkPassPDF(b *testing.B) {
	benchmarkClean(b, append([]byte("%PDF-1.7"), make([]byte, 3<<20)...))
}

func benchmarkClean(b *testing.B, page []byte) {
	piece := make([]byte, 64<<10)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		_, reader, err := gateway.CleanPage(bytes.NewReader(page), maxPixels)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, reader, piece); err != nil {
			b.Fatal(err)
		}
	}
}
