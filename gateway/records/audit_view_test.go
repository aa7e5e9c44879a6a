package records

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func staffEntry(id string, action gateway.Action, object string, office gateway.OfficeID, minute int) gateway.AuditEntry {
	return gateway.AuditEntry{
		At: noon.Add(time.Duration(minute) * time.Minute), Actor: "staff:" + id, Action: action, Object: object, Office: office,
		From: "192.0.2.1", Outcome: gateway.OutcomeDone,
	}
}

func objectsOf(rows []gateway.AuditRow) []string {
	names := []string{}
	for _, r := range rows {
		names = append(names, string(r.Action)+" "+r.Object)
	}
	return names
}

// trailOfTwoOffices is what the tests of the view look at: ann works in the
// north, bob in the south.
func (w *world) trailOfTwoOffices() {
	w.t.Helper()
	denied := staffEntry("ann", gateway.ActionPageViewed, "page:4", "", 4)
	denied.Outcome, denied.Reason = gateway.OutcomeDenied, "not-found"
	stranger := gateway.AuditEntry{At: noon.Add(7 * time.Minute), Actor: "unknown", Action: gateway.ActionSignInRefused, Outcome: gateway.OutcomeDenied}
	w.check(w.Append(w.t.Context(),
		entry(gateway.ActionLinkIssued, "link:0"),
		staffEntry("ann", gateway.ActionPageViewed, "page:1", north, 1),
		staffEntry("bob", gateway.ActionPageViewed, "page:2", south, 2),
		staffEntry("ann", gateway.ActionInboxViewed, "", "", 3),
		denied,
		staffEntry("bob", gateway.ActionInboxViewed, "", "", 5),
		gateway.AuditEntry{At: noon.Add(6 * time.Minute), Actor: "operator", Action: gateway.ActionStaffChanged, Object: "staff:ann", Outcome: gateway.OutcomeDone},
		stranger,
		gateway.AuditEntry{At: noon.Add(8 * time.Minute), Actor: "role:worker", Action: gateway.ActionStarted, Outcome: gateway.OutcomeDone},
		gateway.AuditEntry{At: noon.Add(9 * time.Minute), Actor: "role:worker", Action: gateway.ActionSwept, Object: "submission:9", Outcome: gateway.OutcomeDone},
	), "")
}

func TestAuditViewShowsWhatIsAnOffices(t *testing.T) {
	inNorth := gateway.AuditQuery{Offices: []gateway.OfficeID{north}, People: []gateway.StaffID{"ann"}}
	with := func(change func(*gateway.AuditQuery)) gateway.AuditQuery {
		q := inNorth
		change(&q)
		return q
	}
	tests := map[string]struct {
		query gateway.AuditQuery
		want  []string
	}{
		"all of the north": {inNorth, []string{
			"process.started ", "staff.sign-in-refused ", "staff.changed staff:ann", "page.viewed page:4", "inbox.viewed ", "page.viewed page:1", "link.issued link:0",
		}},
		"both offices and the house": {gateway.AuditQuery{Offices: []gateway.OfficeID{south, north, south}, Whole: true}, []string{
			"vault.swept submission:9", "process.started ", "staff.sign-in-refused ", "staff.changed staff:ann", "inbox.viewed ",
			"page.viewed page:4", "inbox.viewed ", "page.viewed page:2", "page.viewed page:1", "link.issued link:0",
		}},
		"a person":             {with(func(q *gateway.AuditQuery) { q.Actor = "staff:ann" }), []string{"page.viewed page:4", "inbox.viewed ", "page.viewed page:1"}},
		"a person elsewhere":   {with(func(q *gateway.AuditQuery) { q.Actor = "staff:bob" }), []string{}},
		"clients":              {with(func(q *gateway.AuditQuery) { q.Actor = gateway.ActorClient }), []string{"link.issued link:0"}},
		"an action":            {with(func(q *gateway.AuditQuery) { q.Action = gateway.ActionPageViewed }), []string{"page.viewed page:4", "page.viewed page:1"}},
		"the webhook's":        {with(func(q *gateway.AuditQuery) { q.Action = gateway.ActionLinkIssued }), []string{"link.issued link:0"}},
		"what a person did":    {with(func(q *gateway.AuditQuery) { q.Actor, q.Action = "staff:ann", gateway.ActionPageViewed }), []string{"page.viewed page:4", "page.viewed page:1"}},
		"what clients did not": {with(func(q *gateway.AuditQuery) { q.Actor, q.Action = gateway.ActorClient, gateway.ActionPageViewed }), []string{}},
		"refused":              {with(func(q *gateway.AuditQuery) { q.Outcome = gateway.OutcomeDenied }), []string{"staff.sign-in-refused ", "page.viewed page:4"}},
		"refused to somebody":  {with(func(q *gateway.AuditQuery) { q.Outcome, q.Actor = gateway.OutcomeDenied, "staff:ann" }), []string{"page.viewed page:4"}},
		"things":               {with(func(q *gateway.AuditQuery) { q.Objects = []string{"page:1", "page:2", "link:0"} }), []string{"page.viewed page:1", "link.issued link:0"}},
		"no things":            {with(func(q *gateway.AuditQuery) { q.Objects = []string{} }), []string{}},
		"a time": {with(func(q *gateway.AuditQuery) { q.From, q.To = noon.Add(3*time.Minute), noon.Add(6*time.Minute) }), []string{
			"page.viewed page:4", "inbox.viewed ",
		}},
		"of no office": {gateway.AuditQuery{People: []gateway.StaffID{"ann"}, Whole: true}, []string{}},
	}
	onBoth(t, func(t *testing.T, w *world) {
		w.trailOfTwoOffices()
		for name, test := range tests {
			rows, err := w.AuditRows(t.Context(), test.query, gateway.AuditCursor{}, 100)
			w.check(err, "")
			if diff := cmp.Diff(test.want, objectsOf(rows)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
			var paged []gateway.AuditRow
			for before := (gateway.AuditCursor{}); ; before = paged[len(paged)-1].Cursor() {
				some, err := w.AuditRows(t.Context(), test.query, before, 2)
				w.check(err, "")
				paged = append(paged, some...)
				if len(some) < 2 {
					break
				}
			}
			if diff := cmp.Diff(rows, paged); diff != "" {
				t.Errorf("%s, two at a time:\n%s", name, diff)
			}
		}
	})
}

// Rows of the same millisecond, more than a page of them, are each seen once.
func TestAuditPagesLoseNoRowOfOneMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i := range 30 {
			w.check([]*world{w, other}[i%2].Append(t.Context(), entry(gateway.ActionPageViewed, fmt.Sprint("page:", i))), "")
		}
		seen := map[string]int{}
		var before gateway.AuditCursor
		for {
			rows, err := w.AuditRows(t.Context(), gateway.AuditQuery{Offices: []gateway.OfficeID{north, south}}, before, 7)
			w.check(err, "")
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				seen[r.Object]++
			}
			before = rows[len(rows)-1].Cursor()
		}
		if len(seen) != 30 || slices.Max(slices.Collect(values(seen))) != 1 {
			t.Errorf("saw %v", seen)
		}
	})
}

func values(m map[string]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestClientObjects(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := w.page(link, noon)
		later := w.text(north, phone(north, 1))    // joins the submission
		unopened := w.text(north, phone(north, 2)) // no submission yet
		elsewhere := w.session(south, 1)           // another office
		both := []gateway.OfficeID{north, south}
		want := []string{
			"link:" + string(link.ID), "link:" + string(later.ID), "page:" + string(page.ID), "submission:" + string(link.Submission),
		}
		slices.Sort(want)
		for name, test := range map[string]struct {
			offices   []gateway.OfficeID
			reference string
			phones    map[gateway.OfficeID]gateway.PhoneIndex
			want      []string
			texts     int
		}{
			"reference":           {both, link.Submission.Reference(), nil, want, 0},
			"elsewhere":           {[]gateway.OfficeID{south}, link.Submission.Reference(), nil, []string{}, 0},
			"phone":               {both, "", map[gateway.OfficeID]gateway.PhoneIndex{north: phone(north, 1)}, want, 2},
			"phone elsewhere":     {[]gateway.OfficeID{south}, "", map[gateway.OfficeID]gateway.PhoneIndex{north: phone(north, 1)}, []string{}, 0},
			"never opened":        {both, "", map[gateway.OfficeID]gateway.PhoneIndex{north: phone(north, 2)}, []string{"link:" + string(unopened.ID), "submission:" + string(unopened.Submission)}, 1},
			"nothing":             {both, "", nil, []string{}, 0},
			"another's reference": {both, elsewhere.Submission.Reference(), nil, []string{"link:" + string(elsewhere.ID), "submission:" + string(elsewhere.Submission)}, 0},
		} {
			got, senders, err := w.ClientObjects(t.Context(), test.offices, test.reference, test.phones)
			w.check(err, "")
			if known := len(got) > 0 && name != "never opened"; known != (len(senders) == 1) {
				t.Errorf("%s: %d phones", name, len(senders))
			}
			texts := len(got)
			got = slices.DeleteFunc(got, func(o string) bool { return strings.HasPrefix(o, "text:") })
			if diff := cmp.Diff(test.want, got); diff != "" || texts-len(got) != test.texts {
				t.Errorf("%s, %d texts:\n%s", name, texts-len(got), diff)
			}
		}
	})
}

// Every way to look walks an index in order: a year of texts behind it costs
// a page nothing. Only a client's own things are sorted.
func TestAuditViewWalksItsIndexes(t *testing.T) {
	w := openWorld(t, readySQLite(t))
	db := w.database()
	defer db.Close()
	offices := []gateway.OfficeID{north}
	for name, test := range map[string]struct {
		query gateway.AuditQuery
		index string
	}{
		"office":  {gateway.AuditQuery{Offices: offices}, "audit_office (office=? AND (at,chain,seq)<"},
		"webhook": {gateway.AuditQuery{Offices: offices, Action: gateway.ActionLinkIssued}, "audit_office (office=? AND (at,chain,seq)<"},
		"person":  {gateway.AuditQuery{Offices: offices, Actor: "staff:ann", Action: gateway.ActionPageViewed}, "audit_actor (actor=? AND (at,chain,seq)<"},
		"rare":    {gateway.AuditQuery{Offices: offices, Actor: "staff:ann", Action: gateway.ActionHeld}, "audit_action (action=? AND (at,chain,seq)<"},
		"action":  {gateway.AuditQuery{Offices: offices, Action: gateway.ActionStaffChanged}, "audit_action (action=? AND (at,chain,seq)<"},
		"refused": {gateway.AuditQuery{Offices: offices, Outcome: gateway.OutcomeDenied}, "audit_refused ((at,chain,seq)<"},
		"things":  {gateway.AuditQuery{Offices: offices, Objects: []string{"page:1", "page:2"}}, "audit_object (object=?"},
	} {
		for _, st := range auditStatements(test.query, gateway.AuditCursor{}, 50, strings.HasPrefix(name, "rare")) {
			plan := explain(t, db, st)
			if !strings.Contains(plan, test.index) || name != "things" && strings.Contains(plan, "TEMP B-TREE FOR ORDER BY") {
				t.Errorf("%s: %s", name, plan)
			}
		}
	}
}

func explain(t *testing.T, db *sql.DB, st *statement) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+st.text.String(), st.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "; ")
}
