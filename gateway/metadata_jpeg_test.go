package gateway_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"testing"

	"dropslot/gateway"
)

func segment(marker byte, body string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(body))), body...)
}

func encodeJPEG(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// splitAtScan parts a JPEG in front of its first scan.
func splitAtScan(t testing.TB, page []byte) (head, scans []byte) {
	t.Helper()
	at := bytes.Index(page, []byte{0xff, 0xda})
	if at < 0 {
		t.Fatal("no scan")
	}
	return page[:at:at], page[at:]
}

// dirtyJPEG is what a phone sends: every kind of metadata before, between and
// behind the picture.
func dirtyJPEG(t testing.TB, orientation uint16) []byte {
	t.Helper()
	plain := encodeJPEG(t, noise(75, 50), 90)
	head, scans := splitAtScan(t, plain)
	return bytes.Join([][]byte{
		head[:2],
		segment(0xe0, "JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x02\x01"+canary[:6]), // with a thumbnail of 2 x 1
		segment(0xe0, "JFXX\x00\x10"+canary),
		segment(0xe1, "Exif\x00\x00"+string(tiff(binary.LittleEndian, orientation))),
		segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+canary+"</x:xmpmeta>"),
		segment(0xe1, "Exif\x00\x00"+string(tiff(binary.BigEndian, 3))), // a second one does not count
		segment(0xe2, "ICC_PROFILE\x00\x01\x01"+canary),
		segment(0xe2, "MPF\x00II*\x00"+canary),
		segment(0xed, "Photoshop 3.0\x008BIM"+canary),
		segment(0xee, "Adobe\x00\x65\x80\x00\x40\x00\x01"+canary),
		segment(0xef, canary),
		segment(0xfe, canary),
		head[2:],
		segment(0xfe, canary),
		scans,
		plain, []byte("\x00\x00\x00\x18ftypmp42" + canary), // a second picture and a film
	}, nil)
}

func TestCleanJPEG(t *testing.T) {
	dirty := dirtyJPEG(t, 6)
	out := cleaned(t, dirty)
	if bytes.Contains(out, []byte(canary[:6])) {
		t.Error("metadata is left")
	}
	if !bytes.HasSuffix(out, []byte{0xff, 0xd9}) || bytes.Count(out, []byte{0xff, 0xd8, 0xff}) != 1 {
		t.Error("something follows the end of the picture")
	}
	if want := segment(0xe0, "JFIF\x00\x01\x01\x01\x00\x48\x00\x48\x00\x00"); !bytes.Contains(out, want) {
		t.Error("the bare JFIF header is missing")
	}
	if want := segment(0xee, "Adobe\x00\x64\x00\x00\x00\x00\x01"); !bytes.Contains(out, want) {
		t.Error("the reduced Adobe header is missing")
	}
	samePixels(t, dirty, out)
	if again := cleaned(t, out); !bytes.Equal(again, out) {
		t.Error("cleaning what is clean changes it")
	}
}

func TestJPEGOrientation(t *testing.T) {
	plain := encodeJPEG(t, noise(16, 16), 90)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for orientation := range uint16(11) {
			exif := segment(0xe1, "Exif\x00\x00"+string(tiff(order, orientation)))
			out := cleaned(t, bytes.Join([][]byte{plain[:2], exif, plain[2:]}, nil))
			minimal := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00\x00\x00\x00\x00"
			want := plain
			if orientation >= 2 && orientation <= 8 {
				want = bytes.Join([][]byte{plain[:2], segment(0xe1, minimal), plain[2:]}, nil)
			}
			if !bytes.Equal(out, want) {
				t.Errorf("orientation %d: got %q", orientation, out[:min(60, len(out))])
			}
		}
	}
}

func TestJPEGKinds(t *testing.T) {
	progressive := fixture(t, "progressive.jpg")
	for name, page := range map[string][]byte{
		"progressive": progressive, "CMYK": fixture(t, "cmyk.jpg"), "restarts": restartJPEG(), "noise": encodeJPEG(t, noise(700, 300), 95),
	} {
		out := cleaned(t, page)
		samePixels(t, page, out)
		if again := cleaned(t, out); !bytes.Equal(again, out) {
			t.Errorf("%s: cleaning what is clean changes it", name)
		}
	}
	// Comments between the scans, and fill bytes in front of each marker.
	parts := bytes.SplitAfter(progressive, []byte{0xff, 0xda})
	stuffed := bytes.Join(parts, nil)
	stuffed = bytes.ReplaceAll(stuffed, []byte{0xff, 0xda}, append(segment(0xfe, canary), 0xff, 0xff, 0xff, 0xda))
	out := cleaned(t, stuffed)
	if bytes.Contains(out, []byte(canary)) || bytes.Contains(out, []byte{0xff, 0xff}) {
		t.Error("a comment or a fill byte between scans is left")
	}
	samePixels(t, progressive, out)
}

// restartJPEG is written by hand: 8 grey blocks, a restart marker behind
// each. Every block is the two bits 00 (no change, end of block), padded.
func restartJPEG() []byte {
	page := bytes.Join([][]byte{
		{0xff, 0xd8},
		segment(0xdb, "\x00"+string(bytes.Repeat([]byte{1}, 64))),
		segment(0xc0, "\x08\x00\x08\x00\x40\x01\x01\x11\x00"),
		segment(0xc4, "\x00\x01"+string(make([]byte, 15))+"\x00"),
		segment(0xc4, "\x10\x01"+string(make([]byte, 15))+"\x00"),
		segment(0xdd, "\x00\x01"),
		segment(0xda, "\x01\x01\x00\x00\x3f\x00"),
	}, nil)
	for block := range byte(8) {
		page = append(page, 0x3f)
		if block < 7 {
			page = append(page, 0xff, 0xd0+block)
		}
	}
	return append(page, 0xff, 0xd9)
}

// TestJPEGHidesNothing: segments that decoding needs hold what their own
// counts say and not a byte more; bytes between segments go.
func TestJPEGHidesNothing(t *testing.T) {
	page := restartJPEG()
	for name, old := range map[string][]byte{
		"quantisation table": segment(0xdb, "\x00"+string(bytes.Repeat([]byte{1}, 64))),
		"frame":              segment(0xc0, "\x08\x00\x08\x00\x40\x01\x01\x11\x00"),
		"Huffman table":      segment(0xc4, "\x00\x01"+string(make([]byte, 15))+"\x00"),
		"restart interval":   segment(0xdd, "\x00\x01"),
		"scan header":        segment(0xda, "\x01\x01\x00\x00\x3f\x00"),
	} {
		longer := segment(old[1], string(old[4:])+canary)
		_, err := clean(bytes.NewReader(bytes.Replace(page, old, longer, 1)))
		t.Run(name, func(t *testing.T) { wantCode(t, err, gateway.CodePageDamaged) })
	}
	between := bytes.Replace(page, []byte{0xff, 0xdd}, append([]byte(canary+"\xff\x00"), 0xff, 0xdd), 1)
	if out := cleaned(t, between); !bytes.Equal(out, page) {
		t.Error("bytes between segments are left")
	}
}

func TestJPEGRefused(t *testing.T) {
	page := restartJPEG()
	replaced := func(from, to string) []byte { return bytes.Replace(page, []byte(from), []byte(to), 1) }
	for name, test := range map[string]struct {
		page []byte
		code gateway.Code
	}{
		"bomb":               {replaced("\x08\x00\x08\x00\x40\x01", "\x08\xff\xff\xff\xff\x01"), gateway.CodePagePixels},
		"one pixel too many": {replaced("\x08\x00\x08\x00\x40\x01", "\x08\x27\x11\x27\x10\x01"), gateway.CodePagePixels},
		"no height":          {replaced("\x08\x00\x08\x00\x40\x01", "\x08\x00\x00\x00\x40\x01"), gateway.CodePageDamaged},
		"12 bits":            {replaced("\x08\x00\x08\x00\x40\x01", "\x0c\x00\x08\x00\x40\x01"), gateway.CodePageDamaged},
		"lossless":           {replaced("\xff\xc0", "\xff\xc3"), gateway.CodePageDamaged},
		"arithmetic":         {replaced("\xff\xc0", "\xff\xc9"), gateway.CodePageDamaged},
		"two frames":         {replaced("\xff\xdd", string(segment(0xc0, "\x08\x00\x08\x00\x40\x01\x01\x11\x00"))+"\xff\xdd"), gateway.CodePageDamaged},
		"two beginnings":     {replaced("\xff\xdd", "\xff\xd8\xff\xdd"), gateway.CodePageDamaged},
		"scan before frame":  {append(page[:2:2], segment(0xda, "\x01\x01\x00\x00\x3f\x00")...), gateway.CodePageDamaged},
		"reserved marker":    {replaced("\xff\xdd", "\xff\x02\xff\xdd"), gateway.CodePageDamaged},
		"length of one":      {replaced("\xff\xdd\x00\x04", "\xff\xdd\x00\x01"), gateway.CodePageDamaged},
		"no picture":         {[]byte("\xff\xd8\xff\xd9"), gateway.CodePageDamaged},
	} {
		_, err := clean(bytes.NewReader(test.page))
		t.Run(name, func(t *testing.T) { wantCode(t, err, test.code) })
	}
	exact := replaced("\x08\x00\x08\x00\x40\x01", "\x08\x27\x10\x27\x10\x01") // 10,000 x 10,000
	if _, err := clean(bytes.NewReader(exact)); err != nil {
		t.Errorf("as many pixels as allowed: %v", err)
	}
}
