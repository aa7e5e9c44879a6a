package paper

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// sandbox runs PDFium, which draws PDFs in Chromium too, as WebAssembly: what a
// stranger wrote is parsed in a memory of its own, without files, network,
// environment or keys, and is ended when its time is over. One PDF is in it at
// a time, and nothing of it is left for the next.
type sandbox struct {
	place chan struct{}

	mu   sync.Mutex
	pool pdfium.Pool // made for the first PDF
}

// sandboxMemory bounds what one PDF may take, in bytes.
const sandboxMemory = 256 << 20

func newSandbox() *sandbox { return &sandbox{place: make(chan struct{}, 1)} }

// run gives a PDFium of its own to a function. Whatever the function is at when
// the time is over fails. The time begins when the place is free.
func (s *sandbox) run(ctx context.Context, most time.Duration, do func(pdfium.Pdfium) error) error {
	select {
	case s.place <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.place }()
	pool, err := s.ready()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	instance, err := pool.GetInstanceWithContext(ctx)
	if err != nil {
		return fmt.Errorf("paper: begin PDFium: %w", err)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = instance.Kill()
	})
	err = do(instance)
	if stop() {
		_ = instance.Close() // its memory goes whether or not PDFium can tidy it
		return err
	}
	<-ended
	return ctx.Err()
}

// ready compiles PDFium, once: it takes some seconds and then some 40 MB, which
// a desk that meets no PDF spares itself.
func (s *sandbox) ready() (pdfium.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil {
		return s.pool, nil
	}
	memory := experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory { return &linearMemory{} })
	pool, err := webassembly.Init(webassembly.Config{
		Context: experimental.WithMemoryAllocator(context.Background(), memory),
		// PDFium is built with exceptions of WebAssembly.
		RuntimeConfig: wazero.NewRuntimeConfig().WithCloseOnContextDone(true).
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithMemoryLimitPages(sandboxMemory / (64 << 10)),
		FSConfig: wazero.NewFSConfig(), // none: the library's default is the whole disk
		Stdout:   io.Discard, Stderr: io.Discard,
		MaxTotal: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("paper: compile PDFium: %w", err)
	}
	s.pool = pool
	return pool, nil
}

// linearMemory is a PDFium's memory in one piece. The runtime's own grows by
// copying, and a PDF that asks for ever more leaves a trail of old copies of
// several times the bound. What is not used of the piece is never touched.
type linearMemory struct{ all []byte }

// Reallocate gives the memory with that many bytes; nil if it cannot.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > sandboxMemory {
		return nil
	}
	if m.all == nil {
		m.all = make([]byte, sandboxMemory)
	}
	return m.all[:size]
}

// Free leaves it to the collector: a picture may still be read from it.
func (m *linearMemory) Free() { m.all = nil }
