package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/vault/vaulttest"
)

const page gateway.BlobName = "submissions/north/0abc/page-1.age"

var content = vaulttest.Noise(1, 150_000)

func diskOn(t *testing.T, f files) *Disk {
	t.Helper()
	d, err := newDisk(f, func() time.Time { return time.Unix(1_700_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func store(d *Disk, name gateway.BlobName, content []byte) error {
	w, err := d.Create(context.Background(), name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, bytes.NewReader(content)); err != nil {
		return err
	}
	return w.Commit()
}

// found reads an object after a power cut; nil if there is none.
func found(t *testing.T, v *volatile, name gateway.BlobName) []byte {
	t.Helper()
	d := &Disk{files: v}
	blob, err := d.Open(t.Context(), name)
	if gateway.Is(err, gateway.CodeNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{}, got...)
}

// Both kinds of power cut, after one page and after a second in the same
// folder (whose way up is known by then).
func survivesPowerCut(t *testing.T, disk func(*volatile) files) error {
	t.Helper()
	v := newVolatile()
	d := diskOn(t, disk(v))
	for _, name := range []gateway.BlobName{page, "submissions/north/0abc/page-2.age", "submissions/south/0abd/page-1.age"} {
		if err := store(d, name, content); err != nil {
			t.Fatal(err)
		}
		for _, names := range []bool{false, true} {
			if got := found(t, v.cut(names), name); !bytes.Equal(got, content) {
				return fmt.Errorf("%s: %d bytes of %d are left", name, len(got), len(content))
			}
		}
	}
	return nil
}

func TestCommittedObjectsSurviveAPowerCut(t *testing.T) {
	if err := survivesPowerCut(t, func(v *volatile) files { return v }); err != nil {
		t.Error(err)
	}
}

// The mutants: a test that does not notice a missing sync proves nothing.
func TestAMissingSyncIsNoticed(t *testing.T) {
	for name, mutant := range map[string]func(*volatile) files{
		"no sync of the file":    func(v *volatile) files { return noFileSync{v} },
		"no sync of the folder":  func(v *volatile) files { return noFolderSync{v, "submissions/north/0abc"} },
		"no sync of its parent":  func(v *volatile) files { return noFolderSync{v, "submissions/north"} },
		"no sync further up":     func(v *volatile) files { return noFolderSync{v, "submissions"} },
		"no sync of the objects": func(v *volatile) files { return noFolderSync{v, ""} },
	} {
		if err := survivesPowerCut(t, mutant); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

type noFileSync struct{ *volatile }

func (m noFileSync) Create(name string) (file, error) {
	f, err := m.volatile.Create(name)
	return unsynced{f}, err
}

type unsynced struct{ file }

func (unsynced) Sync() error { return nil }

type noFolderSync struct {
	*volatile
	folder string
}

func (m noFolderSync) SyncFolder(name string) error {
	if strings.TrimSuffix(objectsFolder+"/"+m.folder, "/") == name {
		return nil
	}
	return m.volatile.SyncFolder(name)
}

// The power goes at each step in turn. What was acknowledged is there whole;
// what was not is there whole or not at all.
func TestPowerCutAtEveryStep(t *testing.T) {
	for stop := 1; ; stop++ {
		v := newVolatile()
		d := diskOn(t, v)
		begun := v.steps
		v.stop = begun + stop
		err := store(d, page, content)
		for _, names := range []bool{false, true} {
			got := found(t, v.cut(names), page)
			if err == nil && !bytes.Equal(got, content) || got != nil && !bytes.Equal(got, content) {
				t.Fatalf("cut at step %d (%s), commit gives %v: %d bytes of %d are left", stop, v.log[len(v.log)-1], err, len(got), len(content))
			}
		}
		if err == nil {
			if stop < 8 {
				t.Fatalf("only %d steps: %q", stop, v.log[begun:])
			}
			return
		}
	}
}

// A head or a manifest that is replaced: the old or the new one, never none.
func TestReplaceAtEveryStep(t *testing.T) {
	for stop := 1; ; stop++ {
		v := newVolatile()
		d := diskOn(t, v)
		if err := d.Replace(t.Context(), "audit/head", []byte("old")); err != nil {
			t.Fatal(err)
		}
		v.stop = v.steps + stop
		err := d.Replace(t.Context(), "audit/head", []byte("newer"))
		for _, names := range []bool{false, true} {
			got := string(found(t, v.cut(names), "audit/head"))
			if got != "newer" && (err == nil || got != "old") {
				t.Fatalf("cut at step %d (%s), replace gives %v: %q is left", stop, v.log[len(v.log)-1], err, got)
			}
		}
		if err == nil {
			return
		}
	}
}

// Another process made the folder a moment ago and has not synced it yet. Our
// own commit must not rely on that.
func TestAFolderThatAnotherProcessMadeIsSynced(t *testing.T) {
	v := newVolatile()
	d := diskOn(t, v)
	for _, folder := range []string{"objects/submissions", "objects/submissions/north", "objects/submissions/north/0abc"} {
		if err := v.Mkdir(folder); err != nil {
			t.Fatal(err)
		}
	}
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	if got := found(t, v.cut(false), page); !bytes.Equal(got, content) {
		t.Error("lost with a folder that was never synced")
	}
}

// Whoever is told that an object exists relies on it, though the process that
// made it was killed before its sync.
func TestAnObjectThatExistsIsDurable(t *testing.T) {
	v := newVolatile()
	killed := diskOn(t, v)
	w, err := killed.begin(t.Context(), page, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.flush(), w.file.Sync(), killed.ensureFolder("objects/submissions/north/0abc"), w.publish()); err != nil {
		t.Fatal(err)
	}
	if err := store(diskOn(t, v), page, content); !gateway.Is(err, gateway.CodeBlobExists) {
		t.Fatalf("second writer: %v", err)
	}
	if got := found(t, v.cut(false), page); !bytes.Equal(got, content) {
		t.Error("the object that exists is lost")
	}
}

func TestRemovalSurvivesAPowerCut(t *testing.T) {
	v := newVolatile()
	d := diskOn(t, v)
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	// The first try was killed between the removal and its sync.
	if err := v.Remove(objectsFolder + "/" + string(page)); err != nil {
		t.Fatal(err)
	}
	if got := found(t, v.cut(false), page); got == nil {
		t.Fatal("the model forgets that removing needs a sync")
	}
	if err := d.Remove(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if got := found(t, v.cut(false), page); got != nil {
		t.Error("what was erased is back after a power cut")
	}
}

// A second page in a folder costs two syncs, not one for each folder above.
func TestKnownFoldersAreNotSyncedAgain(t *testing.T) {
	v := newVolatile()
	d := diskOn(t, v)
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	begun := v.steps
	if err := store(d, "submissions/north/0abc/page-2.age", content); err != nil {
		t.Fatal(err)
	}
	var syncs []string
	for _, step := range v.log[begun:] {
		if strings.HasPrefix(step, "sync") {
			syncs = append(syncs, step)
		}
	}
	if !slices.Equal(syncs, []string{"sync file", "sync folder objects/submissions/north/0abc"}) {
		t.Errorf("syncs: %q", syncs)
	}
}

// Somebody removed the folder by hand. What this process remembers of it is
// then wrong.
func TestARemovedFolderIsForgotten(t *testing.T) {
	v := newVolatile()
	d := diskOn(t, v)
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"objects/" + string(page), "objects/submissions/north/0abc", "objects/submissions/north"} {
		if err := v.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.SyncFolder("objects/submissions"); err != nil {
		t.Fatal(err)
	}
	if err := store(d, page, content); err != nil {
		t.Fatal(err)
	}
	if got := found(t, v.cut(false), page); !bytes.Equal(got, content) {
		t.Error("lost with a folder that was taken for durable")
	}
}
