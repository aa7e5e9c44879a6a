package gateway

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// pngCleaner keeps of a PNG the chunks that decoding needs, each at most once
// and with the length that its kind has, and the orientation of an eXIf
// chunk. Checksums are compared for every chunk (PNG, third edition).
type pngCleaner struct {
	pixelLimit
	src  *source
	step func() ([]byte, error)

	colors   byte // color type of IHDR
	palette  bool
	pixels   bool // an IDAT was seen
	exif     bool
	seen     map[string]bool
	keep     bool   // whether the chunk that passes is kept
	left     int64  // bytes of it to come
	sum      uint32 // its checksum so far
	trailing []byte // follows it, if its checksum is right
}

func newPNGCleaner(src *source, limit pixelLimit) *pngCleaner {
	c := &pngCleaner{pixelLimit: limit, src: src, seen: map[string]bool{}}
	c.step = c.begin
	return c
}

func (c *pngCleaner) next() ([]byte, error) { return c.step() }

func (c *pngCleaner) end() ([]byte, error) { return nil, io.EOF }

// begin reads the signature and IHDR, which SniffType found behind it.
func (c *pngCleaner) begin() ([]byte, error) {
	const length = len(pngSignature) + 12 + 13
	start, err := c.src.peek(length)
	if err != nil {
		return nil, err
	}
	header := start[len(pngSignature):]
	if !rightSum(header) {
		return nil, damaged("checksum of the PNG header")
	}
	body := header[8:21]
	c.colors = body[9]
	if !pngDepths[c.colors][body[8]] || body[10] != 0 || body[11] != 0 || body[12] > 1 {
		return nil, damaged("a PNG of an unknown kind")
	}
	err = c.set(int64(binary.BigEndian.Uint32(body)), int64(binary.BigEndian.Uint32(body[4:])))
	c.src.skip(length)
	c.step = c.chunk
	return start, err
}

// The bit depths that each color type may have (PNG, table 8).
var pngDepths = map[byte]map[byte]bool{
	pngGrey:      {1: true, 2: true, 4: true, 8: true, 16: true},
	pngRGB:       {8: true, 16: true},
	pngPalette:   {1: true, 2: true, 4: true, 8: true},
	pngGreyAlpha: {8: true, 16: true},
	pngRGBAlpha:  {8: true, 16: true},
}

// The lengths that bKGD and sBIT have with each color type.
var (
	pngBackground  = map[byte]int64{pngGrey: 2, pngGreyAlpha: 2, pngRGB: 6, pngRGBAlpha: 6, pngPalette: 1}
	pngSignificant = map[byte]int64{pngGrey: 1, pngGreyAlpha: 2, pngRGB: 3, pngRGBAlpha: 4, pngPalette: 3}
)

// The color types of PNG.
const (
	pngGrey      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGreyAlpha = 4
	pngRGBAlpha  = 6
)

// rightSum compares the checksum of a chunk that is there as a whole.
func rightSum(chunk []byte) bool {
	end := len(chunk) - 4
	return crc32.ChecksumIEEE(chunk[4:end]) == binary.BigEndian.Uint32(chunk[end:])
}

// pngSmallMost is the longest chunk that is kept in one piece: a palette.
const pngSmallMost = 768

func (c *pngCleaner) chunk() ([]byte, error) {
	head, err := c.src.peek(8)
	if err != nil {
		return nil, err
	}
	length, name := int64(binary.BigEndian.Uint32(head)), string(head[4:8])
	if length > 1<<31-1 {
		return nil, damaged("a PNG chunk too long for any PNG")
	}
	if c.pixels && name == "PLTE" || name == "IHDR" {
		return nil, damaged("a PNG chunk out of order")
	}
	critical := name[0]&0x20 == 0
	switch {
	case name == "IDAT":
		return c.beginPixels(head, length)
	case name == "IEND":
		return c.finish(length)
	case name == "eXIf":
		return nil, c.beginExif(length)
	case c.fits(name, length):
		return c.small(int(length) + 12)
	case critical && (name != "PLTE" || c.colors == pngPalette):
		return nil, damaged("a PNG chunk that is unknown or of a wrong length")
	}
	c.pass(head, length, false)
	return nil, nil
}

// fits tells whether a small chunk is on the list, in its place and of a
// length that its kind may have.
func (c *pngCleaner) fits(name string, length int64) bool {
	if c.pixels || c.seen[name] {
		return false
	}
	switch name {
	case "PLTE":
		return length >= 3 && length <= pngSmallMost && length%3 == 0 && c.colors != pngGrey && c.colors != pngGreyAlpha
	case "tRNS":
		return c.colors == pngGrey && length == 2 || c.colors == pngRGB && length == 6 ||
			c.colors == pngPalette && c.palette && length >= 1 && length <= 256
	case "bKGD":
		return length == pngBackground[c.colors]
	case "sBIT":
		return length == pngSignificant[c.colors]
	case "gAMA":
		return length == 4
	case "cHRM":
		return length == 32
	case "sRGB":
		return length == 1
	case "pHYs":
		return length == 9
	}
	return false
}

func (c *pngCleaner) small(length int) ([]byte, error) {
	whole, err := c.src.peek(length)
	if err != nil {
		return nil, err
	}
	if !rightSum(whole) {
		return nil, damaged("checksum of a PNG chunk")
	}
	name := string(whole[4:8])
	c.seen[name] = true
	c.palette = c.palette || name == "PLTE"
	c.src.skip(length)
	return whole, nil
}

func (c *pngCleaner) beginPixels(head []byte, length int64) ([]byte, error) {
	if c.colors == pngPalette && !c.palette {
		return nil, damaged("a PNG without its palette")
	}
	c.pixels = true
	c.pass(head, length, true)
	return head, nil
}

// beginExif reads the orientation. A directory further back than the source
// reaches is not looked for.
func (c *pngCleaner) beginExif(length int64) error {
	chunk, err := c.src.peek(8 + int(min(length, sourceBytes-8)))
	if err != nil {
		return err
	}
	var kept []byte
	if orientation := exifOrientation(chunk[8:]); orientation != 0 && !c.exif {
		c.exif = true
		kept = pngChunk("eXIf", orientationTIFF(orientation))
	}
	c.pass(chunk[:8], length, false)
	c.trailing = kept
	return nil
}

func pngChunk(name string, body []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body))) // #nosec G115 -- a few bytes
	chunk = append(append(chunk, name...), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// pass begins a chunk that may be long: it streams by, kept or not.
func (c *pngCleaner) pass(head []byte, length int64, keep bool) {
	c.keep, c.left, c.trailing = keep, length, nil
	c.sum = crc32.ChecksumIEEE(head[4:8])
	c.src.skip(8)
	c.step = c.body
}

func (c *pngCleaner) body() ([]byte, error) {
	if c.left == 0 {
		return c.checkSum()
	}
	window, err := c.src.window()
	if err != nil {
		return nil, midway(err)
	}
	if int64(len(window)) > c.left {
		window = window[:c.left]
	}
	c.sum = crc32.Update(c.sum, crc32.IEEETable, window)
	c.left -= int64(len(window))
	c.src.skip(len(window))
	if !c.keep {
		return nil, nil
	}
	return window, nil
}

func (c *pngCleaner) checkSum() ([]byte, error) {
	sum, err := c.src.peek(4)
	if err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(sum) != c.sum {
		return nil, damaged("checksum of a PNG chunk")
	}
	c.src.skip(4)
	c.step = c.chunk
	if c.keep {
		return sum, nil
	}
	return c.trailing, nil
}

func (c *pngCleaner) finish(length int64) ([]byte, error) {
	if length != 0 || !c.pixels {
		return nil, damaged("a PNG without pixels")
	}
	whole, err := c.src.peek(12)
	if err != nil {
		return nil, err
	}
	if !rightSum(whole) {
		return nil, damaged("checksum of a PNG chunk")
	}
	c.step = c.end // what was cropped away may follow; it stays behind
	return whole, nil
}
