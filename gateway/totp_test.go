package gateway

import (
	"testing"
	"time"
)

// The vectors of RFC 6238, appendix B, cut to six digits.
func TestTOTPOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := TOTPCode(secret, at/30); got != want {
			t.Errorf("at %d: %s, not %s", at, got, want)
		}
	}
}

func TestTOTPWorksOnceAndNotForLong(t *testing.T) {
	secret, now := []byte("12345678901234567890"), time.Unix(1234567890, 0)
	present := now.Unix() / 30
	code := TOTPCode(secret, present)
	step, right := TOTPStep(secret, " "+code[:3]+" "+code[3:], now, 0)
	if !right || step != present {
		t.Fatalf("%d, %v", step, right)
	}
	if _, again := TOTPStep(secret, code, now, step); again {
		t.Error("a code works twice")
	}
	for _, away := range []time.Duration{-61 * time.Second, 61 * time.Second} {
		if _, right := TOTPStep(secret, code, now.Add(away), 0); right {
			t.Errorf("the code works %v away", away)
		}
	}
	for _, wrong := range []string{"", "000000", code[:5], code + "0", "28708２"} {
		if _, right := TOTPStep(secret, wrong, now, 0); right {
			t.Errorf("%q is taken", wrong)
		}
	}
}
