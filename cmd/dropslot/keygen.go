package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/seal"
)

const linkKeyName = "link.key"

// identityWork is the work of sealing an identity file. Scripts that only
// look at what the commands do lower it: each of them opens several.
var identityWork = seal.DefaultWork

type keygenFlags struct {
	office                 string
	out                    string
	recoveryOut            string
	passphraseFile         string
	recoveryPassphraseFile string
}

func newKeygenCommand(std streams) *cobra.Command {
	var flags keygenFlags
	command := &cobra.Command{
		Use:   "keygen --office NAME --recovery-out DIR",
		Short: "Make the keys of an office",
		Long: `Make the keys of an office: its identity, sealed with a passphrase; an offline
recovery identity; the recipients of both; and link.key if there is none.

The passphrase is asked for on the terminal, or read from the first line of
--passphrase-file, or from the variable DROPSLOT_PASSPHRASE.

The recovery identity is for the day on which the identity or its passphrase is
lost. It is written to DIR alone, which should be a medium that never stays in
a server: a USB stick, kept in a safe. It lies there in clear, so that it opens
when nobody remembers any passphrase. To seal it with one of its own, which
must not be the office's, name --recovery-passphrase-file.

Files that exist are never overwritten.`,
		Example: "  dropslot keygen --office north --out keys/ --recovery-out /media/usb",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return runKeygen(std, flags, time.Now())
		},
	}
	set := command.Flags()
	set.StringVar(&flags.office, "office", "", "the office's name in the configuration, like north")
	set.StringVar(&flags.out, "out", "keys", "the folder for the keys")
	set.StringVar(&flags.recoveryOut, "recovery-out", "", "the folder, on an offline medium, for the recovery identity")
	set.StringVar(&flags.passphraseFile, "passphrase-file", "", "read the passphrase from the first line of this file")
	set.StringVar(&flags.recoveryPassphraseFile, "recovery-passphrase-file", "", "seal the recovery identity with the first line of this file")
	_ = command.MarkFlagRequired("office")
	_ = command.MarkFlagRequired("recovery-out")
	return command
}

// keySet is where the keys of one office go.
type keySet struct {
	Office      string
	Key         string // paths
	Pub         string
	RecoveryPub string
	Recovery    string
	Link        string
	KeepLink    bool // link.key was there
}

func newKeySet(flags keygenFlags) (keySet, error) {
	s := keySet{
		Office:      flags.office,
		Key:         filepath.Join(flags.out, flags.office+".key"),
		Pub:         filepath.Join(flags.out, flags.office+".pub"),
		RecoveryPub: filepath.Join(flags.out, flags.office+"-recovery.pub"),
		Recovery:    filepath.Join(flags.recoveryOut, flags.office+"-recovery.key"),
		Link:        filepath.Join(flags.out, linkKeyName),
	}
	if !config.ValidOffice(flags.office) {
		return s, errors.New("--office takes lowercase letters, digits and hyphens, beginning with a letter, like north")
	}
	if err := apart(flags.out, flags.recoveryOut); err != nil {
		return s, err
	}
	var there []string
	for _, path := range []string{s.Recovery, s.Key, s.Pub, s.RecoveryPub} {
		if _, err := os.Lstat(path); err == nil {
			there = append(there, path)
		} else if !errors.Is(err, os.ErrNotExist) {
			return s, err
		}
	}
	if len(there) > 0 {
		return s, fmt.Errorf("nothing was made, because these files exist and are never overwritten: %s\n"+
			"Papers sealed to them could not be opened any more. Take another --office or other folders",
			strings.Join(there, ", "))
	}
	err := checkLinkKey(s.Link)
	s.KeepLink = err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	return s, nil
}

// apart refuses a recovery folder that is the keys' own or lies within it:
// whoever took the one would have the other.
func apart(keys, recovery string) error {
	k, err := realPath(keys)
	if err != nil {
		return err
	}
	r, err := realPath(recovery)
	if err != nil {
		return err
	}
	if r == k || strings.HasPrefix(r, k+string(filepath.Separator)) {
		return errors.New("--recovery-out must lie outside of --out: a folder on a medium that you can take away and lock up")
	}
	return nil
}

// realPath resolves links in the part of a path that exists.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, os.ErrNotExist) || path == filepath.Dir(path) {
		return resolved, err
	}
	parent, err := realPath(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

func checkLinkKey(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(secret) != gateway.LinkKeySize {
		return fmt.Errorf("%s exists and is not a link key of 32 bytes in base64; bring the right one back from your backup", path)
	}
	return nil
}

func runKeygen(std streams, flags keygenFlags, now time.Time) error {
	set, err := newKeySet(flags)
	if err != nil {
		return err
	}
	passphrase, recoveryPassphrase, err := choosePassphrases(std, flags)
	if err != nil {
		return err
	}
	files, err := makeKeys(set, passphrase, recoveryPassphrase, now)
	if err != nil {
		return err
	}
	for _, folder := range []string{flags.out, flags.recoveryOut} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	if err := writeKeys(files); err != nil {
		return err
	}
	return explainKeys(std.out, set, recoveryPassphrase != "")
}

func choosePassphrases(std streams, flags keygenFlags) (office, recovery string, err error) {
	office, err = readPassphrase(std, flags.passphraseFile, "Passphrase for "+flags.office+".key (15 characters or more): ", true)
	if err != nil {
		return "", "", err
	}
	if err := checkPassphrase(office); err != nil {
		return "", "", err
	}
	if flags.recoveryPassphraseFile == "" {
		return office, "", nil
	}
	if recovery, err = readSecretFile(flags.recoveryPassphraseFile); err != nil {
		return "", "", err
	}
	if err := checkPassphrase(recovery); err != nil {
		return "", "", fmt.Errorf("recovery: %w", err)
	}
	if recovery == office {
		return "", "", errors.New("the recovery identity must open when the office's passphrase is lost: give it another one, or none")
	}
	return office, recovery, nil
}

// checkPassphrase refuses what is guessed, and what programs that read it
// from a file or a variable would not agree on.
func checkPassphrase(passphrase string) error {
	switch {
	case !utf8.ValidString(passphrase) || strings.TrimSpace(passphrase) != passphrase || strings.ContainsFunc(passphrase, isControl):
		return errors.New("the passphrase must be one line of text that neither begins nor ends with a space")
	case utf8.RuneCountInString(passphrase) < gateway.PasswordLength:
		return errors.New("the passphrase is too short: take 15 characters or more, such as five words")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
