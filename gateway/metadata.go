package gateway

import (
	"errors"
	"io"
	"math"
)

// A cleaner gives the clean bytes of one page piece by piece.
type cleaner interface {
	// next gives the next bytes, which are valid until it is called again,
	// or io.EOF when the page is complete. It may give none.
	next() ([]byte, error)
	// size gives width and height as soon as the header was read; 0 before.
	size() (width, height int)
}

// CleanPage tells the type of a page and gives its bytes without what a
// camera or an editor wrote beside the picture: place, time, device, names,
// thumbnails, comments, second pictures, whatever follows the end. Of all
// metadata the orientation of JPEG and PNG stays, since without it a page may
// lie on its side. The pixels are not touched. HEIC and PDF pass as sent.
//
// It streams: about 66 KiB are held however large the page is. A picture of
// more than maxPixels is refused from its header, before anybody decodes it.
//
// Errors, also those of the reader: CodePageEmpty, CodePageType,
// CodePageDamaged, CodePagePixels, and whatever r fails with.
func CleanPage(r io.Reader, maxPixels int64) (FileType, io.Reader, error) {
	src := newSource(r)
	kind, c, err := newCleaner(src, maxPixels)
	if err != nil {
		src.release()
		return FileType{}, nil, err
	}
	page := &cleanReader{src: src, cleaner: c}
	if page.piece, page.err = c.next(); page.err != nil { // PNG and WebP tell their size at once
		src.release()
		return FileType{}, nil, page.err
	}
	return kind, page, nil
}

// PictureSize reads the header of a JPEG, PNG or WebP picture: width and
// height in pixels as stored. CodePageType for everything else,
// CodePageDamaged if there is no such header.
func PictureSize(start io.Reader) (width, height int, err error) {
	src := newSource(start)
	defer src.release()
	_, c, err := newCleaner(src, math.MaxInt64)
	if err != nil {
		return 0, 0, err
	}
	if _, passes := c.(*passer); passes {
		return 0, 0, NewError(CodePageType, errors.New("size of a file that is not read here"))
	}
	for {
		if width, height = c.size(); width > 0 {
			return width, height, nil
		}
		if _, err := c.next(); err != nil {
			return 0, 0, err
		}
	}
}

func newCleaner(src *source, maxPixels int64) (FileType, cleaner, error) {
	start, err := src.start(SniffBytes)
	if err != nil {
		return FileType{}, nil, err
	}
	if len(start) == 0 {
		return FileType{}, nil, NewError(CodePageEmpty, nil)
	}
	kind, known := SniffType(start)
	if !known {
		return FileType{}, nil, NewError(CodePageType, nil)
	}
	limit := pixelLimit{most: maxPixels}
	switch kind {
	case fileJPEG:
		return kind, newJPEGCleaner(src, limit), nil
	case filePNG:
		return kind, newPNGCleaner(src, limit), nil
	case fileWebP:
		return kind, newWebPCleaner(src, limit), nil
	}
	return kind, &passer{src: src}, nil
}

// cleanReader is the reader that CleanPage gives.
type cleanReader struct {
	src     *source
	cleaner cleaner
	piece   []byte
	err     error
}

func (c *cleanReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.piece) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if c.piece, c.err = c.cleaner.next(); c.err != nil {
			c.piece = nil // it would lie in the buffer that goes back
			c.src.release()
		}
	}
	n := copy(p, c.piece)
	c.piece = c.piece[n:]
	return n, nil
}

// passer lets a file through as it was sent.
type passer struct{ src *source }

func (p *passer) size() (int, int) { return 0, 0 }

func (p *passer) next() ([]byte, error) {
	window, err := p.src.window()
	p.src.skip(len(window))
	return window, err
}

// pixelLimit bounds and remembers the size of a picture.
type pixelLimit struct {
	most          int64
	width, height int
}

func (l *pixelLimit) size() (width, height int) { return l.width, l.height }

func (l *pixelLimit) set(width, height int64) error {
	if width < 1 || height < 1 || width > math.MaxInt32 || height > math.MaxInt32 {
		return damaged("no pixels")
	}
	if width*height > l.most {
		return NewError(CodePagePixels, nil)
	}
	l.width, l.height = int(width), int(height)
	return nil
}

func damaged(reason string) error { return NewError(CodePageDamaged, errors.New(reason)) }
