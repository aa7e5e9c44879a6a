package vault

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// volatile is a disk in memory that loses at a power cut what was not synced:
// of a file the bytes since its last Sync, of a folder the names since its
// last SyncFolder. It is stricter than any file system, which is the point.
type volatile struct {
	mu    sync.Mutex
	root  *node
	steps int      // operations that changed or synced something
	stop  int      // the step at which everything fails from then on; 0 is never
	log   []string // of the steps
}

type node struct {
	folder   bool
	content  []byte
	synced   []byte
	names    map[string]*node
	durable  map[string]*node
	modified time.Time
}

var errPower = errors.New("the power is gone")

func newFolderNode() *node {
	return &node{folder: true, names: map[string]*node{}, durable: map[string]*node{}, modified: time.Now()}
}

func newVolatile() *volatile { return &volatile{root: newFolderNode()} }

// step counts one operation, and fails it when the power is gone. The caller
// holds the lock.
func (v *volatile) step(what string) error {
	v.steps++
	v.log = append(v.log, what)
	if v.stop > 0 && v.steps >= v.stop {
		return errPower
	}
	return nil
}

func (v *volatile) find(name string) (*node, error) {
	at := v.root
	if name == "." {
		return at, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if at.folder {
			at = at.names[part]
		} else {
			at = nil
		}
		if at == nil {
			return nil, fs.ErrNotExist
		}
	}
	return at, nil
}

// put gives a node a name in an existing folder.
func (v *volatile) put(name string, n *node, over bool) error {
	folder, err := v.find(path.Dir(name))
	if err != nil {
		return err
	}
	if _, there := folder.names[path.Base(name)]; there && !over {
		return fs.ErrExist
	}
	folder.names[path.Base(name)] = n
	return nil
}

func (v *volatile) Create(name string) (file, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.step("create"); err != nil {
		return nil, err
	}
	n := &node{modified: time.Now()}
	return &volatileFile{v, n}, v.put(name, n, false)
}

func (v *volatile) Link(from, to string) error   { return v.move("link", from, to, false) }
func (v *volatile) Rename(from, to string) error { return v.move("rename", from, to, true) }

func (v *volatile) move(what, from, to string, over bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.step(what + " " + to); err != nil {
		return err
	}
	n, err := v.find(from)
	if err != nil {
		return err
	}
	if err := v.put(to, n, over); err != nil || !over {
		return err
	}
	folder, _ := v.find(path.Dir(from))
	delete(folder.names, path.Base(from))
	return nil
}

func (v *volatile) Remove(name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.step("remove " + name); err != nil {
		return err
	}
	n, err := v.find(name)
	if err != nil {
		return err
	}
	if len(n.names) > 0 {
		return errors.New("the folder is not empty")
	}
	folder, _ := v.find(path.Dir(name))
	delete(folder.names, path.Base(name))
	return nil
}

func (v *volatile) Mkdir(name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.step("mkdir " + name); err != nil {
		return err
	}
	return v.put(name, newFolderNode(), false)
}

func (v *volatile) SyncFolder(name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.step("sync folder " + name); err != nil {
		return err
	}
	n, err := v.find(name)
	if err != nil {
		return err
	}
	n.durable = make(map[string]*node, len(n.names))
	for name, below := range n.names {
		n.durable[name] = below
	}
	return nil
}

func (v *volatile) Open(name string) (blob, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, err := v.find(name)
	if err != nil {
		return nil, err
	}
	return volatileBlob{bytes.NewReader(n.content), volatileInfo{path.Base(name), n}}, nil
}

func (v *volatile) Lstat(name string) (fs.FileInfo, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, err := v.find(name)
	return volatileInfo{path.Base(name), n}, err
}

func (v *volatile) ReadDir(name string) ([]fs.DirEntry, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, err := v.find(name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for name, below := range n.names {
		entries = append(entries, fs.FileInfoToDirEntry(volatileInfo{name, below}))
	}
	return entries, nil
}

// cut gives the disk as it is found after the power came back. Names that were
// not synced are gone, or with names true they happen to be there: a disk may
// do either. Bytes that were not synced are gone in any case.
func (v *volatile) cut(names bool) *volatile {
	v.mu.Lock()
	defer v.mu.Unlock()
	return &volatile{root: survive(v.root, names, map[*node]*node{})}
}

func survive(n *node, names bool, seen map[*node]*node) *node {
	if after := seen[n]; after != nil {
		return after
	}
	after := &node{folder: n.folder, content: slices.Clone(n.synced), synced: n.synced}
	seen[n] = after
	if n.folder {
		after.names, after.durable = map[string]*node{}, map[string]*node{}
	}
	left := n.durable
	if names {
		left = n.names
	}
	for name, below := range left {
		after.names[name] = survive(below, names, seen)
		after.durable[name] = after.names[name]
	}
	return after
}

type volatileFile struct {
	disk *volatile
	node *node
}

func (f *volatileFile) Write(b []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("write"); err != nil {
		return 0, err
	}
	f.node.content = append(f.node.content, b...)
	return len(b), nil
}

func (f *volatileFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("sync file"); err != nil {
		return err
	}
	f.node.synced = slices.Clone(f.node.content)
	return nil
}

func (f *volatileFile) Close() error { return nil }

type volatileBlob struct {
	io.ReaderAt
	info volatileInfo
}

func (b volatileBlob) Close() error               { return nil }
func (b volatileBlob) Stat() (fs.FileInfo, error) { return b.info, nil }

type volatileInfo struct {
	name string
	node *node
}

func (i volatileInfo) Name() string       { return i.name }
func (i volatileInfo) Size() int64        { return int64(len(i.node.content)) }
func (i volatileInfo) ModTime() time.Time { return i.node.modified }
func (i volatileInfo) IsDir() bool        { return i.node.folder }
func (i volatileInfo) Sys() any           { return nil }
func (i volatileInfo) Mode() fs.FileMode {
	if i.node.folder {
		return fs.ModeDir | privateFolder
	}
	return privateFile
}
