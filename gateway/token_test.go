package gateway

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func testKey(t *testing.T, fill byte) LinkKey {
	t.Helper()
	key, err := NewLinkKey(bytes.Repeat([]byte{fill}, LinkKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTheSameLinkAlwaysHasTheSameToken(t *testing.T) {
	mint := NewTokenMint(testKey(t, 1))
	nonce := Nonce{1, 2, 3}
	first := mint.Token("link", nonce)
	if again := NewTokenMint(testKey(t, 1)).Token("link", nonce); again.Reveal() != first.Reveal() {
		t.Error("the token changed")
	}
	for name, other := range map[string]Token{
		"another link":  mint.Token("linl", nonce),
		"another nonce": mint.Token("link", Nonce{1, 2, 4}),
		"another key":   NewTokenMint(testKey(t, 2)).Token("link", nonce),
	} {
		if other.Reveal() == first.Reveal() {
			t.Errorf("%s gave the same token", name)
		}
	}
	if _, err := ParseToken(first.Reveal()); err != nil {
		t.Errorf("a token of ours is refused: %v", err)
	}
}

func TestParseTokenRefusesWhatIsNone(t *testing.T) {
	good := strings.Repeat("a", TokenLength)
	for _, text := range []string{"", good[1:], good + "a", strings.ToUpper(good), good[1:] + "1", good[1:] + "/", good + "\n"} {
		if _, err := ParseToken(text); !Is(err, CodeLinkUnknown) {
			t.Errorf("ParseToken(%q) = %v, want %s", text, err, CodeLinkUnknown)
		}
	}
}

func TestSecretsPrintRedacted(t *testing.T) {
	browser, err := NewBrowser(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := NewTokenMint(testKey(t, 1)).Token("link", Nonce{})
	number := phone(t, "+15551239876")
	message := Message{From: number, Words: "my secret words", MessageSID: "SM1"}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{browser, token, number, testKey(t, 7), message, &message} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
		log.Info("x", slog.Any("v", v))
	}
	for _, v := range []any{browser, token, number} {
		text, err := json.Marshal(map[string]any{"v": v})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	for _, secret := range []string{browser.Reveal(), token.Reveal(), "5551239876", "my secret words", "\x07\x07", "7, 7"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q was printed:\n%s", secret, out.String())
		}
	}
}

func TestIdentifiersSortByTime(t *testing.T) {
	last := ""
	for i := range 100 {
		id, err := NewID(noon.Add(time.Duration(i)*time.Millisecond), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !ValidID(id) || id <= last {
			t.Fatalf("%q after %q", id, last)
		}
		last = id
	}
	if ref := SubmissionID(last).Reference(); len(ref) != 5 || strings.ContainsAny(ref, "AEIOU01?") {
		t.Errorf("reference %q", ref)
	}
}
