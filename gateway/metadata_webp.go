package gateway

import (
	"encoding/binary"
	"errors"
	"io"
)

// webpCleaner blanks everything in a WebP file but the picture. The length of
// the whole stands at its beginning, so nothing can be left out of a stream:
// chunks of metadata keep their length and become JUNK, full of zeros, and
// the flags that announce them are cleared (RFC 9649). With them goes the
// orientation, which browsers do not heed in WebP.
type webpCleaner struct {
	pixelLimit
	src  *source
	step func() ([]byte, error)

	left     int64 // bytes of the file to come, by its own count
	body     int64 // bytes of the current chunk to come
	pad      bool  // a byte follows the chunk, to make it even
	blank    bool  // the chunk is metadata
	extended bool  // began with VP8X, which tells the size of the canvas
	alpha    bool
	picture  bool
}

func newWebPCleaner(src *source, limit pixelLimit) *webpCleaner {
	c := &webpCleaner{pixelLimit: limit, src: src}
	c.step = c.begin
	return c
}

func (c *webpCleaner) next() ([]byte, error) { return c.step() }

// size waits for the picture itself: what the canvas says may be another
// size than what a decoder has to make room for.
func (c *webpCleaner) size() (width, height int) {
	if !c.picture {
		return 0, 0
	}
	return c.pixelLimit.size()
}

func (c *webpCleaner) begin() ([]byte, error) {
	head, err := c.src.peek(12)
	if err != nil {
		return nil, err
	}
	c.left = int64(binary.LittleEndian.Uint32(head[4:])) - 4
	if c.left < 8 {
		return nil, damaged("a WebP file without chunks")
	}
	c.src.skip(12)
	c.step = c.chunk
	return head, nil
}

func (c *webpCleaner) end() ([]byte, error) {
	if !c.picture {
		return nil, damaged("a WebP file without a picture")
	}
	return nil, io.EOF
}

func (c *webpCleaner) chunk() ([]byte, error) {
	if c.left == 0 {
		return c.end()
	}
	if c.left < 8 { // no room for a chunk: padding
		c.body, c.pad, c.blank, c.left = c.left, false, true, 0
		c.step = c.content
		return nil, nil
	}
	head, err := c.src.peek(8)
	if err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(head[4:]))
	c.left -= 8
	if length > c.left {
		return nil, damaged("a WebP chunk longer than its file")
	}
	c.left -= length
	c.body, c.blank = length, false
	if c.pad = length%2 == 1 && c.left > 0; c.pad {
		c.left--
	}
	c.step = c.content
	switch string(head[:4]) {
	case "VP8X":
		return c.canvas(length)
	case "VP8 ", "VP8L":
		if !c.picture {
			return c.beginPicture(string(head[:4]), length)
		}
	case "ALPH":
		if c.extended && !c.alpha && !c.picture {
			c.alpha = true
			c.src.skip(8)
			return head, nil
		}
	case "ANIM", "ANMF":
		return nil, animated()
	}
	c.blank = true
	copy(head, "JUNK")
	c.src.skip(8)
	return head, nil
}

// animated refuses a moving picture: no paper moves, and each frame would
// have to be bounded and cleaned by itself.
func animated() error { return NewError(CodePageType, errors.New("an animated WebP")) }

// The flags of VP8X that are looked at.
const (
	webpAnimation = 0x02
	webpAlpha     = 0x10
)

func (c *webpCleaner) canvas(length int64) ([]byte, error) {
	if c.extended || c.picture || c.width > 0 || length != 10 {
		return nil, damaged("a WebP canvas out of place")
	}
	whole, err := c.src.peek(18)
	if err != nil {
		return nil, err
	}
	if whole[8]&webpAnimation != 0 {
		return nil, animated()
	}
	c.extended = true
	c.body = 0
	whole[8] &= webpAlpha
	clear(whole[9:12])
	c.src.skip(18)
	return whole, c.set(1+int64(uint24(whole[12:])), 1+int64(uint24(whole[15:])))
}

func uint24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// beginPicture reads the size from the picture itself, which is what a
// decoder goes by, and compares it with the canvas.
func (c *webpCleaner) beginPicture(name string, length int64) ([]byte, error) {
	need := map[string]int64{"VP8 ": 10, "VP8L": 5}[name]
	if length < need {
		return nil, damaged("a WebP picture without a header")
	}
	whole, err := c.src.peek(8 + int(need))
	if err != nil {
		return nil, err
	}
	width, height, ok := webpSize(name, whole[8:])
	if !ok || c.extended && (int(width) != c.width || int(height) != c.height) {
		return nil, damaged("a WebP picture that is not what its header says")
	}
	c.picture = true
	c.body -= need
	c.src.skip(len(whole))
	return whole, c.set(width, height)
}

func webpSize(name string, header []byte) (width, height int64, ok bool) {
	if name == "VP8L" { // signature, then 14 bits each of width and height, less one
		bits := binary.LittleEndian.Uint32(header[1:])
		return 1 + int64(bits&0x3fff), 1 + int64(bits>>14&0x3fff), header[0] == 0x2f
	}
	// RFC 6386, 9.1: a key frame (bit 0 clear), its start code, 14 bits each.
	key := header[0]&1 == 0 && string(header[3:6]) == "\x9d\x01\x2a"
	return int64(binary.LittleEndian.Uint16(header[6:]) & 0x3fff), int64(binary.LittleEndian.Uint16(header[8:]) & 0x3fff), key
}

// content gives the rest of the chunk, as zeros if it is metadata.
func (c *webpCleaner) content() ([]byte, error) {
	if c.body == 0 {
		c.step = c.chunk
		if c.pad {
			c.pad = false
			if _, err := c.src.peek(1); err != nil {
				return nil, err
			}
			c.src.skip(1)
			return []byte{0}, nil
		}
		return nil, nil
	}
	window, err := c.src.window()
	if err != nil {
		return nil, midway(err)
	}
	if int64(len(window)) > c.body {
		window = window[:c.body]
	}
	c.body -= int64(len(window))
	c.src.skip(len(window))
	if c.blank {
		clear(window)
	}
	return window, nil
}
