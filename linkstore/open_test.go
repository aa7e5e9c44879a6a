package linkstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"dropslot/gateway"
	"dropslot/linkstore"
	"dropslot/linkstore/linkstoretest"
)

func TestOpenRefuses(t *testing.T) {
	for name, url := range map[string]string{
		"empty":                       "",
		"another scheme":              "http://:secret@host",
		"unknown mode":                "redis+ring://:secret@host",
		"no host":                     "redis://:secret@",
		"port without host":           "redis://:secret@:6379",
		"bad port":                    "redis://:secret@host:redis",
		"port out of range":           "redis://:secret@host:70000",
		"database that is no number":  "redis://:secret@host:6379/secret",
		"several plain hosts":         "redis://:secret@a:6379,b:6379",
		"sentinel without a name":     "redis+sentinel://:secret@a:26379",
		"cluster with a database":     "redis+cluster://:secret@a:6379/3",
		"unknown option":              "redis://:secret@host:6379/0?password=secret",
		"percent sign in a password":  "redis://:secret%zz@host:6379",
		"IPv6 address, no brackets":   "redis://:secret@fe80::1:6379x",
		"password with an at, spaced": "redis://:secret@ho st:6379",
	} {
		t.Run(name, func(t *testing.T) {
			client, err := linkstore.Open(t.Context(), linkstore.Options{URL: url})
			if err == nil {
				_ = client.Close()
				t.Fatal("it was accepted")
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "@") {
				t.Errorf("the error repeats the url: %v", err)
			}
		})
	}
}

func TestOpenReads(t *testing.T) {
	plain := func(client redis.UniversalClient) *redis.Options { return client.(*redis.Client).Options() }
	t.Run("plain", func(t *testing.T) {
		o := plain(open(t, "redis://user:p%40ss%2Fword@[::1]:7000/3"))
		if o.Addr != "[::1]:7000" || o.Username != "user" || o.Password != "p@ss/word" || o.DB != 3 || o.TLSConfig != nil {
			t.Errorf("got %s, %s, %d", o.Addr, o.Username, o.DB)
		}
	})
	t.Run("defaults", func(t *testing.T) {
		if o := plain(open(t, "redis://host")); o.Addr != "host:6379" || o.Password != "" || o.DB != 0 {
			t.Errorf("got %s, %d", o.Addr, o.DB)
		}
	})
	t.Run("TLS", func(t *testing.T) {
		if o := plain(open(t, "rediss://:secret@host:6380/1")); o.TLSConfig == nil || o.Password != "secret" {
			t.Errorf("got %+v", o.TLSConfig)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		o := open(t, "rediss+cluster://user:secret@a:7000,b").(*redis.ClusterClient).Options()
		if strings.Join(o.Addrs, " ") != "a:7000 b:6379" || o.TLSConfig == nil || o.Password != "secret" {
			t.Errorf("got %v", o.Addrs)
		}
	})
	t.Run("sentinel", func(t *testing.T) {
		client := open(t, "redis+sentinel://:secret@a,b:7000/main/2?sentinel_password=other")
		if o := plain(client); o.DB != 2 || o.Password != "secret" {
			t.Errorf("got %d", o.DB)
		}
	})
}

// calls are all that may be asked of Redis.
func calls(client redis.UniversalClient) map[string]func(context.Context) error {
	links, e := linkstore.NewLinks(client), linkstoretest.Fresh()
	limiter, sessions := linkstore.NewLimiter(client, []byte("subkey"), time.Now), linkstore.NewSessions(client)
	return map[string]func(context.Context) error{
		"put": func(ctx context.Context) error { return links.Put(ctx, e) },
		"claim": func(ctx context.Context) error {
			_, err := links.Claim(ctx, e.Hash, linkstoretest.Browser(1), time.Now())
			return err
		},
		"resume": func(ctx context.Context) error { _, err := links.Resume(ctx, e.Hash); return err },
		"close":  func(ctx context.Context) error { return links.Close(ctx, e.Hash) },
		"limit": func(ctx context.Context) error {
			_, _, err := limiter.Allow(ctx, "kind", "192.0.2.9", 5, time.Hour)
			return err
		},
		"forgive": func(ctx context.Context) error {
			return limiter.Forgive(ctx, "kind", "192.0.2.9", 5, time.Hour)
		},
		"find": func(ctx context.Context) error { _, _, err := sessions.FindCtx(ctx, "token"); return err },
		"commit": func(ctx context.Context) error {
			return sessions.CommitCtx(ctx, "token", nil, time.Now().Add(time.Hour))
		},
		"delete":  func(ctx context.Context) error { return sessions.DeleteCtx(ctx, "token") },
		"scripts": func(ctx context.Context) error { return linkstore.LoadScripts(ctx, client) },
		"policy":  func(ctx context.Context) error { return linkstore.CheckPolicy(ctx, client) },
	}
}

// silent accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// TestDeadRedis: whatever way Redis is out of reach, the answer comes in time
// to tell the person, and it tells nothing about addresses or passwords.
func TestDeadRedis(t *testing.T) {
	stopped := linkstoretest.StartRedis(t)
	stopped.Stop()
	frozen := linkstoretest.StartRedis(t)
	for name, url := range map[string]string{
		"frozen":          frozen.URL(),
		"refused":         "redis://clerk:secret@" + stopped.Addr,
		"silent":          "redis://clerk:secret@" + silent(t),
		"silent TLS":      "rediss://clerk:secret@" + silent(t),
		"silent cluster":  "redis+cluster://clerk:secret@" + silent(t) + "," + silent(t),
		"silent sentinel": "redis+sentinel://clerk:secret@" + silent(t) + "/main",
		"refused cluster": "redis+cluster://clerk:secret@" + stopped.Addr,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := open(t, url)
			if name == "frozen" { // with a connection that was good until now
				if err := client.Ping(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				frozen.Freeze(t)
			}
			for act, call := range calls(client) {
				t.Run(act, func(t *testing.T) {
					t.Parallel()
					for try := 1; ; try++ { // what a busy machine delayed once is not late a third time
						began := time.Now()
						err := call(context.Background())
						took := time.Since(began)
						wantQuiet(t, err)
						if took <= 1500*time.Millisecond {
							return
						}
						if try == 3 {
							t.Fatalf("it took %v", took)
						}
					}
				})
			}
		})
	}
}

func wantQuiet(t *testing.T, err error) {
	t.Helper()
	if !gateway.Is(err, gateway.CodeUnavailable) {
		t.Fatalf("got %v, want %s", err, gateway.CodeUnavailable)
	}
	for _, secret := range []string{"secret", "127.0.0.1", "clerk", "dropslot:", "192.0.2.9"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %q: %v", secret, err)
		}
	}
}

// TestRefusals: what Redis answers is put into words that say what to do, and
// none of its own text is repeated.
func TestRefusals(t *testing.T) {
	for reply, words := range map[string]string{
		"NOAUTH Authentication required.":                             "password",
		"OOM command not allowed when used memory > 'maxmemory'.":     "maxmemory",
		"READONLY You can't write against a read only replica.":       "replica",
		"LOADING Redis is loading the dataset in memory":              "loading",
		"NOPERM User clerk has no permissions to access dropslot:key": "may not run",
		"ERR unknown command, with args beginning with: secret":       "ERR",
		"secret 127.0.0.1 clerk":                                      "error",
	} {
		server := miniredis.RunT(t)
		client := open(t, "redis://"+server.Addr())
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		server.SetError(reply)
		for name, call := range calls(client) {
			err := call(t.Context())
			if name == "policy" && errors.Is(err, linkstore.ErrPolicyUnknown) {
				continue
			}
			wantQuiet(t, err)
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %q became %q", name, reply, err)
			}
		}
	}
}

// TestCancelled: a caller that gave up is told so.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(open(t, linkstoretest.StartRedis(t).URL())) {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckPolicy(t *testing.T) {
	server := linkstoretest.StartRedis(t)
	client := open(t, server.URL())
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl", "noeviction"} {
		if err := client.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatal(err)
		}
		err := linkstore.CheckPolicy(t.Context(), client)
		switch {
		case policy == "noeviction":
			if err != nil {
				t.Errorf("%s: %v", policy, err)
			}
		case err == nil || !strings.Contains(err.Error(), policy) || !strings.Contains(err.Error(), "CONFIG SET maxmemory-policy noeviction"):
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// TestPolicyHidden: providers forbid CONFIG; INFO tells too. Where both are
// refused the operator is told what to look for.
func TestPolicyHidden(t *testing.T) {
	server := linkstoretest.StartRedis(t, "--maxmemory-policy", "allkeys-lru")
	admin := open(t, server.URL())
	for user, test := range map[string]struct {
		rights []string
		want   string
	}{
		"info":    {[]string{"+@all", "-config"}, "allkeys-lru"},
		"nothing": {[]string{"+@all", "-config", "-info"}, linkstore.ErrPolicyUnknown.Error()},
	} {
		set := []any{"ACL", "SETUSER", user, "on", ">secret", "~*"}
		for _, right := range test.rights {
			set = append(set, right)
		}
		if err := admin.Do(t.Context(), set...).Err(); err != nil {
			t.Fatal(err)
		}
		err := linkstore.CheckPolicy(t.Context(), open(t, "redis://"+user+":secret@"+server.Addr))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", user, err)
		}
	}
	if err := linkstore.CheckPolicy(t.Context(), open(t, "redis://"+miniredis.RunT(t).Addr())); !errors.Is(err, linkstore.ErrPolicyUnknown) {
		t.Errorf("a Redis that does not tell: %v", err)
	}
}

// TestEmbedded: the demo's Redis listens on the loopback address alone, lets
// links expire, and is gone after stop.
func TestEmbedded(t *testing.T) {
	addr, stop, err := linkstore.StartEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if host, _, err := net.SplitHostPort(addr); err != nil || host != "127.0.0.1" {
		t.Errorf("it listens on %s", addr)
	}
	client := open(t, "redis://"+addr)
	t.Run("contract", func(t *testing.T) { contract(t, client, 0) })
	stop()
	if err := linkstore.LoadScripts(t.Context(), client); !gateway.Is(err, gateway.CodeUnavailable) {
		t.Errorf("after stop: %v", err)
	}
}
