package vault

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"
)

// knownMost bounds how many folders are remembered, and knownFor how long.
// Sweeping removes folders that are empty for longer than knownFor.
const (
	knownMost = 4096
	knownFor  = time.Hour
)

// ensureFolder makes the folder of an object and all above it. What it makes
// is durable only after syncUp.
func (d *Disk) ensureFolder(folder string) error {
	err := d.files.Mkdir(folder)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(folder, "/") {
		return err
	}
	if err := d.ensureFolder(path.Dir(folder)); err != nil {
		return err
	}
	if err := d.files.Mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// syncUp makes a name in a folder durable, and the folder's own name and
// those above it unless that is known. Another process may have made one of
// them a moment ago and not synced it yet, so it is not enough to sync what
// this process made.
func (d *Disk) syncUp(folder string) error {
	if err := d.files.SyncFolder(folder); err != nil {
		return err
	}
	var synced []string
	for at := folder; at != objectsFolder && !d.isKnown(at); at = path.Dir(at) {
		if err := d.files.SyncFolder(path.Dir(at)); err != nil {
			return err
		}
		synced = append(synced, at)
	}
	d.remember(synced)
	return nil
}

// forget is called when a folder that may be remembered turned out to be gone.
func (d *Disk) forget(folder string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := folder; at != objectsFolder; at = path.Dir(at) {
		delete(d.known, at)
	}
}

func (d *Disk) isKnown(folder string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	since, known := d.known[folder]
	return known && d.now().Sub(since) < knownFor
}

func (d *Disk) remember(folders []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known)+len(folders) > knownMost {
		clear(d.known)
	}
	for _, folder := range folders {
		d.known[folder] = d.now()
	}
}
