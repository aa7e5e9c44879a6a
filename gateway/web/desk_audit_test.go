package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// trailFake is the trail that the desk shows: it keeps what was asked of it.
type trailFake struct {
	rows  []gateway.AuditRow // newest first
	asked []gateway.AuditQuery
	found []string // a client's things
	fails bool     // after the first rows
	proof gateway.AuditProof
}

type deskTrail struct{ h *deskHouse }

func (d deskTrail) AuditRows(_ context.Context, q gateway.AuditQuery, before gateway.AuditCursor, limit int) ([]gateway.AuditRow, error) {
	f := &d.h.trail
	f.asked = append(f.asked, q)
	if f.fails && before.Seq != 0 {
		return nil, errors.New("the database is gone")
	}
	var rows []gateway.AuditRow
	for _, r := range f.rows {
		if (slices.Contains(q.Offices, r.Office) || q.Whole) && (before.Seq == 0 || r.Seq < before.Seq) && len(rows) < limit {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func (d deskTrail) ClientObjects(_ context.Context, _ []gateway.OfficeID, reference string, phones map[gateway.OfficeID]gateway.PhoneIndex) ([]string, []gateway.PhoneIndex, error) {
	if reference == "" && len(phones) == 0 {
		return nil, nil, errors.New("nobody was asked for")
	}
	return d.h.trail.found, []gateway.PhoneIndex{{1}}, nil
}

func (d deskTrail) AuditActions(context.Context) ([]gateway.Action, error) {
	return []gateway.Action{gateway.ActionPageViewed, gateway.ActionSignInRefused}, nil
}

func (d deskTrail) ListStaff(context.Context) ([]gateway.Staff, error) {
	var all []gateway.Staff
	for _, s := range d.h.staff {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b gateway.Staff) int { return strings.Compare(a.Login, b.Login) })
	return all, nil
}

func (h *deskHouse) prove(context.Context) (gateway.AuditProof, error) { return h.trail.proof, nil }

// auditHouse has an auditor of the north, and rows of both offices.
func auditHouse(t *testing.T, rows int) (*deskHouse, *browser) {
	t.Helper()
	h := newDeskHouse(t)
	h.addRoles("ada", gateway.RolesIn(gateway.RoleAuditor, "north"))
	ana, ben := h.staffByLogin("ana").ID, h.staffByLogin("ben").ID
	for i := rows; i > 0; i-- {
		entry := gateway.AuditEntry{
			At: deskTime.Add(time.Duration(i-rows) * time.Minute), Actor: gateway.ActorStaff(ana), Action: gateway.ActionPageViewed,
			Object: "page:" + h.id(), Office: "north", From: "192.0.2.7", Outcome: gateway.OutcomeDone,
		}
		if i%10 == 0 {
			entry.Outcome, entry.Reason = gateway.OutcomeDenied, "not-found"
		}
		if i%10 == 5 {
			entry.Actor, entry.Office = gateway.ActorStaff(ben), "south"
		}
		h.trail.rows = append(h.trail.rows, gateway.AuditRow{AuditEntry: entry, Chain: "0123456789abcdefghijklmnop", Seq: int64(i)})
	}
	return h, h.signedIn(t, "ada")
}

func TestAuditTrailIsShown(t *testing.T) {
	h, b := auditHouse(t, 30)
	answer := b.get("/audit")
	wantStatus(t, answer, http.StatusOK)
	wantText(t, answer, "Page viewed", "192.0.2.7", ">ana<", "refused", "not-found", "2:41:00 PM", "North County Benefits", `value="staff.sign-in-refused"`)
	wantNoText(t, answer, "South County", ">ben<")
	last := h.audit[len(h.audit)-1]
	if last.Action != gateway.ActionAuditViewed || last.Office != "north" || last.Outcome != gateway.OutcomeDone {
		t.Errorf("looking left %+v", last)
	}
}

// Ninety-nine rows of the north fit one page; the hundred-and-first is on the next.
func TestAuditTrailHasPages(t *testing.T) {
	_, b := auditHouse(t, 130)
	first := b.get("/audit")
	cursor := regexp.MustCompile(`name="before" value="([^"]+)"`).FindStringSubmatch(first.Body.String())
	if cursor == nil || strings.Count(first.Body.String(), "<td><time") != auditRows {
		t.Fatalf("%d rows, next at %v", strings.Count(first.Body.String(), "<td><time"), cursor)
	}
	second := b.post("/audit", url.Values{"before": {cursor[1]}})
	wantStatus(t, second, http.StatusOK)
	if n := strings.Count(second.Body.String(), "<td><time"); n != 117-auditRows {
		t.Errorf("the second page has %d rows", n)
	}
	wantText(t, second, "Newest")
	wantNoText(t, second, ">Older<")
	wantStatus(t, b.post("/audit", url.Values{"before": {"1-x-2"}}), http.StatusBadRequest)
}

func TestAuditSearch(t *testing.T) {
	h, b := auditHouse(t, 3)
	ana := gateway.ActorStaff(h.staffByLogin("ana").ID)
	answer := b.post("/audit", url.Values{
		"person": {ana}, "action": {"page.viewed"}, "outcome": {"denied"}, "from": {"2026-11-01"}, "to": {"2026-11-03"},
	})
	wantStatus(t, answer, http.StatusOK)
	q := h.trail.asked[len(h.trail.asked)-1]
	zone := h.dir.Offices["north"].Location
	if q.Actor != ana || q.Action != gateway.ActionPageViewed || q.Outcome != gateway.OutcomeDenied || q.Objects != nil ||
		!q.From.Equal(time.Date(2026, 11, 1, 0, 0, 0, 0, zone)) || !q.To.Equal(time.Date(2026, 11, 4, 0, 0, 0, 0, zone)) || q.Whole {
		t.Errorf("asked for %+v", q)
	}
	wantText(t, answer, `value="2026-11-01"`, `value="`+ana+`" selected`)

	h.trail.found = []string{"page:1", "submission:" + h.id()}
	for _, client := range []string{"k7q2m", "(555) 123-0142"} {
		answer := b.post("/audit", url.Values{"client": {client}})
		wantStatus(t, answer, http.StatusOK)
		if q := h.trail.asked[len(h.trail.asked)-1]; !isPart(q.Objects, append(slices.Clone(h.trail.found), "client:"+string(h.blind.Client(gateway.PhoneIndex{1})))) {
			t.Errorf("%s: asked for %+v", client, q)
		}
		entry := h.audit[len(h.audit)-1]
		if strings.Contains(fmt.Sprint(entry), "0142") || !strings.Contains(entry.Reason, h.trail.found[1]) {
			t.Errorf("looking left %+v", entry)
		}
	}
	// A number in the address is not taken: it would stand in histories and logs.
	b.get("/audit?client=5551230142")
	if q := h.trail.asked[len(h.trail.asked)-1]; q.Objects != nil {
		t.Error("a client was taken from the address")
	}
	for name, form := range map[string]url.Values{
		"no reference": {"client": {"K7Q"}}, "no day": {"from": {"yesterday"}},
	} {
		before := len(h.trail.asked)
		answer := b.post("/audit", form)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, `role="alert"`)
		if len(h.trail.asked) != before {
			t.Errorf("%s: the trail was read", name)
		}
	}
	if log := h.log.String(); strings.Contains(log, "0142") {
		t.Errorf("the log tells a number:\n%s", log)
	}
}

func isPart(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

func TestAuditTrailOfAnotherOfficeIsRefused(t *testing.T) {
	h, b := auditHouse(t, 3)
	for _, path := range []string{"/audit", "/audit/download"} {
		wantStatus(t, b.post(path, url.Values{"office": {"south"}, "format": {"csv"}}), http.StatusForbidden)
		if last := h.audit[len(h.audit)-1]; last.Outcome != gateway.OutcomeDenied {
			t.Errorf("%s left %+v", path, last)
		}
	}
	if len(h.trail.asked) != 0 {
		t.Error("the trail was read")
	}
}

func TestNoAuditRowNoTrail(t *testing.T) {
	h, b := auditHouse(t, 3)
	h.auditErr = errors.New("disk full")
	for _, path := range []string{"/audit", "/audit/download", "/audit/verify"} {
		answer := b.post(path, url.Values{"format": {"csv"}})
		wantStatus(t, answer, http.StatusServiceUnavailable)
		wantNoText(t, answer, "192.0.2.7")
	}
	wantStatus(t, b.get("/figures"), http.StatusServiceUnavailable)
}

func TestAuditDownloads(t *testing.T) {
	h, b := auditHouse(t, 2500)
	h.trail.rows[1].Reason = "=HYPERLINK(\"http://evil\"), \"quoted\"\nsecond line"
	h.trail.rows[2].Reason = "@SUM(A1)"
	answer := b.post("/audit/download", url.Values{"format": {"csv"}})
	wantStatus(t, answer, http.StatusOK)
	if got := answer.Header().Get("Content-Disposition"); !regexp.MustCompile(`^attachment; filename="audit-20261103-204100\.csv"$`).MatchString(got) {
		t.Errorf("named %s", got)
	}
	table, err := csv.NewReader(answer.Body).ReadAll()
	if err != nil || len(table) != 1+2250 {
		t.Fatalf("%d lines, %v", len(table), err)
	}
	if row := table[2]; row[3] != "ana" || row[9] != "'=HYPERLINK(\"http://evil\"), \"quoted\"\nsecond line" || row[0] != "2026-11-03T20:40:00.000Z" {
		t.Errorf("row %q", row)
	}
	if table[3][9] != "'@SUM(A1)" {
		t.Errorf("row %q", table[3])
	}
	last := h.audit[len(h.audit)-1]
	if last.Action != gateway.ActionAuditDownloaded || !strings.Contains(last.Reason, "csv") {
		t.Errorf("a download left %+v", last)
	}

	lines := strings.Split(strings.TrimSpace(b.post("/audit/download", url.Values{"format": {"ndjson"}}).Body.String()), "\n")
	var first gateway.AuditLine
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 2250 || first.Login != "ana" || first.Outcome != "denied" {
		t.Errorf("%d lines, %v, %+v", len(lines), err, first)
	}
	wantStatus(t, b.post("/audit/download", url.Values{"format": {"exe"}}), http.StatusBadRequest)
}

// What breaks half way must not look whole.
func TestACutDownloadIsBrokenOff(t *testing.T) {
	h, b := auditHouse(t, 2500)
	h.trail.fails = true
	defer func() {
		value := recover()
		if err, is := value.(error); !is || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("the download ended with %v", value)
		}
	}()
	b.post("/audit/download", url.Values{"format": {"csv"}})
}

// An action that has no words of its own is shown by its name, which says
// little to an auditor.
func TestEveryActionHasWords(t *testing.T) {
	source, err := os.ReadFile("../audit.go")
	if err != nil {
		t.Fatal(err)
	}
	actions := regexp.MustCompile(`(?m)^\tAction\w+ +Action = "([^"]+)"`).FindAllSubmatch(source, -1)
	if len(actions) < 50 {
		t.Fatalf("%d actions found", len(actions))
	}
	said := map[string]string{}
	for _, found := range actions {
		action := gateway.Action(found[1])
		words := auditWords[action]
		if words == "" || said[words] != "" {
			t.Errorf("%s has no words of its own: %q", action, words)
		}
		said[words] = string(action)
	}
}

func TestAuditVerificationSaysWhatIsProven(t *testing.T) {
	h, b := auditHouse(t, 1)
	h.trail.proof = gateway.AuditProof{OK: true, Rows: 12, Proven: 9, Chains: 2, Open: []string{"Chain x: entries 1 to 9 are confirmed"}, Result: "No confirmed entry was changed"}
	answer := b.post("/audit/verify", nil)
	wantStatus(t, answer, http.StatusOK)
	wantText(t, answer, "No sign of tampering", "<dd>12, of all offices</dd>", "<dd>9. Every minute", "<dd>3. They fit together", "Chain x")
	h.trail.proof = gateway.AuditProof{Rows: 12, Faults: []string{"Entry 4 of chain x was changed or moved."}}
	answer = b.post("/audit/verify", nil)
	wantText(t, answer, "Tampering or damage found", "Entry 4 of chain x")
	last := h.audit[len(h.audit)-1]
	if last.Action != gateway.ActionAuditVerified || last.Outcome != gateway.OutcomeFailed || last.Reason != "12 entries, 0 confirmed by a fingerprint, 1 findings" {
		t.Errorf("it left %+v", last)
	}
}
