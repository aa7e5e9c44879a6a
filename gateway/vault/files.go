package vault

import (
	"io"
	"io/fs"
	"os"
)

// files is what the vault asks of a disk. Names are slash-separated, from the
// vault's folder. Tests put a disk under it that loses at a power cut what was
// not synced: a kill of the process shows no missing sync.
type files interface {
	// Create makes a file that must not be there yet.
	Create(name string) (file, error)
	Open(name string) (blob, error)
	// Link gives a file a second name that must not be there yet.
	Link(from, to string) error
	// Rename moves a file over whatever has the other name.
	Rename(from, to string) error
	Remove(name string) error
	Mkdir(name string) error
	// SyncFolder makes durable which names a folder holds.
	SyncFolder(name string) error
	Lstat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
}

// file is one that is being written.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// blob is a file that is being read.
type blob interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// rootFiles is a real folder. os.Root refuses names and links that lead out
// of it.
type rootFiles struct {
	root       *os.Root
	fileMode   fs.FileMode
	folderMode fs.FileMode
}

const (
	privateFile   fs.FileMode = 0o600
	privateFolder fs.FileMode = 0o700
	groupOfFile   fs.FileMode = 0o040
	groupOfFolder fs.FileMode = 0o070
)

// newRootFiles takes modes from the vault's folder: private to one user
// unless the operator gave a group all rights to it, as one does when intake
// and desk run as two users (chmod 2770). Nobody else ever gets any.
func newRootFiles(root *os.Root) (*rootFiles, error) {
	info, err := root.Stat(".")
	if err != nil {
		return nil, err
	}
	f := &rootFiles{root: root, fileMode: privateFile, folderMode: privateFolder}
	if info.Mode().Perm()&groupOfFolder == groupOfFolder {
		f.fileMode |= groupOfFile
		f.folderMode |= groupOfFolder
	}
	return f, nil
}

func (f *rootFiles) Create(name string) (file, error) {
	created, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.fileMode)
	if err != nil {
		return nil, err
	}
	if f.fileMode != privateFile {
		// The process's umask may have taken the group's right away.
		if err := created.Chmod(f.fileMode); err != nil {
			created.Close()
			return nil, err
		}
	}
	return created, nil
}

func (f *rootFiles) Open(name string) (blob, error) {
	opened, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func (f *rootFiles) Link(from, to string) error   { return f.root.Link(from, to) }
func (f *rootFiles) Rename(from, to string) error { return f.root.Rename(from, to) }
func (f *rootFiles) Remove(name string) error     { return f.root.Remove(name) }

func (f *rootFiles) Mkdir(name string) error {
	if err := f.root.Mkdir(name, f.folderMode); err != nil {
		return err
	}
	if f.folderMode == privateFolder {
		return nil
	}
	return f.root.Chmod(name, f.folderMode|fs.ModeSetgid)
}

func (f *rootFiles) SyncFolder(name string) error {
	folder, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	return syncFolder(folder)
}

func (f *rootFiles) Lstat(name string) (fs.FileInfo, error) { return f.root.Lstat(name) }

func (f *rootFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	folder, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.ReadDir(-1)
}
