package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// holdVault keeps the vault's twins of holds.
type holdVault struct{ deskVault }

func (v holdVault) Replace(_ context.Context, name gateway.BlobName, content []byte) error {
	v.h.blobs[name] = content
	return nil
}

func (v holdVault) List(_ context.Context, prefix gateway.BlobName, visit func(gateway.BlobInfo) error) error {
	for _, name := range slices.Sorted(maps.Keys(v.h.blobs)) {
		if !strings.HasPrefix(string(name), string(prefix)+"/") {
			continue
		}
		if err := visit(gateway.BlobInfo{Name: name}); err != nil {
			return err
		}
	}
	return nil
}

// twin tells whether the vault says that a submission of north is held.
func (h *deskHouse) twin(id gateway.SubmissionID) bool {
	for name := range h.blobs {
		if strings.HasPrefix(string(name), string(gateway.SubmissionPrefix("north", id))+"/hold-") {
			return true
		}
	}
	return false
}

func (v holdVault) Remove(_ context.Context, name gateway.BlobName) error {
	delete(v.h.blobs, name)
	return nil
}

type deskHolds struct {
	gateway.HoldDeskRecords
	h *deskHouse
}

func (r deskHolds) SaveHold(_ context.Context, offices []gateway.OfficeID, hold gateway.Hold, audit gateway.AuditEntry) (gateway.Hold, error) {
	s, err := deskRecords{r.h}.find(offices, hold.Submission)
	if err != nil {
		return hold, err
	}
	hold.Office = s.Office
	r.h.held[s.ID] = hold
	r.h.audit = append(r.h.audit, audit)
	return hold, nil
}

func (r deskHolds) ReleaseHold(_ context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, at time.Time, audit gateway.AuditEntry) (gateway.Hold, error) {
	s, err := deskRecords{r.h}.find(offices, id)
	hold, held := r.h.held[id]
	if err != nil || !held || s.Office != hold.Office {
		return hold, gateway.NewError(gateway.CodeNotFound, nil)
	}
	delete(r.h.held, id)
	hold.ReleasedAt = at
	r.h.audit = append(r.h.audit, audit)
	return hold, nil
}

func (deskHolds) StoredHold(context.Context, gateway.Hold, time.Time) (bool, error) { return true, nil }

func (r deskHolds) GoingOne(_ context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, t gateway.Terms) (gateway.Going, error) {
	s, err := deskRecords{r.h}.find(offices, id)
	if err != nil {
		return gateway.Going{}, err
	}
	g := gateway.Going{Submission: *s, Why: gateway.ErasedUnfinished}
	if s.State == gateway.SubmissionHandled {
		g.Why, g.At = gateway.ErasedDone, s.HandledAt.Add(t.Offices[s.Office])
	}
	if hold, held := r.h.held[id]; held {
		g.Hold, g.HeldBy, g.At = &hold, "cho", time.Time{}
	}
	return g, nil
}

func (r deskHolds) Going(ctx context.Context, offices []gateway.OfficeID, t gateway.Terms, until time.Time, _ int) (list []gateway.Going, err error) {
	for _, s := range r.h.subs {
		if !slices.Contains(offices, s.Office) {
			continue
		}
		g, err := r.GoingOne(ctx, offices, s.ID, t)
		if err != nil {
			return nil, err
		}
		if g.Hold != nil || g.Why == gateway.ErasedDone && !g.At.After(until) {
			list = append(list, g)
		}
	}
	return list, nil
}

// A hold that a reindex found, but could not read, says so instead of naming nobody.
func TestAHoldThatCannotBeReadSaysSo(t *testing.T) {
	h := newDeskHouse(t)
	h.addRoles("sue", gateway.RolesIn(gateway.RoleSupervisor, "north"))
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	h.held[s.ID] = gateway.Hold{Submission: s.ID, Office: "north", Reason: gateway.HoldUnreadable, At: deskTime.Add(-24 * time.Hour)}
	sue := h.signedIn(t, "sue")
	for _, path := range []string{"/retention", submissionURL(s.ID)} {
		page := sue.get(path)
		wantText(t, page, "Reason unknown", "could not be read", "Find out why", "Release")
		wantNoText(t, page, "by cho", "an account that is gone")
	}
	wantText(t, sue.get("/retention"), `Held <span class="none">(1)</span>`)
	wantNoText(t, sue.get("/retention"), `within a week <span`)
}

// A supervisor sees what goes within a week, holds it, and releases it again.
func TestASupervisorHoldsWhatGoes(t *testing.T) {
	h := newDeskHouse(t)
	h.addRoles("sue", gateway.RolesIn(gateway.RoleSupervisor, "north"))
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	h.addSubmission("south", "Olga", "+15551230143", jpegPage(8, 8))
	for i := range h.subs {
		h.subs[i].State, h.subs[i].HandledAt = gateway.SubmissionHandled, deskTime.Add(-85*24*time.Hour)
	}
	sue := h.signedIn(t, "sue")
	page := sue.get("/retention")
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "Maria", "on Sun, Nov 8, 2026", "Phone ending 0142", "Nothing is held")
	wantNoText(t, page, "Olga")

	wantStatus(t, sue.post("/retention/"+string(s.ID)+"/hold", url.Values{"reason": {"because Maria said so"}}), http.StatusBadRequest)
	answer := sue.post("/retention/"+string(s.ID)+"/hold", url.Values{"reason": {"hearing"}})
	wantStatus(t, answer, http.StatusSeeOther)
	if len(h.held) != 1 || !h.twin(s.ID) {
		t.Error("the papers are not held, or the vault does not tell")
	}
	page = sue.get(answer.Header().Get("Location"))
	wantText(t, page, "Fair hearing or appeal", "The papers are held", "Nothing that is done is erased within a week")
	wantText(t, sue.get(submissionURL(s.ID)), "Fair hearing or appeal", "Release")

	wantStatus(t, sue.post("/retention/"+string(s.ID)+"/release", nil), http.StatusSeeOther)
	wantStatus(t, sue.post("/retention/"+string(s.ID)+"/release", nil), http.StatusNotFound)
	if len(h.held) != 0 || h.twin(s.ID) {
		t.Error("the papers are still held")
	}
	wantText(t, sue.get(submissionURL(s.ID)), "erased on Sun, Nov 8, 2026")
	var actions []gateway.Action
	for _, e := range h.audit {
		if e.Action == gateway.ActionHeld || e.Action == gateway.ActionReleased {
			actions = append(actions, e.Action)
			if e.Reason != "" && e.Reason != "hearing" && e.Reason != string(gateway.CodeNotFound) {
				t.Errorf("the reason is %q", e.Reason)
			}
		}
	}
	if len(actions) != 3 {
		t.Errorf("the audit trail tells of %v, want a hold, a release and one asked for in vain", actions)
	}

	ana := h.signedIn(t, "ana") // a caseworker
	wantStatus(t, ana.get("/retention"), http.StatusForbidden)
	wantNoText(t, ana.get(submissionURL(s.ID)), "Hold because of", `href="/retention"`)
}
