package gateway

import (
	"errors"
	"io"
	"sync"
)

// sourceBytes holds the longest segment of a JPEG (64 KiB and its marker) in one piece.
const sourceBytes = 66 << 10

var sourceBuffers = sync.Pool{New: func() any { b := make([]byte, sourceBytes); return &b }}

// source is a reader with a window onto what comes next.
type source struct {
	r        io.Reader
	buffer   *[]byte
	from, to int // what was read and not skipped
	err      error
}

func newSource(r io.Reader) *source {
	return &source{r: r, buffer: sourceBuffers.Get().(*[]byte)}
}

// release gives the buffer back; what was read from it is no longer valid.
func (s *source) release() {
	if s.buffer != nil {
		sourceBuffers.Put(s.buffer)
		s.buffer, s.from, s.to = nil, 0, 0
		s.err = io.EOF
	}
}

// fill reads at least one more byte, or fails.
func (s *source) fill() error {
	if s.err != nil {
		return s.err
	}
	buffer := *s.buffer
	switch {
	case s.from == s.to:
		s.from, s.to = 0, 0
	case s.to == len(buffer):
		s.to = copy(buffer, buffer[s.from:s.to])
		s.from = 0
	}
	for range 100 {
		n, err := s.r.Read(buffer[s.to:])
		s.to += n
		if err != nil {
			s.err = err
			if errors.Is(err, io.ErrUnexpectedEOF) {
				// A connection that broke must not be taken for an end by
				// callers that read with io.ReadFull.
				s.err = damaged("the upload broke off")
			}
		}
		if n > 0 {
			return nil
		}
		if s.err != nil {
			return s.err
		}
	}
	s.err = io.ErrNoProgress
	return s.err
}

// start gives the next n bytes, or fewer where the file is shorter.
func (s *source) start(n int) ([]byte, error) {
	for s.to-s.from < n {
		err := s.fill()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return (*s.buffer)[s.from:min(s.to, s.from+n)], nil
}

// peek gives the next n bytes without skipping them; a file that ends before
// is damaged. n is at most sourceBytes.
func (s *source) peek(n int) ([]byte, error) {
	for s.to-s.from < n {
		if err := s.fill(); err != nil {
			return nil, midway(err)
		}
	}
	return (*s.buffer)[s.from : s.from+n], nil
}

// window gives everything that is there, at least one byte, or io.EOF.
func (s *source) window() ([]byte, error) {
	if s.from == s.to {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	return (*s.buffer)[s.from:s.to], nil
}

// skip goes on by n bytes, which peek or window gave before.
func (s *source) skip(n int) { s.from += n }

// midway tells what the end of a file means where more must follow.
func midway(err error) error {
	if errors.Is(err, io.EOF) {
		return damaged("the file ends too early")
	}
	return err
}
