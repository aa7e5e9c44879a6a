package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/seal"
)

// keyFile is one file that is about to be written.
type keyFile struct {
	path    string
	content []byte
	mode    fs.FileMode
}

const (
	secretMode fs.FileMode = 0o600
	publicMode fs.FileMode = 0o644 // every role reads it, whichever user it runs as
)

// makeKeys makes all keys in memory. The recovery identity stands first: no
// recipient may ever be in use whose identity was not written.
func makeKeys(set keySet, passphrase, recoveryPassphrase string, now time.Time) ([]keyFile, error) {
	identity, err := seal.NewIdentity()
	if err != nil {
		return nil, err
	}
	recovery, err := seal.NewIdentity()
	if err != nil {
		return nil, err
	}
	var sealed, offline bytes.Buffer
	if err := identity.WriteSealed(&sealed, passphrase, now, identityWork); err != nil {
		return nil, err
	}
	if recoveryPassphrase != "" {
		err = recovery.WriteSealed(&offline, recoveryPassphrase, now, identityWork)
	} else {
		err = recovery.WriteClear(&offline, now)
	}
	if err != nil {
		return nil, err
	}
	files := []keyFile{
		{set.Recovery, offline.Bytes(), secretMode},
		{set.Key, sealed.Bytes(), secretMode},
		{set.Pub, recipientFile("Office "+set.Office, identity, now), publicMode},
		{set.RecoveryPub, recipientFile("Recovery of office "+set.Office, recovery, now), publicMode},
	}
	if set.KeepLink {
		return files, nil
	}
	secret := make([]byte, gateway.LinkKeySize)
	if _, err := io.ReadFull(rand.Reader, secret); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return append(files, keyFile{set.Link, []byte(base64.StdEncoding.EncodeToString(secret) + "\n"), secretMode}), nil
}

func recipientFile(whose string, identity seal.Identity, now time.Time) []byte {
	return fmt.Appendf(nil, "# %s, made %s. Not secret.\n%s\n", whose, now.UTC().Format(time.DateOnly), strings.Join(identity.Recipients(), "\n"))
}

// writeKeys writes all files or leaves none of them. A crash may leave some:
// the next try names them and stops.
func writeKeys(files []keyFile) (err error) {
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, path := range made {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	for _, f := range files {
		file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
		if err != nil {
			return err
		}
		made = append(made, f.path)
		_, err = file.Write(f.content)
		if f.mode == publicMode {
			err = errors.Join(err, file.Chmod(f.mode)) // the umask may have taken it away
		}
		if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	for _, path := range made {
		syncFolderOf(path)
	}
	return nil
}

// syncFolderOf makes a file's name durable where the system can do that; a
// stick with FAT, for one, may not.
func syncFolderOf(path string) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return
	}
	defer folder.Close()
	_ = folder.Sync()
}
