package linkstoretest

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// modelSteps is how many random acts the store and the model are compared in.
const modelSteps = 10_000

// memory is the contract in its simplest form.
type memory map[gateway.TokenHash]gateway.LinkEntry

func (m memory) claim(hash gateway.TokenHash, browser gateway.BrowserHash, now time.Time) (gateway.LinkEntry, bool) {
	e, there := m[hash]
	if there && e.State == gateway.LinkIssued && now.Before(e.ExpiresAt) {
		e.State, e.Browser = gateway.LinkClaimed, browser
		m[hash] = e
	}
	return e, there
}

func (m memory) close(hash gateway.TokenHash) bool {
	e, there := m[hash]
	if there {
		e.State = gateway.LinkClosed
		m[hash] = e
	}
	return there
}

// model does random acts on a few links and compares every answer.
func model(t *testing.T, s Subject) {
	seed := rand.Uint64()                    // #nosec G404 -- told when the test fails, to repeat it
	random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- a test
	links := make([]gateway.LinkEntry, 8)
	for i := range links {
		links[i] = Entry(random.Uint64())
	}
	remembered := memory{}
	for step := range modelSteps {
		e := links[random.IntN(len(links))]
		browser := Browser(random.IntN(3))
		now := e.ExpiresAt.Add(time.Duration(random.IntN(5)-2) * time.Millisecond)
		got, want := gateway.LinkEntry{}, gateway.LinkEntry{}
		var there bool
		var err error
		act := random.IntN(10)
		switch {
		case act < 3:
			there, want = true, e
			want.State = [...]gateway.LinkState{gateway.LinkIssued, gateway.LinkIssued, gateway.LinkClaimed, gateway.LinkSuperseded}[random.IntN(4)]
			if want.State == gateway.LinkClaimed {
				want.Browser = browser
			}
			remembered[e.Hash] = want
			got, err = want, s.Store.Put(t.Context(), want)
		case act < 6:
			want, there = remembered.claim(e.Hash, browser, now)
			got, err = s.Store.Claim(t.Context(), e.Hash, browser, now)
		case act < 9:
			want, there = remembered[e.Hash]
			got, err = s.Store.Resume(t.Context(), e.Hash)
		default:
			there = remembered.close(e.Hash)
			err = s.Store.Close(t.Context(), e.Hash)
		}
		if there != (err == nil) || !there && !gateway.Is(err, gateway.CodeLinkUnknown) {
			t.Fatalf("seed %d, step %d: %v, although known is %v", seed, step, err, there)
		}
		if got == want {
			continue // spares most of the comparing
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d, step %d (-want +got):\n%s", seed, step, diff)
		}
	}
}
