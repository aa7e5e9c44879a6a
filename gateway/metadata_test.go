package gateway_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	_ "image/jpeg" // decoders of what was cleaned
	_ "image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"

	_ "golang.org/x/image/webp"

	"dropslot/gateway"
)

const (
	maxPixels = 100_000_000
	// canary stands in everything that must go.
	canary = "CANARY-4711"
)

// cleaned cleans a page that must be fine.
func cleaned(t *testing.T, page []byte) []byte {
	t.Helper()
	out, err := clean(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("clean: %v", err)
	}
	return out
}

func clean(r io.Reader) ([]byte, error) {
	_, page, err := gateway.CleanPage(r, maxPixels)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(page)
}

func wantCode(t *testing.T, err error, code gateway.Code) {
	t.Helper()
	if !gateway.Is(err, code) {
		t.Errorf("got error %v, want %s", err, code)
	}
}

// samePixels decodes two files and compares them point by point.
func samePixels(t *testing.T, a, b []byte) {
	t.Helper()
	one, _, errOne := image.Decode(bytes.NewReader(a))
	two, _, errTwo := image.Decode(bytes.NewReader(b))
	if errOne != nil || errTwo != nil {
		t.Fatalf("decode: %v, %v", errOne, errTwo)
	}
	if !equalPixels(one, two) {
		t.Error("the pixels changed")
	}
}

func equalPixels(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				return false
			}
		}
	}
	return true
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "pictures", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// noise is a picture that does not compress, the same every time.
func noise(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- a picture
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(random.Uint32()) | byte(i%4/3*255)
	}
	img.SetRGBA(0, 0, color.RGBA{R: 255, A: 255})
	return img
}

// tiff makes an Exif structure as a phone writes it: device, place, time and
// a thumbnail, each with the canary, and the orientation unless it is 0.
func tiff(order binary.AppendByteOrder, orientation uint16) []byte {
	out := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		out = []byte("MM")
	}
	out = order.AppendUint32(order.AppendUint16(out, 42), 8)
	var entries [][4]uint32                                                    // tag, type, count, value or place
	const text = 200                                                           // where the texts lie
	entries = append(entries, [4]uint32{0x010f, 2, uint32(len(canary)), text}) // Make
	if orientation != 0 {
		entries = append(entries, [4]uint32{0x0112, 3, 1, uint32(orientation)})
	}
	entries = append(entries, [4]uint32{0x0132, 2, uint32(len(canary)), text}, [4]uint32{0x8825, 4, 1, 100}) // DateTime, GPS
	write := func(entries [][4]uint32, next uint32) {
		out = order.AppendUint16(out, uint16(len(entries)))
		for _, e := range entries {
			out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, uint16(e[0])), uint16(e[1])), e[2])
			if e[1] == 3 {
				out = order.AppendUint16(order.AppendUint16(out, uint16(e[3])), 0)
			} else {
				out = order.AppendUint32(out, e[3])
			}
		}
		out = order.AppendUint32(out, next)
	}
	write(entries, 140)
	out = append(out, make([]byte, 100-len(out))...)
	write([][4]uint32{{0x0001, 2, 2, 'N'}, {0x001d, 2, uint32(len(canary)), text}}, 0) // latitude's half, date
	out = append(out, make([]byte, 140-len(out))...)
	write([][4]uint32{{0x0201, 4, 1, text}, {0x0202, 4, 1, uint32(len(canary))}}, 0) // thumbnail
	out = append(out, make([]byte, text-len(out))...)
	return append(out, canary...)
}

// TestCleanPageRefuses: what is no page is refused with the code whose words
// tell the person what to do.
func TestCleanPageRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		page string
		code gateway.Code
	}{
		"nothing":               {"", gateway.CodePageEmpty},
		"text":                  {"hello", gateway.CodePageType},
		"HTML":                  {"<html>", gateway.CodePageType},
		"GIF":                   {"GIF89a..........", gateway.CodePageType},
		"JPEG of two markers":   {"\xff\xd8\xff\xd9", gateway.CodePageDamaged},
		"JPEG cut in a segment": {"\xff\xd8\xff\xe0\x00\x10JF", gateway.CodePageDamaged},
	} {
		_, err := clean(bytes.NewReader([]byte(test.page)))
		t.Run(name, func(t *testing.T) { wantCode(t, err, test.code) })
	}
}

// TestPassAsSent: nothing is cleaned out of HEIC and PDF.
func TestPassAsSent(t *testing.T) {
	for _, page := range [][]byte{
		fixture(t, "page.heic"),
		append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 200_000)...),
	} {
		if out := cleaned(t, page); !bytes.Equal(out, page) {
			t.Error("the file changed")
		}
		if _, _, err := gateway.PictureSize(bytes.NewReader(page)); !gateway.Is(err, gateway.CodePageType) {
			t.Errorf("size of a file that is not read here: %v", err)
		}
	}
}

// TestReadersOfEveryKind: a network gives bytes as it likes; the result is
// the same.
func TestReadersOfEveryKind(t *testing.T) {
	for name, page := range map[string][]byte{
		"jpeg": dirtyJPEG(t, 6), "png": dirtyPNG(t, 8), "webp": dirtyWebP(t, "alpha.webp"), "pdf": []byte("%PDF-1.7 and more"),
	} {
		want := cleaned(t, page)
		for kind, wrap := range map[string]func(io.Reader) io.Reader{
			"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with the end": iotest.DataErrReader,
		} {
			got, err := clean(wrap(bytes.NewReader(page)))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s read by %s: other bytes, %v", name, kind, err)
			}
		}
		_, reader, err := gateway.CleanPage(bytes.NewReader(page), maxPixels)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(iotest.OneByteReader(reader)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s asked for byte by byte: other bytes, %v", name, err)
		}
	}
}

// TestReaderFails: an error of the reader reaches the caller, and a
// connection that broke is never taken for the end of a page.
func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	for _, page := range [][]byte{dirtyJPEG(t, 6), dirtyPNG(t, 6), dirtyWebP(t, "lossy.webp"), append([]byte("%PDF-1.7"), make([]byte, 900)...)} {
		for _, cut := range []int{0, 1, 20, 300} {
			_, err := clean(io.MultiReader(bytes.NewReader(page[:cut]), iotest.ErrReader(broken)))
			if !errors.Is(err, broken) {
				t.Errorf("cut at %d: got %v", cut, err)
			}
			_, err = clean(io.MultiReader(bytes.NewReader(page[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF)))
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut at %d: %v looks like an end to io.ReadFull", cut, err)
			}
			wantCode(t, err, gateway.CodePageDamaged)
		}
	}
}

// TestTruncated: of a picture that was cut anywhere nothing is accepted.
func TestTruncated(t *testing.T) {
	pages := map[string][]byte{"jpeg": fixture(t, "progressive.jpg"), "png": dirtyPNG(t, 3)}
	for _, name := range []string{"lossy.webp", "lossless.webp", "alpha.webp"} {
		pages[name] = fixture(t, name)
	}
	for name, page := range pages {
		if name == "png" {
			page = page[:bytes.Index(page, []byte("IEND"))+8] // what follows may be missing
		}
		for cut := 16; cut < len(page); cut++ {
			if _, err := clean(bytes.NewReader(page[:cut])); !gateway.Is(err, gateway.CodePageDamaged) {
				t.Fatalf("%s cut at %d of %d: got %v", name, cut, len(page), err)
			}
		}
	}
}

// TestMemoryIsBounded: a page that is mostly metadata, or just long, costs no
// more memory than a small one.
func TestMemoryIsBounded(t *testing.T) {
	const long = 32 << 20
	comment := append([]byte{0xff, 0xfe, 0xff, 0xff}, make([]byte, 65533)...)
	jpegHead, jpegScan := splitAtScan(t, fixture(t, "progressive.jpg"))
	for name, page := range map[string]io.Reader{
		"comments":  io.MultiReader(bytes.NewReader(jpegHead), &repeat{piece: comment, left: long}, bytes.NewReader(jpegScan)),
		"scan":      io.MultiReader(bytes.NewReader(jpegHead), bytes.NewReader(jpegScan[:14]), &repeat{piece: make([]byte, 4096), left: long}, bytes.NewReader([]byte{0xff, 0xd9})),
		"PNG chunk": pngWithLongChunk(t, long),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, reader, err := gateway.CleanPage(page, maxPixels)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, reader, make([]byte, 32<<10)); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 512<<10 {
				t.Errorf("%d bytes were allocated", grown)
			}
		})
	}
}

// repeat gives a piece again and again until left bytes were given.
type repeat struct {
	piece    []byte
	at, left int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 && r.at == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.piece[r.at:])
	r.at = (r.at + n) % len(r.piece)
	r.left -= n
	return n, nil
}

func TestPictureSize(t *testing.T) {
	for _, page := range [][]byte{
		dirtyJPEG(t, 6), fixture(t, "progressive.jpg"), fixture(t, "cmyk.jpg"), dirtyPNG(t, 6),
		fixture(t, "lossy.webp"), fixture(t, "lossless.webp"), dirtyWebP(t, "alpha.webp"),
	} {
		want, kind, err := image.DecodeConfig(bytes.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		width, height, err := gateway.PictureSize(iotest.OneByteReader(bytes.NewReader(page)))
		if err != nil || width != want.Width || height != want.Height {
			t.Errorf("%s: got %d x %d, %v; want %d x %d", kind, width, height, err, want.Width, want.Height)
		}
	}
	if _, _, err := gateway.PictureSize(bytes.NewReader([]byte("\xff\xd8\xff\xe0"))); !gateway.Is(err, gateway.CodePageDamaged) {
		t.Errorf("a picture without a header: %v", err)
	}
}
