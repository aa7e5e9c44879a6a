// Package vault keeps sealed bytes: on a local disk, where an object that was
// committed survives a power cut. It sees opaque bytes and holds no key.
package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"dropslot/gateway"
)

var _ gateway.Vault = (*Disk)(nil)

// The two folders in the vault's own: objects under their names, and files
// that are being written. Both lie on one file system, so that publishing is
// one step.
const (
	objectsFolder   = "objects"
	temporaryFolder = "tmp"
)

// Disk is a vault in a folder. Several processes may use one folder at once.
type Disk struct {
	root  *os.Root
	files files
	now   func() time.Time
	name  func() string // of a temporary file

	mu    sync.Mutex
	known map[string]time.Time // folders whose own name is durable, and when that was seen
}

// NewDisk opens the vault in a folder and makes it if there is none. The file
// system must know hard links and the syncing of folders.
func NewDisk(folder string) (*Disk, error) {
	if err := makeFolder(folder); err != nil {
		return nil, fmt.Errorf("make the vault's folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	disk, err := openDisk(root)
	if err != nil {
		root.Close()
		return nil, err
	}
	return disk, nil
}

func openDisk(root *os.Root) (*Disk, error) {
	files, err := newRootFiles(root)
	if err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	d, err := newDisk(files, time.Now)
	if err != nil {
		return nil, err
	}
	d.root = root
	return d, nil
}

func newDisk(files files, now func() time.Time) (*Disk, error) {
	d := &Disk{files: files, now: now, name: rand.Text, known: map[string]time.Time{}}
	for _, folder := range []string{objectsFolder, temporaryFolder} {
		if err := files.Mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make the vault's folders: %w", err)
		}
	}
	if err := files.SyncFolder("."); err != nil {
		return nil, fmt.Errorf("sync the vault's folder: %w", err)
	}
	return d, d.probe()
}

// probe publishes and removes a file, so that a file system that cannot do
// what Commit needs is told at the start, not at the first page.
func (d *Disk) probe() error {
	from, to := path.Join(temporaryFolder, d.name()), path.Join(temporaryFolder, d.name())
	f, err := d.files.Create(from)
	if errors.Is(err, syscall.ENOSPC) {
		return nil // what the vault holds can be read all the same
	}
	if err != nil {
		return fmt.Errorf("the vault cannot be written: %w", err)
	}
	err = errors.Join(f.Sync(), f.Close(), d.files.Link(from, to), d.files.SyncFolder(temporaryFolder))
	err = errors.Join(err, d.files.Remove(from), d.removeIfThere(to))
	if err != nil {
		return fmt.Errorf("the vault needs a file system with hard links and syncing: %w", err)
	}
	return nil
}

// makeFolder makes a folder with all above it, and every new name durable.
func makeFolder(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	var fresh []string // deepest first
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		fresh = append(fresh, at)
	}
	if err := os.MkdirAll(folder, privateFolder); err != nil {
		return err
	}
	for _, made := range fresh {
		parent, err := os.Open(filepath.Dir(made))
		if err != nil {
			return err
		}
		err = syncFolder(parent)
		parent.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// Close gives the folder back. Writers and blobs that are open stay usable.
func (d *Disk) Close() error { return d.root.Close() }

// readyBytes must be free for the vault to be ready: a link's worth of pages.
const readyBytes = 256 << 20

// Ready tells whether pages can be taken: the folder is there and has room.
func (d *Disk) Ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := d.files.Lstat(objectsFolder); err != nil {
		return fmt.Errorf("the vault's folder is gone: %w", err)
	}
	free, err := d.Free()
	if err != nil {
		return err
	}
	if free < readyBytes {
		return fmt.Errorf("the vault's disk is nearly full: %d MiB are free, %d are needed", free>>20, readyBytes>>20)
	}
	return nil
}

// Free tells how many bytes may still be written.
func (d *Disk) Free() (int64, error) {
	folder, err := d.root.Open(".")
	if err != nil {
		return 0, fmt.Errorf("open the vault's folder: %w", err)
	}
	defer folder.Close()
	free, err := freeBytes(folder)
	if err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return free, nil
}

// place gives the path of an object, and of nothing that is no valid name.
func place(name gateway.BlobName) (string, error) {
	if !name.Valid() {
		return "", gateway.NewError(gateway.CodeBadRequest, errors.New("not the name of an object"))
	}
	return objectsFolder + "/" + string(name), nil
}

// Open opens an object, or gateway.CodeNotFound.
func (d *Disk) Open(ctx context.Context, name gateway.BlobName) (gateway.Blob, error) {
	at, err := place(name)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opened, err := d.files.Open(at)
	if err != nil {
		return nil, d.absent(err)
	}
	info, err := opened.Stat()
	if err != nil || !info.Mode().IsRegular() {
		opened.Close()
		if err == nil {
			err = fs.ErrNotExist // a folder is no object
		}
		return nil, d.absent(err)
	}
	return &object{blob: opened, size: info.Size()}, nil
}

// absent turns what the disk says into what the vault says.
func (d *Disk) absent(err error) error {
	if missing(err) {
		return gateway.NewError(gateway.CodeNotFound, errors.New("no such object in the vault"))
	}
	return fmt.Errorf("open an object: %w", err)
}

// object is one object, open for reading.
type object struct {
	blob
	size int64
}

func (o *object) Size() int64 { return o.size }

// Remove deletes an object durably. The folder is synced even if the object
// is gone already: an earlier try may have failed right before that.
func (d *Disk) Remove(ctx context.Context, name gateway.BlobName) error {
	at, err := place(name)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := d.files.Lstat(at)
	if err == nil && info.IsDir() {
		return nil // a folder is no object
	}
	if err == nil {
		err = d.files.Remove(at)
	}
	if err != nil && !missing(err) {
		return fmt.Errorf("remove an object: %w", err)
	}
	if err := d.files.SyncFolder(path.Dir(at)); err != nil && !missing(err) {
		return fmt.Errorf("sync after removing an object: %w", err)
	}
	return nil
}

func (d *Disk) removeIfThere(name string) error {
	if err := d.files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
