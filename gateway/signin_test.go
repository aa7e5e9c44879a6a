package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
)

// signInHouse is a desk's sign-in with the ports played by the test. Its
// buckets never fill up by themselves: no time passes.
type signInHouse struct {
	gateway.AccountRecords
	gateway.AuditTrail
	lock  sync.Mutex
	taken map[string]int
	rows  []gateway.AuditEntry
	deaf  bool // the trail cannot be written
}

func newSignIns() (*gateway.SignIns, *signInHouse) {
	h := &signInHouse{taken: map[string]int{}}
	return &gateway.SignIns{Records: h, Audit: h, Passwords: h, Limiter: h, Now: time.Now}, h
}

// StaffByLogin knows every login that begins with "ana".
func (h *signInHouse) StaffByLogin(_ context.Context, login string) (gateway.Staff, error) {
	if !strings.HasPrefix(login, "ana") {
		return gateway.Staff{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	return gateway.Staff{ID: gateway.StaffID(login), Login: login, PasswordHash: "hash"}, nil
}

func (h *signInHouse) Append(_ context.Context, entries ...gateway.AuditEntry) error {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.deaf {
		return errors.New("the disk is full")
	}
	h.rows = append(h.rows, entries...)
	return nil
}

func (h *signInHouse) Hash(context.Context, string) (string, error) { return "hash", nil }

func (h *signInHouse) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "hash" && password == "right", nil
}

func (h *signInHouse) Allow(_ context.Context, kind, key string, n int, per time.Duration) (bool, time.Duration, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.taken[kind+" "+key] >= n {
		return false, per / time.Duration(n), nil
	}
	h.taken[kind+" "+key]++
	return true, 0, nil
}

func (h *signInHouse) Forgive(_ context.Context, kind, key string, _ int, _ time.Duration) error {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.taken[kind+" "+key]--
	return nil
}

// refusals counts the rows of refusals by reason.
func (h *signInHouse) refusals() map[string]int {
	counts := map[string]int{}
	for _, row := range h.rows {
		if row.Action == gateway.ActionSignInRefused {
			counts[row.Reason]++
		}
	}
	return counts
}

// A whole office behind one address signs in as often as it likes.
func TestAnOfficeBehindOneAddressSignsIn(t *testing.T) {
	s, h := newSignIns()
	for range 3 {
		var all sync.WaitGroup
		for n := range 25 { // at once, as at eight in the morning; their tries are under way together
			all.Go(func() {
				if _, err := s.SignIn(t.Context(), fmt.Sprintf("ana%d", n), "right", "192.0.2.1"); err != nil {
					t.Errorf("caseworker %d: %v", n, err)
				}
			})
		}
		all.Wait()
	}
	for range 40 {
		if _, err := s.SignIn(t.Context(), "ana", "right", "192.0.2.1"); err != nil {
			t.Fatalf("one caseworker, again and again: %v", err)
		}
	}
	for key, n := range h.taken {
		if n != 0 {
			t.Errorf("%d tries stay taken from %s", n, key)
		}
	}
}

// A sign-in that succeeds gives back its own try and no failed one: a guesser
// with an account of their own gains nothing by it.
func TestFailedTriesStayCounted(t *testing.T) {
	s, _ := newSignIns()
	refused := 0
	for n := range 60 {
		_, err := s.SignIn(t.Context(), fmt.Sprintf("ana%d", n), "wrong", "192.0.2.1")
		if gateway.Is(err, gateway.CodeTooManyTries) {
			refused++
		} else if !gateway.Is(err, gateway.CodeSignIn) {
			t.Fatalf("try %d: %v", n, err)
		}
		_, _ = s.SignIn(t.Context(), "ana", "right", "192.0.2.1")
	}
	if refused != 30 {
		t.Errorf("%d of 60 guesses were refused, want 30", refused)
	}
	if _, err := s.SignIn(t.Context(), "ana", "right", "192.0.2.2"); err != nil {
		t.Errorf("from another address: %v", err)
	}
}

// Whoever has one IPv6 address has a /64 of them.
func TestAnIPv6CustomerIsOneGuesser(t *testing.T) {
	s, h := newSignIns()
	refused := 0
	for n := range 40 {
		_, err := s.SignIn(t.Context(), fmt.Sprintf("ana%d", n), "wrong", fmt.Sprintf("2001:db8:1:2::%x", n+1))
		if gateway.Is(err, gateway.CodeTooManyTries) {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 40 guesses were refused, want 10", refused)
	}
	if first := h.rows[0].From; first != "2001:db8:1:2::1" {
		t.Errorf("the trail tells the address %s", first)
	}
	if _, err := s.SignIn(t.Context(), "ana", "right", "2001:db8:1:3::1"); err != nil {
		t.Errorf("a neighbor: %v", err)
	}
}

// A guesser fills the trail no further than the limit lets them guess.
func TestARefusedBurstIsOneRow(t *testing.T) {
	s, h := newSignIns()
	for range 500 {
		_, _ = s.SignIn(t.Context(), "ana", "wrong", "192.0.2.1")
	}
	for n := range 500 {
		_, _ = s.SignIn(t.Context(), fmt.Sprintf("nobody%d", n), "wrong", "192.0.2.1")
	}
	want := map[string]int{string(gateway.CodeSignIn): 10, string(gateway.CodeTooManyTries): 2}
	got := h.refusals()
	if len(got) != len(want) || got[string(gateway.CodeSignIn)] != 10 || got[string(gateway.CodeTooManyTries)] != 2 {
		t.Errorf("rows %v, want %v: the wrong passwords, and one for the account and one for the address", got, want)
	}
	var wait gateway.TooManyTries
	if _, err := s.SignIn(t.Context(), "ana", "right", "192.0.2.1"); !errors.As(err, &wait) || wait.Wait <= 0 {
		t.Errorf("what is refused without a row tells how long to wait: %v", err)
	}
}

// A burst whose row could not be written writes it with its next try.
func TestARefusedBurstIsNotForgotten(t *testing.T) {
	s, h := newSignIns()
	for range 10 {
		_, _ = s.SignIn(t.Context(), "ana", "wrong", "192.0.2.1")
	}
	h.deaf = true
	if _, err := s.SignIn(t.Context(), "ana", "wrong", "192.0.2.1"); err == nil || gateway.CodeOf(err) != gateway.CodeUnavailable {
		t.Errorf("without a trail: %v", err)
	}
	h.deaf = false
	for range 3 {
		if _, err := s.SignIn(t.Context(), "ana", "wrong", "192.0.2.1"); !gateway.Is(err, gateway.CodeTooManyTries) {
			t.Errorf("with a trail again: %v", err)
		}
	}
	if n := h.refusals()[string(gateway.CodeTooManyTries)]; n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestAddressKey(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":              "192.0.2.7",
		"::ffff:192.0.2.7":       "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::/64",
		"2001:db8:1:2::1%eth0":   "2001:db8:1:2::/64",
		"":                       "unknown",
		"192.0.2.7, 192.0.2.8":   "unknown",
		"<script>alert</script>": "unknown",
	} {
		if got := gateway.AddressKey(address); got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
}
