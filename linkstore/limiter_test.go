package linkstore_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"dropslot/gateway"
	"dropslot/linkstore"
)

// clock stands until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestLimiter(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		c := &clock{at: time.Now()}
		limiter := linkstore.NewLimiter(client, []byte("subkey"), c.now)
		try := func(key string) (bool, time.Duration) {
			t.Helper()
			allowed, wait, err := limiter.Allow(t.Context(), "sign-in", key, 3, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return allowed, wait
		}
		for n := range 3 {
			if allowed, wait := try("a"); !allowed || wait != 0 {
				t.Fatalf("try %d: %v, wait %v", n, allowed, wait)
			}
		}
		for range 5 { // tries that are refused cost nothing
			if allowed, wait := try("a"); allowed || wait != 20*time.Second {
				t.Fatalf("try 4: %v, wait %v", allowed, wait)
			}
		}
		if allowed, _ := try("b"); !allowed {
			t.Error("another key has a bucket of its own")
		}
		if allowed, _, err := limiter.Allow(t.Context(), "other", "a", 3, time.Minute); err != nil || !allowed {
			t.Errorf("another kind has a bucket of its own: %v", err)
		}
		c.at = c.at.Add(20*time.Second - time.Microsecond)
		if allowed, wait := try("a"); allowed || wait != time.Microsecond {
			t.Errorf("a microsecond early: %v, wait %v", allowed, wait)
		}
		c.at = c.at.Add(time.Microsecond)
		if allowed, _ := try("a"); !allowed {
			t.Error("a third of the time gives one try back")
		}
		if allowed, _ := try("a"); allowed {
			t.Error("and only one")
		}
		c.at = c.at.Add(time.Hour)
		for n := range 4 {
			if allowed, _ := try("a"); allowed != (n < 3) {
				t.Errorf("after an hour, try %d: %v", n, allowed)
			}
		}
	})
}

// TestLimiterModel compares random tries with the bucket as one would write
// it down on paper.
func TestLimiterModel(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		seed := rand.Uint64()                    // #nosec G404 -- told when the test fails
		random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- a test
		c := &clock{at: time.Now().Truncate(time.Microsecond)}
		limiter := linkstore.NewLimiter(client, []byte("subkey"), c.now)
		const tries, interval = 5, 12 * time.Second
		level, last := float64(tries), c.at
		for step := range 2000 {
			c.at = c.at.Add(time.Duration(random.IntN(20)) * time.Second)
			level = min(tries, level+c.at.Sub(last).Seconds()/interval.Seconds())
			last = c.at
			want := level > 1-1e-9
			if want {
				level--
			}
			got, _, err := limiter.Allow(t.Context(), "kind", "key", tries, tries*interval)
			if err != nil || got != want {
				t.Fatalf("seed %d, step %d: %v, %v; want %v", seed, step, got, err, want)
			}
		}
	})
}

// TestLimiterRace: many tries at once do not get more than the bucket holds.
func TestLimiterRace(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		c := &clock{at: time.Now()}
		limiter := linkstore.NewLimiter(client, []byte("subkey"), c.now)
		var group sync.WaitGroup
		var allowed atomic.Int32
		for range 60 {
			group.Go(func() {
				ok, _, err := limiter.Allow(t.Context(), "kind", "key", 7, time.Hour)
				if err != nil {
					t.Error(err)
				}
				if ok {
					allowed.Add(1)
				}
			})
		}
		group.Wait()
		if allowed.Load() != 7 {
			t.Errorf("%d tries of 7 were allowed", allowed.Load())
		}
	})
}

// TestLimiterStores: no address and no login stands in Redis, buckets go away
// by themselves, and nonsense in a bucket locks nobody out.
func TestLimiterStores(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		c := &clock{at: time.Now()}
		limiter := linkstore.NewLimiter(client, []byte("subkey"), c.now)
		ctx := t.Context()
		allow := func() bool {
			t.Helper()
			allowed, _, err := limiter.Allow(ctx, "guess", "192.0.2.7", 2, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return allowed
		}
		allow()
		keys, err := client.Keys(ctx, "*").Result()
		if err != nil || len(keys) != 1 || !strings.HasPrefix(keys[0], "dropslot:limit:guess:") || strings.Contains(keys[0], "192.0.2.7") {
			t.Fatalf("keys %v, %v", keys, err)
		}
		if left := client.PTTL(ctx, keys[0]).Val(); left <= 0 || left > 30*time.Second {
			t.Errorf("a bucket short of one try lives %v", left)
		}
		other := linkstore.NewLimiter(client, []byte("another subkey"), c.now)
		if _, _, err := other.Allow(ctx, "guess", "192.0.2.7", 2, time.Minute); err != nil || client.DBSize(ctx).Val() != 2 {
			t.Errorf("another subkey gives another key: %v", err)
		}
		for _, nonsense := range []string{"hello", "nan", "-5", ""} {
			client.Set(ctx, keys[0], nonsense, 0)
			if !allow() {
				t.Errorf("%q locks out", nonsense)
			}
		}
		// A machine whose clock is a day ahead took every try: as if it had done so now.
		client.Set(ctx, keys[0], c.at.Add(24*time.Hour).UnixMicro(), 0)
		_, wait, err := limiter.Allow(ctx, "guess", "192.0.2.7", 2, time.Minute)
		if err != nil || wait != 30*time.Second {
			t.Errorf("wait %v, %v; want the time of one try", wait, err)
		}
		client.Del(ctx, keys[0])
		client.RPush(ctx, keys[0], "a list")
		if first, second := allow(), allow(); !first || !second || allow() {
			t.Error("a bucket replaces what is none and counts")
		}
	})
}

// TestForgive: a try that is given back was never taken, and nobody gets more
// than a full bucket by it.
func TestForgive(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		c := &clock{at: time.Now()}
		limiter := linkstore.NewLimiter(client, []byte("subkey"), c.now)
		ctx := t.Context()
		try := func() bool {
			t.Helper()
			allowed, _, err := limiter.Allow(ctx, "sign-in", "a", 3, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return allowed
		}
		forgive := func(key string) {
			t.Helper()
			if err := limiter.Forgive(ctx, "sign-in", key, 3, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 40 {
			if !try() {
				t.Fatalf("try %d is refused, though all before were given back", n)
			}
			forgive("a")
		}
		if client.DBSize(ctx).Val() != 0 {
			t.Error("a full bucket is kept")
		}
		for range 5 { // nothing was taken
			forgive("a")
		}
		for n := range 4 {
			if try() != (n < 3) {
				t.Errorf("a bucket of 3 that nothing was taken from, try %d", n)
			}
		}
		forgive("b") // another's
		if try() {
			t.Error("another key's try counts here")
		}
		forgive("a")
		if !try() || try() {
			t.Error("one try comes back, and one only")
		}
		// The bucket filled up by itself while the try was under way.
		c.at = c.at.Add(time.Hour)
		forgive("a")
		for n := range 4 {
			if try() != (n < 3) {
				t.Errorf("after an hour, try %d", n)
			}
		}
		// Nonsense is nobody's try, and a clock that runs ahead gives no more than one back.
		key := client.Keys(ctx, "*").Val()[0]
		for _, nonsense := range []string{"hello", "nan", "-5", ""} {
			client.Set(ctx, key, nonsense, 0)
			forgive("a")
		}
		client.Set(ctx, key, c.at.Add(24*time.Hour).UnixMicro(), 0)
		forgive("a")
		if !try() || try() {
			t.Error("from a clock that is ahead, not one try came back")
		}
		client.Del(ctx, key)
		client.RPush(ctx, key, "a list")
		forgive("a")
		if !try() {
			t.Error("something else under the key locks out")
		}
	})
}

// TestForgiveRace: with tries under way at once, each counts while it is
// under way, and all of them come back.
func TestForgiveRace(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		c := &clock{at: time.Now()}
		limiter := linkstore.NewLimiter(client, []byte("subkey"), c.now)
		var group sync.WaitGroup
		var under, refused atomic.Int32
		for range 60 {
			group.Go(func() {
				ok, _, err := limiter.Allow(t.Context(), "kind", "key", 7, time.Hour)
				if err != nil {
					t.Error(err)
				}
				if !ok {
					refused.Add(1)
					return
				}
				if under.Add(1) > 7 {
					t.Error("more tries are under way than the bucket holds")
				}
				under.Add(-1)
				if err := limiter.Forgive(t.Context(), "kind", "key", 7, time.Hour); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for n := range 8 {
			if ok, _, err := limiter.Allow(t.Context(), "kind", "key", 7, time.Hour); err != nil || ok != (n < 7) {
				t.Errorf("try %d afterwards: %v, %v (%d were refused)", n, ok, err, refused.Load())
			}
		}
	})
}

func TestLimiterNeedsALimit(t *testing.T) {
	limiter := linkstore.NewLimiter(nil, nil, time.Now)
	for _, try := range []struct {
		n   int
		per time.Duration
	}{{0, time.Hour}, {-1, time.Hour}, {5, 0}} {
		if allowed, _, err := limiter.Allow(t.Context(), "kind", "key", try.n, try.per); allowed || !gateway.Is(err, gateway.CodeBadRequest) {
			t.Errorf("%d in %v: %v, %v", try.n, try.per, allowed, err)
		}
		if err := limiter.Forgive(t.Context(), "kind", "key", try.n, try.per); !gateway.Is(err, gateway.CodeBadRequest) {
			t.Errorf("%d in %v is forgiven: %v", try.n, try.per, err)
		}
	}
}
