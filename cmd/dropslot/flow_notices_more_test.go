package main

import (
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// Who lost the office, the role or the account since something happened is told
// nothing more, however far the message came.
func TestWhoMayNotKnowAnyMoreIsNotTold(t *testing.T) {
	for name, change := range map[string]string{
		"the role":    `UPDATE staff SET roles = '{"north": ["auditor"]}' WHERE login = 'ana'`,
		"the office":  `UPDATE staff SET roles = '{"south": ["caseworker"]}' WHERE login = 'ana'`,
		"the account": `UPDATE staff SET disabled_at = 1 WHERE login = 'ana'`,
		"the wish":    `UPDATE notice_settings SET events = ''`,
	} {
		for _, when := range []string{"before it is put together", "before it is mailed"} {
			t.Run(name+" "+when, func(t *testing.T) {
				r := newRig(t)
				box := &postbox{}
				n := r.teller(box)
				n.Directory.Offices[demoOffice].Hooks[0].Events = nil
				r.employ("ana", gateway.RoleCaseworker, gateway.NoticeSubmission)
				r.told(n)
				r.papers(client)
				if when == "before it is mailed" {
					r.wait(2 * time.Minute)
					if err := n.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					if r.rows("notice_messages WHERE state = 'waiting'") != 1 {
						t.Fatal("there is no message to mail")
					}
				} else { // stored, and not yet due
					if err := r.records.AddNotices(t.Context(), []gateway.Notice{{
						Target: gateway.StaffTarget(gateway.StaffID(r.text("SELECT id FROM staff WHERE login = 'ana'"))),
						Event:  gateway.NoticeSubmission, Object: "submission:1", Office: demoOffice, At: r.now(),
					}}, r.now(), r.now().Add(-time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
				r.sql(change)
				for range 2 {
					r.wait(2 * time.Minute)
					for _, err := range r.told(n) {
						if err != nil {
							t.Error(err)
						}
					}
				}
				if len(box.mails) != 0 || r.rows("notice_messages WHERE state IN ('waiting', 'sent')") != 0 || r.rows("notices WHERE message = ''") != 0 {
					t.Errorf("told %v", box.mails)
				}
			})
		}
	}
}

// text gives one value of the database.
func (r *rig) text(query string) (text string) {
	r.t.Helper()
	if err := r.pool().QueryRowContext(r.t.Context(), query).Scan(&text); err != nil {
		r.t.Fatal(err)
	}
	return text
}

// A sign-in from a new browser is told to its account's person alone, at once,
// also if they never chose anything: their login is an address.
func TestANewBrowserIsToldToItsPerson(t *testing.T) {
	r := newRig(t)
	box := &postbox{}
	n := r.teller(box)
	r.told(n)
	people := map[string]gateway.Staff{}
	for login, role := range map[string]gateway.Role{"ana@example.gov": gateway.RoleCaseworker, "ben@example.gov": gateway.RoleAdmin, "cho": gateway.RoleAuditor} {
		staff := gateway.Staff{ID: gateway.StaffID(r.sendingID()), Login: login, Roles: gateway.RolesIn(role, demoOffice), CreatedAt: r.now()}
		if err := r.records.AddStaff(t.Context(), staff); err != nil {
			t.Fatal(err)
		}
		people[login] = staff
		r.signIn(staff, "the first one is not new")
	}
	r.wait(time.Minute)
	r.told(n)
	for _, staff := range people {
		r.signIn(staff, "another")
		r.signIn(staff, "another") // known by now
	}
	for range 3 {
		r.wait(time.Second)
		r.told(n)
	}
	if len(box.mails) != 2 || len(box.posts) != 0 {
		t.Fatalf("told %q %q", box.mails, box.posts)
	}
	for _, mail := range box.mails {
		if !strings.Contains(mail, "@example.gov: 1 sign-in to your account from a new browser\n") || !strings.Contains(mail, "https://desk.example.gov/account\n") {
			t.Errorf("told %q", mail)
		}
	}
	// Who does not want to know is not told.
	desk := &gateway.NoticeDesk{Directory: r.directory, Records: r.records, Now: r.now}
	ana := gateway.Actor{Staff: people["ana@example.gov"]}
	settings, offered, err := desk.Settings(t.Context(), ana)
	if err != nil || settings.Address != "ana@example.gov" || settings.Pace != gateway.NoticeOff || len(offered) != 3 {
		t.Errorf("she finds %+v, %v, %v", settings, offered, err)
	}
	settings.Events = nil
	if err := desk.Save(t.Context(), ana, settings); err != nil {
		t.Fatal(err)
	}
	r.signIn(ana.Staff, "a third one")
	r.wait(time.Minute)
	r.told(n)
	if len(box.mails) != 2 {
		t.Errorf("told all the same: %q", box.mails[2:])
	}
}

// What becomes overdue at midnight is told in the morning, once, to who may see
// it and wants to know.
func TestOverduePapersAreToldInTheMorning(t *testing.T) {
	r := newRig(t)
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	box := &postbox{}
	n := r.teller(box)
	office := r.directory.Offices[demoOffice]
	office.Location, office.OverdueAfter, office.WorkingDays = zone, 1, gateway.Workweek{true, true, true, true, true, true, true}
	office.Hooks[0].Events = []gateway.NoticeEvent{gateway.NoticeOverdue}
	r.directory.Offices[demoOffice] = office
	r.employ("ana", gateway.RoleCaseworker, gateway.NoticeOverdue)
	r.employ("ben", gateway.RoleCaseworker, gateway.NoticeSubmission)
	r.told(n)
	id := r.papers(client)
	done := r.papers("+13125550143")
	r.sql("UPDATE submissions SET state = 'handled', handled = 1 WHERE id = '" + string(done) + "'")
	r.sql("UPDATE submissions SET state = 'received', handled = 0 WHERE id = '" + string(id) + "'")
	s, _, err := r.records.SubmissionPages(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	morning := time.Time{}
	for range 4 * 24 * 2 { // every half hour
		r.wait(30 * time.Minute)
		r.told(n)
		if office.IsOverdue(s, r.now()) && morning.IsZero() && r.now().In(zone).Hour() >= 7 {
			morning = r.now()
		}
		want := 0
		if !morning.IsZero() {
			want = 1
		}
		got := 0
		for _, m := range box.mails {
			if strings.HasPrefix(m, "ana@example.gov: 1 submission became overdue in ") && strings.Contains(m, "https://desk.example.gov/?overdue=1\n") {
				got++
			}
		}
		if got != want || len(box.posts) != want {
			t.Fatalf("at %s: %d mails, %d posts, want %d of each: %q", r.now().In(zone), got, len(box.posts), want, box.mails)
		}
	}
	if morning.IsZero() {
		t.Error("nothing ever was overdue")
	}
}
