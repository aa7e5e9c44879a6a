package config

import (
	"fmt"
	"strings"

	"filippo.io/age"
)

// A hybrid recipient is about 2,000 characters; an office has a handful.
const maxRecipientBytes = 256 << 10

const keygenHint = "make one with: dropslot keygen"

// recipientKind is the kind of an age recipient: age refuses to seal one file
// to both, since the weaker one would undo the other.
type recipientKind string

const (
	kindHybrid  recipientKind = "post-quantum (age1pq1...)"
	kindClassic recipientKind = "classic (age1...)"
)

// recipients reads an office's recipient files and checks what they hold
// together.
func (v *validator) recipients(office *Office, at path) {
	kinds := map[recipientKind]bool{}
	seen := map[string]bool{}
	readable := true
	for i := range office.Recipients {
		entry, here := &office.Recipients[i], at.to(fmt.Sprint(i), "file")
		if entry.File == "" {
			readable = false
			continue
		}
		content, err := readBounded(entry.File, maxRecipientBytes)
		if err != nil {
			v.fault(here, unreadable(entry.File, err))
			readable = false
			continue
		}
		found, p := parseRecipients(entry.File, string(content))
		if p != nil {
			v.fault(here, p)
			readable = false
			continue
		}
		for _, r := range found {
			if seen[r.text] {
				v.fault(here, wrong("this recipient of "+entry.File+" is named twice", "take one of the two out"))
			}
			seen[r.text], kinds[r.kind] = true, true
			entry.Recipients = append(entry.Recipients, r.text)
		}
	}
	switch {
	case v.document.has(at) && len(office.Recipients) == 0:
		v.fault(at, wrong("recipients is empty", "name the files of the office's own and of the recovery recipient"))
	case kinds[kindHybrid] && kinds[kindClassic]:
		v.fault(at, wrong("post-quantum (age1pq1...) and classic (age1...) recipients are mixed",
			"use one kind; dropslot keygen makes post-quantum ones"))
	case readable && kinds[kindClassic]:
		v.warn(at, wrong("the recipients are classic ones, which a later quantum computer may open",
			"make post-quantum ones with: dropslot keygen"))
	}
	if readable && len(seen) == 1 {
		v.warn(at, wrong("there is one recipient only: if its key is lost, every document is lost",
			"add an offline recovery recipient, as dropslot keygen makes it"))
	}
}

type recipient struct {
	text string
	kind recipientKind
}

// parseRecipients reads one recipient a line; empty lines and those that
// begin with # do not count. A message names the line, never what stands
// there: somebody may have put the identity into the file.
func parseRecipients(file, content string) ([]recipient, *problem) {
	var found []recipient
	for i, line := range strings.Split(content, "\n") {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		where := fmt.Sprintf("line %d of %s", i+1, file)
		if strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-") {
			return nil, wrong(where+" is an identity, the key that opens documents",
				"move it to a safe place and name the recipient's file (.pub) here")
		}
		r, ok := parseRecipient(text)
		if !ok {
			return nil, wrong(where+" is no age recipient", "write one that begins with age1pq1; "+keygenHint)
		}
		found = append(found, r)
	}
	if len(found) == 0 {
		return nil, wrong(file+" holds no recipient", keygenHint)
	}
	return found, nil
}

func parseRecipient(text string) (recipient, bool) {
	if _, err := age.ParseHybridRecipient(text); err == nil {
		return recipient{text, kindHybrid}, true
	}
	if _, err := age.ParseX25519Recipient(text); err == nil {
		return recipient{text, kindClassic}, true
	}
	return recipient{}, false
}
