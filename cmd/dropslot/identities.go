package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/seal"
)

// openIdentities reads the offices' identities: the desk's alone. Every fault
// is told at once, each with its office.
func openIdentities(c *config.Config) (*seal.Opener, error) {
	offices := map[gateway.OfficeID][]seal.Identity{}
	var faults []error
	for _, id := range c.OfficeIDs() {
		office := c.Offices[id]
		identity, err := openIdentity(office)
		if err != nil {
			faults = append(faults, fmt.Errorf("the identity of office %s, %s, cannot be used: %w", id, office.Identity.File, err))
		}
		offices[gateway.OfficeID(id)] = []seal.Identity{identity}
	}
	debug.FreeOSMemory() // a passphrase takes 256 MiB once
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return seal.NewOpener(offices), nil
}

// errStranger tells of an identity that opens nothing the office receives.
// Unnoticed, that would come out only with the first page.
var errStranger = errors.New("papers are sealed to the office's recipients, and it belongs to none of them; " +
	"name the identity that was made with one of them, or put its own .pub file under recipients")

func openIdentity(office *config.Office) (seal.Identity, error) {
	identity, err := readIdentity(office.Identity.File, office.Identity.Passphrase.Reveal())
	if err != nil {
		return identity, err
	}
	sealedTo := office.RecipientKeys()
	if !slices.ContainsFunc(identity.Recipients(), func(own string) bool { return slices.Contains(sealedTo, own) }) {
		return identity, errStranger
	}
	return identity, nil
}

func readIdentity(path, passphrase string) (seal.Identity, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator's own configuration names it
	if err != nil {
		return seal.Identity{}, err
	}
	defer func() { _ = file.Close() }()
	return seal.ReadIdentity(io.LimitReader(file, 64<<10), passphrase)
}
