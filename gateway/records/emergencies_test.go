package records

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// inSession gives an account that is signed in.
func (w *world) inSession(login string) gateway.DeskSession {
	w.t.Helper()
	staff := gateway.Staff{ID: gateway.StaffID(newID(w.t)), Login: login, Roles: gateway.RolesIn(gateway.RoleSupervisor, south), CreatedAt: noon}
	w.check(w.AddStaff(w.t.Context(), staff), "")
	session := gateway.DeskSession{ID: gateway.SessionID(newID(w.t)), Staff: staff.ID, BegunAt: noon, EndsAt: noon.Add(12 * time.Hour)}
	_, err := w.BeginSession(w.t.Context(), session, gateway.AuditEntry{}, entry(gateway.ActionSignedIn, ""))
	w.check(err, "")
	return session
}

func newEmergency(t testing.TB, s gateway.DeskSession, at time.Time) gateway.Emergency {
	return gateway.Emergency{
		ID: gateway.EmergencyID(newID(t)), Staff: s.Staff, Session: s.ID, Office: north, SealedReason: []byte("sealed"), OpenedAt: at, Until: at.Add(time.Hour),
	}
}

// open opens an access with an alert to somebody, as the flow does.
func (w *world) open(e gateway.Emergency) (gateway.Emergency, error) {
	told := gateway.Notice{Target: "urgent:sue", Event: gateway.NoticeEmergency, Object: "emergency:" + string(e.ID), Office: north, At: e.OpenedAt}
	return w.OpenEmergency(w.t.Context(), e, []gateway.Notice{told}, gateway.Job{Kind: gateway.JobNotices, Subject: "now", Unique: true},
		entry(gateway.ActionEmergencyOpened, "emergency:"+string(e.ID)))
}

// Two requests of one person at once open it once, and tell of it once.
func TestAnEmergencyOpensOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session, other := w.inSession("ana"), w.another()
		opened := make([]gateway.Emergency, 4)
		for _, err := range race(len(opened), func(i int) (err error) {
			opened[i], err = []*world{w, other}[i%2].open(newEmergency(t, session, noon))
			return err
		}) {
			w.check(err, "")
		}
		for _, e := range opened {
			if e.ID != opened[0].ID {
				t.Errorf("opened %s and %s", e.ID, opened[0].ID)
			}
		}
		for what, from := range map[string]string{
			"accesses": "emergencies", "audit rows": "audit WHERE action = 'emergency.opened'", "alerts": "notices", "jobs": "river_job WHERE kind = 'notices'",
		} {
			if n := w.count(from); n != 1 {
				t.Errorf("%d %s", n, what)
			}
		}
		running, err := w.RunningEmergencies(t.Context(), session.Staff, session.ID, noon)
		w.check(err, "")
		if diff := cmp.Diff([]gateway.Emergency{opened[0]}, running); diff != "" {
			t.Error(diff)
		}
		// Another sign-in of the person has nothing of it.
		again := session
		again.ID = gateway.SessionID(newID(t))
		_, err = w.BeginSession(t.Context(), again, gateway.AuditEntry{}, entry(gateway.ActionSignedIn, ""))
		w.check(err, "")
		if running, err := w.RunningEmergencies(t.Context(), again.Staff, again.ID, noon); err != nil || len(running) != 0 {
			t.Errorf("in another session: %+v, %v", running, err)
		}
	})
}

// The office cuts off all that a person has open at it, with a row for each,
// though they open one more at the same time.
func TestACutOffEndsEverySession(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, one, bystander, another := t.Context(), w.inSession("ana"), w.inSession("bob"), w.another()
		sessions := []gateway.DeskSession{one, one, one}
		for i := range sessions[1:] {
			sessions[i+1].ID = gateway.SessionID(newID(t))
			_, err := w.BeginSession(ctx, sessions[i+1], gateway.AuditEntry{}, entry(gateway.ActionSignedIn, ""))
			w.check(err, "")
		}
		for _, s := range []gateway.DeskSession{sessions[0], sessions[1], bystander} {
			_, err := w.open(newEmergency(t, s, noon))
			w.check(err, "")
		}
		elsewhere := newEmergency(t, one, noon)
		elsewhere.Office = south
		_, err := w.open(elsewhere)
		w.check(err, "")
		errs := race(2, func(i int) error {
			if i == 0 {
				return w.CutOffEmergencies(ctx, one.Staff, north, noon, entry(gateway.ActionEmergencyEnded, ""))
			}
			_, err := another.open(newEmergency(t, sessions[2], noon))
			return err
		})
		if w.check(errs[0], ""); errs[1] != nil {
			w.check(errs[1], gateway.CodeForbidden)
		}
		of, err := w.EmergenciesOf(ctx, one.Staff)
		w.check(err, "")
		for _, e := range of {
			if cut := e.End == gateway.EmergencyOverseer && e.EndedAt.Equal(noon); cut != (e.Office == north) {
				t.Errorf("at %s: %+v", e.Office, e)
			}
			if n := w.count("audit WHERE action = 'emergency.ended' AND object = 'emergency:" + string(e.ID) + "'"); (n == 1) != (e.Office == north) {
				t.Errorf("at %s: %d rows in the trail", e.Office, n)
			}
		}
		if n := w.count("emergencies WHERE ended_at = 0"); n != 2 {
			t.Errorf("%d still run", n)
		}
		w.check(w.CutOffEmergencies(ctx, one.Staff, north, noon, entry(gateway.ActionEmergencyEnded, "")), "") // once more
		if n := w.count("audit WHERE action = 'emergency.ended'"); n != len(of)-1 {
			t.Errorf("%d ends in the trail", n)
		}
	})
}

// What fails after the row takes the row back: there is no access that nobody
// is told of, wherever it dies.
func TestAnEmergencyNobodyIsToldOfIsNone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session := w.inSession("ana")
		e := newEmergency(t, session, noon)
		told := []gateway.Notice{{Target: "urgent:sue", Event: gateway.NoticeEmergency, Object: "emergency:1", Office: north, At: noon}}
		_, err := w.OpenEmergency(t.Context(), e, told, gateway.Job{Kind: "no kind"}, entry(gateway.ActionEmergencyOpened, "emergency:1"))
		if err == nil {
			t.Fatal("it was opened")
		}
		for _, from := range []string{"emergencies", "notices", "audit WHERE action = 'emergency.opened'"} {
			if n := w.count(from); n != 0 {
				t.Errorf("%d rows are left in %s", n, from)
			}
		}
		w.check(w.EndSessions(t.Context(), session.Staff, session.ID, "", noon), "")
		_, err = w.open(e)
		w.check(err, gateway.CodeSignIn)
	})
}

// Every end holds from its own moment on, noted or not.
func TestAnEmergencyEnds(t *testing.T) {
	off := noon.Add(time.Minute)
	for name, test := range map[string]struct {
		now  time.Time
		end  func(w *world, s gateway.DeskSession, e gateway.Emergency) error
		want gateway.EmergencyEnd // that is still to be noted
	}{
		"by the clock": {noon.Add(time.Hour), nil, gateway.EmergencyTime},
		"with the sign-out": {off, func(w *world, s gateway.DeskSession, _ gateway.Emergency) error {
			return w.EndSessions(t.Context(), s.Staff, s.ID, "", off)
		}, gateway.EmergencySession},
		"with the account": {off, func(w *world, _ gateway.DeskSession, _ gateway.Emergency) error {
			return w.ChangeStaff(t.Context(), "ana", gateway.StaffChange{DisabledAt: &off}, entry(gateway.ActionStaffChanged, ""))
		}, gateway.EmergencySession},
		"by somebody": {off, func(w *world, _ gateway.DeskSession, e gateway.Emergency) error {
			return w.EndEmergency(t.Context(), e.ID, gateway.EmergencyOverseer, off, entry(gateway.ActionEmergencyEnded, "e"))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				session := w.inSession("ana")
				e, err := w.open(newEmergency(t, session, noon))
				w.check(err, "")
				before := test.now.Add(-time.Millisecond)
				if runs, err := w.EmergencyRuns(t.Context(), e.ID, before); err != nil || !runs {
					t.Errorf("it does not run, %v", err)
				}
				if over, err := w.OverEmergencies(t.Context(), before, 10); err != nil || len(over) != 0 {
					t.Errorf("over too soon: %+v, %v", over, err)
				}
				if test.end != nil {
					w.check(test.end(w, session, e), "")
				}
				running, err := w.RunningEmergencies(t.Context(), session.Staff, session.ID, test.now)
				runs, asked := w.EmergencyRuns(t.Context(), e.ID, test.now)
				if err != nil || asked != nil || runs || len(running) != 0 {
					t.Errorf("it still runs: %v %+v, %v %v", runs, running, err, asked)
				}
				over, err := w.OverEmergencies(t.Context(), test.now, 10)
				w.check(err, "")
				if test.want == "" && len(over) != 0 || test.want != "" && (len(over) != 1 || over[0].End != test.want) {
					t.Fatalf("to be noted: %+v", over)
				}
				if test.want == "" {
					return
				}
				// Two processes note it: once.
				errs := race(2, func(int) error {
					return w.EndEmergency(t.Context(), e.ID, over[0].End, test.now, entry(gateway.ActionEmergencyEnded, "e"))
				})
				if (errs[0] == nil) == (errs[1] == nil) || w.count("audit WHERE action = 'emergency.ended'") != 1 {
					t.Errorf("noted: %v", errs)
				}
			})
		})
	}
}

// An access whose end nobody noted yet is in no new one's way.
func TestAnEmergencyOpensAgainAfterItsTime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session := w.inSession("ana")
		first, err := w.open(newEmergency(t, session, noon))
		w.check(err, "")
		second, err := w.open(newEmergency(t, session, noon.Add(time.Hour)))
		w.check(err, "")
		all, err := w.EmergenciesOf(t.Context(), session.Staff)
		w.check(err, "")
		if len(all) != 2 || all[0].ID != first.ID || all[0].End != gateway.EmergencyTime || all[1].ID != second.ID || !all[1].EndedAt.IsZero() {
			t.Errorf("%+v", all)
		}
		if n := w.count("audit WHERE action = 'emergency.ended' AND office = 'north' AND reason = 'time'"); n != 1 {
			t.Errorf("%d ends in the trail", n)
		}
	})
}

// What the office took back stays so until its time is over, in every session
// and across a restart; what the person ended, or another office, is in no way.
func TestACutOffLasts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session, soon := w.inSession("ana"), noon.Add(time.Minute)
		e, err := w.open(newEmergency(t, session, noon))
		w.check(err, "")
		w.check(w.EndEmergency(t.Context(), e.ID, gateway.EmergencyPerson, noon, entry(gateway.ActionEmergencyEnded, "e")), "")
		e, err = w.open(newEmergency(t, session, noon))
		w.check(err, "")
		w.check(w.EndEmergency(t.Context(), e.ID, gateway.EmergencyOverseer, noon, entry(gateway.ActionEmergencyEnded, "e")), "")
		again := session
		again.ID = gateway.SessionID(newID(t))
		_, err = w.BeginSession(t.Context(), again, gateway.AuditEntry{}, entry(gateway.ActionSignedIn, ""))
		w.check(err, "")
		for _, s := range []gateway.DeskSession{session, again} {
			_, err = w.another().open(newEmergency(t, s, soon))
			w.check(err, gateway.CodeForbidden)
		}
		if n := w.count("emergencies"); n != 2 || w.count("notices") != 2 {
			t.Errorf("%d accesses", n)
		}
		elsewhere := newEmergency(t, session, soon)
		elsewhere.Office = south
		_, err = w.open(elsewhere)
		w.check(err, "")
		_, err = w.open(newEmergency(t, w.inSession("ben"), soon))
		w.check(err, "")
		_, err = w.open(newEmergency(t, again, e.Until))
		w.check(err, "")
	})
}

func TestAnEmergencyIsSeenOnceAndByItsOffice(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session := w.inSession("ana")
		e, err := w.open(newEmergency(t, session, noon))
		w.check(err, "")
		for office, want := range map[gateway.OfficeID]gateway.Code{north: "", south: gateway.CodeNotFound} {
			_, err := w.Emergency(t.Context(), []gateway.OfficeID{office}, e.ID)
			w.check(err, want)
		}
		_, err = w.Emergency(t.Context(), nil, e.ID)
		w.check(err, gateway.CodeNotFound)
		unseen := func(office gateway.OfficeID, by gateway.StaffID) int {
			n, err := w.UnseenEmergencies(t.Context(), []gateway.OfficeID{office}, by)
			w.check(err, "")
			return n
		}
		if unseen(north, "sue") != 1 || unseen(south, "sue") != 0 || unseen(north, session.Staff) != 0 {
			t.Error("the wrong people are asked")
		}
		for _, by := range []gateway.StaffID{"sue", "eve"} {
			w.check(w.SeeEmergency(t.Context(), e.ID, by, noon, entry(gateway.ActionEmergencySeen, "e")), "")
		}
		list, err := w.EmergenciesAt(t.Context(), []gateway.OfficeID{north, south}, 10)
		w.check(err, "")
		if len(list) != 1 || list[0].SeenBy != "sue" || unseen(north, "eve") != 0 || w.count("audit WHERE action = 'emergency.seen'") != 1 {
			t.Errorf("%+v", list)
		}
	})
}

// What nobody acknowledged is never beyond the end of the list.
func TestWhatNobodySawComesFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session := w.inSession("ana")
		var opened []gateway.Emergency
		for i := range 4 {
			e, err := w.open(newEmergency(t, session, noon.Add(time.Duration(i)*2*time.Hour)))
			w.check(err, "")
			opened = append(opened, e)
		}
		for _, i := range []int{1, 3} {
			w.check(w.SeeEmergency(t.Context(), opened[i].ID, "sue", noon, entry(gateway.ActionEmergencySeen, "e")), "")
		}
		list, err := w.EmergenciesAt(t.Context(), []gateway.OfficeID{north}, 3)
		w.check(err, "")
		var got []gateway.EmergencyID
		for _, e := range list {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff([]gateway.EmergencyID{opened[2].ID, opened[0].ID, opened[3].ID}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// A reason may name a client: it goes when the office's papers would, and no
// later than old rows, however much else there is to erase.
func TestTheReasonOfAnEmergencyGoes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		session := w.inSession("ana")
		for _, office := range []gateway.OfficeID{north, south, "gone"} {
			e := newEmergency(t, session, noon)
			e.Office = office
			_, err := w.open(e)
			w.check(err, "")
		}
		terms := gateway.Terms{Rows: 365 * day, Offices: map[gateway.OfficeID]time.Duration{north: 30 * day, south: 2 * 365 * day}}
		for _, step := range []struct {
			after time.Duration
			left  int
		}{{30 * day, 3}, {30*day + time.Minute, 2}, {365 * day, 2}, {365*day + time.Minute, 0}} {
			terms.Now = noon.Add(step.after)
			_, err := w.EraseOldRows(t.Context(), terms, 0) // the budget is used up
			w.check(err, "")
			n, norths := w.count("emergencies WHERE LENGTH(reason) > 0"), w.count("emergencies WHERE LENGTH(reason) > 0 AND office = 'north'")
			if n != step.left || (norths == 0) != (n < 3) {
				t.Errorf("%d reasons are left after %s, of the north %d", n, step.after, norths)
			}
		}
		if w.count("emergencies") != 3 {
			t.Error("the rows went")
		}
	})
}
