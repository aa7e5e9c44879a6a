package linkstore_test

import (
	"context"
	"encoding/hex"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"dropslot/gateway"
	"dropslot/linkstore"
	"dropslot/linkstore/linkstoretest"
)

func open(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	client, err := linkstore.Open(t.Context(), linkstore.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// flush makes a server or every master of a cluster forget.
func flush(client redis.UniversalClient) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		var err error
		if cluster, ok := client.(*redis.ClusterClient); ok {
			err = cluster.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error {
				return node.FlushAll(ctx).Err()
			})
		} else {
			err = client.FlushAll(t.Context()).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// onBoth runs a test on miniredis and on a redis-server.
func onBoth(t *testing.T, test func(t *testing.T, client redis.UniversalClient)) {
	t.Run("miniredis", func(t *testing.T) {
		server := miniredis.RunT(t)
		server.ClockTTL(true)
		test(t, open(t, "redis://"+server.Addr()))
	})
	t.Run("redis-server", func(t *testing.T) { test(t, open(t, linkstoretest.StartRedis(t).URL())) })
}

func contract(t *testing.T, client redis.UniversalClient, tokens int) {
	linkstoretest.Run(t, func(*testing.T) linkstoretest.Subject {
		return linkstoretest.Subject{Store: linkstore.NewLinks(client), Forget: flush(client), Racers: tokens}
	})
}

func TestContract(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) { contract(t, client, 0) })
}

func TestContractOnCluster(t *testing.T) {
	addresses := linkstoretest.StartCluster(t)
	client := open(t, "redis+cluster://"+strings.Join(addresses, ","))
	contract(t, client, 0)
	if err := linkstore.LoadScripts(t.Context(), client); err != nil {
		t.Errorf("load scripts: %v", err)
	}
	if err := linkstore.CheckPolicy(t.Context(), client); err != nil {
		t.Errorf("check policy: %v", err)
	}
	allowed, _, err := linkstore.NewLimiter(client, []byte("subkey"), time.Now).Allow(t.Context(), "guess", "192.0.2.1", 1, time.Hour)
	if err != nil || !allowed {
		t.Errorf("limit: %v, %v", allowed, err)
	}
}

func TestContractThroughSentinel(t *testing.T) {
	sentinel := linkstoretest.StartSentinel(t, linkstoretest.StartRedis(t))
	contract(t, open(t, "redis+sentinel://"+sentinel+"/main/0"), 5)
}

// TestRaceOfThousands is the figure: 2,000 tokens, 50 browsers each.
func TestRaceOfThousands(t *testing.T) {
	tokens := 2000
	if testing.Short() {
		tokens = 100
	}
	links := linkstore.NewLinks(open(t, linkstoretest.StartRedis(t).URL()))
	for range tokens {
		e := linkstoretest.Fresh()
		if err := links.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if winners := linkstoretest.Race(t, links, e.Hash, 50); len(winners) != 1 {
			t.Fatalf("%d browsers were told that they won", len(winners))
		}
	}
}

func linkKey(e gateway.LinkEntry) string { return "dropslot:link:" + hex.EncodeToString(e.Hash[:]) }

// TestTimeToLive: Redis drops an entry at its KnownTill, and nothing that
// happens to the link moves that.
func TestTimeToLive(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		links, e := linkstore.NewLinks(client), linkstoretest.Fresh()
		check := func(after string) {
			t.Helper()
			left, err := client.PTTL(t.Context(), linkKey(e)).Result()
			if want := time.Until(e.KnownTill); err != nil || (left-want).Abs() > 2*time.Second {
				t.Errorf("after %s: %v to live, %v; want %v", after, left, err, want)
			}
		}
		for _, act := range []struct {
			name string
			do   func() error
		}{
			{"put", func() error { return links.Put(t.Context(), e) }},
			{"resume", func() error { _, err := links.Resume(t.Context(), e.Hash); return err }},
			{"claim", func() error {
				_, err := links.Claim(t.Context(), e.Hash, linkstoretest.Browser(1), time.Now())
				return err
			}},
			{"close", func() error { return links.Close(t.Context(), e.Hash) }},
			{"a later put", func() error { e.KnownTill = e.KnownTill.Add(-20 * 24 * time.Hour); return links.Put(t.Context(), e) }},
		} {
			if err := act.do(); err != nil {
				t.Fatalf("%s: %v", act.name, err)
			}
			check(act.name)
		}
	})
}

// TestGarbage: whatever somebody else wrote under a link's key counts as
// unknown, is not touched by a claim, and is replaced by the next put.
func TestGarbage(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		good := map[string]any{"id": "x", "state": "claimed", "expires": "5000000000000", "known": "5000000000000"}
		with := func(field string, value any) map[string]any {
			fields := map[string]any{}
			for name, v := range good {
				fields[name] = v
			}
			if fields[field] = value; value == nil {
				delete(fields, field)
			}
			return fields
		}
		links, ctx := linkstore.NewLinks(client), t.Context()
		for name, plant := range map[string]func(key string) error{
			"string":          func(key string) error { return client.Set(ctx, key, "hello", 0).Err() },
			"list":            func(key string) error { return client.RPush(ctx, key, "hello").Err() },
			"other hash":      func(key string) error { return client.HSet(ctx, key, "a", "b").Err() },
			"no identifier":   func(key string) error { return client.HSet(ctx, key, with("id", nil)).Err() },
			"no times":        func(key string) error { return client.HSet(ctx, key, with("expires", nil)).Err() },
			"bad time":        func(key string) error { return client.HSet(ctx, key, with("known", "soon")).Err() },
			"unknown state":   func(key string) error { return client.HSet(ctx, key, with("state", "open")).Err() },
			"browser too big": func(key string) error { return client.HSet(ctx, key, with("browser", strings.Repeat("b", 33))).Err() },
			"browser cut":     func(key string) error { return client.HSet(ctx, key, with("browser", "b")).Err() },
		} {
			t.Run(name, func(t *testing.T) {
				e := linkstoretest.Fresh()
				if err := plant(linkKey(e)); err != nil {
					t.Fatal(err)
				}
				before, dumped := client.Dump(ctx, linkKey(e)).Result()
				_, errResume := links.Resume(ctx, e.Hash)
				_, errClaim := links.Claim(ctx, e.Hash, linkstoretest.Browser(1), time.Now())
				if !gateway.Is(errResume, gateway.CodeLinkUnknown) || !gateway.Is(errClaim, gateway.CodeLinkUnknown) {
					t.Errorf("resume: %v, claim: %v; want both unknown", errResume, errClaim)
				}
				if after, _ := client.Dump(ctx, linkKey(e)).Result(); dumped == nil && after != before {
					t.Error("a refused claim changed what lay there")
				}
				if err := links.Put(ctx, e); err != nil {
					t.Fatal(err)
				}
				if got, err := links.Resume(ctx, e.Hash); err != nil || got != e {
					t.Errorf("after put: %+v, %v", got, err)
				}
			})
		}
	})
}

// trips counts what goes over the wire.
type trips struct{ count atomic.Int64 }

func (h *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		h.count.Add(1)
		return next(ctx, command)
	}
}

func (h *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		h.count.Add(1)
		return next(ctx, commands)
	}
}

// TestOneRoundTrip: each method asks Redis once.
func TestOneRoundTrip(t *testing.T) {
	client := open(t, linkstoretest.StartRedis(t).URL())
	if err := linkstore.LoadScripts(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	ctx, links, e := t.Context(), linkstore.NewLinks(client), linkstoretest.Fresh()
	limiter, sessions := linkstore.NewLimiter(client, []byte("subkey"), time.Now), linkstore.NewSessions(client)
	if err := client.Ping(ctx).Err(); err != nil { // connect before counting
		t.Fatal(err)
	}
	hook := &trips{}
	client.AddHook(hook)
	for name, act := range map[string]func() error{
		"put":            func() error { return links.Put(ctx, e) },
		"claim":          func() error { _, err := links.Claim(ctx, e.Hash, linkstoretest.Browser(1), time.Now()); return err },
		"resume":         func() error { _, err := links.Resume(ctx, e.Hash); return err },
		"close":          func() error { return links.Close(ctx, e.Hash) },
		"limit":          func() error { _, _, err := limiter.Allow(ctx, "kind", "key", 5, time.Hour); return err },
		"forgive":        func() error { return limiter.Forgive(ctx, "kind", "key", 5, time.Hour) },
		"find session":   func() error { _, _, err := sessions.FindCtx(ctx, "token"); return err },
		"commit session": func() error { return sessions.CommitCtx(ctx, "token", []byte("data"), time.Now().Add(time.Hour)) },
		"delete session": func() error { return sessions.DeleteCtx(ctx, "token") },
	} {
		hook.count.Store(0)
		if err := act(); err != nil && !gateway.Is(err, gateway.CodeLinkUnknown) {
			t.Errorf("%s: %v", name, err)
		}
		if n := hook.count.Load(); n != 1 {
			t.Errorf("%s: %d round trips", name, n)
		}
	}
}

// TestACrowdSharesItsRoundTrips: each of many puts at once is answered, also
// when Redis has forgotten the script in between, and one that is given up
// keeps no other waiting.
func TestACrowdSharesItsRoundTrips(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		hook := &trips{}
		client.AddHook(hook)
		links := linkstore.NewLinks(client)
		const crowd = 100
		var all sync.WaitGroup
		for n := range crowd {
			all.Go(func() {
				if n == crowd/2 {
					if err := client.ScriptFlush(t.Context()).Err(); err != nil {
						t.Error(err)
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if n%10 == 0 {
					cancel()
				}
				e := linkstoretest.Fresh()
				err := links.Put(ctx, e)
				for try := 0; gateway.Is(err, gateway.CodeUnavailable) && ctx.Err() == nil && try < 5; try++ {
					err = links.Put(ctx, e) // a machine too slow for so many within a second
				}
				if n%10 == 0 {
					return // may have been in time
				}
				if err != nil {
					t.Error(err)
				}
				if got, err := links.Resume(t.Context(), e.Hash); err != nil || got.Link != e.Link {
					t.Errorf("after put: %+v, %v", got, err)
				}
			})
		}
		all.Wait()
		t.Logf("%d puts, %d round trips with as many look-ups", crowd, hook.count.Load())
	})
}

// TestClaimNeedsABrowser: the zero hash means nobody and may own nothing.
func TestClaimNeedsABrowser(t *testing.T) {
	links, e := linkstore.NewLinks(open(t, "redis://"+miniredis.RunT(t).Addr())), linkstoretest.Fresh()
	if err := links.Put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if _, err := links.Claim(t.Context(), e.Hash, gateway.BrowserHash{}, time.Now()); !gateway.Is(err, gateway.CodeBadRequest) {
		t.Errorf("got %v", err)
	}
}
