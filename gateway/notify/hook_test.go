package notify

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// The vector that the reference libraries of Standard Webhooks are tested with.
func TestSignature(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAHookIsPostedAndSigned(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	secret := []byte("0123456789abcdef0123456789abcdef")
	status, elsewhere := http.StatusNoContent, 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	var got *http.Request
	var content []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		content, _ = io.ReadAll(r.Body)
		w.Header().Set("Location", other.URL)
		w.WriteHeader(status)
	}))
	defer server.Close()
	p := NewPoster(map[gateway.NoticeTarget]Hook{gateway.HookTarget("north", "case"): {server.URL + "/secret-path", secret}}, func() time.Time { return now })
	if err := p.Post(t.Context(), "north", "case", "id1", []byte(`{"x":1}`)); err != nil {
		t.Fatal(err)
	}
	if string(content) != `{"x":1}` || got.Header.Get("webhook-id") != "id1" || got.Header.Get("webhook-timestamp") != "1700000000" ||
		got.Header.Get("webhook-signature") != "v1,"+Sign(secret, "id1", "1700000000", content) {
		t.Errorf("posted %s with %v", content, got.Header)
	}
	for code, final := range map[int]bool{500: false, 404: false, 429: false, 302: false, 307: false, 410: true} {
		status = code
		err := p.Post(t.Context(), "north", "case", "id1", []byte(`{}`))
		refused, sure := errors.AsType[*gateway.NotTaken](err)
		if err == nil || (sure && refused.Final) != final {
			t.Errorf("%d: %v", code, err)
		}
	}
	if elsewhere != 0 {
		t.Error("a redirect was followed")
	}
	if err := p.Post(t.Context(), "south", "case", "id1", nil); err == nil {
		t.Error("a hook that the file does not name was posted to")
	}
	server.Close()
	if err := p.Post(t.Context(), "north", "case", "id1", nil); err == nil || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("out of reach: %v", err)
	}
}
