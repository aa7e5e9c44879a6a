package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// A secret is a key, a token or an address; none is longer than this.
const maxSecretBytes = 64 << 10

// resolve reads a secret that the role needs. What is wrong stands at the
// secret in the file and never tells the value.
func (v *validator) resolve(s *Secret, at path) {
	if s.IsSet() || !s.named() {
		return
	}
	text, ok := v.secretText(s, at, ownerAndGroup)
	if !ok {
		return
	}
	if s.env == "" {
		text = strings.TrimRight(text, "\r\n")
	}
	v.keep(s, text, at)
}

// secretText reads what a secret names, from a file that nobody but who may
// read.
func (v *validator) secretText(s *Secret, at path, who privacy) (string, bool) {
	if s.env != "" {
		value := os.Getenv(s.env)
		if value == "" {
			v.fault(at, wrong("the variable "+s.env+" is not set", "set it for this process, or write {file: PATH}"))
		}
		return value, value != ""
	}
	file := absolute(v.config.DataDir, s.file)
	if p := checkPrivate(file, who); p != nil {
		v.fault(at, p)
		return "", false
	}
	content, err := readBounded(file, maxSecretBytes)
	if err != nil {
		v.fault(at, unreadable(file, err))
		return "", false
	}
	return string(content), true
}

func (v *validator) keep(s *Secret, value string, at path) {
	switch {
	case strings.TrimSpace(value) == "":
		v.fault(at, wrong("the secret from the "+s.Source()+" is empty", "put the secret there, and nothing else"))
	case strings.ContainsAny(value, "\r\n\x00"):
		v.fault(at, wrong("the secret from the "+s.Source()+" has more than one line", "put the secret there, and nothing else"))
	default:
		s.reveal = func() string { return value }
	}
}

// privacy is who may touch a file that holds a secret.
type privacy struct {
	never  fs.FileMode // permissions that nobody may have
	beside string      // what the owner may do beside chmod 600
}

// Intake, worker and desk run as users of their own and share some secrets
// through a group, which may read and no more. What opens documents is shared
// with nobody.
var (
	ownerAlone    = privacy{0o077, ""}
	ownerAndGroup = privacy{0o027, ", or chmod 640 to share it with a group"}
)

// checkPrivate tells what is wrong with a file that others must not touch.
func checkPrivate(file string, who privacy) *problem {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return unreadable(file, err)
	case !info.Mode().IsRegular():
		return wrong(file+" is no file", "name the file that holds the secret")
	case info.Mode().Perm()&who.never != 0:
		return wrong(fmt.Sprintf("others on this computer may read or change %s (mode %04o)", file, info.Mode().Perm()),
			"run: chmod 600 "+file+who.beside)
	}
	return nil
}

func unreadable(file string, err error) *problem {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return wrong(file+" does not exist", "correct the path (relative ones start at data_dir), or make keys with: dropslot keygen")
	case errors.Is(err, fs.ErrPermission):
		return wrong("this user may not read "+file, "give the file to the user that runs Dropslot (chown)")
	}
	return wrong(file+" cannot be read: "+reason(err), "correct the path or the file")
}

// reason is the part of a file error behind the path, which is told already.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
