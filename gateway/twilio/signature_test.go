package twilio

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"

	"dropslot/gateway"
)

// verifies tells whether the channel takes the signature of a form, apart
// from what the form says.
func verifies(tb testing.TB, publicURL, token string, r *http.Request) bool {
	tb.Helper()
	c, err := NewChannel(Config{PublicURL: publicURL, Accounts: map[string][]AuthToken{testAccount: {NewAuthToken(token)}}})
	if err != nil {
		tb.Fatal(err)
	}
	f, _, err := c.open(r)
	if err == nil {
		f.close()
	}
	return err == nil
}

// The vector that Twilio publishes names no AccountSid, so it is held against
// the signing alone.
func TestPublishedVector(t *testing.T) {
	form := url.Values{
		"Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "To": {"+18005551212"}, "Caller": {"+14158675309"},
		"From": {"+14158675309"}, "ReasonConferenceEnded": {"test"}, "Reason": {"Participant"},
	}
	f := openForm()
	defer f.close()
	if err := f.read(strings.NewReader(form.Encode()), -1); err != nil {
		t.Fatal(err)
	}
	got := newSigner(NewAuthToken("12345")).sign(nil, []byte("https://mycompany.com/myapp.php?foo=1&bar=2"), f.signed)
	if want := "vOEb5UThFn24KEfnOFLQY2AE5FY="; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

var alphabet = []rune("abcXYZ019 +%&=;é¿👋\n\t\"<>.-_~/?:@€漢")

func randomForm(random *rand.Rand) url.Values {
	words := func(most int) string {
		out := make([]rune, random.IntN(most))
		for i := range out {
			out[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(out)
	}
	form := url.Values{"AccountSid": {testAccount}}
	for range random.IntN(30) {
		key := make([]byte, 1+random.IntN(12))
		for i := range key {
			key[i] = "abcdefXYZ"[random.IntN(9)]
		}
		form.Set(string(key), words(60))
	}
	return form
}

// TestAgreesWithLibrary holds the check of signatures against twilio-go's: on
// random well-formed requests both say the same, to the right signature and to
// a wrong one.
func TestAgreesWithLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bases := []string{"https://docs.example.gov", "https://docs.example.gov:8443", "http://127.0.0.1:8080", "https://docs.example.gov:443"}
	paths := []string{"/twilio/messages", "/twilio/status?text=" + testID, "/twilio/messages?b=2&a=1", "/x%20y/", "/"}
	for range 2000 {
		base, path, form := bases[random.IntN(len(bases))], paths[random.IntN(len(paths))], randomForm(random)
		target, body := base+path, form.Encode()
		validator := client.NewRequestValidator(testToken)
		given := signature(testToken, target, form)
		switch random.IntN(4) {
		case 0:
			given = signature("other", target, form)
		case 1:
			given = strings.ToLower(given)
		}
		ours := verifies(t, base, testToken, post(target, body, given))
		theirs := validator.ValidateBody(target, []byte(body), given)
		if ours != theirs {
			t.Fatalf("%s, %s: ours %v, theirs %v", target, body, ours, theirs)
		}
	}
}

// TestAgreesWithNPM holds it against Twilio's JavaScript library.
func TestAgreesWithNPM(t *testing.T) {
	node, err := exec.LookPath("node")
	if _, missing := os.Stat("testdata/npm/node_modules/twilio"); err != nil || errors.Is(missing, fs.ErrNotExist) {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal("needs node and: npm ci in gateway/twilio/testdata/npm")
		}
		t.Skip("needs node and: npm ci in gateway/twilio/testdata/npm")
	}
	type request struct {
		URL       string            `json:"url"`
		Params    map[string]string `json:"params"`
		Signature string            `json:"signature"`
	}
	random := rand.New(rand.NewPCG(3, 4))
	var requests []request
	var ours []bool
	for i := range 300 {
		form := randomForm(random)
		r := request{URL: testURL + "/twilio/messages", Params: map[string]string{}, Signature: signature(testToken, testURL+"/twilio/messages", form)}
		if i%3 == 0 {
			r.Signature = signature("other", r.URL, form)
		}
		for key := range form {
			r.Params[key] = form.Get(key)
		}
		requests = append(requests, r)
		ours = append(ours, verifies(t, testURL, testToken, post(r.URL, form.Encode(), r.Signature)))
	}
	input, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, "validate.cjs", testToken)
	command.Dir, command.Stdin, command.Stderr = "testdata/npm", bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs []bool
	if err := json.Unmarshal(output, &theirs); err != nil {
		t.Fatal(err)
	}
	for i := range ours {
		if ours[i] != theirs[i] || ours[i] != (i%3 != 0) {
			t.Errorf("request %d: ours %v, theirs %v", i, ours[i], theirs[i])
		}
	}
}

// TestEveryByteCounts changes each byte of a signed body in several ways:
// what is taken at all means the same as what was signed.
func TestEveryByteCounts(t *testing.T) {
	c := testChannel(t)
	form := with(messageForm(), "NumMedia", "1", "MediaUrl0", "https://api.twilio.com/x", "MediaContentType0", "image/jpeg")
	body, target := form.Encode(), testURL+"/twilio/messages"
	given := signature(testToken, target, form)
	want, err := c.ReadMessage(post(target, body, given))
	if err != nil {
		t.Fatal(err)
	}
	check := func(changed string) {
		t.Helper()
		m, err := c.ReadMessage(post(target, changed, given))
		if err == nil && m != want {
			t.Errorf("taken with another meaning: %s", changed)
		}
		if err == nil && !sameForm(changed, body) {
			t.Errorf("taken: %s", changed)
		}
	}
	for i := range body {
		for _, b := range []byte{body[i] ^ 1, body[i] ^ 0x20, '&', '=', '%', '+', ';', 0, 0xff} {
			check(body[:i] + string([]byte{b}) + body[i+1:])
		}
		check(body[:i] + body[i+1:])
		check(body[:i] + "&" + body[i:])
		check(body[:i] + "=" + body[i:])
		check(body[:i])
	}
	for i := range given {
		changed := []byte(given)
		changed[i] ^= 1
		if _, err := c.ReadMessage(post(target, body, string(changed))); !gateway.Is(err, gateway.CodeForbidden) {
			t.Errorf("a changed signature: %v", err)
		}
	}
}

// sameForm tells whether two bodies hold the same parameters.
func sameForm(a, b string) bool {
	left, err := url.ParseQuery(a)
	if err != nil {
		return false
	}
	right, err := url.ParseQuery(b)
	return err == nil && left.Encode() == right.Encode()
}
