package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"dropslot/gateway"
)

// pieceBytes is what goes to the disk at once: 3 MB in 4 KiB pieces take
// three times as long.
const pieceBytes = 64 << 10

// buffers hold small writes until a piece is full. A writer that is fed whole
// pieces never takes one.
var buffers = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// errEnded tells of a write to an object that was committed or given up.
var errEnded = errors.New("the object was ended")

// writer writes one object into a temporary file.
type writer struct {
	ctx       context.Context
	disk      *Disk
	file      file
	temporary string
	place     string
	exclusive bool // an object of that name stays what it is

	buffer *[pieceBytes]byte // nil unless it holds bytes
	filled int
	err    error // the first that happened; what follows is refused
}

// Create begins an object. Nothing is there under the name until Commit. The
// context holds for the whole write: when it ends, nothing is committed.
func (d *Disk) Create(ctx context.Context, name gateway.BlobName) (gateway.BlobWriter, error) {
	return d.begin(ctx, name, true)
}

// Replace writes a small object whole, over an older one of that name: a
// reader, and a power cut, find either the old content or the new.
func (d *Disk) Replace(ctx context.Context, name gateway.BlobName, content []byte) error {
	w, err := d.begin(ctx, name, false)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Commit()
}

func (d *Disk) begin(ctx context.Context, name gateway.BlobName, exclusive bool) (*writer, error) {
	at, err := place(name)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	temporary := path.Join(temporaryFolder, d.name())
	f, err := d.files.Create(temporary)
	if err != nil {
		return nil, fmt.Errorf("begin an object: %w", err)
	}
	return &writer{ctx: ctx, disk: d, file: f, temporary: temporary, place: at, exclusive: exclusive}, nil
}

func (w *writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.err = w.ctx.Err(); w.err != nil {
		return 0, w.err
	}
	// A large piece goes past the buffer, which would only copy it.
	if len(b) >= pieceBytes/2 {
		if w.err = w.flush(); w.err != nil {
			return 0, w.err
		}
		n, err := w.file.Write(b)
		w.err = w.writing(err)
		return n, w.err
	}
	written := 0
	for written < len(b) {
		if w.buffer == nil {
			w.buffer = buffers.Get().(*[pieceBytes]byte)
		}
		n := copy(w.buffer[w.filled:], b[written:])
		w.filled += n
		written += n
		if w.filled == pieceBytes {
			if w.err = w.flush(); w.err != nil {
				return written, w.err
			}
		}
	}
	return written, nil
}

func (w *writer) flush() error {
	if w.buffer == nil {
		return nil
	}
	_, err := w.file.Write(w.buffer[:w.filled])
	buffers.Put(w.buffer)
	w.buffer, w.filled = nil, 0
	return w.writing(err)
}

func (w *writer) writing(err error) error {
	if err != nil {
		return fmt.Errorf("write an object: %w", err)
	}
	return nil
}

// Commit makes the object durable under its name. A crash before it returns
// leaves a temporary file, or the object whole: never a part of it under its
// name, because the content is synced before the name is given. After an
// error nothing is tried again: a disk that failed to sync once may have
// dropped the bytes and say nothing the next time.
func (w *writer) Commit() error {
	if w.err != nil {
		return w.err
	}
	defer w.end()
	if w.err = w.ctx.Err(); w.err != nil {
		return w.err
	}
	if w.err = w.flush(); w.err != nil {
		return w.err
	}
	if err := w.file.Sync(); err != nil {
		w.err = fmt.Errorf("sync an object: %w", err)
		return w.err
	}
	if w.err = w.giveName(); w.err != nil {
		return w.err
	}
	w.err = errEnded
	return nil
}

// publish gives the temporary file the object's name.
func (w *writer) publish() error {
	if w.exclusive {
		return w.disk.files.Link(w.temporary, w.place)
	}
	return w.disk.files.Rename(w.temporary, w.place)
}

// nameTries is how often a name is given anew when a sweep removes the empty
// folder, or one above it, right then.
const nameTries = 20

func (w *writer) giveName() error {
	folder := path.Dir(w.place)
	err := w.publish()
	for try := 0; try < nameTries && errors.Is(err, fs.ErrNotExist); try++ {
		w.disk.forget(folder)
		if err = w.disk.ensureFolder(folder); err == nil {
			err = w.publish()
		}
	}
	if errors.Is(err, fs.ErrExist) {
		// Whoever relies on the object that is there relies on its being
		// durable, and the one who made it may not have come that far.
		if err := w.disk.syncUp(folder); err != nil {
			return fmt.Errorf("sync an object's folder: %w", err)
		}
		return gateway.NewError(gateway.CodeBlobExists, nil)
	}
	if err != nil {
		return fmt.Errorf("name an object: %w", err)
	}
	if err := w.disk.syncUp(folder); err != nil {
		if w.exclusive {
			// It was not committed and nobody else can have relied on it.
			_ = w.disk.files.Remove(w.place)
		}
		return fmt.Errorf("sync an object's folder: %w", err)
	}
	return nil
}

// Abort gives the object up; after Commit it does nothing.
func (w *writer) Abort() {
	if w.err == nil {
		w.err = errEnded
	}
	w.end()
}

// end gives everything back. The temporary name of a committed object is a
// second name of the same file, or gone.
func (w *writer) end() {
	if w.file == nil {
		return
	}
	if w.buffer != nil {
		buffers.Put(w.buffer)
		w.buffer, w.filled = nil, 0
	}
	_ = w.file.Close()
	w.file = nil
	_ = w.disk.removeIfThere(w.temporary)
}
