package records

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// others are sessions that a change of a factor ends.
var others = gateway.OtherSessions{At: noon}

func (w *world) addAccount(login string, roles gateway.Roles) gateway.Staff {
	w.t.Helper()
	staff := gateway.Staff{ID: gateway.StaffID(newID(w.t)), Login: login, PasswordHash: "hash", Roles: roles, CreatedAt: noon}
	w.check(w.AddStaff(w.t.Context(), staff), "")
	return staff
}

func (w *world) account(id gateway.StaffID) gateway.Staff {
	w.t.Helper()
	staff, err := w.StaffByID(w.t.Context(), id)
	w.check(err, "")
	return staff
}

func TestInvitation(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ann := w.addAccount("ann", gateway.RolesIn(gateway.RoleCaseworker, north))
		w.check(w.AddPasskey(ctx, gateway.Passkey{ID: []byte("old"), Staff: ann.ID, AddedAt: noon}, 10, false, others), "")
		session := w.begin(ann.ID, 1, noon)
		old, link := gateway.NewSecretToken().Hash(), gateway.NewSecretToken().Hash()
		for _, hash := range []gateway.TokenHash{old, link} { // the newer one replaces the older one
			w.check(w.SaveInvitation(ctx, gateway.Invitation{
				Hash: hash, Staff: ann.ID, Kind: gateway.InvitationReset, MadeBy: "boss", ExpiresAt: noon.Add(time.Hour),
			}, []gateway.OfficeID{north}, entry(gateway.ActionStaffReset, "")), "")
		}
		_, _, err := w.Invitation(ctx, old, noon)
		w.check(err, gateway.CodeNotFound)
		_, _, err = w.Invitation(ctx, link, noon.Add(time.Hour))
		w.check(err, gateway.CodeNotFound)
		found, staff, err := w.Invitation(ctx, link, noon)
		w.check(err, "")
		if found.Kind != gateway.InvitationReset || found.MadeBy != "boss" || staff.Login != "ann" || staff.Passkeys != 1 {
			t.Errorf("%+v of %+v", found, staff)
		}
		given := gateway.Credentials{PasswordHash: "new", SealedTOTP: []byte{1, 2}, TOTPStep: 7}
		w.check(w.AcceptInvitation(ctx, link, noon.Add(time.Hour), given), gateway.CodeNotFound)
		used := 0
		for _, err := range race(8, func(int) error {
			return w.AcceptInvitation(ctx, link, noon, given, entry(gateway.ActionStaffJoined, ""))
		}) {
			if err == nil {
				used++
			} else {
				w.check(err, gateway.CodeNotFound)
			}
		}
		if n := w.count("audit WHERE action = 'staff.link-used'"); used != 1 || n != 1 {
			t.Errorf("used %d times, %d rows", used, n)
		}
		now := w.account(ann.ID)
		if now.PasswordHash != "new" || string(now.SealedTOTP) != "\x01\x02" || now.TOTPStep != 7 || !now.TOTPSince.Equal(noon) || now.Passkeys != 0 || now.Epoch != 1 {
			t.Errorf("%+v", now)
		}
		_, err = w.StaffInSession(ctx, ann.ID, session)
		w.check(err, gateway.CodeNotFound)
		if n := w.count("invitations"); n != 0 {
			t.Errorf("%d links are left", n)
		}
	})
}

// Whatever changes about an account ends its open link, and no link is made
// for one that another office has given work meanwhile.
func TestLinkEndsWithAnyChangeOfItsAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ann := w.addAccount("ann", gateway.RolesIn(gateway.RoleCaseworker, north))
		save := func() (gateway.TokenHash, error) {
			hash := gateway.NewSecretToken().Hash()
			return hash, w.SaveInvitation(ctx, gateway.Invitation{
				Hash: hash, Staff: ann.ID, Kind: gateway.InvitationReset, ExpiresAt: noon.Add(time.Hour),
			}, []gateway.OfficeID{north})
		}
		off, on, hash, totp := noon, time.Time{}, "new", []byte{1}
		change := func(c gateway.StaffChange) func() error {
			return func() error { return w.ChangeStaff(ctx, "ann", c) }
		}
		for name, act := range map[string]func() error{
			"roles":       func() error { return w.SetRoles(ctx, ann.ID, north, []gateway.Role{gateway.RoleAuditor}) },
			"every role":  change(gateway.StaffChange{Roles: gateway.RolesIn(gateway.RoleCaseworker, north)}),
			"switched on": change(gateway.StaffChange{DisabledAt: &on}),
			"password":    change(gateway.StaffChange{PasswordHash: &hash, EndsAt: noon}),
			"app":         change(gateway.StaffChange{SealedTOTP: &totp, TOTPStep: 1}),
			"off and on": func() error {
				w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{DisabledAt: &off, EndsAt: off}), "")
				return w.ChangeStaff(ctx, "ann", gateway.StaffChange{DisabledAt: &on})
			},
		} {
			link, err := save()
			w.check(err, "")
			w.check(act(), "")
			if err := w.AcceptInvitation(ctx, link, noon, gateway.Credentials{PasswordHash: "taken"}); !gateway.Is(err, gateway.CodeNotFound) {
				t.Errorf("%s: the link goes on: %v", name, err)
			}
		}
		link, err := save()
		w.check(err, "")
		if open, err := w.OpenInvitations(ctx, noon); err != nil || len(open) != 1 || open[0].Hash != link {
			t.Errorf("open: %+v %v", open, err)
		}
		if open, err := w.OpenInvitations(ctx, noon.Add(time.Hour)); err != nil || len(open) != 0 {
			t.Errorf("open: %+v %v", open, err)
		}
		w.check(w.CancelInvitation(ctx, ann.ID, []gateway.OfficeID{south}), gateway.CodeShared)
		w.check(w.CancelInvitation(ctx, ann.ID, []gateway.OfficeID{north}, entry(gateway.ActionLinkWithdrawn, "")), "")
		w.check(w.CancelInvitation(ctx, ann.ID, []gateway.OfficeID{north}), gateway.CodeNotFound)
		w.check(w.SetRoles(ctx, ann.ID, south, []gateway.Role{gateway.RoleCaseworker}), "")
		_, err = save()
		w.check(err, gateway.CodeShared)
		w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{DisabledAt: &off, OnlyAt: []gateway.OfficeID{north}}), gateway.CodeShared)
		if !w.account(ann.ID).DisabledAt.IsZero() {
			t.Error("north switched off who works for south")
		}
		w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{DisabledAt: &off, OnlyAt: []gateway.OfficeID{north, south}}), "")
		w.check(w.SetRoles(ctx, ann.ID, south, nil), "")
		_, err = save()
		w.check(err, gateway.CodeSwitchedOff)
	})
}

func TestCodesAreUsedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ann := w.addAccount("ann", nil)
		old, app := []byte("an app"), []byte("another app")
		w.check(w.ChangeStaff(t.Context(), "ann", gateway.StaffChange{SealedTOTP: &old, TOTPStep: 40}), "")
		used := 0
		for _, err := range race(8, func(int) error { return w.UseTOTPStep(t.Context(), ann.ID, 41, old) }) {
			if err == nil {
				used++
			} else {
				w.check(err, gateway.CodeSecondFactor)
			}
		}
		if used != 1 {
			t.Errorf("used %d times", used)
		}
		w.check(w.UseTOTPStep(t.Context(), ann.ID, 40, old), gateway.CodeSecondFactor)
		w.check(w.UseTOTPStep(t.Context(), ann.ID, 42, old), "")
		// Whoever's request came in before the app was replaced has its code still.
		w.check(w.ChangeStaff(t.Context(), "ann", gateway.StaffChange{SealedTOTP: &app, TOTPStep: 43}), "")
		w.check(w.UseTOTPStep(t.Context(), ann.ID, 44, old), gateway.CodeSecondFactor)
		w.check(w.UseTOTPStep(t.Context(), ann.ID, 44, app), "")
	})
}

// Two who know a password and no more set the account up at once, or one does
// whose request began before the other's was done: one of them gets it.
func TestTheFirstFactorIsSetUpOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for name, rounds := range map[string]int{"app": 2, "passkey": 3} {
			staff := w.addAccount(name, nil)
			set := 0
			for _, err := range race(4, func(n int) error {
				if n%rounds != 0 {
					app := []byte{byte(n)}
					return w.ChangeStaff(ctx, name, gateway.StaffChange{SealedTOTP: &app, TOTPStep: 1, First: true})
				}
				return w.AddPasskey(ctx, gateway.Passkey{ID: []byte(name + string(rune('a'+n))), Staff: staff.ID, AddedAt: noon}, 10, true, others)
			}) {
				if err == nil {
					set++
				} else {
					w.check(err, gateway.CodeForbidden)
				}
			}
			if now := w.account(staff.ID); set != 1 || len(now.SealedTOTP)+now.Passkeys != 1 {
				t.Errorf("%s: %d set up, %+v", name, set, now)
			}
		}
	})
}

func TestPasskeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ann, bob := w.addAccount("ann", nil), w.addAccount("bob", nil)
		key := gateway.Passkey{ID: []byte{0, 1}, Staff: ann.ID, Name: "Firefox on Linux", Record: []byte("{}"), AddedAt: noon}
		w.check(w.AddPasskey(ctx, key, 10, false, others, entry(gateway.ActionPasskeyAdded, "")), "")
		theirs := key
		theirs.Staff = bob.ID
		w.check(w.AddPasskey(ctx, theirs, 10, false, others), gateway.CodePasskey) // one authenticator's key is one account's
		w.check(w.RemovePasskey(ctx, bob.ID, key.ID, false, others), gateway.CodeNotFound)
		w.check(w.UsePasskey(ctx, theirs), gateway.CodePasskey)
		key.Record, key.UsedAt = []byte(`{"n":1}`), noon.Add(time.Hour)
		w.check(w.UsePasskey(ctx, key), "")
		keys, err := w.Passkeys(ctx, ann.ID)
		w.check(err, "")
		if diff := cmp.Diff([]gateway.Passkey{key}, keys); diff != "" {
			t.Error(diff)
		}
		other, added := w.another(), 0
		for _, err := range race(2, func(n int) error {
			second := gateway.Passkey{ID: []byte{2, byte(n)}, Staff: ann.ID, AddedAt: noon}
			if n == 0 {
				return w.AddPasskey(ctx, second, 2, false, others)
			}
			return other.AddPasskey(ctx, second, 2, false, others)
		}) {
			if err == nil {
				added++
			} else {
				w.check(err, gateway.CodePasskey)
			}
		}
		if n := w.account(ann.ID).Passkeys; added != 1 || n != 2 {
			t.Errorf("%d added, %d there: no more than 2 were to be", added, n)
		}
		w.raw("DELETE FROM passkeys WHERE id <> $1", key.ID)
		if w.account(ann.ID).Passkeys != 1 || w.account(bob.ID).Passkeys != 0 {
			t.Error("the count is wrong")
		}
		w.check(w.RemovePasskey(ctx, ann.ID, key.ID, true, others), gateway.CodeForbidden) // the last one
		w.check(w.AddPasskey(ctx, gateway.Passkey{ID: []byte("two"), Staff: ann.ID, AddedAt: noon}, 10, false, others), "")
		gone := 0
		for _, err := range race(2, func(n int) error {
			if n == 0 {
				return w.RemovePasskey(ctx, ann.ID, []byte("two"), true, others)
			}
			return other.RemovePasskey(ctx, ann.ID, key.ID, true, others)
		}) {
			if err == nil {
				gone++
			} else {
				w.check(err, gateway.CodeForbidden)
			}
		}
		if left := w.account(ann.ID).Passkeys; gone != 1 || left != 1 {
			t.Errorf("%d removed, %d left", gone, left)
		}
		_ = w.RemovePasskey(ctx, ann.ID, []byte("two"), false, others)
		_ = w.AddPasskey(ctx, key, 10, false, others) // whichever is left
		w.check(w.RemovePasskey(ctx, ann.ID, key.ID, false, others, entry(gateway.ActionPasskeyRemoved, "")), "")
		w.check(w.UsePasskey(ctx, key), gateway.CodePasskey)
		if n := w.count("audit"); n != 2 {
			t.Errorf("%d audit rows", n)
		}
	})
}

// begin opens a session from the n-th browser.
func (w *world) begin(staff gateway.StaffID, n byte, at time.Time) gateway.SessionID {
	w.t.Helper()
	session := gateway.DeskSession{
		ID: gateway.SessionID(newIDAt(w.t, at)), Staff: staff, Browser: "Firefox on Linux", From: "192.0.2.1",
		Device: gateway.Device{n}, BegunAt: at, EndsAt: at.Add(12 * time.Hour),
	}
	_, err := w.BeginSession(w.t.Context(), session, entry(gateway.ActionNewBrowser, ""), entry(gateway.ActionSignedIn, ""))
	w.check(err, "")
	return session.ID
}

func TestDeskSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ann, bob := w.addAccount("ann", nil), w.addAccount("bob", nil)
		first := w.begin(ann.ID, 1, noon)
		second := w.begin(ann.ID, 1, noon.Add(time.Minute))
		third := w.begin(ann.ID, 2, noon.Add(2*time.Minute))
		theirs := w.begin(bob.ID, 2, noon) // a browser is new to an account, not to the desk
		if n := w.count("audit WHERE action = 'staff.new-browser'"); n != 1 {
			t.Errorf("%d new browsers, want one", n)
		}
		list := func(want ...gateway.SessionID) {
			t.Helper()
			found, err := w.Sessions(ctx, ann.ID, noon.Add(3*time.Minute))
			w.check(err, "")
			var ids []gateway.SessionID
			for _, s := range found {
				ids = append(ids, s.ID)
			}
			if diff := cmp.Diff(want, ids); diff != "" {
				t.Error(diff)
			}
		}
		list(third, second, first)
		untold, err := w.UntoldSessions(ctx, ann.ID, first)
		w.check(err, "")
		if len(untold) != 1 || untold[0].ID != third || !untold[0].Fresh || untold[0].Browser != "Firefox on Linux" {
			t.Errorf("untold %+v", untold)
		}
		untold, err = w.UntoldSessions(ctx, ann.ID, third) // not to who may be the stranger
		w.check(err, "")
		if len(untold) != 0 {
			t.Errorf("told to itself: %+v", untold)
		}
		again := w.begin(ann.ID, 2, noon.Add(2*time.Minute)) // the stranger once more, now from a browser that was there
		for _, stranger := range []gateway.SessionID{third, again, theirs, ""} {
			w.check(w.SessionsTold(ctx, ann.ID, stranger, []gateway.SessionID{third}, noon), gateway.CodeForbidden)
		}
		w.check(w.EndSessions(ctx, ann.ID, again, "", noon), "")
		w.check(w.SessionsTold(ctx, ann.ID, first, []gateway.SessionID{theirs, first}, noon), "") // third was not shown
		untold, err = w.UntoldSessions(ctx, ann.ID, first)
		w.check(err, "")
		if len(untold) != 1 || untold[0].ID != third {
			t.Errorf("untold %+v", untold)
		}
		w.check(w.SessionsTold(ctx, ann.ID, first, []gateway.SessionID{third}, noon, entry(gateway.ActionBrowserKnown, "")), "")
		if n := w.count("audit WHERE action = 'staff.browser-known'"); n != 1 {
			t.Errorf("%d rows tell of it", n)
		}
		untold, err = w.UntoldSessions(ctx, ann.ID, first)
		w.check(err, "")
		if len(untold) != 0 {
			t.Errorf("told again: %+v", untold)
		}

		_, err = w.StaffInSession(ctx, bob.ID, first)
		w.check(err, gateway.CodeNotFound)
		staff, err := w.StaffInSession(ctx, ann.ID, first)
		w.check(err, "")
		if staff.Login != "ann" {
			t.Errorf("%+v", staff)
		}
		w.check(w.EndSessions(ctx, ann.ID, theirs, "", noon), gateway.CodeNotFound)
		w.check(w.EndSessions(ctx, ann.ID, second, "", noon, entry(gateway.ActionSessionEnded, "")), "")
		w.check(w.EndSessions(ctx, ann.ID, second, "", noon), gateway.CodeNotFound)
		list(third, first)
		w.check(w.EndSessions(ctx, ann.ID, "", first, noon), "")
		list(first)
		hash := "new"
		w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{PasswordHash: &hash, EndsAt: noon}), "")
		list()
		if w.account(ann.ID).Epoch != 1 || w.account(bob.ID).Epoch != 0 {
			t.Error("the epoch is wrong")
		}
		_, err = w.StaffInSession(ctx, bob.ID, theirs)
		w.check(err, "")
		mine, stranger := w.begin(ann.ID, 1, noon.Add(time.Hour)), w.begin(ann.ID, 3, noon.Add(time.Hour))
		totp := []byte{1}
		w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{SealedTOTP: &totp, TOTPStep: 1, Others: &gateway.OtherSessions{Keep: mine, At: noon}}), "")
		_, err = w.StaffInSession(ctx, ann.ID, stranger)
		w.check(err, gateway.CodeNotFound)
		_, err = w.StaffInSession(ctx, ann.ID, mine)
		w.check(err, "")
		_, err = w.StaffInSession(ctx, bob.ID, theirs)
		w.check(err, "")
	})
}

// How old an app is, and whether a sign-in counts, stays what it was when
// something else of the account changes.
func TestWhatASignInIsWorth(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ann, totp, hash := w.addAccount("ann", nil), []byte{1}, "new"
		w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{SealedTOTP: &totp, TOTPStep: 1, TOTPSince: noon}), "")
		w.check(w.ChangeStaff(ctx, "ann", gateway.StaffChange{PasswordHash: &hash}), "")
		w.check(w.UseTOTPStep(ctx, ann.ID, 2, totp), "")
		if since := w.account(ann.ID).TOTPSince; !since.Equal(noon) {
			t.Errorf("the app is of %s", since)
		}
		for _, proven := range []bool{true, false} {
			s := gateway.DeskSession{ID: gateway.SessionID(newID(t)), Staff: ann.ID, BegunAt: noon, EndsAt: noon.Add(time.Hour), Proven: proven}
			_, err := w.BeginSession(ctx, s, gateway.AuditEntry{}, entry(gateway.ActionSignedIn, ""))
			w.check(err, "")
			living, err := w.Sessions(ctx, ann.ID, noon)
			if w.check(err, ""); len(living) != 1 || living[0].Proven != proven {
				t.Errorf("%+v", living)
			}
			w.check(w.EndSessions(ctx, ann.ID, s.ID, "", noon), "")
		}
	})
}

// Two admins of two offices change one account at once, and both hold.
func TestRolesAtOneOfficeLeaveTheOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ann := w.addAccount("ann", gateway.RolesIn(gateway.RoleCaseworker, north, south))
		other := w.another()
		for _, err := range race(2, func(n int) error {
			if n == 0 {
				return w.SetRoles(t.Context(), ann.ID, north, nil, entry(gateway.ActionStaffChanged, ""))
			}
			return other.SetRoles(t.Context(), ann.ID, south, []gateway.Role{gateway.RoleAuditor}, entry(gateway.ActionStaffChanged, ""))
		}) {
			w.check(err, "")
		}
		if got := w.account(ann.ID).Roles.String(); got != "south: auditor" {
			t.Errorf("roles %q", got)
		}
		w.check(w.SetRoles(t.Context(), "nobody", north, nil), gateway.CodeNotFound)
		for n, act := range []struct {
			office gateway.OfficeID
			roles  []gateway.Role
			epoch  int64 // one higher if the sessions end
		}{
			{south, []gateway.Role{gateway.RoleAdmin}, 0}, {north, []gateway.Role{gateway.RoleAdmin}, 1}, {north, nil, 1}, {south, nil, 2},
		} {
			w.check(w.SetRoles(t.Context(), ann.ID, act.office, act.roles), "")
			if got := w.account(ann.ID).Epoch; got != act.epoch {
				t.Errorf("%d: epoch %d, not %d", n, got, act.epoch)
			}
		}
	})
}

// One identity is one account, also when its person comes in twice at once, and
// is no account that has none.
func TestIdentityIsOneAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addAccount("ann", nil)
		w.addAccount("bob", nil)
		identity, other, made := gateway.IdentityHash{1}, w.another(), 0
		_, err := w.StaffByIdentity(t.Context(), gateway.IdentityHash{})
		w.check(err, gateway.CodeNotFound)
		for _, err := range race(2, func(n int) error {
			staff := gateway.Staff{ID: gateway.StaffID(newID(t)), Login: fmt.Sprintf("ann-%d", n), Identity: identity, CreatedAt: noon}
			if n == 0 {
				return w.AddStaff(t.Context(), staff, entry(gateway.ActionStaffAdded, ""))
			}
			return other.AddStaff(t.Context(), staff, entry(gateway.ActionStaffAdded, ""))
		}) {
			if err == nil {
				made++
			} else {
				w.check(err, gateway.CodeBadRequest)
			}
		}
		found, err := w.StaffByIdentity(t.Context(), identity)
		w.check(err, "")
		if rows := w.count("audit WHERE action = 'staff.added'"); made != 1 || rows != 1 || !found.SSO() || found.Identity != identity {
			t.Errorf("made %d times, %d rows, %+v", made, rows, found)
		}
		if ann, err := w.StaffByLogin(t.Context(), "ann"); err != nil || ann.SSO() {
			t.Errorf("%+v %v", ann, err)
		}
	})
}
