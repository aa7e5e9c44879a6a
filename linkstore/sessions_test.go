package linkstore_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"

	"dropslot/linkstore"
)

func TestSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		ctx, sessions := t.Context(), linkstore.NewSessions(client)
		const token = "token-of-a-session"
		if _, found, err := sessions.Find(token); found || err != nil {
			t.Errorf("before: %v, %v", found, err)
		}
		for _, data := range []string{"one", "two\x00\xff"} { // a commit replaces
			if err := sessions.Commit(token, []byte(data), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if got, found, err := sessions.Find(token); !found || err != nil || string(got) != data {
				t.Errorf("got %q, %v, %v", got, found, err)
			}
		}
		sum := sha256.Sum256([]byte(token))
		key := "dropslot:session:" + hex.EncodeToString(sum[:])
		if left := client.PTTL(ctx, key).Val(); left < 59*time.Minute || left > time.Hour {
			t.Errorf("the session lives %v", left)
		}
		for _, key := range client.Keys(ctx, "*").Val() {
			if strings.Contains(key, token) {
				t.Error("the token stands in Redis")
			}
		}
		for range 2 {
			if err := sessions.Delete(token); err != nil {
				t.Error(err)
			}
		}
		if _, found, err := sessions.Find(token); found || err != nil {
			t.Errorf("after: %v, %v", found, err)
		}
		client.RPush(ctx, key, "a list")
		if _, found, err := sessions.Find(token); found || err != nil {
			t.Errorf("what is no session: %v, %v", found, err)
		}
		if err := sessions.Commit(token, []byte("x"), time.Now().Add(-time.Hour)); err != nil {
			t.Errorf("a session that is over: %v", err)
		}
		if _, found, err := sessions.Find(token); found || err != nil {
			t.Errorf("a session that is over: %v, %v", found, err)
		}
	})
}

// TestSessionsUnderSCS drives the store as the desk does: two processes share
// one session, and signing out in one ends it in the other.
func TestSessionsUnderSCS(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		process := func() http.Handler {
			manager := scs.New()
			manager.Store = linkstore.NewSessions(client)
			mux := http.NewServeMux()
			mux.HandleFunc("/in", func(_ http.ResponseWriter, r *http.Request) { manager.Put(r.Context(), "staff", "id-1") })
			mux.HandleFunc("/out", func(_ http.ResponseWriter, r *http.Request) { _ = manager.Destroy(r.Context()) })
			mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(manager.GetString(r.Context(), "staff")))
			})
			return manager.LoadAndSave(mux)
		}
		one, two := process(), process()
		var cookie *http.Cookie
		ask := func(handler http.Handler, path string) string {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			if cookie != nil {
				request.AddCookie(cookie)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if set := answer.Result().Cookies(); len(set) == 1 && set[0].Value != "" {
				cookie = set[0]
			}
			return answer.Body.String()
		}
		ask(one, "/in")
		if who := ask(two, "/who"); who != "id-1" {
			t.Errorf("the other process sees %q", who)
		}
		ask(one, "/out")
		if who := ask(two, "/who"); who != "" {
			t.Errorf("after signing out the other process sees %q", who)
		}
	})
}

// A passkey's challenge, or a provider's answer, counts once: of many who bring
// it at once, one gets what was kept.
func TestAnEntryIsTakenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		sessions := linkstore.NewSessions(client)
		if err := sessions.Commit("a ceremony", []byte("kept"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var taken atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				data, found, err := sessions.TakeCtx(t.Context(), "a ceremony")
				if err != nil || found && string(data) != "kept" {
					t.Errorf("got %q, %v", data, err)
				}
				if found {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		if n := taken.Load(); n != 1 {
			t.Errorf("taken %d times", n)
		}
	})
}
