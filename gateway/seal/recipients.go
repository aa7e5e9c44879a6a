// Package seal turns plain bytes into age files and back: pages and manifests
// for the recipients of an office, identities under a passphrase, phone
// numbers under a subkey of the link key, passwords as argon2id.
//
// The format of pages is age-encryption.org/v1 and nothing else, so that the
// standard age tool opens them. The package touches neither files nor the
// network: bytes come in and go out through readers and writers.
package seal

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// Kind tells which mathematics a recipient stands on. An office has one kind:
// a file sealed to both would be as weak as the weaker.
type Kind string

// The kinds of recipients.
const (
	PostQuantum Kind = "post-quantum" // MLKEM768-X25519; age1pq1...
	Classic     Kind = "classic"      // X25519; age1...
)

// maxRecipients keeps the header of a sealed page below gateway.SealHeaderMax:
// a post-quantum stanza takes 1,557 bytes.
const maxRecipients = 10

const (
	hybridPrefix  = "age1pq1"
	classicPrefix = "age1"
)

// Recipient is one public key that pages are sealed to.
type Recipient struct {
	kind Kind
	text string
	key  age.Recipient
}

// ParseRecipient reads one recipient in age's text form. The error never
// repeats the text: somebody may have pasted a secret key.
func ParseRecipient(text string) (Recipient, error) {
	switch {
	case strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-"):
		return Recipient{}, errors.New("this is a secret key; write its recipient, the line that begins with age1")
	case strings.HasPrefix(text, hybridPrefix):
		key, err := age.ParseHybridRecipient(text)
		if err != nil {
			return Recipient{}, errors.New("the post-quantum recipient is damaged; copy the whole line that begins with age1pq1")
		}
		return Recipient{kind: PostQuantum, text: text, key: key}, nil
	case strings.HasPrefix(text, classicPrefix):
		key, err := age.ParseX25519Recipient(text)
		if err != nil {
			return Recipient{}, errors.New("the recipient is damaged or of a kind that is not known; copy the whole line that begins with age1")
		}
		return Recipient{kind: Classic, text: text, key: key}, nil
	}
	return Recipient{}, errors.New("a recipient begins with age1pq1 or age1; make one with: dropslot keygen")
}

// checkRecipients tells whether an office may seal to these recipients
// together, and gives their kind.
func checkRecipients(recipients []Recipient) (Kind, error) {
	if len(recipients) == 0 {
		return "", errors.New("no recipient: nothing could be sealed")
	}
	if len(recipients) > maxRecipients {
		return "", fmt.Errorf("%d recipients; at most %d fit into the header of a page", len(recipients), maxRecipients)
	}
	kind := recipients[0].kind
	seen := make(map[string]bool, len(recipients))
	for _, r := range recipients {
		if r.kind != kind {
			return "", errors.New("post-quantum (age1pq1...) and classic (age1...) recipients cannot be mixed: " +
				"a page would be as weak as the weaker; make all of one kind with: dropslot keygen")
		}
		if seen[r.text] {
			return "", errors.New("the same recipient stands there twice; the second is usually meant to be the recovery recipient")
		}
		seen[r.text] = true
	}
	return kind, nil
}
