package twiliotest

// Thread gives what went between a phone and all numbers, oldest first, as the
// phone holds it: what was erased at Twilio is still there.
func (f *Fake) Thread(phone string) []Message {
	return f.ofPhone(phone, func(*message) bool { return true })
}

// Outbox gives the texts to a phone as it holds them, oldest first.
func (f *Fake) Outbox(phone string) []Message {
	return f.ofPhone(phone, func(m *message) bool { return m.Direction != FromPhone })
}

// All gives every message, oldest first.
func (f *Fake) All() []Message { return f.list(func(*message) bool { return true }) }

// Left gives the messages that still hold content: words or media.
func (f *Fake) Left() []Message {
	return f.list(func(m *message) bool { return m.Body != "" || len(m.Media) > 0 })
}

func (f *Fake) list(want func(*message) bool) []Message {
	f.lock.Lock()
	defer f.lock.Unlock()
	var found []Message
	for _, m := range f.messages.all() {
		if want(m) {
			found = append(found, m.copy())
		}
	}
	return found
}

// Held counts the content that the accounts still hold of messages of both
// directions.
func (f *Fake) Held() (bodies, media int) {
	f.lock.Lock()
	defer f.lock.Unlock()
	for _, m := range f.messages.all() {
		if m.Body != "" {
			bodies++
		}
		media += len(m.Media)
	}
	return bodies, media
}

func (f *Fake) ofPhone(phone string, want func(*message) bool) []Message {
	f.lock.Lock()
	defer f.lock.Unlock()
	var found []Message
	for _, m := range f.messages.byPhone[phone] {
		if want(m) {
			found = append(found, m.onPhone())
		}
	}
	return found
}

// Watch signals on a channel whenever a phone's thread changed. Changes that
// come close together may share a signal. The stop function ends it.
func (f *Fake) Watch(phone string) (changed <-chan struct{}, stop func()) {
	signal := make(chan struct{}, 1)
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.watchers[phone] == nil {
		f.watchers[phone] = map[chan struct{}]struct{}{}
	}
	f.watchers[phone][signal] = struct{}{}
	return signal, func() {
		f.lock.Lock()
		defer f.lock.Unlock()
		delete(f.watchers[phone], signal)
		if len(f.watchers[phone]) == 0 {
			delete(f.watchers, phone)
		}
	}
}

// notify wakes a phone's watchers. The lock must be held.
func (f *Fake) notify(phone string) {
	for signal := range f.watchers[phone] {
		select {
		case signal <- struct{}{}:
		default: // it has one waiting already
		}
	}
}

// FailTo makes every text to a phone end undelivered with Twilio's error code;
// 0 makes the phone reachable again.
func (f *Fake) FailTo(phone string, errorCode int) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if errorCode == 0 {
		delete(f.failing, phone)
		return
	}
	f.failing[phone] = errorCode
}
