package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// slowUpload is a page whose second half has not been sent yet.
type slowUpload struct {
	rest   []byte
	body   *io.PipeWriter
	answer chan error // nil for 201
}

// begin sends the first half of a page, and leaves the line open.
func (c *client) begin(ctx context.Context, key string, page sealedPage) *slowUpload {
	reading, writing := io.Pipe()
	half := len(page.sealed) / 2
	u := &slowUpload{rest: page.sealed[half:], body: writing, answer: make(chan error, 1)}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+c.send+"/pages", reading)
	if err != nil {
		reading.CloseWithError(err)
		u.answer <- err
		return u
	}
	request.ContentLength = int64(len(page.sealed))
	request.Header = http.Header{
		"Content-Type": {"application/vnd.age"}, "Content-Digest": {page.header}, "Page-Id": {key},
		"Cookie": {c.cookie}, "X-Forwarded-For": {c.from},
	}
	go func() {
		response, err := c.http.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode != http.StatusCreated {
				err = fmt.Errorf("the upload: %w: %s", errRefused, response.Status)
			}
		}
		u.answer <- err
	}()
	_, _ = io.Copy(writing, bytes.NewReader(page.sealed[:half])) // a broken line shows in the answer
	return u
}

// finish sends the other half and gives what came of it.
func (u *slowUpload) finish() error {
	_, _ = io.Copy(u.body, bytes.NewReader(u.rest))
	u.body.Close()
	return <-u.answer
}

// beginUpload sends half of a page and waits until some of it is on disk.
func (h *house) beginUpload(c *client, key string, page sealedPage) *slowUpload {
	h.t.Helper()
	before := h.temporary()
	u := c.begin(h.t.Context(), key, page)
	waitFor(h.t, "the first half to be on disk", startTimeout, func() bool {
		for name, size := range h.temporary() {
			if _, old := before[name]; !old && size > 0 {
				return true
			}
		}
		return false
	})
	return u
}

// temporary lists what the vault holds without a name, with its size.
func (h *house) temporary() map[string]int64 {
	sizes := map[string]int64{}
	found, _ := filepath.Glob(h.path("data", "vault", "tmp", "*"))
	for _, name := range found {
		if info, err := os.Stat(name); err == nil {
			sizes[name] = info.Size()
		}
	}
	return sizes
}
