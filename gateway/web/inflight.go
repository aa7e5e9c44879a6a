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
type inFlight struct {
	each, inAll int

	mu    sync.Mutex
	total int
	of    map[gateway.SubmissionID]int
}

func newInFlight(each, inAll int) *inFlight {
	return &inFlight{each: each, inAll: inAll, of: make(map[gateway.SubmissionID]int)}
}

// begin takes a place for one page; false if there is none. Who got one calls
// end, once.
func (f *inFlight) begin(id gateway.SubmissionID) (end func(), free bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total >= f.inAll || f.of[id] >= f.each {
		return nil, false
	}
	f.total++
	f.of[id]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.total--
		if f.of[id]--; f.of[id] == 0 {
			delete(f.of, id)
		}
	}, true
}
