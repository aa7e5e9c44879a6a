package gateway

import (
	"bytes"
	"encoding/binary"
	"io"
)

// The markers of JPEG that matter here (ITU-T T.81, table B.1).
const (
	jpegTEM   = 0x01
	jpegSOF0  = 0xc0 // baseline
	jpegSOF2  = 0xc2 // progressive
	jpegDHT   = 0xc4
	jpegRST0  = 0xd0
	jpegRST7  = 0xd7
	jpegSOI   = 0xd8
	jpegEOI   = 0xd9
	jpegSOS   = 0xda
	jpegDQT   = 0xdb
	jpegDNL   = 0xdc
	jpegDRI   = 0xdd
	jpegAPP0  = 0xe0
	jpegAPP1  = 0xe1
	jpegAPP14 = 0xee
	jpegAPP15 = 0xef
	jpegJPG0  = 0xf0
	jpegCOM   = 0xfe
)

// jpegScans is how many scans a picture may have. Progressive ones have about 10;
// each costs a decoder a walk through all pixels, however few bytes it has.
const jpegScans = 100

// jpegCleaner keeps of a JPEG what decoding needs: tables, frame, scans, the
// bare JFIF header and Adobe's transform flag, which tell the color space,
// and the orientation. Segments that are kept are checked to hold exactly
// what their own counts say, so that nothing travels behind it.
type jpegCleaner struct {
	pixelLimit
	src  *source
	step func() ([]byte, error)

	scanned    bool // a scan began: headers are over
	scans      int
	jfif, exif bool // kept once each
}

func newJPEGCleaner(src *source, limit pixelLimit) *jpegCleaner {
	c := &jpegCleaner{pixelLimit: limit, src: src}
	c.step = c.begin
	return c
}

func (c *jpegCleaner) next() ([]byte, error) { return c.step() }

func (c *jpegCleaner) begin() ([]byte, error) {
	if _, err := c.src.peek(2); err != nil {
		return nil, err
	}
	c.src.skip(2)
	c.step = c.segment
	return []byte{0xff, jpegSOI}, nil
}

func (c *jpegCleaner) end() ([]byte, error) { return nil, io.EOF }

// segment treats one marker and what belongs to it. Bytes before the marker
// are dropped: decoders skip them too.
func (c *jpegCleaner) segment() ([]byte, error) {
	marker, err := c.findMarker()
	if err != nil {
		return nil, err
	}
	switch {
	case marker == jpegTEM || marker >= jpegRST0 && marker <= jpegRST7:
		c.src.skip(2)
		return nil, nil
	case marker == jpegEOI:
		if !c.scanned {
			return nil, damaged("a JPEG without a picture")
		}
		c.step = c.end // second pictures and films that phones append stay behind
		return []byte{0xff, jpegEOI}, nil
	case marker == jpegSOI || marker < jpegSOF0:
		return nil, damaged("a marker that has no place in a JPEG")
	}
	head, err := c.src.peek(4)
	if err != nil {
		return nil, err
	}
	length := 2 + int(binary.BigEndian.Uint16(head[2:]))
	if length < 4 {
		return nil, damaged("a segment shorter than its length")
	}
	whole, err := c.src.peek(length)
	if err != nil {
		return nil, err
	}
	kept, err := c.keep(marker, whole)
	c.src.skip(length)
	return kept, err
}

// findMarker goes to the next marker and leaves the source in front of it.
func (c *jpegCleaner) findMarker() (byte, error) {
	for {
		window, err := c.src.window()
		if err != nil {
			return 0, midway(err)
		}
		at := bytes.IndexByte(window, 0xff)
		if at < 0 {
			c.src.skip(len(window))
			continue
		}
		c.src.skip(at)
		pair, err := c.src.peek(2)
		if err != nil {
			return 0, err
		}
		switch pair[1] {
		case 0xff: // a fill byte
			c.src.skip(1)
		case 0x00: // no marker
			c.src.skip(2)
		default:
			return pair[1], nil
		}
	}
}

// keep gives what stays of a segment, which whole holds with its marker.
func (c *jpegCleaner) keep(marker byte, whole []byte) ([]byte, error) {
	body := whole[4:]
	var ok bool
	switch {
	case marker >= jpegSOF0 && marker <= jpegSOF2:
		return whole, c.readFrame(body)
	case marker == jpegDHT:
		ok = exactHuffmanTables(body)
	case marker == jpegDQT:
		ok = exactQuantTables(body)
	case marker == jpegDRI:
		ok = len(body) == 2
	case marker == jpegSOS:
		ok = c.width > 0 && len(body) > 0 && body[0] >= 1 && body[0] <= 4 && len(body) == 4+2*int(body[0])
		c.scanned = true
		if c.scans++; c.scans > jpegScans {
			return nil, damaged("more scans than any camera makes")
		}
		c.step = c.scan
	case marker == jpegAPP0:
		return c.keepJFIF(body), nil
	case marker == jpegAPP1:
		return c.keepExif(body), nil
	case marker == jpegAPP14:
		return c.keepAdobe(body), nil
	case marker > jpegAPP0 && marker <= jpegAPP15, marker == jpegCOM, marker == jpegDNL,
		marker >= jpegJPG0 && marker < jpegCOM:
		return nil, nil
	default: // lossless, hierarchical and arithmetic coding: no browser shows them
		return nil, damaged("a JPEG of a kind that browsers do not show")
	}
	if !ok {
		return nil, damaged("a segment that does not hold what it says")
	}
	return whole, nil
}

func (c *jpegCleaner) readFrame(body []byte) error {
	if c.width > 0 || len(body) < 6 || body[0] != 8 {
		return damaged("a frame header that is doubled, cut or not of 8 bits")
	}
	if parts := int(body[5]); parts < 1 || parts > 4 || len(body) != 6+3*parts {
		return damaged("a frame header that does not hold what it says")
	}
	return c.set(int64(binary.BigEndian.Uint16(body[3:])), int64(binary.BigEndian.Uint16(body[1:])))
}

func exactHuffmanTables(body []byte) bool {
	for len(body) >= 17 {
		codes := 0
		for _, n := range body[1:17] {
			codes += int(n)
		}
		if len(body) < 17+codes {
			return false
		}
		body = body[17+codes:]
	}
	return len(body) == 0
}

func exactQuantTables(body []byte) bool {
	for len(body) > 0 {
		table := 1 + 64
		if body[0]>>4 != 0 { // 16-bit entries
			table = 1 + 128
		}
		if len(body) < table {
			return false
		}
		body = body[table:]
	}
	return true
}

// keepJFIF keeps the density, which a scan needs to be printed in its size,
// and drops the thumbnail.
func (c *jpegCleaner) keepJFIF(body []byte) []byte {
	if c.jfif || c.scanned || len(body) < 12 || string(body[:5]) != "JFIF\x00" {
		return nil
	}
	c.jfif = true
	bare := []byte{0xff, jpegAPP0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0}
	copy(bare[11:], body[7:12]) // unit, horizontal and vertical density
	return bare
}

func (c *jpegCleaner) keepExif(body []byte) []byte {
	const header = "Exif\x00\x00"
	if c.exif || c.scanned || !bytes.HasPrefix(body, []byte(header)) {
		return nil
	}
	orientation := exifOrientation(body[len(header):])
	if orientation == 0 {
		return nil
	}
	c.exif = true
	tiff := orientationTIFF(orientation)
	kept := append([]byte{0xff, jpegAPP1, 0, byte(2 + len(header) + len(tiff))}, header...) // #nosec G115 -- a few dozen bytes
	return append(kept, tiff...)
}

// keepAdobe keeps whether the colors are transformed: without it CMYK and
// RGB pictures come out in wrong colors. Of several the last one counts to
// decoders, so all stay.
func (c *jpegCleaner) keepAdobe(body []byte) []byte {
	if c.scanned || len(body) < 12 || string(body[:5]) != "Adobe" {
		return nil
	}
	return []byte{0xff, jpegAPP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, body[11]}
}

// scan gives entropy-coded data up to the next marker. Fill bytes are dropped.
func (c *jpegCleaner) scan() ([]byte, error) {
	window, err := c.src.window()
	if err != nil {
		return nil, midway(err)
	}
	if coded := codedBytes(window); coded > 0 {
		c.src.skip(coded)
		return window[:coded], nil
	}
	pair, err := c.src.peek(2) // begins with 0xff
	if err != nil {
		return nil, err
	}
	switch {
	case pair[1] == 0xff:
		c.src.skip(1)
	case !belongsToScan(pair[1]):
		c.step = c.segment
	}
	return nil, nil
}

// belongsToScan tells whether 0xff and this byte stand within a scan: a
// stuffed zero or a restart marker.
func belongsToScan(b byte) bool { return b == 0 || b >= jpegRST0 && b <= jpegRST7 }

// codedBytes counts the bytes before the next marker, or before a last 0xff
// whose second byte is not there yet.
func codedBytes(window []byte) int {
	at := 0
	for {
		next := bytes.IndexByte(window[at:], 0xff)
		if next < 0 {
			return len(window)
		}
		at += next
		if at+1 == len(window) || !belongsToScan(window[at+1]) {
			return at
		}
		at += 2
	}
}
