package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"dropslot/gateway"
	"dropslot/gateway/seal"
)

// offline stands for the one office that an opener at the command line knows.
const offline gateway.OfficeID = "offline"

type openFlags struct {
	identities     []string
	out            string
	passphraseFile string
}

func newOpenCommand(std streams) *cobra.Command {
	var flags openFlags
	command := &cobra.Command{
		Use:   "open -i KEY FILE...",
		Short: "Open sealed files offline",
		Long: `Open sealed files with an identity: north.key, or north-recovery.key. One file
goes to the standard output; with --out, each goes into that folder under its
name with the ending of its type. Nothing is overwritten, and nothing is put
out unless the whole file was proven: a cut or altered file gives nothing.

This needs no server, no configuration and no database, and so it can write no
row in the audit trail and asks for no reason: whoever opens papers this way
keeps a record by hand. On a running desk, open papers there.

The passphrase is asked for on the terminal, or read from the first line of
--passphrase-file, or from the variable DROPSLOT_PASSPHRASE.`,
		Example: "  dropslot open -i north.key page.age > page.jpg\n  dropslot open -i north.key --out papers/ vault/objects/submissions/north/*/page-*.age",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			return runOpen(std, flags, files)
		},
	}
	set := command.Flags()
	set.StringArrayVarP(&flags.identities, "identity", "i", nil, "an identity file; may be given several times")
	set.StringVarP(&flags.out, "out", "o", "", "the folder to put opened files into")
	set.StringVar(&flags.passphraseFile, "passphrase-file", "", "read the passphrase from the first line of this file")
	_ = command.MarkFlagRequired("identity")
	return command
}

func runOpen(std streams, flags openFlags, files []string) error {
	if flags.out == "" {
		if len(files) > 1 {
			return errors.New("several files do not go to the standard output: name a folder with --out")
		}
		if f, isFile := std.out.(*os.File); isFile && term.IsTerminal(int(f.Fd())) { // #nosec G115 -- file descriptors are small
			return errors.New("a paper is nothing for a terminal: name a folder with --out, or a file with > FILE")
		}
	}
	opener, err := readOpener(std, flags)
	if err != nil {
		return err
	}
	if flags.out == "" {
		return openFile(opener, files[0], func(plain *io.SectionReader) error { return pour(std.out, plain) })
	}
	if err := os.MkdirAll(flags.out, 0o700); err != nil {
		return err
	}
	var faults []error
	for _, file := range files {
		faults = append(faults, openFile(opener, file, func(plain *io.SectionReader) error {
			path, err := putOut(flags.out, file, plain)
			if err == nil {
				fmt.Fprintln(std.err, path)
			}
			return err
		}))
	}
	return errors.Join(faults...)
}

// readOpener reads the identity files. One passphrase is asked for each that
// is sealed.
func readOpener(std streams, flags openFlags) (*seal.Opener, error) {
	var identities []seal.Identity
	for _, path := range flags.identities {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		identity, err := seal.ReadIdentityAsking(file, func() (string, error) {
			return readPassphrase(std, flags.passphraseFile, "Passphrase for "+path+": ", false)
		})
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		identities = append(identities, identity)
	}
	return seal.NewOpener(map[gateway.OfficeID][]seal.Identity{offline: identities}), nil
}

// openFile hands the plain bytes of a sealed file on.
func openFile(opener *seal.Opener, path string, use func(*io.SectionReader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	plain, size, err := opener.Open(offline, file, info.Size())
	if err == nil {
		err = use(io.NewSectionReader(plain, 0, size))
	}
	switch {
	case errors.Is(err, seal.ErrOtherKey):
		return fmt.Errorf("%s: sealed to another key than the one given with -i", path)
	case gateway.Is(err, gateway.CodeBlobDamaged):
		return fmt.Errorf("%s: cut, altered, or no sealed file; nothing was put out", path)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// pour proves all of the file before the first byte leaves: what follows in a
// pipe must not work on half a paper.
func pour(w io.Writer, plain *io.SectionReader) error {
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return err
	}
	if _, err := plain.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, plain)
	return err
}

// putOut writes the plain bytes into the folder and gives the path. They are
// proven while they go into a temporary file, which is then moved over an
// empty one that claimed the name. A crash leaves that empty file, or the
// temporary one.
func putOut(folder, sealedPath string, plain *io.SectionReader) (path string, err error) {
	ending, err := endingOf(plain)
	if err != nil {
		return "", err
	}
	path = filepath.Join(folder, strings.TrimSuffix(filepath.Base(sealedPath), ".age")+ending)
	claimed, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("%s exists and is not overwritten; move it away or name another folder", path)
	}
	if err != nil {
		return "", err
	}
	claimed.Close()
	temporary, err := os.CreateTemp(folder, ".opening-*") // 0600
	if err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	_, err = io.Copy(temporary, plain)
	if err == nil {
		err = temporary.Sync()
	}
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(temporary.Name()), os.Remove(path))
	}
	syncFolderOf(path)
	return path, nil
}

// endingOf looks at the first bytes and leaves the reader at its start.
func endingOf(plain *io.SectionReader) (string, error) {
	start := make([]byte, min(gateway.SniffBytes, plain.Size()))
	if _, err := plain.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if kind, known := gateway.SniffType(start); known {
		return kind.Extension, nil
	}
	if len(start) > 0 && start[0] == '{' {
		return ".json", nil // what the vault keeps beside the pages
	}
	return ".bin", nil
}
