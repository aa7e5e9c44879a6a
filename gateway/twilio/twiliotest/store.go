package twiliotest

import "slices"

// store keeps messages so that each of tens of thousands is found at once. The
// fake's lock must be held.
type store struct {
	made    int // messages ever
	bySID   map[string]*message
	byPhone map[string][]*message // oldest first
	ordered []*message            // oldest first, deleted ones among them
}

func newStore() store {
	return store{bySID: map[string]*message{}, byPhone: map[string][]*message{}}
}

func (s *store) add(m *message) {
	s.made++
	m.serial = s.made
	s.bySID[m.SID] = m
	s.byPhone[m.phone()] = append(s.byPhone[m.phone()], m)
	s.ordered = append(s.ordered, m)
}

func (s *store) remove(m *message) {
	delete(s.bySID, m.SID)
	same := func(other *message) bool { return other == m }
	phone := m.phone()
	if s.byPhone[phone] = slices.DeleteFunc(s.byPhone[phone], same); len(s.byPhone[phone]) == 0 {
		delete(s.byPhone, phone)
	}
	if len(s.ordered) > 2*len(s.bySID)+100 {
		s.ordered = slices.DeleteFunc(s.ordered, s.deleted)
	}
}

func (s *store) deleted(m *message) bool { return s.bySID[m.SID] != m }

// all gives the messages, oldest first.
func (s *store) all() []*message {
	s.ordered = slices.DeleteFunc(s.ordered, s.deleted)
	return s.ordered
}

// newest gives up to n messages before the serial that are wanted, newest
// first, of one phone or of all.
func (s *store) newest(phone string, before, n int, want func(*message) bool) []*message {
	from := s.ordered
	if phone != "" {
		from = s.byPhone[phone]
	}
	end, _ := slices.BinarySearchFunc(from, before, func(m *message, serial int) int { return m.serial - serial })
	var found []*message
	for _, m := range slices.Backward(from[:end]) {
		if len(found) == n {
			break
		}
		if !s.deleted(m) && want(m) {
			found = append(found, m)
		}
	}
	return found
}
