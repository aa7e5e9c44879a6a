package records

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// Every query of the desk, asked for something of the north by somebody who
// works elsewhere or nowhere: it is not there, and nothing changes.
func TestOfficesAreIsolated(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		request, sending := newRequest(t, north, phone(north, 1), noon)
		w.check(w.IssueRequest(t.Context(), request, gateway.Wish{}, time.Time{}, sending, nil), "")
		link := w.claim(request, browser(1), noon)
		page := w.page(link, noon)
		w.finish(link, noon)
		shown := w.counter(north)
		for name, offices := range map[string][]gateway.OfficeID{
			"elsewhere": {south, "nort", "north ", "North"}, "nowhere": nil, "no name": {""},
		} {
			inbox, err := w.Inbox(t.Context(), gateway.InboxQuery{Offices: offices, Limit: 10})
			w.check(err, "")
			requests, err := w.Requests(t.Context(), offices, 10)
			w.check(err, "")
			if len(inbox)+len(requests) != 0 {
				t.Errorf("%s: %d submissions, %d requests", name, len(inbox), len(requests))
			}
			_, _, err = w.Submission(t.Context(), offices, link.Submission)
			w.check(err, gateway.CodeNotFound)
			_, err = w.Page(t.Context(), offices, page.ID)
			w.check(err, gateway.CodeNotFound)
			_, err = w.Request(t.Context(), offices, sending.ID)
			w.check(err, gateway.CodeNotFound)
			_, err = w.CounterLink(t.Context(), offices, shown.ID)
			w.check(err, gateway.CodeNotFound)
			err = w.HandleSubmission(t.Context(), offices, link.Submission, "worker", gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, ""))
			w.check(err, gateway.CodeNotFound)
		}
		if n := w.count("audit WHERE action = 'submission.handled'") + w.count("submissions WHERE state = 'handled'"); n != 0 {
			t.Error("a stranger handled the submission")
		}

		both := []gateway.OfficeID{south, north}
		s, pages, err := w.Submission(t.Context(), both, link.Submission)
		w.check(err, "")
		if s.ID != link.Submission || len(pages) != 1 {
			t.Errorf("submission %+v with %d pages", s, len(pages))
		}
		got, err := w.Page(t.Context(), both, page.ID)
		w.check(err, "")
		if diff := cmp.Diff(page, got); diff != "" {
			t.Errorf("page:\n%s", diff)
		}
	})
}

func TestRemovedPageIsNotShown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page, kept := w.page(link, noon), w.page(link, noon.Add(time.Minute))
		_, err := w.RemovePage(t.Context(), link.ID, link.Submission, page.Key, gateway.Act{At: noon})
		w.check(err, "")
		_, err = w.Page(t.Context(), []gateway.OfficeID{north}, page.ID)
		w.check(err, gateway.CodeNotFound)
		_, pages, err := w.Submission(t.Context(), []gateway.OfficeID{north}, link.Submission)
		w.check(err, "")
		if len(pages) != 1 || pages[0].ID != kept.ID {
			t.Errorf("pages %+v", pages)
		}
	})
}

// Pages of the inbox, whatever their length and however many offices, give
// every submission once, newest first, also where two came in the same
// millisecond.
func TestInboxPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		offices := []gateway.OfficeID{north, south, "west"}
		var want []gateway.Submission
		for i := range 24 {
			link := w.session(offices[i%3], i)
			w.page(link, noon.Add(time.Duration(i/4)*time.Millisecond))
			want = append(want, w.finish(link, noon))
		}
		w.session(north, 100) // without a page: not listed
		slices.SortFunc(want, func(a, b gateway.Submission) int {
			return newerArrival(gateway.InboxEntry{Submission: a}, gateway.InboxEntry{Submission: b})
		})
		for _, limit := range []int{1, 5, 24, 100} {
			var got []gateway.Submission
			cursor := gateway.Cursor{}
			for {
				rows, err := w.Inbox(t.Context(), gateway.InboxQuery{Offices: offices, After: cursor, Limit: limit})
				w.check(err, "")
				if len(rows) == 0 {
					break
				}
				for _, row := range rows {
					got = append(got, row.Submission)
				}
				last := got[len(got)-1]
				cursor = gateway.Cursor{ArrivedAt: last.ArrivedAt, ID: last.ID}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("limit %d:\n%s", limit, diff)
			}
		}
	})
}

func TestHandle(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		offices := []gateway.OfficeID{north}
		link := w.session(north, 1)
		w.page(link, noon)
		handle := func(by gateway.StaffID) error {
			return w.HandleSubmission(t.Context(), offices, link.Submission, by, gateway.HandledNotNeeded, "duplicate", noon,
				entry(gateway.ActionSubmissionHandled, ""))
		}
		w.check(handle("ann"), gateway.CodeForbidden)
		w.finish(link, noon)
		w.check(errors.Join(race(8, func(int) error { return handle("ann") })...), "")
		w.check(handle("bob"), "")
		if n := w.count("audit WHERE action = 'submission.handled'"); n != 1 {
			t.Errorf("%d marks in the audit trail", n)
		}
		open, err := w.Inbox(t.Context(), gateway.InboxQuery{Offices: offices, Limit: 10})
		w.check(err, "")
		handled, err := w.Inbox(t.Context(), gateway.InboxQuery{Offices: offices, Stage: gateway.StageDone, Limit: 10})
		w.check(err, "")
		if len(open) != 0 || len(handled) != 1 {
			t.Fatalf("%d open, %d handled", len(open), len(handled))
		}
		if s := handled[0].Submission; s.HandledBy != "ann" || s.HandledAs != gateway.HandledNotNeeded || s.HandledNote != "duplicate" || !s.HandledAt.Equal(noon) {
			t.Errorf("handled %+v", s)
		}
		// What was in the session when it was handled stays.
		_, _, err = w.SavePage(t.Context(), newPage(t, link, noon), gateway.DefaultLimits())
		w.check(err, gateway.CodeLinkClosed)
	})
}

func TestStaff(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ann := gateway.Staff{
			ID: gateway.StaffID(newID(t)), Login: "ann", PasswordHash: "$argon2id$", Roles: gateway.RolesIn(gateway.RoleCaseworker, north, south), CreatedAt: noon,
		}
		bob := gateway.Staff{ID: gateway.StaffID(newID(t)), Login: "bob", PasswordHash: "$argon2id$", Roles: gateway.Roles{}, CreatedAt: noon}
		w.check(w.AddStaff(t.Context(), bob), "")
		errs := race(6, func(int) error {
			mine := ann
			mine.ID = gateway.StaffID(newID(t))
			return w.AddStaff(t.Context(), mine, entry(gateway.ActionStaffAdded, ""))
		})
		added := 0
		for _, err := range errs {
			if err == nil {
				added++
			} else {
				w.check(err, gateway.CodeBadRequest)
			}
		}
		if n := w.count("audit"); added != 1 || n != 1 {
			t.Fatalf("added %d times, %d audit rows", added, n)
		}
		stored, err := w.StaffByLogin(t.Context(), "ann")
		w.check(err, "")
		ann.ID = stored.ID
		ann.Roles, ann.DisabledAt, ann.PasswordHash = gateway.Roles{south: {gateway.RoleAdmin, gateway.RoleAuditor}}, noon, "other"
		disabled := noon
		change := gateway.StaffChange{Roles: ann.Roles, DisabledAt: &disabled}
		w.check(w.ChangeStaff(t.Context(), "ann", change, entry(gateway.ActionStaffChanged, "")), "")
		// What a change does not name stays: two at once both hold.
		w.check(w.ChangeStaff(t.Context(), "ann", gateway.StaffChange{PasswordHash: &ann.PasswordHash}, entry(gateway.ActionStaffChanged, "")), "")
		changed, err := w.StaffByID(t.Context(), ann.ID)
		w.check(err, "")
		if diff := cmp.Diff(ann, changed); diff != "" {
			t.Errorf("changed:\n%s", diff)
		}
		list, err := w.ListStaff(t.Context())
		w.check(err, "")
		if diff := cmp.Diff([]gateway.Staff{ann, bob}, list); diff != "" {
			t.Errorf("list:\n%s", diff)
		}
		_, err = w.StaffByLogin(t.Context(), "eve")
		w.check(err, gateway.CodeNotFound)
		_, err = w.StaffByID(t.Context(), "eve")
		w.check(err, gateway.CodeNotFound)
		w.check(w.ChangeStaff(t.Context(), "eve", gateway.StaffChange{}, entry(gateway.ActionStaffChanged, "")), gateway.CodeNotFound)
		w.proven()
	})
}

// Whatever a client wrote stands at the desk once anything of theirs does.
func TestEveryNoteIsSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		wrote := func(n int, at time.Time, place gateway.SubmissionID) gateway.TextID {
			text := newText(t, north, phone(north, n))
			text.ReceivedAt = at
			_, _, err := w.ReceiveText(t.Context(), text, func(s gateway.Standing) (gateway.TextOutcome, error) {
				return gateway.TextOutcome{
					Decision: gateway.Decision{Reason: gateway.ReasonCeiling, Standing: s}, Submission: place,
					Keeping: gateway.Keeping{Media: gateway.MediaNone, Words: gateway.WordsPending, Step: gateway.StepCollect},
				}, nil
			})
			w.check(err, "")
			w.check(w.SaveNote(t.Context(), text.ID, []byte("sealed words")), "")
			return text.ID
		}
		sees := func(id gateway.SubmissionID, want ...gateway.TextID) {
			t.Helper()
			s, _, err := w.SubmissionPages(t.Context(), id)
			w.check(err, "")
			c, err := w.Correspondence(t.Context(), s)
			w.check(err, "")
			var got []gateway.TextID
			for _, n := range c.Notes {
				got = append(got, n.Text)
			}
			if !slices.Equal(got, want) {
				t.Errorf("notes %v, want %v", got, want)
			}
		}
		stranger := wrote(1, noon, "") // was not answered
		lost := wrote(1, noon.Add(time.Minute), gateway.SubmissionID(newID(t)))
		wrote(2, noon, "") // somebody else
		link := w.session(north, 1)
		w.page(link, noon)
		during := wrote(1, noon.Add(2*time.Minute), link.Submission)
		w.finish(link, noon)
		sees(link.Submission, stranger, lost, during)
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, link.Submission, "ana", gateway.HandledDelivered, "", noon.Add(time.Hour)), "")
		after := wrote(1, noon.Add(2*time.Hour), link.Submission)

		next := w.claim(w.text(north, phone(north, 1)), browser(2), noon.Add(3*time.Hour))
		w.page(next, noon.Add(3*time.Hour))
		sees(next.Submission, stranger, lost, after) // what was seen with the first is the first's
		sees(link.Submission, stranger, lost, during, after)
	})
}
