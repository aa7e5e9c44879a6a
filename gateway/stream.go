package gateway

import (
	"errors"
	"hash"
	"io"
	"sync"
)

// Pieces of this size go to the disk: 3 MB in 4 KiB pieces take three times as long.
const pieceBytes = 64 << 10

var pieces = sync.Pool{New: func() any { b := make([]byte, pieceBytes); return &b }}

// copyPieces copies in whole pieces and refuses more than most bytes.
func copyPieces(w io.Writer, r io.Reader, piece []byte, most int64) (int64, error) {
	var total int64
	for {
		n, err := readPiece(r, piece)
		total += int64(n)
		if total > most {
			return total, NewError(CodePageTooBig, nil)
		}
		if n > 0 {
			if _, err := w.Write(piece[:n]); err != nil {
				return total, err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, err
		}
	}
}

// readPiece fills the piece as far as the reader goes. Unlike io.ReadFull it
// gives the reader's own error: a connection that broke off is no end.
func readPiece(r io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var read int
		read, err = r.Read(piece[n:])
		n += read
	}
	return n, err
}

// digestWriter counts and hashes what passes to the vault.
type digestWriter struct {
	to    io.Writer
	hash  hash.Hash
	bytes int64
}

func (d *digestWriter) Write(b []byte) (int, error) {
	n, err := d.to.Write(b)
	d.hash.Write(b[:n])
	d.bytes += int64(n)
	return n, err
}

func (d *digestWriter) digest() Digest { return Digest(d.hash.Sum(nil)) }
