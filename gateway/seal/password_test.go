package seal

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dropslot/gateway"
)

var lightCost = PasswordCost{Memory: 64, Passes: 1, Threads: 1}

func newTestPasswords(t testing.TB, cost PasswordCost, atOnce int) *Passwords {
	t.Helper()
	p, err := NewPasswords(cost, atOnce, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPasswordIsVerified(t *testing.T) {
	p := newTestPasswords(t, lightCost, 2)
	hash, err := p.Hash(t.Context(), "Peña at the long counter")
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Hash(t.Context(), "Peña at the long counter")
	if err != nil {
		t.Fatal(err)
	}
	if hash == again {
		t.Error("two accounts of one password are seen to have it")
	}
	for password, want := range map[string]bool{
		"Peña at the long counter":       true,
		"Pen\u0303a at the long counter": true, // a keyboard that sends the tilde apart
		"peña at the long counter":       false,
		"Peña at the long counter ":      false,
		"":                               false,
		strings.Repeat("x", 2000):        false,
	} {
		if ok, err := p.Verify(t.Context(), hash, password); ok != want || err != nil {
			t.Errorf("%.30q: %v, %v", password, ok, err)
		}
	}
	for _, password := range []string{"", strings.Repeat("x", 2000)} {
		_, err := p.Hash(t.Context(), password)
		wantCode(t, err, gateway.CodeBadRequest)
	}
}

func TestUnknownAccountIsNeverRight(t *testing.T) {
	p := newTestPasswords(t, lightCost, 1)
	for _, password := range []string{"", "whatever it may be"} {
		if ok, err := p.Verify(t.Context(), "", password); ok || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
}

// A stopwatch must not tell which accounts exist: both ways go through derive
// at the same cost. Memory is compared, as it does not depend on the machine.
func TestUnknownAccountCostsWhatAKnownOneCosts(t *testing.T) {
	p := newTestPasswords(t, PasswordCost{Memory: 4096, Passes: 1, Threads: 1}, 1)
	hash, err := p.Hash(t.Context(), "the right password")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(t.Context(), "", "the dummy's salt is drawn once"); err != nil {
		t.Fatal(err)
	}
	known, unknown := allocated(t, p, hash), allocated(t, p, "")
	if unknown < known*9/10 || known < 4<<20 {
		t.Errorf("known account %d bytes, unknown %d", known, unknown)
	}
}

func allocated(t *testing.T, p *Passwords, hash string) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := p.Verify(t.Context(), hash, "some wrong password"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestSignInsWaitForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newTestPasswords(t, lightCost, 1)
		p.slots <- struct{}{} // somebody signs in and takes long
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := p.Verify(ctx, "", "password"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full house gives %v", err)
		}
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("gave up after %v", waited)
		}
		<-p.slots
		if _, err := p.Verify(t.Context(), "", "password"); err != nil {
			t.Errorf("a free slot gives %v", err)
		}
		if len(p.slots) != 0 {
			t.Error("the slot was not given back")
		}
	})
}

func TestHostileHashesAreRefusedBeforeAnyWork(t *testing.T) {
	p := newTestPasswords(t, lightCost, 1)
	good, err := p.Hash(t.Context(), "a good password")
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, other string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the hash has no %q", old)
		}
		return strings.Replace(good, old, other, 1)
	}
	for name, hash := range map[string]string{
		"all memory":        replace("m=64,", "m=4294967295,"),
		"a minute of work":  replace("t=1,", "t=100000000,"),
		"many threads":      replace("p=1$", "p=255$"),
		"no threads":        replace("p=1$", "p=0$"),
		"no passes":         replace("t=1,", "t=0,"),
		"too little memory": replace("m=64,", "m=7,"),
		"leading zero":      replace("m=64,", "m=064,"),
		"a plus sign":       replace("m=64,", "m=+64,"),
		"other order":       replace("m=64,t=1,p=1", "t=1,m=64,p=1"),
		"argon2i":           replace("argon2id", "argon2i"),
		"other version":     replace("v=19", "v=16"),
		"short salt":        "$argon2id$v=19$m=64,t=1,p=1$AAAA$" + strings.Repeat("A", 43),
		"short key":         "$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 22) + "$AAAA",
		"long key":          good + strings.Repeat("A", 400),
		"padding":           good + "=",
		"line feed":         good + "\n",
		"bcrypt":            "$2a$10$abcdefghijklmnopqrstuuu",
		"in clear":          "a good password",
	} {
		ok, err := p.Verify(t.Context(), hash, "a good password")
		if ok || err == nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
		if err != nil && strings.Contains(err.Error(), "good password") {
			t.Errorf("%s: the error repeats what stood there", name)
		}
	}
}

func TestOutdatedTellsAnotherCost(t *testing.T) {
	light, heavier := newTestPasswords(t, lightCost, 1), newTestPasswords(t, PasswordCost{Memory: 128, Passes: 1, Threads: 1}, 1)
	hash, err := light.Hash(t.Context(), "a password of old")
	if err != nil {
		t.Fatal(err)
	}
	if light.Outdated(hash) || !heavier.Outdated(hash) {
		t.Error("the cost of a hash is not seen")
	}
	if ok, err := heavier.Verify(t.Context(), hash, "a password of old"); !ok || err != nil {
		t.Errorf("a hash of another cost: %v, %v", ok, err)
	}
}

func TestCostsOutOfBoundsAreRefused(t *testing.T) {
	for _, cost := range []PasswordCost{{}, {Memory: 64, Passes: 1}, {Memory: 1 << 30, Passes: 1, Threads: 1}, {Memory: 8, Passes: 1, Threads: 4}} {
		if _, err := NewPasswords(cost, 1, rand.Reader); err == nil {
			t.Errorf("%+v accepted", cost)
		}
	}
	if _, err := NewPasswords(DefaultPasswordCost(), 0, rand.Reader); err == nil {
		t.Error("no password at a time accepted")
	}
}

// FuzzPasswordHash: what is read is written back the same and lies in bounds.
func FuzzPasswordHash(f *testing.F) {
	p := newTestPasswords(f, lightCost, 1)
	hash, err := p.Hash(context.Background(), "a good password")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hash)
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePasswordHash(text)
		if err != nil {
			return
		}
		if h.String() != text {
			t.Errorf("%q is written back as %q", text, h)
		}
		if err := h.cost.check(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
