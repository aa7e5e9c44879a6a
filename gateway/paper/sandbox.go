package paper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"dropslot/gateway"
)

// sandbox runs PDFium, Chromium's reader of PDFs, as WebAssembly: what a
// stranger wrote is parsed in a memory of its own, without files, network,
// environment or keys, and is ended when its time is over. One PDF is in it at
// a time, and nothing of it is left for the next.
type sandbox struct {
	place   chan struct{}
	pool    pdfium.Pool // made for the first PDF, by who has the place
	refused atomic.Bool // PDFium asked for more memory than there is
}

const (
	// sandboxMemory bounds what one PDF may take, in bytes.
	sandboxMemory = 256 << 20
	// sandboxQueue is how long a PDF waits for those before it.
	sandboxQueue = 30 * time.Second
)

// errTakesTooMuch is of a PDF that needs more memory or time than there is.
var errTakesTooMuch = errors.New("the PDF takes too much memory or time")

func newSandbox() *sandbox { return &sandbox{place: make(chan struct{}, 1)} }

// run gives a PDFium of its own to a function, for so long. CodeUnavailable if
// others keep the place.
func (s *sandbox) run(ctx context.Context, most time.Duration, do func(pdfium.Pdfium) error) error {
	select {
	case s.place <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(sandboxQueue):
		return gateway.NewError(gateway.CodeUnavailable, errors.New("other PDFs are still being read"))
	}
	defer func() { <-s.place }()
	if s.pool == nil {
		if err := s.compile(); err != nil {
			return fmt.Errorf("paper: compile PDFium: %w", err)
		}
	}
	s.refused.Store(false)
	limited, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	instance, err := s.pool.GetInstanceWithContext(limited)
	if err != nil {
		return fmt.Errorf("paper: begin PDFium: %w", err)
	}
	defer debug.FreeOSMemory() // else the next PDF's memory comes beside this one's
	err = ended(limited, instance, do)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil || s.refused.Load(): // PDFium goes on without what it could not get
		return errTakesTooMuch
	}
	return err
}

// ended runs a function and ends the PDFium, at the latest when the context
// ends. It is killed even if nothing is wrong: closing it runs code of its own,
// which a hostile PDF may have got hold of.
func ended(ctx context.Context, instance pdfium.Pdfium, do func(pdfium.Pdfium) error) (err error) {
	killed := make(chan struct{})
	kill := func() {
		defer close(killed)
		_ = instance.Kill()
	}
	stop := context.AfterFunc(ctx, kill)
	defer func() {
		if cause := recover(); cause != nil {
			err = errNotWhole
		}
		if stop() {
			kill()
		}
		<-killed
	}()
	return do(instance)
}

// compile takes some seconds and 320 MB, of which 45 stay: a desk that meets no
// PDF spares itself that.
func (s *sandbox) compile() error {
	memory := experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory { return &linearMemory{of: s} })
	pool, err := webassembly.Init(webassembly.Config{
		Context: experimental.WithMemoryAllocator(context.Background(), memory),
		// PDFium is built with exceptions of WebAssembly.
		RuntimeConfig: wazero.NewRuntimeConfig().WithCloseOnContextDone(true).
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling),
		FSConfig: wazero.NewFSConfig(), // none: the library's default is the whole disk
		Stdout:   io.Discard, Stderr: io.Discard,
		MaxTotal: 1,
	})
	s.pool = pool
	return err
}

// linearMemory is a PDFium's memory in one piece. The runtime's own grows by
// copying, and a PDF that asks for ever more leaves a trail of old copies of
// several times the bound.
type linearMemory struct {
	of  *sandbox
	all []byte
}

// Reallocate gives the memory with that many bytes; nil if it cannot.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > sandboxMemory {
		m.of.refused.Store(true)
		return nil
	}
	if m.all == nil {
		m.all = make([]byte, sandboxMemory)
	}
	return m.all[:size]
}

// Free leaves it to the collector.
func (m *linearMemory) Free() { m.all = nil }
