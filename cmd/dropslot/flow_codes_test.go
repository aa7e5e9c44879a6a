package main

import (
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/linkstore"
)

// Whoever has a password and tries a code whenever the window lets them has no more than 100 of
// them looked at in a day, of which each is right with a chance of 3 in a
// million. The owner, who tries beside them, is in as soon as one comes back;
// and who is never wrong meets no limit.
func TestADaysCodesAreBounded(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s, err := r.signIns()
	if err != nil {
		t.Fatal(err)
	}
	s.Now, s.Limiter = r.now, linkstore.NewLimiter(r.redis, []byte("subkey"), r.now)
	secret := []byte("12345678901234567890")
	account := func(login string) func() gateway.Staff {
		staff := gateway.Staff{ID: gateway.StaffID(login), Login: login, CreatedAt: r.now()}
		if staff.SealedTOTP, err = s.Secrets.SealSecret("totp", staff.ID, secret); err != nil {
			t.Fatal(err)
		}
		if err := r.records.AddStaff(ctx, staff); err != nil {
			t.Fatal(err)
		}
		return func() gateway.Staff {
			found, err := r.records.StaffByLogin(ctx, login)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
	}
	ana, ben := account("ana"), account("ben")
	right := func() string { return gateway.TOTPCode(secret, r.now().Unix()/30) }
	looked := 0
	for i := range 24 * 20 {
		if _, err := s.Code(ctx, ana(), "no code", "192.0.2.1"); gateway.Is(err, gateway.CodeSecondFactor) {
			looked++
		} else if !gateway.Is(err, gateway.CodeTooManyTries) {
			t.Fatal(err)
		}
		if i%4 > 0 {
			r.wait(3 * time.Minute)
			continue
		}
		if _, err := s.Code(ctx, ben(), right(), "192.0.2.2"); err != nil {
			t.Fatalf("whose codes are right: %v", err)
		}
		r.wait(3 * time.Minute)
	}
	if looked < 50 || looked > 100 {
		t.Errorf("%d codes were looked at in a day", looked)
	}
	r.wait(30 * time.Minute)
	if _, err := s.Code(ctx, ana(), right(), "192.0.2.3"); err != nil {
		t.Errorf("the owner half an hour later: %v", err)
	}
}
