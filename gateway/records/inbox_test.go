package records

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// arrived makes a submission with a page that came at that time, and ends it.
func (w *world) arrived(office gateway.OfficeID, n int, at time.Time) (gateway.Submission, gateway.Page) {
	w.t.Helper()
	link := w.session(office, n)
	page := w.page(link, at)
	w.finish(link, at)
	s, _, err := w.Submission(w.t.Context(), []gateway.OfficeID{office}, link.Submission)
	w.check(err, "")
	return s, page
}

func (w *world) listed(q gateway.InboxQuery) []gateway.SubmissionID {
	w.t.Helper()
	if q.Offices == nil {
		q.Offices = []gateway.OfficeID{north, south}
	}
	q.Limit = 50
	rows, err := w.Inbox(w.t.Context(), q)
	w.check(err, "")
	ids := []gateway.SubmissionID{}
	for _, row := range rows {
		ids = append(ids, row.Submission.ID)
	}
	return ids
}

func (w *world) wantListed(what string, q gateway.InboxQuery, want ...gateway.Submission) {
	w.t.Helper()
	ids := []gateway.SubmissionID{}
	for _, s := range want {
		ids = append(ids, s.ID)
	}
	if got := w.listed(q); !slices.Equal(got, ids) {
		w.t.Errorf("%s: %v, want %v", what, got, ids)
	}
}

func (w *world) setStage(s gateway.Submission, stage gateway.Stage) {
	w.t.Helper()
	w.check(w.ChangeSubmission(w.t.Context(), []gateway.OfficeID{s.Office}, s.ID, gateway.SubmissionChange{Stage: &stage}, entry(gateway.ActionStageSet, "")), "")
}

func TestInboxFilters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, _ := w.arrived(north, 1, noon.Add(-72*time.Hour))
		b, _ := w.arrived(south, 2, noon.Add(-48*time.Hour))
		c, _ := w.arrived(north, 3, noon.Add(-24*time.Hour))
		d, _ := w.arrived(north, 4, noon)
		w.setStage(b, gateway.StageOpen)
		w.setStage(c, gateway.StageWaiting)
		ann := gateway.StaffID("ann")
		w.check(w.ChangeSubmission(t.Context(), []gateway.OfficeID{north}, a.ID, gateway.SubmissionChange{Assigned: &ann}, entry(gateway.ActionAssigned, "")), "")

		w.wantListed("all", gateway.InboxQuery{}, d, c, b, a)
		w.wantListed("new", gateway.InboxQuery{Stage: gateway.StageNew}, d)
		w.wantListed("open", gateway.InboxQuery{Stage: gateway.StageOpen}, b, a) // whoever has it works on it
		w.wantListed("waiting", gateway.InboxQuery{Stage: gateway.StageWaiting}, c)
		w.wantListed("office", gateway.InboxQuery{Offices: []gateway.OfficeID{south}}, b)
		w.wantListed("mine", gateway.InboxQuery{Assigned: ann}, a)
		w.wantListed("another's", gateway.InboxQuery{Assigned: "bob"})
		overdue := map[gateway.OfficeID]time.Time{north: noon.Add(-time.Hour), south: noon.Add(-50 * time.Hour)}
		w.wantListed("overdue", gateway.InboxQuery{Overdue: overdue}, a)

		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, a.ID, ann, gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, "")), "")
		w.wantListed("done", gateway.InboxQuery{Stage: gateway.StageDone}, a)
		w.wantListed("nothing of mine", gateway.InboxQuery{Assigned: ann})
		w.wantListed("mine that is done", gateway.InboxQuery{Assigned: ann, Stage: gateway.StageDone}, a)
		w.setStage(a, gateway.StageOpen)
		w.wantListed("open again", gateway.InboxQuery{Stage: gateway.StageOpen}, b, a)
		again, _, err := w.Submission(t.Context(), []gateway.OfficeID{north}, a.ID)
		w.check(err, "")
		if again.State != gateway.SubmissionReceived || again.HandledAs != "" || !again.HandledAt.IsZero() {
			t.Errorf("opened again: %+v", again)
		}
	})
}

// What the office waits for a client with comes back by itself when the client
// sends something, there or by a new link, and the office's time begins anew.
func TestAnAnswerEndsTheWaiting(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		s, _ := w.arrived(north, 1, noon.Add(-72*time.Hour))
		other, _ := w.arrived(north, 2, noon.Add(-71*time.Hour))
		w.setStage(s, gateway.StageWaiting)
		w.setStage(other, gateway.StageWaiting)
		link := w.session(north, 1)
		w.wantListed("waiting", gateway.InboxQuery{Stage: gateway.StageWaiting}, other, s)
		w.page(link, noon)
		w.wantListed("waiting after the answer", gateway.InboxQuery{Stage: gateway.StageWaiting}, other)
		overdue := map[gateway.OfficeID]time.Time{north: noon.Add(-time.Hour)}
		w.wantListed("overdue", gateway.InboxQuery{Overdue: overdue})
	})
}

func TestUnreadIsEachPersonsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		s, _ := w.arrived(north, 1, noon)
		w.check(w.Look(t.Context(), "ann", s.ID, noon.Add(time.Minute)), "")
		w.check(w.Look(t.Context(), "ann", s.ID, noon), "") // an older look that came late
		for viewer, want := range map[gateway.StaffID]time.Time{"ann": noon.Add(time.Minute), "bob": {}} {
			rows, err := w.Inbox(t.Context(), gateway.InboxQuery{Offices: []gateway.OfficeID{north}, Viewer: viewer, Limit: 10})
			w.check(err, "")
			if len(rows) != 1 || !rows[0].LookedAt.Equal(want) {
				t.Errorf("%s: %+v", viewer, rows)
			}
		}
	})
}

// Every change of a list is counted, for its office alone, in the transaction
// that makes it: a second process sees it.
func TestChangesAreCounted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		last := int64(0)
		grew := func(what string, want bool) {
			t.Helper()
			counts, err := other.DeskChanges(t.Context())
			w.check(err, "")
			if grown := counts[north] > last; grown != want || counts[south] != 0 {
				t.Errorf("%s: count went from %d to %v", what, last, counts)
			}
			last = counts[north]
		}
		link := w.session(north, 1)
		grew("a link that was opened", false)
		page := w.page(link, noon)
		grew("a page", true)
		_, err := w.RemovePage(t.Context(), link.ID, link.Submission, page.Key, gateway.Act{At: noon, IdleAt: noon.Add(time.Hour)})
		w.check(err, "")
		grew("a page taken back", true)
		w.page(link, noon)
		grew("another page", true)
		w.check(w.lack(link, "pay-stub", gateway.LackCannot, noon), "")
		grew("word of what is missing", true)
		w.finish(link, noon)
		grew("the end", true)
		s, _, err := w.Submission(t.Context(), []gateway.OfficeID{north}, link.Submission)
		w.check(err, "")
		grew("a look", false)
		w.setStage(s, gateway.StageOpen)
		grew("a stage", true)
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, s.ID, "ann", gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, "")), "")
		grew("done", true)
	})
}

// The first page of a long inbox must not read all of it, whatever is filtered.
func TestInboxWalksItsIndexes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		fillInbox(w, 20_000)
		for want, q := range map[string]gateway.InboxQuery{
			"submissions_inbox":    {Limit: 50, Viewer: "ann"},
			"submissions_stage":    {Limit: 50, Viewer: "ann", Stage: gateway.StageOpen},
			"submissions_assigned": {Limit: 50, Viewer: "ann", Assigned: "ann"},
		} {
			statement, args := inboxList{north, q.Stage}.query(q)
			plan := w.explain(statement, args...)
			if !strings.Contains(plan, want) || strings.Contains(plan, "SCAN notes") || strings.Contains(plan, "Seq Scan on submissions") {
				t.Errorf("not by %s:\n%s", want, plan)
			}
		}
	})
}

// explain gives the plan of a statement.
func (w *world) explain(statement string, args ...any) string {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	how := "EXPLAIN QUERY PLAN "
	if w.dialect.ordered() {
		how = "EXPLAIN "
	}
	rows, err := db.QueryContext(w.t.Context(), how+statement, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	columns, _ := rows.Columns()
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(string)
		}
		if err := rows.Scan(values...); err != nil {
			w.t.Fatal(err)
		}
		plan.WriteString(*values[len(values)-1].(*string) + "\n")
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return plan.String()
}
