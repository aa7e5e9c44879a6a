package gateway

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// openedMost bounds how many small things stay opened: names and case numbers
// of a few pages of the inbox, 200 bytes each.
const openedMost = 2048

// Opened remembers small things that were opened, by the digest of their
// sealed bytes: a page of the inbox holds a hundred of them, and each costs as
// much to open as a photograph. The zero value is
// ready, and nil remembers nothing. It lives in the
// memory of the desk, which holds the identity as well.
type Opened struct {
	mu    sync.Mutex
	known map[Digest]*list.Element
	order list.List // of openedThing, the latest first
}

type openedThing struct {
	of    Digest
	plain []byte
}

// open gives what is inside; nothing for nothing.
func (o *Opened) open(opener Opener, office OfficeID, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if o == nil {
		return openBytes(opener, office, sealed)
	}
	key := Digest(sha256.Sum256(append([]byte(office+"\x00"), sealed...)))
	if plain, known := o.find(key); known {
		return plain, nil
	}
	plain, err := openBytes(opener, office, sealed)
	if err == nil {
		o.keep(key, plain)
	}
	return plain, err
}

func (o *Opened) find(key Digest) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, known := o.known[key]
	if !known {
		return nil, false
	}
	o.order.MoveToFront(at)
	return at.Value.(openedThing).plain, true
}

func (o *Opened) keep(key Digest, plain []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[Digest]*list.Element{}
	}
	if _, known := o.known[key]; known {
		return
	}
	o.known[key] = o.order.PushFront(openedThing{key, plain})
	if last := o.order.Back(); len(o.known) > openedMost {
		o.order.Remove(last)
		delete(o.known, last.Value.(openedThing).of)
	}
}
