// Package linkstoretest holds what every gateway.LinkStore must do, as tests
// that run on any of them, and real Redis servers for tests.
package linkstoretest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// Subject is a store under test.
type Subject struct {
	Store gateway.LinkStore
	// Forget makes the store lose everything, as Redis may at any time.
	Forget func(t *testing.T)
	// Racers is how many tokens the race is run with; 0 means 40.
	Racers int
}

// Run checks the contract. open makes a store that is empty or holds links
// of other tests; it is called for each part.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, check := range map[string]func(*testing.T, Subject){
		"PutAndResume": putAndResume, "PutReplaces": putReplaces, "Unknown": unknown, "ClaimBinds": claimBinds,
		"ClaimAgain": claimAgain, "ClaimAtExpiry": claimAtExpiry, "ClaimOnlyIssued": claimOnlyIssued, "Close": closeLink,
		"Known": known, "Race": race, "Forgotten": forgotten, "Model": model,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

// Base is a whole millisecond near now: real servers drop an entry by their
// own clock when its KnownTill has passed.
func Base() time.Time { return time.Now().Truncate(time.Millisecond).UTC() }

// Entry makes an issued link that lives 4 hours and is known 30 days. The
// same n gives the same link.
func Entry(n uint64) gateway.LinkEntry {
	base := Base()
	seed := binary.BigEndian.AppendUint64(nil, n)
	id, err := gateway.NewID(base, bytes.NewReader(append(seed, 0, 0)))
	if err != nil {
		panic(err)
	}
	return gateway.LinkEntry{
		Hash: sha256.Sum256(seed), Link: gateway.LinkID(id), State: gateway.LinkIssued,
		ExpiresAt: base.Add(4 * time.Hour), KnownTill: base.Add(30 * 24 * time.Hour),
	}
}

// Fresh makes a link that no other test has.
func Fresh() gateway.LinkEntry { return Entry(rand.Uint64()) } // #nosec G404 -- a test's name

// Browser makes one of many browsers.
func Browser(n int) gateway.BrowserHash { return sha256.Sum256(fmt.Append(nil, "browser ", n)) }

func put(t *testing.T, s Subject, e gateway.LinkEntry) {
	t.Helper()
	if err := s.Store.Put(t.Context(), e); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func wantResume(t *testing.T, s Subject, want gateway.LinkEntry) {
	t.Helper()
	got, err := s.Store.Resume(t.Context(), want.Hash)
	if err != nil {
		t.Fatalf("resume: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resume (-want +got):\n%s", diff)
	}
}

func wantUnknown(t *testing.T, err error) {
	t.Helper()
	if !gateway.Is(err, gateway.CodeLinkUnknown) {
		t.Errorf("got %v, want %s", err, gateway.CodeLinkUnknown)
	}
}

func putAndResume(t *testing.T, s Subject) {
	for _, state := range []gateway.LinkState{gateway.LinkIssued, gateway.LinkClaimed, gateway.LinkClosed, gateway.LinkSuperseded} {
		e := Fresh()
		e.State = state
		if state == gateway.LinkClaimed || state == gateway.LinkClosed {
			e.Browser = Browser(1)
		}
		put(t, s, e)
		wantResume(t, s, e)
		wantResume(t, s, e) // resuming changes nothing
	}
}

func putReplaces(t *testing.T, s Subject) {
	e := Fresh()
	claimed := e
	claimed.State, claimed.Browser = gateway.LinkClaimed, Browser(1)
	put(t, s, claimed)
	e.ExpiresAt, e.KnownTill = e.ExpiresAt.Add(time.Hour), e.KnownTill.Add(-time.Hour)
	put(t, s, e)
	wantResume(t, s, e) // the browser of before is gone too
}

func unknown(t *testing.T, s Subject) {
	hash := Fresh().Hash
	_, err := s.Store.Resume(t.Context(), hash)
	wantUnknown(t, err)
	_, err = s.Store.Claim(t.Context(), hash, Browser(1), Base())
	wantUnknown(t, err)
	wantUnknown(t, s.Store.Close(t.Context(), hash))
	_, err = s.Store.Resume(t.Context(), hash)
	wantUnknown(t, err) // neither claim nor close made one
}

func claimBinds(t *testing.T, s Subject) {
	e := Fresh()
	put(t, s, e)
	got, err := s.Store.Claim(t.Context(), e.Hash, Browser(1), Base())
	if err != nil {
		t.Fatal(err)
	}
	e.State, e.Browser = gateway.LinkClaimed, Browser(1)
	if diff := cmp.Diff(e, got); diff != "" {
		t.Errorf("claim (-want +got):\n%s", diff)
	}
	wantResume(t, s, e)
}

// claimAgain: an answer that was lost costs the same browser nothing; another
// one is told whose the link is.
func claimAgain(t *testing.T, s Subject) {
	e := Fresh()
	put(t, s, e)
	for _, browser := range []int{1, 1, 2, 3, 1} {
		got, err := s.Store.Claim(t.Context(), e.Hash, Browser(browser), Base())
		if err != nil || got.State != gateway.LinkClaimed || !got.Browser.Equal(Browser(1)) {
			t.Fatalf("browser %d: got %s by %x, %v", browser, got.State, got.Browser[:4], err)
		}
	}
}

// claimAtExpiry: the link is over at its expiry, not a millisecond before.
func claimAtExpiry(t *testing.T, s Subject) {
	for _, test := range []struct {
		from time.Duration
		want gateway.LinkState
	}{
		{-time.Second, gateway.LinkClaimed}, {-time.Millisecond, gateway.LinkClaimed},
		{0, gateway.LinkIssued}, {time.Millisecond, gateway.LinkIssued}, {time.Second, gateway.LinkIssued},
	} {
		e := Fresh()
		put(t, s, e)
		got, err := s.Store.Claim(t.Context(), e.Hash, Browser(1), e.ExpiresAt.Add(test.from))
		if err != nil || got.State != test.want || got.Browser.IsZero() != (test.want == gateway.LinkIssued) {
			t.Errorf("%v from the expiry: got %s, %v; want %s", test.from, got.State, err, test.want)
		}
	}
}

func claimOnlyIssued(t *testing.T, s Subject) {
	for _, state := range []gateway.LinkState{gateway.LinkClosed, gateway.LinkSuperseded} {
		e := Fresh()
		e.State = state
		put(t, s, e)
		got, err := s.Store.Claim(t.Context(), e.Hash, Browser(1), Base())
		if err != nil || got.State != state || !got.Browser.IsZero() {
			t.Errorf("%s: got %s, %v", state, got.State, err)
		}
	}
}

func closeLink(t *testing.T, s Subject) {
	e := Fresh()
	e.State, e.Browser = gateway.LinkClaimed, Browser(1)
	put(t, s, e)
	for range 2 {
		if err := s.Store.Close(t.Context(), e.Hash); err != nil {
			t.Fatal(err)
		}
	}
	e.State = gateway.LinkClosed
	wantResume(t, s, e)
	got, err := s.Store.Claim(t.Context(), e.Hash, Browser(1), Base())
	if err != nil || got.State != gateway.LinkClosed {
		t.Errorf("claim of a closed link: %s, %v", got.State, err)
	}
}

// known: an entry whose time to be known has passed is not there, and putting
// it leaves none of before.
func known(t *testing.T, s Subject) {
	e := Fresh()
	put(t, s, e)
	e.KnownTill = Base().Add(-time.Millisecond)
	put(t, s, e)
	_, err := s.Store.Resume(t.Context(), e.Hash)
	wantUnknown(t, err)
}

// race: of fifty browsers that tap at once exactly one has the link, and all
// are told the same one.
func race(t *testing.T, s Subject) {
	const racers = 50
	tokens := s.Racers
	if tokens == 0 {
		tokens = 40
	}
	for range tokens {
		e := Fresh()
		put(t, s, e)
		winners := Race(t, s.Store, e.Hash, racers)
		if len(winners) != 1 {
			t.Fatalf("%d browsers were told that they won", len(winners))
		}
	}
}

// Race has browsers claim one link at the same time and gives those that were
// told that it is theirs. An error fails the test.
func Race(t *testing.T, store gateway.LinkStore, hash gateway.TokenHash, racers int) []int {
	t.Helper()
	var (
		group   sync.WaitGroup
		lock    sync.Mutex
		winners []int
		start   = make(chan struct{})
		now     = Base()
	)
	for racer := range racers {
		group.Go(func() {
			<-start
			got, err := store.Claim(t.Context(), hash, Browser(racer), now)
			lock.Lock()
			defer lock.Unlock()
			if err != nil || got.State != gateway.LinkClaimed {
				t.Errorf("racer %d: %s, %v", racer, got.State, err)
			} else if got.Browser.Equal(Browser(racer)) {
				winners = append(winners, racer)
			}
		})
	}
	close(start)
	group.Wait()
	return winners
}

// forgotten: what is lost is unknown, not an error, and can be put back.
func forgotten(t *testing.T, s Subject) {
	if s.Forget == nil {
		t.Skip("this store cannot be made to forget")
	}
	e := Fresh()
	put(t, s, e)
	s.Forget(t)
	_, err := s.Store.Resume(t.Context(), e.Hash)
	wantUnknown(t, err)
	_, err = s.Store.Claim(context.WithoutCancel(t.Context()), e.Hash, Browser(1), Base())
	wantUnknown(t, err)
	wantUnknown(t, s.Store.Close(t.Context(), e.Hash))
	put(t, s, e)
	wantResume(t, s, e)
}
