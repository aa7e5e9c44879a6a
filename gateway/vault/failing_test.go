package vault

import (
	"errors"
	"testing"
)

// A sync that fails may fail once only: the bytes are lost all the same, so
// nothing may be tried again and nothing may lie under the name.
func TestAFailedSyncIsNeverTriedAgain(t *testing.T) {
	for _, failing := range []string{"sync file", "sync folder objects/submissions/north/0abc", "sync folder objects/submissions"} {
		v := newVolatile()
		once := &failsOnce{volatile: v}
		d := diskOn(t, once)
		once.at = failing
		w, err := d.Create(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(); !errors.Is(err, errIO) {
			t.Errorf("%s: first commit gives %v", failing, err)
		}
		if err := w.Commit(); err == nil {
			t.Errorf("%s: the second commit acknowledges", failing)
		}
		w.Abort()
		if got := found(t, v, page); got != nil {
			t.Errorf("%s: an object lies there that was never committed", failing)
		}
		if entries, _ := v.ReadDir(temporaryFolder); len(entries) != 0 {
			t.Errorf("%s: a temporary file is left", failing)
		}
	}
}

var errIO = errors.New("input/output error")

type failsOnce struct {
	*volatile
	at     string
	failed bool
}

func (f *failsOnce) fail(what string) error {
	if what != f.at || f.failed {
		return nil
	}
	f.failed = true
	return errIO
}

func (f *failsOnce) Create(name string) (file, error) {
	created, err := f.volatile.Create(name)
	return failingSync{created, f}, err
}

func (f *failsOnce) SyncFolder(name string) error {
	if err := f.fail("sync folder " + name); err != nil {
		return err
	}
	return f.volatile.SyncFolder(name)
}

type failingSync struct {
	file
	disk *failsOnce
}

func (f failingSync) Sync() error {
	if err := f.disk.fail("sync file"); err != nil {
		return err
	}
	return f.file.Sync()
}
