package gateway

import "encoding/binary"

// orientationTag is the tag of TIFF 6.0 that tells which way is up: 1 is
// upright, 2 to 8 are the other turns and mirrors.
const orientationTag = 0x0112

// exifOrientation reads the orientation from the TIFF structure that Exif
// wraps: 2 to 8, or 0 if the picture is upright, says nothing or nonsense.
func exifOrientation(tiff []byte) byte {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == orientationTag {
			const short = 3 // the type of 16-bit numbers
			value := order.Uint16(entries[8:])
			if order.Uint16(entries[2:]) != short || value < 2 || value > 8 {
				return 0
			}
			return byte(value)
		}
		entries = entries[12:]
	}
	return 0
}

// orientationTIFF is the smallest TIFF structure that says only which way is up.
func orientationTIFF(orientation byte) []byte {
	return []byte{
		'M', 'M', 0, 42, 0, 0, 0, 8, // big-endian; the directory begins at 8
		0, 1, // one entry: tag, SHORT, one of them, the value
		orientationTag >> 8, orientationTag & 0xff, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0,
		0, 0, 0, 0, // no further directory
	}
}
