package passkeys_test

import (
	"encoding/json"
	"testing"

	"dropslot/gateway"
	"dropslot/gateway/passkeys"
)

// A browser's whole ceremony is tried with a real one; here is what a browser
// is asked for, and that what is no answer is refused without a word of it.
func TestWhatBrowsersAreAskedFor(t *testing.T) {
	c, err := passkeys.New("https://desk.example.gov")
	if err != nil {
		t.Fatal(err)
	}
	staff := gateway.Staff{ID: "0000000000000000000000staf", Login: "ana"}
	options, state, err := c.BeginAdd(staff, nil)
	if err != nil {
		t.Fatal(err)
	}
	var asked struct {
		PublicKey struct {
			RP        struct{ ID string }
			Challenge string
			Selection struct{ UserVerification, ResidentKey string } `json:"authenticatorSelection"`
		}
	}
	if err := json.Unmarshal(options, &asked); err != nil {
		t.Fatal(err)
	}
	if k := asked.PublicKey; k.RP.ID != "desk.example.gov" || len(k.Challenge) < 22 || k.Selection.UserVerification != "required" || k.Selection.ResidentKey != "required" {
		t.Errorf("%+v", k)
	}
	for _, answer := range []string{"", "{}", `{"id":"x","type":"public-key","response":{}}`} {
		if _, err := c.FinishAdd(staff, nil, state, []byte(answer)); !gateway.Is(err, gateway.CodePasskey) {
			t.Errorf("%q: %v", answer, err)
		}
		if _, _, err := c.FinishUse(state, []byte(answer), nil); !gateway.Is(err, gateway.CodePasskey) {
			t.Errorf("%q: %v", answer, err)
		}
	}
	// A desk that is reached by address has no passkeys; it has to start.
	for _, address := range []string{"http://127.0.0.1:8081", "https://[2001:db8::1]"} {
		c, err := passkeys.New(address)
		if err != nil {
			t.Fatalf("at %s: %v", address, err)
		}
		_, _, begun := c.BeginUse()
		_, _, added := c.BeginAdd(staff, nil)
		_, made := c.FinishAdd(staff, nil, state, nil)
		_, _, used := c.FinishUse(state, nil, nil)
		for _, err := range []error{begun, added, made, used} {
			if !gateway.Is(err, gateway.CodePasskey) {
				t.Errorf("at %s: %v", address, err)
			}
		}
	}
}
