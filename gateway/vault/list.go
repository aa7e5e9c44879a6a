package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"dropslot/gateway"
)

// missing tells that a name is not there, or that what would be its folder is
// an object.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// List calls visit for each object below a prefix in the order of the bytes
// of names, until visit fails. Below means in that folder or deeper. Objects
// that come or go meanwhile may be seen or not.
func (d *Disk) List(ctx context.Context, prefix gateway.BlobName, visit func(gateway.BlobInfo) error) error {
	if prefix == "" {
		return d.list(ctx, objectsFolder, "", visit)
	}
	at, err := place(prefix)
	if err != nil {
		return err
	}
	return d.list(ctx, at, string(prefix)+"/", visit)
}

func (d *Disk) list(ctx context.Context, folder, begin string, visit func(gateway.BlobInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := d.files.ReadDir(folder)
	if missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list objects: %w", err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortKey(a), sortKey(b)) })
	for _, entry := range entries {
		name := gateway.BlobName(begin + entry.Name())
		if !name.Valid() {
			continue // not ours: lost+found, or what an operator put there
		}
		if entry.IsDir() {
			if err := d.list(ctx, path.Join(folder, entry.Name()), string(name)+"/", visit); err != nil {
				return err
			}
			continue
		}
		info, err := entry.Info()
		if missing(err) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		if err := visit(gateway.BlobInfo{Name: name, Size: info.Size(), Modified: info.ModTime()}); err != nil {
			return err
		}
	}
	return nil
}

// sortKey puts a folder where the names below it belong: behind "a.b", which
// is less than "a/".
func sortKey(entry fs.DirEntry) string {
	if entry.IsDir() {
		return entry.Name() + "/"
	}
	return entry.Name()
}

// SweepTemporary removes what unfinished writes older than the time left, and
// gives their count. Folders that have been empty since then, and for longer
// than any process remembers them, go too and are not counted.
func (d *Disk) SweepTemporary(ctx context.Context, before time.Time) (int, error) {
	entries, err := d.files.ReadDir(temporaryFolder)
	if err != nil {
		return 0, fmt.Errorf("list temporary files: %w", err)
	}
	removed := 0
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		info, err := entry.Info()
		if missing(err) {
			continue
		}
		if err != nil {
			return removed, fmt.Errorf("look at a temporary file: %w", err)
		}
		if !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		if err := d.removeIfThere(path.Join(temporaryFolder, entry.Name())); err != nil {
			return removed, fmt.Errorf("remove a temporary file: %w", err)
		}
		removed++
	}
	if oldest := d.now().Add(-2 * knownFor); oldest.Before(before) {
		before = oldest
	}
	return removed, d.sweepFolders(ctx, objectsFolder, before)
}

// sweepFolders removes empty folders below a folder, deepest first. The system
// refuses to remove one that is not empty, so a write that comes in between
// loses nothing: it makes the folder again.
func (d *Disk) sweepFolders(ctx context.Context, folder string, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := d.files.ReadDir(folder)
	if missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list folders: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		below := path.Join(folder, entry.Name())
		if err := d.sweepFolders(ctx, below, before); err != nil {
			return err
		}
		info, err := d.files.Lstat(below)
		if err == nil && info.ModTime().Before(before) {
			_ = d.files.Remove(below) // fails if it holds anything
		}
	}
	return nil
}
