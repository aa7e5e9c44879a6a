package records

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func TestSessionHoldsWhatWasSaved(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		first := w.page(link, noon.Add(time.Minute))
		second := w.page(link, noon.Add(2*time.Minute))
		session, err := w.Session(t.Context(), link.Submission, browser(1))
		w.check(err, "")
		link.IdleAt = noon.Add(2*time.Minute + 2*time.Hour)
		want := gateway.Session{
			Link: link, Pages: []gateway.Page{first, second},
			Submission: gateway.Submission{
				ID: link.Submission, Office: north, Number: link.Number, Sender: link.Sender, Phone: link.Phone, Language: "es",
				State: gateway.SubmissionOpen, OpenedAt: noon, ArrivedAt: first.ReceivedAt, LastPageAt: second.ReceivedAt,
				Pages: 2, Bytes: 2000, Stage: gateway.StageNew,
			},
		}
		if diff := cmp.Diff(want, session); diff != "" {
			t.Errorf("session:\n%s", diff)
		}
		_, err = w.Session(t.Context(), link.Submission, browser(2))
		w.check(err, gateway.CodeNotFound)
		_, err = w.Session(t.Context(), link.Submission, gateway.BrowserHash{})
		w.check(err, gateway.CodeNotFound)
		w.proven()
	})
}

func TestSessionOfTheNewestOfSeveralLinks(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.session(north, 1)
		second := w.claim(w.text(north, phone(north, 1)), browser(1), noon.Add(time.Minute))
		session, err := w.Session(t.Context(), first.Submission, browser(1))
		w.check(err, "")
		if session.Link.ID != second.ID {
			t.Error("the session goes by the older link")
		}
	})
}

// The 201 was lost and the browser sends the page again; or it reuses a key.
func TestPageIsSentAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := w.page(link, noon)
		again := page
		again.ID, again.Blob = gateway.PageID(newID(t)), "submissions/another"
		saved, stored, err := w.SavePage(t.Context(), again, gateway.DefaultLimits(), entry(gateway.ActionPageReceived, ""))
		w.check(err, "")
		if stored || cmp.Diff(page, saved) != "" {
			t.Errorf("stored %v, page %+v", stored, saved)
		}
		other := again
		other.Same = gateway.Digest{1}
		_, _, err = w.SavePage(t.Context(), other, gateway.DefaultLimits())
		w.check(err, gateway.CodePageConflict)

		removed, err := w.RemovePage(t.Context(), link.ID, link.Submission, page.Key, gateway.Act{At: noon}, entry(gateway.ActionPageRemoved, ""))
		w.check(err, "")
		if removed.Blob != page.Blob || !removed.RemovedAt.Equal(noon) {
			t.Errorf("removed %+v", removed)
		}
		_, _, err = w.SavePage(t.Context(), again, gateway.DefaultLimits())
		w.check(err, gateway.CodePageRemoved)
		_, _, err = w.SavePage(t.Context(), other, gateway.DefaultLimits())
		w.check(err, gateway.CodePageRemoved)

		// The key is looked at before the session: a late retry gets its answer.
		w.page(link, noon)
		w.finish(link, noon)
		_, _, err = w.SavePage(t.Context(), again, gateway.DefaultLimits())
		w.check(err, gateway.CodePageRemoved)
		if n := w.count("audit WHERE action = 'page.received'"); n != 2 {
			t.Errorf("%d pages in the audit trail, want 2", n)
		}
		found, err := w.FindPage(t.Context(), link.Submission, page.Key)
		w.check(err, "")
		if diff := cmp.Diff(removed, found); diff != "" {
			t.Errorf("found:\n%s", diff)
		}
		_, err = w.FindPage(t.Context(), link.Submission, "none")
		w.check(err, gateway.CodeNotFound)
	})
}

// Many posts of the same page at once, at two intakes: one page.
func TestTheSamePageRaces(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		link := w.session(north, 1)
		page := newPage(t, link, noon)
		errs := race(20, func(i int) error {
			mine := page
			mine.ID = gateway.PageID(newID(t))
			mine.Blob += gateway.BlobName("-" + newID(t))
			store := w
			if i%2 == 0 {
				store = other
			}
			saved, _, err := store.SavePage(t.Context(), mine, gateway.DefaultLimits())
			if err == nil && saved.Key != page.Key {
				err = errors.New("another page came back")
			}
			return err
		})
		w.check(errors.Join(errs...), "")
		if n := w.count("pages"); n != 1 {
			t.Errorf("%d pages", n)
		}
	})
}

func TestPageAtTheEdgeOfTheSession(t *testing.T) {
	limits := gateway.DefaultLimits()
	edge := limits.SessionIdle + limits.CommitGrace
	onBoth(t, func(t *testing.T, w *world) {
		for i, test := range []struct {
			after time.Duration
			want  gateway.Code
		}{
			{edge - time.Millisecond, ""},
			{edge, gateway.CodeLinkExpired},
			{edge + time.Millisecond, gateway.CodeLinkExpired},
		} {
			link := w.session(north, i)
			_, _, err := w.SavePage(t.Context(), newPage(t, link, noon.Add(test.after)), limits)
			w.check(err, test.want)
		}
		// Pages keep a session alive until its end, and no longer.
		link := w.session(north, 10)
		for at := time.Hour; at < 24*time.Hour; at += time.Hour {
			w.page(link, noon.Add(at))
		}
		_, _, err := w.SavePage(t.Context(), newPage(t, link, noon.Add(24*time.Hour+limits.CommitGrace)), limits)
		w.check(err, gateway.CodeLinkExpired)
	})
}

func TestPageOfAStrangersLink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		mine, theirs := w.session(north, 1), w.session(north, 2)
		page := newPage(t, mine, noon)
		page.Submission = theirs.Submission
		_, _, err := w.SavePage(t.Context(), page, gateway.DefaultLimits())
		w.check(err, gateway.CodeNotFound)
		_, err = w.FinishSubmission(t.Context(), mine.ID, theirs.Submission, finish(t, noon))
		w.check(err, gateway.CodeNotFound)
		_, err = w.RemovePage(t.Context(), mine.ID, theirs.Submission, w.page(theirs, noon).Key, gateway.Act{At: noon})
		w.check(err, gateway.CodeNotFound)
	})
}

func TestCapsHoldUnderConcurrency(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i, test := range []struct {
			pages int
			bytes int64
			code  gateway.Code
		}{
			{pages: 7, bytes: 1 << 30, code: gateway.CodeTooManyPages},
			{pages: 100, bytes: 7999, code: gateway.CodeLinkFull},
		} {
			link := w.session(north, i)
			limits := gateway.DefaultLimits()
			limits.LinkPages, limits.LinkBytes = test.pages, test.bytes
			kept := 0
			for _, err := range race(20, func(i int) error {
				store := w
				if i%2 == 0 {
					store = other
				}
				_, _, err := store.SavePage(t.Context(), newPage(t, link, noon), limits)
				return err
			}) {
				if err == nil {
					kept++
				} else {
					w.check(err, test.code)
				}
			}
			session, err := w.Session(t.Context(), link.Submission, browser(i))
			w.check(err, "")
			if kept != 7 || session.Submission.Pages != 7 || len(session.Pages) != 7 || session.Submission.Bytes != 7000 {
				t.Errorf("%d were kept, the submission says %d pages and %d bytes", kept, session.Submission.Pages, session.Submission.Bytes)
			}
		}
	})
}

func TestRemovePage(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := w.page(link, noon)
		remove := func(at time.Time) error {
			_, err := w.RemovePage(t.Context(), link.ID, link.Submission, page.Key, gateway.Act{At: at}, entry(gateway.ActionPageRemoved, ""))
			return err
		}
		w.check(remove(link.IdleAt.Add(time.Hour)), gateway.CodeLinkExpired)
		w.check(remove(noon), "")
		w.check(remove(noon.Add(100*time.Hour)), "")
		if n := w.count("audit WHERE action = 'page.removed'"); n != 1 {
			t.Errorf("%d removals in the audit trail", n)
		}
		session, err := w.Session(t.Context(), link.Submission, browser(1))
		w.check(err, "")
		if s := session.Submission; s.Pages != 0 || s.Bytes != 0 || !s.ArrivedAt.IsZero() || len(session.Pages) != 0 {
			t.Errorf("submission %+v", s)
		}
		page = w.page(link, noon.Add(time.Minute))
		w.finish(link, noon)
		w.check(remove(noon), gateway.CodeLinkClosed)
		_, err = w.RemovePage(t.Context(), link.ID, link.Submission, "none", gateway.Act{At: noon})
		w.check(err, gateway.CodeNotFound)
	})
}

// A page that was taken back while it was on its way is not taken, however late
// it comes; one that came first is told of.
func TestAPageThatWasTakenBackOnItsWayIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := newPage(t, link, noon)
		refuse := func(key gateway.PageKey, at time.Time) (bool, error) {
			return w.RefusePage(t.Context(), link.ID, link.Submission, key, gateway.Act{At: at, IdleAt: noon.Add(time.Hour)})
		}
		for range 2 {
			there, err := refuse(page.Key, noon)
			if err != nil || there {
				t.Fatalf("there: %v, %v", there, err)
			}
		}
		_, _, err := w.SavePage(t.Context(), page, gateway.DefaultLimits())
		w.check(err, gateway.CodePageRemoved)
		came := w.page(link, noon)
		if there, err := refuse(came.Key, noon); err != nil || !there {
			t.Errorf("a page that is there: %v, %v", there, err)
		}
		w.finish(link, noon)
		_, err = refuse("another-key-000001", noon)
		w.check(err, gateway.CodeLinkClosed)
		if w.count("taken_back") != 1 || w.count("pages") != 1 {
			t.Errorf("%d are noted, %d pages", w.count("taken_back"), w.count("pages"))
		}
	})
}

func TestFinish(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		_, err := w.FinishSubmission(t.Context(), link.ID, link.Submission, finish(t, noon))
		w.check(err, gateway.CodeNoPages)
		w.page(link, noon)
		done := w.finish(link, noon.Add(time.Minute))
		if done.State != gateway.SubmissionReceived || done.Unfinished || !done.FinishedAt.Equal(noon.Add(time.Minute)) || string(done.SealedName) != "sealed name" {
			t.Errorf("finished %+v", done)
		}
		again, err := w.FinishSubmission(t.Context(), link.ID, link.Submission, finish(t, noon.Add(time.Hour)), entry(gateway.ActionSubmissionDone, ""))
		w.check(err, "")
		if diff := cmp.Diff(done, again); diff != "" {
			t.Errorf("finishing again changed it:\n%s", diff)
		}
		if n := w.count("audit WHERE action = 'submission.done'"); n != 1 {
			t.Errorf("%d ends in the audit trail", n)
		}
		session, err := w.Session(t.Context(), link.Submission, browser(1))
		w.check(err, "")
		if session.Link.State != gateway.LinkClosed {
			t.Errorf("the link is %s", session.Link.State)
		}
		_, _, err = w.SavePage(t.Context(), newPage(t, link, noon), gateway.DefaultLimits())
		w.check(err, gateway.CodeLinkClosed)
	})
}

// "I'm done" and the last page at the same moment: every page that was
// acknowledged belongs to the submission, and none comes after its end.
func TestFinishAgainstSave(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i := range 10 {
			link := w.session(north, i)
			w.page(link, noon)
			var done gateway.Submission
			errs := race(6, func(side int) (err error) {
				if side == 0 {
					done, err = w.FinishSubmission(t.Context(), link.ID, link.Submission, finish(t, noon))
					return err
				}
				_, _, err = other.SavePage(t.Context(), newPage(t, link, noon), gateway.DefaultLimits())
				return err
			})
			w.check(errs[0], "")
			kept := 1
			for _, err := range errs[1:] {
				if err == nil {
					kept++
				} else {
					w.check(err, gateway.CodeLinkClosed)
				}
			}
			_, pages, err := w.SubmissionPages(t.Context(), link.Submission)
			w.check(err, "")
			if done.Pages != kept || len(pages) != kept {
				t.Fatalf("%d pages were acknowledged, %d counted at the end, %d are there", kept, done.Pages, len(pages))
			}
		}
	})
}
