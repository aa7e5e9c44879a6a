package gateway

import (
	"bytes"
	"encoding/binary"
)

// OrientationOf reads from the first bytes of a JPEG or PNG which way is up:
// 1 for upright, 2 to 8 as in Exif. What CleanPage gave has it within the
// first few kilobytes. A picture that says nothing is upright.
func OrientationOf(start []byte) int {
	var found byte
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xd8")):
		found = jpegOrientation(start[2:])
	case bytes.HasPrefix(start, []byte(pngSignature)):
		found = pngOrientation(start[len(pngSignature):])
	}
	return max(1, int(found))
}

func jpegOrientation(segments []byte) byte {
	const header = "Exif\x00\x00"
	for len(segments) >= 4 && segments[0] == 0xff && segments[1] != jpegSOS {
		length := int(binary.BigEndian.Uint16(segments[2:]))
		if length < 2 || 2+length > len(segments) {
			return 0
		}
		body := segments[4 : 2+length]
		if segments[1] == jpegAPP1 && bytes.HasPrefix(body, []byte(header)) {
			return exifOrientation(body[len(header):])
		}
		segments = segments[2+length:]
	}
	return 0
}

func pngOrientation(chunks []byte) byte {
	for len(chunks) >= 12 {
		length := int64(binary.BigEndian.Uint32(chunks))
		name := string(chunks[4:8])
		if name == "IDAT" || 12+length > int64(len(chunks)) {
			return 0
		}
		if name == "eXIf" {
			return exifOrientation(chunks[8 : 8+length])
		}
		chunks = chunks[12+length:]
	}
	return 0
}
