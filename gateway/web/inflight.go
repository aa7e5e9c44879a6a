package web

import (
	"sync"

	"dropslot/gateway"
)

// Each page on its way may lie on the disk as far as it came, before the caps
// of its link are checked. These bounds are what keeps one link, and all of
// them together, from filling it: a person sends one page at a time, twice
// over if a connection was given up. What is above is told to come again.
const (
	uploadsEach  = 4   // of one submission
	uploadsInAll = 128 // of this process: 2.5 GiB at 20 MiB a page
)

// inFlight counts the pages on their way. It protects this one process's disk
// and memory, so that memory is the right place for it: after a crash nothing
// is on its way, and another process has bounds of its own.
//
// One network address gets another place while it has fewer than are free.
// While little is going on it may have many, since a whole town of phones can
// stand behind one address of a carrier; but however slowly it sends, and by
// however many links, half of the places stay free of it, and another address
// finds one.
type inFlight struct {
	each, inAll int

	mu    sync.Mutex
	total int
	of    map[gateway.SubmissionID]int
	from  map[string]int // by gateway.AddressKey
}

func newInFlight(each, inAll int) *inFlight {
	return &inFlight{each: each, inAll: inAll, of: make(map[gateway.SubmissionID]int), from: make(map[string]int)}
}

// begin takes a place for one page; false if there is none. Who got one calls
// end, once.
func (f *inFlight) begin(id gateway.SubmissionID, address string) (end func(), free bool) {
	address = gateway.AddressKey(address)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[id] >= f.each || f.from[address] >= f.inAll-f.total {
		return nil, false
	}
	f.total++
	f.of[id]++
	f.from[address]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.total--
		if f.of[id]--; f.of[id] == 0 {
			delete(f.of, id)
		}
		if f.from[address]--; f.from[address] == 0 {
			delete(f.from, address)
		}
	}, true
}
