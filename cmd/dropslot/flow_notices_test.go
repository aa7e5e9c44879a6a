package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// postbox takes e-mail and webhooks, or fails as it is told.
type postbox struct {
	mails, posts []string
	ids          []string
	fail         error
}

func (p *postbox) Mail(_ context.Context, to, subject, text, _ string) error {
	if p.fail == nil || !errors.Is(p.fail, errRefusedMail) {
		p.mails = append(p.mails, to+": "+subject+"\n"+text)
	}
	return p.fail
}

func (p *postbox) Post(_ context.Context, _ gateway.OfficeID, _, id string, body []byte) error {
	p.posts, p.ids = append(p.posts, string(body)), append(p.ids, id)
	return p.fail
}

var errRefusedMail = &gateway.NotTaken{Err: errors.New("452")}

// teller is the worker's flow of notices, with the rig's clock.
func (r *rig) teller(p *postbox) *gateway.Notices {
	office := r.directory.Offices[demoOffice]
	office.Hooks = []gateway.Hook{{Name: "case", Events: []gateway.NoticeEvent{gateway.NoticeSubmission}}}
	r.directory.Offices[demoOffice] = office
	return &gateway.Notices{
		Directory: r.directory, Records: r.records, Mailer: p, Poster: p, DeskURL: "https://desk.example.gov", Now: r.now, Random: rand.Reader, Log: r.log,
	}
}

// told gives the messages that were made, and sends them as the queue would.
func (r *rig) told(n *gateway.Notices) (errs []error) {
	r.t.Helper()
	if err := n.Run(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	rows, err := r.pool().QueryContext(r.t.Context(), "SELECT id FROM notice_messages WHERE state = 'waiting' ORDER BY id")
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	for _, id := range ids {
		errs = append(errs, n.Send(r.t.Context(), id))
	}
	return errs
}

func (r *rig) employ(login string, role gateway.Role, events ...gateway.NoticeEvent) gateway.StaffID {
	r.t.Helper()
	id, err := gateway.NewID(r.now(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	staff := gateway.Staff{ID: gateway.StaffID(id), Login: login, Roles: gateway.RolesIn(role, demoOffice), CreatedAt: r.now()}
	if err := r.records.AddStaff(r.t.Context(), staff); err != nil {
		r.t.Fatal(err)
	}
	desk := &gateway.NoticeDesk{Directory: r.directory, Records: r.records, Now: r.now}
	err = desk.Save(r.t.Context(), gateway.Actor{Staff: staff}, gateway.NoticeSettings{
		Address: login + "@example.gov", Events: events, Pace: gateway.NoticeNow,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return staff.ID
}

// Papers that arrive are told of once, to who may see them, without a word of
// the client.
func TestPapersThatArriveAreToldOf(t *testing.T) {
	r := newRig(t)
	box := &postbox{}
	n := r.teller(box)
	r.employ("ana", gateway.RoleCaseworker, gateway.NoticeSubmission)
	auditor := gateway.Staff{ID: "0000000000000000000000audi", Login: "eve", Roles: gateway.RolesIn(gateway.RoleAuditor, demoOffice)}
	if err := r.records.AddStaff(t.Context(), auditor); err != nil {
		t.Fatal(err)
	}
	r.told(n) // the first look tells nothing of old things
	r.wait(time.Minute)
	r.papers(client)
	r.papers("+13125550143")
	for range 3 {
		r.wait(2 * time.Minute)
		for _, err := range r.told(n) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	if len(box.mails) != 1 || len(box.posts) != 1 {
		t.Fatalf("%d mails and %d posts, want one of each: %v", len(box.mails), len(box.posts), box.mails)
	}
	for _, want := range []string{"ana@example.gov: 2 new submissions in ", "https://desk.example.gov/\n"} {
		if !strings.Contains(box.mails[0], want) {
			t.Errorf("no %q in %s", want, box.mails[0])
		}
	}
	if !strings.Contains(box.posts[0], `"event":"submission","count":2`) {
		t.Error(box.posts[0])
	}
	for _, said := range append(box.mails, box.posts...) {
		if strings.Contains(said, "Ana") || strings.Contains(said, "0142") || strings.Contains(said, "+1312") {
			t.Errorf("it tells of the client: %s", said)
		}
	}
}

func TestSupervisorsAreWarnedOfWhatGoes(t *testing.T) {
	r := newRig(t)
	box := &postbox{}
	n := r.teller(box)
	r.employ("sue", gateway.RoleSupervisor, gateway.NoticeErasure)
	r.told(n)
	id := r.papers(client)
	r.sql("UPDATE submissions SET state = 'received', handled = 0 WHERE id = '" + string(id) + "'")
	r.wait(60*days + time.Hour)
	r.keep()
	r.told(n)
	if len(box.mails) != 1 || !strings.Contains(box.mails[0], "sue@example.gov: 1 unfinished submission will be erased in ") {
		t.Errorf("told %v", box.mails)
	}
}

// An e-mail is sent at most once, wherever it dies; one that was certainly
// refused comes again.
func TestAMailIsNeverSentTwice(t *testing.T) {
	for name, test := range map[string]struct {
		fail  error
		crash bool
		mails int
		state string
	}{
		"refused for now":             {fail: errRefusedMail, mails: 1, state: "sent"},
		"the answer was lost":         {fail: errors.New("connection reset"), mails: 1, state: "unknown"},
		"died while it was handed on": {crash: true, mails: 0, state: "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			box := &postbox{fail: test.fail}
			n := r.teller(box)
			r.employ("ana", gateway.RoleCaseworker, gateway.NoticeSubmission)
			r.told(n)
			r.papers(client)
			office := r.directory.Offices[demoOffice]
			office.Hooks = nil
			n.Directory.Offices[demoOffice] = office
			r.wait(2 * time.Minute)
			if test.crash { // between the note that it is being handed over, and the server
				if err := n.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.sql("UPDATE notice_messages SET attempted_at = 1")
			} else {
				r.told(n)
			}
			box.fail = nil
			for range 3 {
				r.told(n)
			}
			if len(box.mails) != test.mails || r.rows("notice_messages WHERE state = '"+test.state+"'") != 1 {
				t.Errorf("%d mails; states: %d as wanted", len(box.mails), r.rows("notice_messages WHERE state = '"+test.state+"'"))
			}
		})
	}
}

// A hook hears of it until it answers, each time under the same identifier.
func TestAHookIsToldUntilItAnswers(t *testing.T) {
	r := newRig(t)
	box := &postbox{fail: errors.New("the webhook answered 503")}
	n := r.teller(box)
	r.told(n)
	r.papers(client)
	r.wait(2 * time.Minute)
	for range 3 {
		if errs := r.told(n); len(errs) != 1 || errs[0] == nil {
			t.Fatalf("%v", errs)
		}
	}
	box.fail = nil
	r.told(n)
	r.told(n)
	if len(box.ids) != 4 || box.ids[0] != box.ids[3] {
		t.Errorf("posted as %v", box.ids)
	}
}
