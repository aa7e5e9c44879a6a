package gateway

import (
	"bytes"
	"encoding/binary"
)

// FileType is one of the kinds of files that an office takes.
type FileType struct {
	Media     string // media type, as in Content-Type
	Extension string // with its dot
	Picture   bool   // has pixels, as opposed to a document
	Inline    bool   // every browser shows it by itself
}

// The kinds of files.
var (
	fileJPEG = FileType{Media: "image/jpeg", Extension: ".jpg", Picture: true, Inline: true}
	filePNG  = FileType{Media: "image/png", Extension: ".png", Picture: true, Inline: true}
	fileWebP = FileType{Media: "image/webp", Extension: ".webp", Picture: true, Inline: true}
	fileHEIC = FileType{Media: "image/heic", Extension: ".heic", Picture: true}
	filePDF  = FileType{Media: "application/pdf", Extension: ".pdf", Inline: true}
)

// SniffBytes is how many bytes of the start of a file SniffType may look at.
const SniffBytes = 128

const pngSignature = "\x89PNG\r\n\x1a\n"

// SniffType knows a file by its first bytes, never by its name or by what a
// browser says of it. The signature must stand at the very beginning: a PDF
// behind other bytes, which some readers accept, is how one file is made to
// pass as two. Everything that is not on the list is refused (false).
func SniffType(start []byte) (FileType, bool) {
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xd8\xff")):
		return fileJPEG, true
	case bytes.HasPrefix(start, []byte(pngSignature+"\x00\x00\x00\rIHDR")):
		return filePNG, true
	case isWebP(start):
		return fileWebP, true
	case isHEIC(start):
		return fileHEIC, true
	case len(start) > 5 && bytes.HasPrefix(start, []byte("%PDF-")) && start[5] >= '1' && start[5] <= '9':
		return filePDF, true
	}
	return FileType{}, false
}

func isWebP(start []byte) bool {
	if len(start) < 16 || string(start[:4]) != "RIFF" || string(start[8:12]) != "WEBP" {
		return false
	}
	switch string(start[12:16]) {
	case "VP8 ", "VP8L", "VP8X":
		return true
	}
	return false
}

// The brands of HEIF files that hold HEVC pictures (ISO/IEC 23008-12, annexes
// B and C). mif1 and msf1 name the container alone; AVIF files use them too.
var (
	heicBrands = map[string]bool{"heic": true, "heix": true, "heim": true, "heis": true, "hevc": true, "hevx": true}
	heifBrands = map[string]bool{"mif1": true, "msf1": true}
	avifBrands = map[string]bool{"avif": true, "avis": true}
)

func isHEIC(start []byte) bool {
	if len(start) < 16 || string(start[4:8]) != "ftyp" {
		return false
	}
	box := binary.BigEndian.Uint32(start)
	if box < 16 || box > 4096 || box%4 != 0 {
		return false
	}
	major := start[8:12]
	if heicBrands[string(major)] {
		return true
	}
	if !heifBrands[string(major)] {
		return false
	}
	compatible := start[16:min(len(start), int(box))]
	for ; len(compatible) >= 4; compatible = compatible[4:] {
		if avifBrands[string(compatible[:4])] {
			return false
		}
	}
	return true
}
