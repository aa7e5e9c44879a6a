package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
)

func newInitCommand(std streams) *cobra.Command {
	var folder string
	command := &cobra.Command{
		Use:   "init",
		Short: "Ask six questions, write the configuration and the keys, and look at everything",
		Long: `Ask six questions, write dropslot.yaml and the office's keys into a folder, then
run check and doctor. Files that exist are never overwritten. The Twilio auth
token is asked for without being shown. It and the identity's passphrase, which
is made up, are written into files that their owner alone can read. The exit
code is 1 if doctor finds something that must be mended.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runInit(cmd.Context(), std, folder, time.Now())
		},
	}
	command.Flags().StringVar(&folder, "dir", ".", "the folder to write into")
	return command
}

// answers are what the six questions bring.
type initAnswers struct {
	Name, Phone, PublicURL, AccountSID, Token, Number string
}

var questions = []struct {
	ask  string
	fits *regexp.Regexp
	help string
	into func(*initAnswers) *string
}{
	{"1. The office's name, as its clients know it", regexp.MustCompile(`^[^{}<>\n]{2,60}$`), "2 to 60 letters, like North County Benefits",
		func(a *initAnswers) *string { return &a.Name }},
	{"2. The telephone that a person answers", phoneShape, "like +15551230199", func(a *initAnswers) *string { return &a.Phone }},
	{"3. The web address that clients and Twilio reach", regexp.MustCompile(`^https://[a-z0-9.-]+(:[0-9]+)?$|^http://(127\.0\.0\.1|localhost)(:[0-9]+)?$`), "like https://docs.example.gov, nothing behind the name",
		func(a *initAnswers) *string { return &a.PublicURL }},
	{"4. The Twilio account SID", regexp.MustCompile(`^AC[0-9a-f]{32}$`), "AC and 32 letters and digits, from the Twilio console",
		func(a *initAnswers) *string { return &a.AccountSID }},
	{"5. The Twilio auth token (not shown)", regexp.MustCompile(`^[0-9A-Za-z]{16,64}$`), "letters and digits, from the Twilio console",
		func(a *initAnswers) *string { return &a.Token }},
	{"6. The Twilio number that clients text", phoneShape, "like +15551230100", func(a *initAnswers) *string { return &a.Number }},
}

var phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// initOffice is the short name of the one office that init writes.
const initOffice = "office"

func runInit(ctx context.Context, std streams, folder string, now time.Time) error {
	f := initFilesIn(folder)
	set, err := f.check()
	if err != nil {
		return err
	}
	a, err := askAll(std)
	if err != nil {
		return err
	}
	passphrase := randomWords()
	files, err := makeKeys(set, passphrase, "", now)
	if err != nil {
		return err
	}
	files = append(files, keyFile{f.passphrase, []byte(passphrase + "\n"), secretMode},
		keyFile{f.token, []byte(a.Token + "\n"), secretMode}, keyFile{f.config, []byte(a.yaml()), publicMode})
	for _, folder := range []string{f.keys, f.recovery} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	if err := writeKeys(files); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if err := explainKeys(std.out, set, false); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(std.out, "\nWrote %s and the keys. Take the folder recovery/ to a medium offline, now.\n"+
		"The key and its passphrase lie beside each other: for real use run intake and desk apart,\n"+
		"and keep the passphrase in your secrets store ({env: NAME} instead of {file: ...}).\n\n", f.config)
	if err := check(std, f.config, config.RoleAll); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(std.out, "\nWhat is still to be done:")
	c, err := loadConfig(std, f.config, config.RoleAll)
	if err != nil {
		return err
	}
	err = doctor(ctx, std, c, config.RoleAll)
	_, _ = fmt.Fprintf(std.out, "\nTo look again: dropslot doctor -c %s --role all\n", f.config)
	return err
}

// initFiles is where init writes.
type initFiles struct{ config, keys, recovery, passphrase, token string }

func initFilesIn(folder string) initFiles {
	keys := filepath.Join(folder, "keys")
	return initFiles{
		config: filepath.Join(folder, "dropslot.yaml"), keys: keys, recovery: filepath.Join(folder, "recovery"),
		passphrase: filepath.Join(keys, initOffice+".passphrase"), token: filepath.Join(keys, "twilio.token"),
	}
}

// check refuses files that exist, before anybody answers questions in vain.
func (f initFiles) check() (keySet, error) {
	for _, path := range []string{f.config, f.passphrase, f.token} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return keySet{}, fmt.Errorf("nothing was written, because %s exists: take another --dir, or move it away", path)
		}
	}
	set, err := newKeySet(keygenFlags{office: initOffice, out: f.keys, recoveryOut: f.recovery})
	if err != nil {
		return set, fmt.Errorf("take another --dir: %w", err)
	}
	return set, nil
}

// askAll asks until each answer has the right shape; the end of the input ends it.
func askAll(std streams) (initAnswers, error) {
	var a initAnswers
	lines := bufio.NewReader(std.in)
	for _, q := range questions {
		for {
			_, _ = fmt.Fprintf(std.out, "%s\n> ", q.ask)
			line, err := readAnswer(std, lines, strings.Contains(q.ask, "not shown"))
			line = strings.TrimSpace(line)
			if q.fits.MatchString(line) {
				*q.into(&a) = line
				break
			}
			if err != nil {
				return a, errors.New("nothing was written: the answers ended before the last question")
			}
			_, _ = fmt.Fprintf(std.out, "  %s\n", q.help)
		}
	}
	return a, nil
}

// readAnswer reads one line, without showing it where it is a secret and the
// input is a terminal.
func readAnswer(std streams, lines *bufio.Reader, secret bool) (string, error) {
	if secret {
		if line, err := askSecret(std, ""); !errors.Is(err, errNoTerminal) {
			return line, err
		}
	}
	return lines.ReadString('\n')
}

func (a initAnswers) yaml() string {
	return fmt.Sprintf(`# Written by dropslot init. Every key is explained by: dropslot check --example
public_url: %s
desk_url: http://127.0.0.1:8081 # write the desk's https address when it has one
data_dir: .
redis: {url: "redis://127.0.0.1:6379/0"}
link_key: {file: keys/link.key}
twilio:
  account_sid: %s
  auth_tokens: [{file: keys/twilio.token}]
offices:
  %[3]s:
    name: %[4]q
    phone: %[5]q
    recipients: [{file: keys/%[3]s.pub}, {file: keys/%[3]s-recovery.pub}]
    identity: {file: keys/%[3]s.key, passphrase: {file: keys/%[3]s.passphrase}}
numbers:
  %[6]q: {office: %[3]s}
`, a.PublicURL, a.AccountSID, initOffice, a.Name, a.Phone, a.Number)
}
