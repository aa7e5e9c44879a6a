package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"dropslot/gateway"
)

// shrinkerMidway makes small pictures of which something happens just before.
type shrinkerMidway struct {
	deskShrinker
	first func()
}

func (s shrinkerMidway) Shrink(ctx context.Context, sheet gateway.Sheet, most int64) ([]byte, error) {
	s.first()
	return s.deskShrinker.Shrink(ctx, sheet, most)
}

// A small picture seen in an emergency is marked as any look is, and is not
// made any more once the access is over.
func TestASmallPictureInAnEmergency(t *testing.T) {
	h := emergencyHouse(t)
	s := h.addSubmission("south", "Maria", otherPhone, jpegPage(8, 8))
	small := "/pages/" + string(h.pagesOf(s.ID)[0].ID) + "/small"
	b := h.inEmergency(t, "ana")
	wantStatus(t, b.get(small), http.StatusOK)
	marked := func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionPagePreviewed && e.Emergency() == h.emergencies[0].ID
	}
	if n := h.count(marked); n != 1 {
		t.Errorf("%d rows carry the mark", n)
	}
	h.desk.Shrinker = shrinkerMidway{first: func() { h.emergencies[0].EndedAt = h.clock() }}
	wantStatus(t, b.get(small), http.StatusForbidden)
}

// An organization was asked for a second factor only if an office of the
// account's own roles asks for one.
func TestAnOrganizationsSecondFactorInAnEmergency(t *testing.T) {
	for name, optional := range map[string]bool{"asked for at home": false, "not asked for at home": true} {
		t.Run(name, func(t *testing.T) {
			h := emergencyHouse(t)
			for id, office := range h.dir.Offices {
				office.SecondFactorOptional = id == "north" && optional
				h.dir.Offices[id] = office
			}
			who := gateway.Actor{Staff: h.staffByLogin("ana"), From: "192.0.2.1"}
			who.Staff.Identity, who.Staff.PasswordHash = gateway.IdentityHash{1}, ""
			_, err := h.flowOfEmergencies().Open(t.Context(), who, "session", "south", "evicted tonight")
			if refused := gateway.Is(err, gateway.CodeNoFactor); refused != optional || !refused && err != nil {
				t.Errorf("opened with %v", err)
			}
		})
	}
}

// Whom the office cut off does not come back by opening it again, before the
// time that they were given is over.
func TestACutOffLasts(t *testing.T) {
	h := emergencyHouse(t)
	b := h.inEmergency(t, "ana")
	wantPlace(t, h.signedIn(t, "south-supervisor").post("/emergency/"+string(h.emergencies[0].ID)+"/end", nil), "/emergency?done=cutoff")
	again := h.signedIn(t, "ana") // in another session too
	for _, at := range []*browser{b, again} {
		wantStatus(t, at.post("/emergency", emergencyForm("south")), http.StatusForbidden)
	}
	if n := h.count(func(e gateway.AuditEntry) bool {
		return e.Action == gateway.ActionEmergencyOpened && e.Outcome == gateway.OutcomeDenied && e.Office == "south" && e.Reason == string(gateway.CodeForbidden)
	}); n != 2 || len(h.emergencies) != 1 || len(h.alerts) != 3 {
		t.Errorf("%d refusals, %d accesses, %d alerts", n, len(h.emergencies), len(h.alerts))
	}
	h.pass(time.Hour)
	wantPlace(t, h.signedIn(t, "ana").post("/emergency", emergencyForm("south")), "/?office=south")
}

// A browser that comes by itself when an access ends does not keep the session,
// and nobody is said to have read the reasons, nor could.
func TestAPageThatComesByItselfIsNoLook(t *testing.T) {
	h := emergencyHouse(t)
	h.inEmergency(t, "ana")
	auditor := h.signedIn(t, "south-auditor")
	looks := func() int {
		return h.count(func(e gateway.AuditEntry) bool { return e.Action == gateway.ActionEmergenciesViewed })
	}
	for range 14 {
		h.pass(time.Minute)
		page := auditor.get("/emergency?auto=1")
		wantStatus(t, page, http.StatusOK)
		wantText(t, page, `<a href="/emergency">Show who opened papers`)
		wantNoText(t, page, "evicted", "I have seen this", "Nobody opened")
	}
	if n := looks(); n != 0 {
		t.Errorf("%d looks in the trail", n)
	}
	wantText(t, auditor.get("/session"), `"seconds":60`)
	wantText(t, auditor.get("/emergency"), "evicted", "I have seen this")
	if n := looks(); n != 1 {
		t.Errorf("%d looks in the trail", n)
	}
}
