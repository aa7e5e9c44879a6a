package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/term"
)

// passphraseVariable may hold the passphrase of an identity file.
const passphraseVariable = "DROPSLOT_PASSPHRASE" // #nosec G101 -- the name, not the passphrase

// secretMax bounds a secret in bytes.
const secretMax = 1024

// errNoTerminal tells that nobody can be asked.
var errNoTerminal = errors.New("there is no terminal to ask on")

// readNewSecret reads a secret that is being chosen: from the first line of
// the file if one is named, else from the terminal, twice.
func readNewSecret(std streams, file, prompt string) (string, error) {
	if file != "" {
		return readSecretFile(file)
	}
	first, err := askSecret(std, prompt)
	if err != nil {
		return "", err
	}
	second, err := askSecret(std, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two are not the same; nothing was changed, please start again")
	}
	return first, nil
}

// readPassphrase reads the passphrase of an identity file from the file if
// one is named, from the variable if it is set, else from the terminal; twice
// if it is being chosen.
func readPassphrase(std streams, file, prompt string, chosen bool) (string, error) {
	if value := os.Getenv(passphraseVariable); file == "" && value != "" {
		return value, nil
	}
	var passphrase string
	var err error
	switch {
	case file != "":
		passphrase, err = readSecretFile(file)
	case chosen:
		passphrase, err = readNewSecret(std, "", prompt)
	default:
		passphrase, err = askSecret(std, prompt)
	}
	if errors.Is(err, errNoTerminal) {
		return "", fmt.Errorf("%w for the passphrase: use --passphrase-file FILE or set %s", errNoTerminal, passphraseVariable)
	}
	return passphrase, err
}

// readSecretFile gives the first line of a file, without its end.
func readSecretFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	line, err := bufio.NewReader(io.LimitReader(file, secretMax+1)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	secret := strings.TrimRight(line, "\r\n")
	switch {
	case secret == "":
		return "", fmt.Errorf("the first line of %s is empty", path)
	case len(secret) > secretMax:
		return "", fmt.Errorf("the first line of %s is longer than %d bytes", path, secretMax)
	}
	return secret, nil
}

// askSecret reads a line from the terminal without showing it. Interrupting
// gives the terminal back as it was: by itself it would stay without echo.
func askSecret(std streams, prompt string) (string, error) {
	in, isFile := std.in.(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) { // #nosec G115 -- file descriptors are small
		return "", errNoTerminal
	}
	fd := int(in.Fd()) // #nosec G115 -- file descriptors are small
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the terminal's state: %w", err)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)

	type answer struct {
		line []byte
		err  error
	}
	answered := make(chan answer, 1)
	fmt.Fprint(std.err, prompt)
	go func() {
		line, err := term.ReadPassword(fd)
		answered <- answer{line, err}
	}()
	select {
	case <-interrupted:
		_ = term.Restore(fd, before)
		fmt.Fprintln(std.err)
		return "", errors.New("interrupted")
	case a := <-answered:
		fmt.Fprintln(std.err)
		if a.err != nil {
			return "", fmt.Errorf("read from the terminal: %w", a.err)
		}
		return string(a.line), nil
	}
}
