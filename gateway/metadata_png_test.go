package gateway_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/draw"
	"image/png"
	"io"
	"testing"

	"dropslot/gateway"
)

func chunk(name, body string) []byte {
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name+body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// splitPNG parts a PNG in front of its pixels and in front of its end.
func splitPNG(t testing.TB, page []byte) (head, pixels, end []byte) {
	t.Helper()
	at, last := bytes.Index(page, []byte("IDAT"))-4, len(page)-12
	if at < 0 {
		t.Fatal("no pixels")
	}
	return page[:at:at], page[at:last:last], page[last:]
}

func dirtyPNG(t testing.TB, orientation uint16) []byte {
	t.Helper()
	head, pixels, end := splitPNG(t, encodePNG(t, noise(75, 50)))
	return bytes.Join([][]byte{
		head,
		chunk("gAMA", "\x00\x00\xb1\x8f"),
		chunk("gAMA", "\x00\x00\xb1\x90"), // a second one goes
		chunk("sRGB", "\x00"),
		chunk("pHYs", "\x00\x00\x0b\x13\x00\x00\x0b\x13\x01"),
		chunk("sBIT", canary), // of a wrong length
		chunk("iCCP", canary),
		chunk("tEXt", "Comment\x00"+canary),
		chunk("zTXt", canary), chunk("iTXt", "XML:com.adobe.xmp\x00"+canary), chunk("tIME", "\x07\xea\x01\x01\x01\x01\x01"),
		chunk("acTL", canary), chunk("fcTL", canary),
		pixels,
		chunk("fdAT", canary),
		chunk("eXIf", string(tiff(binary.BigEndian, orientation))),
		chunk("eXIf", string(tiff(binary.BigEndian, 3))),
		chunk("prVt", canary), chunk("bKGD", "\x00\x00\x00\x00\x00\x00"), // too late
		end,
		[]byte(canary), end,
	}, nil)
}

func TestCleanPNG(t *testing.T) {
	dirty := dirtyPNG(t, 6)
	out := cleaned(t, dirty)
	if bytes.Contains(out, []byte(canary)) {
		t.Error("metadata is left")
	}
	var names []string
	for rest := out[8:]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if name := string(rest[4:8]); len(names) == 0 || names[len(names)-1] != "IDAT" || name != "IDAT" {
			names = append(names, name)
		}
		rest = rest[12+length:]
	}
	want := []string{"IHDR", "gAMA", "sRGB", "pHYs", "IDAT", "eXIf", "IEND"}
	if len(names) != len(want) {
		t.Fatalf("got chunks %v, want %v", names, want)
	}
	for i := range want {
		if names[i] != want[i] {
			t.Fatalf("got chunks %v, want %v", names, want)
		}
	}
	if exif := chunk("eXIf", "MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"); !bytes.Contains(out, exif) {
		t.Error("the orientation is missing")
	}
	samePixels(t, dirty, out)
	if again := cleaned(t, out); !bytes.Equal(again, out) {
		t.Error("cleaning what is clean changes it")
	}
}

// TestPNGKinds: every color type that Go writes comes out as it went in.
func TestPNGKinds(t *testing.T) {
	bounds := image.Rect(0, 0, 40, 30)
	paletted := image.NewPaletted(bounds, palette.WebSafe)
	paletted.Palette[3] = image.Transparent.C // gives a tRNS chunk
	for name, img := range map[string]draw.Image{
		"grey": image.NewGray(bounds), "grey 16": image.NewGray16(bounds), "RGBA": image.NewNRGBA(bounds),
		"RGBA 16": image.NewNRGBA64(bounds), "palette": paletted,
	} {
		draw.Draw(img, bounds, noise(40, 30), image.Point{}, draw.Src)
		page := encodePNG(t, img)
		if out := cleaned(t, page); !bytes.Equal(out, page) {
			t.Errorf("%s: a clean PNG changed", name)
		}
	}
}

func TestPNGRefused(t *testing.T) {
	plain := encodePNG(t, noise(20, 10))
	head, pixels, end := splitPNG(t, plain)
	header := func(width, height uint32, rest string) []byte {
		body := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
		return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", string(body)+rest)...)
	}
	flipped := func(at int) []byte {
		page := bytes.Clone(plain)
		page[at] ^= 1
		return page
	}
	for name, test := range map[string]struct {
		page []byte
		code gateway.Code
	}{
		"bomb":               {append(header(60_000, 60_000, "\x08\x02\x00\x00\x00"), pixels...), gateway.CodePagePixels},
		"no width":           {append(header(0, 10, "\x08\x02\x00\x00\x00"), pixels...), gateway.CodePageDamaged},
		"negative width":     {append(header(1<<31, 10, "\x08\x02\x00\x00\x00"), pixels...), gateway.CodePageDamaged},
		"unknown color type": {append(header(20, 10, "\x08\x05\x00\x00\x00"), pixels...), gateway.CodePageDamaged},
		"unknown depth":      {append(header(20, 10, "\x03\x02\x00\x00\x00"), pixels...), gateway.CodePageDamaged},
		"no palette":         {bytes.Join([][]byte{header(20, 10, "\x08\x03\x00\x00\x00"), pixels, end}, nil), gateway.CodePageDamaged},
		"header flipped":     {flipped(20), gateway.CodePageDamaged},
		"pixels flipped":     {flipped(len(head) + 30), gateway.CodePageDamaged},
		"checksum flipped":   {flipped(len(head) + len(pixels) - 1), gateway.CodePageDamaged},
		"end flipped":        {flipped(len(plain) - 1), gateway.CodePageDamaged},
		"no pixels":          {bytes.Join([][]byte{head, end}, nil), gateway.CodePageDamaged},
		"two headers":        {bytes.Join([][]byte{head, head[8:], pixels, end}, nil), gateway.CodePageDamaged},
		"unknown critical":   {bytes.Join([][]byte{head, chunk("ABCD", ""), pixels, end}, nil), gateway.CodePageDamaged},
		"end with content":   {bytes.Join([][]byte{head, pixels, chunk("IEND", canary)}, nil), gateway.CodePageDamaged},
		"endless chunk":      {bytes.Join([][]byte{head, []byte("\xff\xff\xff\xfftEXt")}, nil), gateway.CodePageDamaged},
	} {
		_, err := clean(bytes.NewReader(test.page))
		t.Run(name, func(t *testing.T) { wantCode(t, err, test.code) })
	}
	// From the header alone: no more is read than the type takes to be known.
	bomb := header(60_000, 60_000, "\x08\x02\x00\x00\x00")
	start := append(bomb, make([]byte, gateway.SniffBytes-len(bomb))...)
	_, _, err := gateway.CleanPage(io.MultiReader(bytes.NewReader(start), unreadable{t}), maxPixels)
	wantCode(t, err, gateway.CodePagePixels)
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("more was read than needed")
	return 0, io.EOF
}

// pngWithLongChunk is a PNG with metadata of so many bytes.
func pngWithLongChunk(t *testing.T, length int) io.Reader {
	t.Helper()
	head, pixels, end := splitPNG(t, encodePNG(t, noise(20, 10)))
	zeros := make([]byte, 4096)
	sum := crc32.ChecksumIEEE([]byte("tEXt"))
	for range length / len(zeros) {
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	start := append(binary.BigEndian.AppendUint32(nil, uint32(length)), "tEXt"...)
	rest := bytes.Join([][]byte{binary.BigEndian.AppendUint32(nil, sum), pixels, end}, nil)
	return io.MultiReader(bytes.NewReader(head), bytes.NewReader(start), &repeat{piece: zeros, left: length}, bytes.NewReader(rest))
}
