package web

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"dropslot/gateway"
)

type deskNotices struct {
	gateway.NoticeRecords
	h     *deskHouse
	saved map[gateway.StaffID]gateway.NoticeSettings
}

func (r *deskNotices) NoticeSettings(_ context.Context, id gateway.StaffID) (gateway.NoticeSettings, bool, error) {
	s, saved := r.saved[id]
	return s, saved, nil
}

func (r *deskNotices) SaveNoticeSettings(_ context.Context, s gateway.NoticeSettings, _ time.Time, audit gateway.AuditEntry) error {
	if r.saved == nil {
		r.saved = map[gateway.StaffID]gateway.NoticeSettings{}
	}
	r.saved[s.Staff] = s
	r.h.audit = append(r.h.audit, audit)
	return nil
}

// A caseworker chooses how to be told, and finds it again.
func TestACaseworkerChoosesHowToBeTold(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	page := b.get("/notices")
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "New papers arrived", "America/Chicago", `value="off" required checked`)
	wantNoText(t, page, "nobody marked done", "E-mail is not set up") // a caseworker is not told of what only a supervisor may hold

	form := url.Values{"address": {"ana@example.gov"}, "events": {"submission"}, "pace": {"daily"}, "daily-at": {"08:30"}, "quiet-from": {"18:00"}, "quiet-till": {"07:15"}}
	answer := b.post("/notices", form)
	wantStatus(t, answer, http.StatusSeeOther)
	wantText(t, b.get(answer.Header().Get("Location")), "Saved.", "ana@example.gov", `value="08:30"`, `value="18:00"`, `value="07:15"`,
		`value="submission" checked`, `value="daily" required checked`)

	for name, change := range map[string]url.Values{
		"no address":       {"address": {""}, "pace": {"now"}},
		"two lines":        {"address": {"ana@example.gov\r\nBcc: all@example.gov"}, "pace": {"now"}},
		"a name beside it": {"address": {"Ana <ana@example.gov>"}, "pace": {"now"}},
		"nothing like it":  {"address": {"ana"}, "pace": {"off"}},
	} {
		answer := b.post("/notices", change)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, "Not an e-mail address")
		_ = name
	}
	for _, change := range []url.Values{
		{"address": {"ana@example.gov"}, "pace": {"always"}},
		{"address": {"ana@example.gov"}, "pace": {"now"}, "events": {"erasure"}},
		{"address": {"ana@example.gov"}, "pace": {"now"}, "daily-at": {"25:00"}},
	} {
		wantStatus(t, b.post("/notices", change), http.StatusBadRequest)
	}
	changed := 0
	for _, e := range h.audit {
		if e.Action == gateway.ActionNoticesChanged {
			changed++
			if e.Reason != "" {
				t.Errorf("the audit trail tells %q", e.Reason)
			}
		}
	}
	if changed != 1 {
		t.Errorf("%d changes in the audit trail", changed)
	}
	wantNoText(t, h.signedIn(t, "ben").get("/notices"), "ana@example.gov")
	h.parts.Mails = false
	h.build(t)
	wantText(t, h.signedIn(t, "ana").get("/notices"), "E-mail is not set up")
}
