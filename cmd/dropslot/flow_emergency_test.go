package main

import (
	"crypto/rand"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// outsider gives somebody who works for another office and is signed in, where
// the rig's office allows access in an emergency.
func (r *rig) outsider(login string) (gateway.Actor, gateway.SessionID) {
	r.t.Helper()
	office := r.directory.Offices[demoOffice]
	office.Emergency, office.SecondFactorOptional = gateway.EmergencyRule{Roles: []gateway.Role{gateway.RoleCaseworker}, For: time.Hour}, true
	r.directory.Offices[demoOffice] = office
	r.directory.Offices["south"] = gateway.Office{ID: "south", Name: "South"}
	id, err := gateway.NewID(r.now(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	staff := gateway.Staff{ID: gateway.StaffID(id), Login: login, Roles: gateway.RolesIn(gateway.RoleCaseworker, "south"), CreatedAt: r.now()}
	if err := r.records.AddStaff(r.t.Context(), staff); err != nil {
		r.t.Fatal(err)
	}
	return gateway.Actor{Staff: staff, From: "192.0.2.9"}, r.signIn(staff, "known")
}

// signIn begins a session, as a browser of this name would.
func (r *rig) signIn(staff gateway.Staff, browser string) gateway.SessionID {
	r.t.Helper()
	begin := &gateway.SignIns{Records: r.records, Audit: r.records, Now: r.now, Random: rand.Reader, Total: 12 * time.Hour}
	id, err := begin.Begin(r.t.Context(), staff, gateway.Arrival{How: "password", Browser: browser, Device: browser})
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *rig) access() *gateway.Emergencies {
	return &gateway.Emergencies{
		Directory: r.directory, Records: r.records, Audit: r.records, Sealer: r.sealer, Opener: r.opener, Now: r.now, Random: rand.Reader,
	}
}

// entered is the person as the desk finds them with a request.
func (r *rig) entered(who gateway.Actor, session gateway.SessionID) gateway.Actor {
	r.t.Helper()
	found := &gateway.SignIns{Records: r.records, Emergencies: r.access()}
	var err error
	if who.Staff, err = found.Staff(r.t.Context(), who.Staff.ID, session); err != nil {
		r.t.Fatal(err)
	}
	return who
}

// From the opening to the reports: who watches is told at once and of nothing
// else, each look is marked, and the end holds.
func TestAnEmergencyIsToldAtOnceAndReported(t *testing.T) {
	r := newRig(t)
	r.wait(-30 * time.Minute) // the reports look until now
	ctx := t.Context()
	who, session := r.outsider("ana")
	box := &postbox{}
	n := r.teller(box)
	office := r.directory.Offices[demoOffice]
	office.Hooks[0].Events = append(office.Hooks[0].Events, gateway.NoticeEmergency)
	// She sleeps, and wants everything else once a day.
	sue := r.employ("sue", gateway.RoleSupervisor, gateway.NoticeSubmission)
	minute := r.now().Hour()*60 + r.now().Minute()
	_, err := r.pool().ExecContext(ctx, "UPDATE notice_settings SET pace = 'daily', daily_at = $1, quiet_from = 0, quiet_till = 1439 WHERE staff = $2", (minute+700)%1440, string(sue))
	if err != nil {
		t.Fatal(err)
	}
	r.employ("ben", gateway.RoleCaseworker) // watches over nothing
	r.told(n)
	s, _ := r.session(client)
	page, err := r.send(s, "first-page-of-this", r.sealed(picture(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.wait(time.Minute)
	if _, err := r.desk.OpenPage(ctx, r.entered(who, session), page.ID, false); !gateway.Is(err, gateway.CodeNotFound) {
		t.Fatalf("without it: %v", err)
	}

	access, err := r.access().Open(ctx, r.entered(who, session), session, demoOffice, "Maria Client is evicted tonight")
	if err != nil {
		t.Fatal(err)
	}
	r.told(n) // what the job does
	if len(box.mails) != 1 || !strings.HasPrefix(box.mails[0], "sue@example.gov: 1 emergency access to papers in ") ||
		!strings.Contains(box.mails[0], "https://desk.example.gov/emergency\n") {
		t.Errorf("mails %q", box.mails)
	}
	if len(box.posts) != 1 || !strings.Contains(box.posts[0], `"event":"emergency","count":1`) {
		t.Errorf("posts %q", box.posts)
	}
	for _, said := range append(box.mails, box.posts...) {
		if strings.Contains(said, "Maria") || strings.Contains(said, "evicted") {
			t.Errorf("it tells the reason: %s", said)
		}
	}

	in := r.entered(who, session)
	r.desk.Emergencies = r.records
	opened, err := r.desk.OpenPage(ctx, in, page.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := io.ReadAll(opened.Content); err != nil || len(shown) == 0 {
		t.Errorf("%d bytes, %v", len(shown), err)
	}
	_ = opened.Close()
	r.wait(time.Minute)
	if err := r.access().Leave(ctx, in, demoOffice); err != nil {
		t.Fatal(err)
	}
	if _, err := r.desk.OpenPage(ctx, r.entered(who, session), page.ID, false); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("after it: %v", err)
	}
	supervisor := gateway.Actor{Staff: gateway.Staff{ID: sue, Roles: gateway.RolesIn(gateway.RoleSupervisor, demoOffice)}}
	if shown, err := r.access().Page(ctx, supervisor); err != nil || len(shown.Watched) != 1 || shown.Watched[0].Reason != "Maria Client is evicted tonight" {
		t.Errorf("the supervisor reads %+v, %v", shown, err)
	}
	r.reportsOfAnEmergency(access, page.ID)
}

func (r *rig) reportsOfAnEmergency(access gateway.Emergency, page gateway.PageID) {
	t := r.t
	flags := exposureFlags{staff: "ana"}
	flags.out, flags.reason = filepath.Join(t.TempDir(), "report"), "a lost laptop"
	var said strings.Builder
	if err := r.exposure(t.Context(), streams{out: &said}, flags); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "could look at the papers of office "+demoOffice+" in an emergency ("+string(access.ID)+")") {
		t.Errorf("the report says nothing of it:\n%s", &said)
	}
	found := false
	for _, line := range lines[heldLine](t, flags.out, "submissions.ndjson") {
		for _, p := range line.Pages {
			found = found || p.Page == string(page) && len(p.Did) == 1 && p.Did[0].Emergency == string(access.ID)
		}
	}
	if !found {
		t.Error("the look is not told as one in an emergency")
	}
	out := filepath.Join(t.TempDir(), "evidence")
	day := time.Now().UTC()
	err := r.evidence(t.Context(), streams{out: io.Discard}, evidenceFlags{
		from: day.Format(time.DateOnly), to: day.AddDate(0, 0, 1).Format(time.DateOnly), out: out, reason: "the yearly audit",
	})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, line := range lines[gateway.AuditLine](t, out, "emergency.ndjson") {
		told[line.Action]++
	}
	if told["emergency.opened"] != 1 || told["emergency.ended"] != 1 || told["page.viewed"] != 1 || told["emergency.viewed"] != 1 {
		t.Errorf("the evidence tells %v", told)
	}
	for _, line := range lines[gateway.AuditLine](t, out, "views.ndjson") {
		if line.Action == "page.viewed" {
			t.Error("the look is among those that a role allowed")
		}
	}
}

// The end that nobody asked for is noted once, whoever looks.
func TestEndsOfEmergenciesAreNoted(t *testing.T) {
	r := newRig(t)
	who, session := r.outsider("ana")
	for range 2 { // a lost answer, asked again
		if _, err := r.access().Open(t.Context(), r.entered(who, session), session, demoOffice, "it cannot wait"); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []time.Duration{time.Minute, time.Hour, time.Minute} {
		r.wait(step)
		if err := r.access().Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	opened, ended := r.rows("audit WHERE action = 'emergency.opened'"), r.rows("audit WHERE action = 'emergency.ended' AND reason = 'time' AND actor = 'role:worker' AND office = '"+demoOffice+"'")
	if opened != 1 || ended != 1 {
		t.Errorf("%d openings and %d ends in the trail", opened, ended)
	}
}
