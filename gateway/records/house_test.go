package records

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func (w *world) expire(at time.Time, limit int) []gateway.Submission {
	w.t.Helper()
	ended, err := w.ExpireSubmissions(w.t.Context(), at, gateway.DefaultLimits().CommitGrace, limit, func(s gateway.Submission) gateway.AuditEntry {
		return entry(gateway.ActionSubmissionExpired, "submission:"+string(s.ID))
	})
	w.check(err, "")
	return ended
}

func TestExpire(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		filled, empty := w.session(north, 1), w.session(north, 2)
		w.page(filled, noon)
		done := w.session(north, 3)
		w.page(done, noon)
		finished := w.finish(done, noon)
		edge := noon.Add(2*time.Hour + gateway.DefaultLimits().CommitGrace)

		if early := w.expire(edge.Add(-time.Millisecond), 10); len(early) != 0 {
			t.Fatalf("%d ended early", len(early))
		}
		ended := w.expire(edge, 10)
		if len(ended) != 1 || ended[0].ID != filled.Submission || ended[0].State != gateway.SubmissionReceived || !ended[0].Unfinished || !ended[0].FinishedAt.Equal(edge) {
			t.Fatalf("ended %+v", ended)
		}
		s, _, err := w.SubmissionPages(t.Context(), empty.Submission)
		w.check(err, "")
		if s.State != gateway.SubmissionEmpty || s.Unfinished {
			t.Errorf("without a page: %+v", s)
		}
		s, _, err = w.SubmissionPages(t.Context(), done.Submission)
		w.check(err, "")
		if diff := cmp.Diff(finished, s); diff != "" {
			t.Errorf("the finished one changed:\n%s", diff)
		}
		if again := w.expire(edge.Add(time.Hour), 10); len(again) != 0 {
			t.Errorf("%d ended twice", len(again))
		}
		if n := w.count("audit WHERE action = 'submission.expired'"); n != 2 {
			t.Errorf("%d ends in the audit trail, want 2", n)
		}
		_, err = w.FinishSubmission(t.Context(), filled.ID, filled.Submission, finish(t, noon))
		w.check(err, gateway.CodeLinkExpired)
		_, _, err = w.SavePage(t.Context(), newPage(t, filled, noon), gateway.DefaultLimits())
		w.check(err, gateway.CodeLinkClosed)
	})
}

func TestExpireWaitsForEveryLink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.page(w.session(north, 1), noon)
		later := noon.Add(3 * time.Hour)
		w.claim(w.text(north, phone(north, 1)), browser(2), later)
		if ended := w.expire(later, 10); len(ended) != 0 {
			t.Error("a second session of the submission was cut off")
		}
		w.text(north, phone(north, 1)) // a link that nobody claims keeps nothing open
		if ended := w.expire(later.Add(3*time.Hour), 10); len(ended) != 1 {
			t.Error("the submission was not ended")
		}
	})
}

func TestExpireTakesThoseWithPagesFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i := range 4 {
			w.session(north, i)
		}
		link := w.session(north, 10)
		w.page(link, noon)
		if ended := w.expire(noon.Add(48*time.Hour), 2); len(ended) != 1 || ended[0].ID != link.Submission {
			t.Errorf("ended %+v", ended)
		}
		if n := w.count("submissions WHERE state = 'open'"); n != 3 {
			t.Errorf("%d are open, want 3", n)
		}
	})
}

// A page whose body began in time is stored while the clock ends the
// submission, at another process: either it counts, or it was refused.
func TestExpireAgainstSave(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		edge := noon.Add(2*time.Hour + gateway.DefaultLimits().CommitGrace)
		for i := range 10 {
			link := w.session(north, i)
			w.page(link, noon)
			errs := race(2, func(side int) error {
				if side == 0 {
					_, err := w.ExpireSubmissions(t.Context(), edge, gateway.DefaultLimits().CommitGrace, 10, func(gateway.Submission) gateway.AuditEntry {
						return entry(gateway.ActionSubmissionExpired, "")
					})
					return err
				}
				_, _, err := other.SavePage(t.Context(), newPage(t, link, edge.Add(-time.Millisecond)), gateway.DefaultLimits())
				return err
			})
			w.check(errs[0], "")
			s, pages, err := w.SubmissionPages(t.Context(), link.Submission)
			w.check(err, "")
			switch {
			case errs[1] == nil && (len(pages) != 2 || s.State != gateway.SubmissionOpen):
				t.Fatalf("an acknowledged page and an ended submission: %+v", s)
			case errs[1] != nil && s.State != gateway.SubmissionReceived:
				t.Fatalf("a page was refused (%v) and the submission is %s", errs[1], s.State)
			}
		}
	})
}

func TestArchiving(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var want []gateway.SubmissionID
		for i := range 3 {
			link := w.session(north, i)
			w.page(link, noon)
			w.finish(link, noon.Add(time.Duration(i)*time.Minute))
			want = append(want, link.Submission)
		}
		w.session(north, 10)
		w.expire(noon.Add(48*time.Hour), 10)
		slices.Sort(want)
		unarchived := func(limit int) (ids []gateway.SubmissionID) {
			list, err := w.Unarchived(t.Context(), "", limit)
			w.check(err, "")
			for _, s := range list {
				ids = append(ids, s.ID)
			}
			return ids
		}
		if diff := cmp.Diff(want, unarchived(10)); diff != "" {
			t.Errorf("by identifier, those with pages:\n%s", diff)
		}
		stale, err := w.Unarchived(t.Context(), "", 1)
		w.check(err, "")
		stale[0].Pages++ // a page came while the manifest was written
		w.check(w.MarkArchived(t.Context(), stale[0], noon), "")
		if diff := cmp.Diff(want, unarchived(10)); diff != "" {
			t.Errorf("a manifest that lacks a page counts:\n%s", diff)
		}
		stale[0].Pages--
		w.check(w.MarkArchived(t.Context(), stale[0], noon), "")
		if diff := cmp.Diff(want[1:2], unarchived(1)); diff != "" {
			t.Errorf("the next one:\n%s", diff)
		}
	})
}

func TestKnownBlobs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		kept, removed := w.page(link, noon), w.page(link, noon)
		_, err := w.RemovePage(t.Context(), link.ID, link.Submission, removed.Key, gateway.Act{At: noon})
		w.check(err, "")
		got, err := w.KnownBlobs(t.Context(), link.Submission, []gateway.BlobName{kept.Blob, removed.Blob, "leftover"})
		w.check(err, "")
		want := map[gateway.BlobName]gateway.BlobStanding{
			kept.Blob: gateway.BlobCounts, removed.Blob: gateway.BlobRemoved, "leftover": gateway.BlobOrphan,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("standings:\n%s", diff)
		}
		got, err = w.KnownBlobs(t.Context(), "elsewhere", []gateway.BlobName{kept.Blob, "leftover"})
		w.check(err, "")
		want = map[gateway.BlobName]gateway.BlobStanding{kept.Blob: gateway.BlobCounts, "leftover": gateway.BlobUnknown}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of a submission that is not known:\n%s", diff)
		}
	})
}

// A reindex puts back what a lost database held, and changes nothing when it
// runs again, beside a live server, or with page identifiers of its own.
func TestRestore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		pages := []gateway.Page{w.page(link, noon)}
		removed := w.page(link, noon.Add(time.Second))
		removed, err := w.RemovePage(t.Context(), link.ID, link.Submission, removed.Key, gateway.Act{At: noon.Add(3 * time.Minute)})
		w.check(err, "")
		pages = append(pages, w.page(link, noon.Add(time.Minute)))
		w.finish(link, noon.Add(time.Hour))
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, link.Submission, "ann", gateway.HandledDelivered, "", noon), "")
		submission, _, err := w.SubmissionPages(t.Context(), link.Submission)
		w.check(err, "")

		lost := openWorld(t, readySQLite(t))
		if w.dialect.ordered() {
			lost = openWorld(t, w.url)
			lost.raw("TRUNCATE pages, submissions, links, senders, audit CASCADE")
		}
		restore := func(pages ...gateway.Page) int {
			n, _, err := lost.RestoreSubmission(t.Context(), submission, pages, nil, entry(gateway.ActionReindexed, ""))
			lost.check(err, "")
			return n
		}
		if n := restore(pages[0]); n != 1 {
			t.Errorf("%d pages were new, want 1", n)
		}
		unlisted := pages[0]
		unlisted.ID, unlisted.Key = gateway.PageID(newID(t)), "another-key-for-it"
		if n := restore(pages[0], pages[1], removed, unlisted); n != 2 {
			t.Errorf("%d pages were new, want 2", n)
		}
		errs := race(4, func(int) error {
			n, _, err := lost.RestoreSubmission(t.Context(), submission, append(pages, removed), nil, entry(gateway.ActionReindexed, ""))
			if n != 0 {
				err = errors.New("a page was new again")
			}
			return err
		})
		lost.check(errors.Join(errs...), "")
		got, gotPages, err := lost.SubmissionPages(t.Context(), link.Submission)
		lost.check(err, "")
		if diff := cmp.Diff(submission, got); diff != "" {
			t.Errorf("submission:\n%s", diff)
		}
		if diff := cmp.Diff(pages, gotPages); diff != "" {
			t.Errorf("pages:\n%s", diff)
		}
		inbox, err := lost.Inbox(t.Context(), gateway.InboxQuery{Offices: []gateway.OfficeID{north}, Stage: gateway.StageDone, Limit: 10})
		lost.check(err, "")
		if len(inbox) != 1 {
			t.Errorf("%d handled submissions in the inbox", len(inbox))
		}
		if n := lost.count("audit"); n != 2 {
			t.Errorf("%d audit rows, want one for each restore that put something back", n)
		}
	})
}
