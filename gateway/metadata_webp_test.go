package gateway_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"dropslot/gateway"
)

func riffChunk(name, body string) []byte {
	out := append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body))), body...)
	if len(body)%2 == 1 {
		out = append(out, 0x7f) // padding that is not zero
	}
	return out
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// dirtyWebP wraps the picture of a fixture in everything that a WebP may carry.
func dirtyWebP(t testing.TB, name string) []byte {
	t.Helper()
	picture := fixture(t, name)[12:]
	flags := byte(0x2c) // ICC profile, Exif, XMP
	if string(picture[:4]) == "VP8X" {
		flags |= picture[8]
		picture = picture[18:]
	}
	page := riff(
		riffChunk("VP8X", string([]byte{flags, 0xca, 0xfe, 0x01, 63, 0, 0, 47, 0, 0})),
		riffChunk("ICCP", canary), picture,
		riffChunk("EXIF", string(tiff(binary.LittleEndian, 6))), riffChunk("XMP ", canary+"."), riffChunk("priv", canary),
	)
	return append(page, canary...)
}

func TestCleanWebP(t *testing.T) {
	for _, name := range []string{"lossy.webp", "lossless.webp", "alpha.webp"} {
		t.Run(name, func(t *testing.T) {
			if page := fixture(t, name); !bytes.Equal(cleaned(t, page), page) {
				t.Error("a clean WebP changed")
			}
			dirty := dirtyWebP(t, name)
			out := cleaned(t, dirty)
			if bytes.Contains(out, []byte(canary[:6])) || bytes.Contains(out, []byte("EXIF")) || bytes.Contains(out, []byte("XMP ")) || bytes.Contains(out, []byte("ICCP")) {
				t.Error("metadata is left")
			}
			if flags := out[20]; flags&^0x10 != 0 || !bytes.Equal(out[21:24], make([]byte, 3)) {
				t.Errorf("flags %#x announce what is gone", out[20:24])
			}
			if length := binary.LittleEndian.Uint32(out[4:]); int(length)+8 != len(out) {
				t.Errorf("the file says %d bytes and has %d", length+8, len(out))
			}
			samePixels(t, dirty, out)
			if again := cleaned(t, out); !bytes.Equal(again, out) {
				t.Error("cleaning what is clean changes it")
			}
		})
	}
}

func TestWebPRefused(t *testing.T) {
	lossy := fixture(t, "lossy.webp")[12:]
	canvas := func(flags, width byte) []byte {
		return riffChunk("VP8X", string([]byte{flags, 0, 0, 0, width, 0, 0, 47, 0, 0}))
	}
	for name, test := range map[string]struct {
		page []byte
		code gateway.Code
	}{
		"animated by its flag":     {riff(canvas(0x02, 63), lossy), gateway.CodePageType},
		"animated by its chunks":   {riff(canvas(0, 63), riffChunk("ANMF", canary), lossy), gateway.CodePageType},
		"canvas bomb":              {riff(riffChunk("VP8X", "\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff")), gateway.CodePagePixels},
		"lossless bomb":            {riff(riffChunk("VP8L", "\x2f\xff\xff\xff\x0f")), gateway.CodePagePixels},
		"lossy bomb":               {riff(riffChunk("VP8 ", "\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f")), gateway.CodePagePixels},
		"picture unlike canvas":    {riff(canvas(0, 62), lossy), gateway.CodePageDamaged},
		"two canvases":             {riff(canvas(0, 63), canvas(0, 63), lossy), gateway.CodePageDamaged},
		"canvas behind picture":    {riff(lossy, canvas(0, 63)), gateway.CodePageDamaged},
		"no picture":               {riff(canvas(0, 63), riffChunk("EXIF", canary)), gateway.CodePageDamaged},
		"no key frame":             {riff(riffChunk("VP8 ", "\x11\x00\x00\x9d\x01\x2a\x40\x00\x30\x00")), gateway.CodePageDamaged},
		"no start code":            {riff(riffChunk("VP8 ", "\x10\x00\x00\x9d\x01\x2b\x40\x00\x30\x00")), gateway.CodePageDamaged},
		"no lossless signature":    {riff(riffChunk("VP8L", "\x2e\x3f\xc0\x0b\x00")), gateway.CodePageDamaged},
		"chunk longer than file":   {riff([]byte("VP8 \xff\xff\xff\xff")), gateway.CodePageDamaged},
		"picture without a header": {riff(riffChunk("VP8 ", "\x10\x00")), gateway.CodePageDamaged},
	} {
		_, err := clean(bytes.NewReader(test.page))
		t.Run(name, func(t *testing.T) { wantCode(t, err, test.code) })
	}
}

// TestWebPSecondPicture: only the first picture of a file is shown, so only
// it stays.
func TestWebPSecondPicture(t *testing.T) {
	first, second := fixture(t, "lossy.webp")[12:], fixture(t, "lossless.webp")[12:]
	out := cleaned(t, riff(first, second, []byte("odd")))
	if bytes.Contains(out, second[8:]) || bytes.HasSuffix(out, []byte("odd")) {
		t.Error("a second picture or padding is left")
	}
}

// The canvas says one pixel, the picture inside is far larger: whoever bounds
// pixels must not believe the canvas.
func TestPictureSizeOfWebPIsThePicturesOwn(t *testing.T) {
	var chunks bytes.Buffer
	chunks.WriteString("WEBPVP8X\x0a\x00\x00\x00")
	chunks.Write(make([]byte, 10)) // no flags, a canvas of 1 x 1
	chunks.WriteString("VP8L\x06\x00\x00\x00\x2f")
	bits := uint32(16382) | uint32(16382)<<14
	chunks.Write(binary.LittleEndian.AppendUint32(nil, bits))
	chunks.WriteByte(0)
	file := append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(chunks.Len())), chunks.Bytes()...)
	if width, height, err := gateway.PictureSize(bytes.NewReader(file)); err == nil && width*height < 16383*16383 {
		t.Errorf("got %d x %d, want the picture's own size or a refusal", width, height)
	}
}
