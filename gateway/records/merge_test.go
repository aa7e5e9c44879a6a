package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

var norths = []gateway.OfficeID{north}

func (w *world) merge(from, into gateway.Submission, want gateway.Code) {
	w.t.Helper()
	w.check(w.Merge(w.t.Context(), norths, from.ID, into.ID, entry(gateway.ActionMerged, "")), want)
}

func (w *world) submission(id gateway.SubmissionID) (gateway.Submission, []gateway.Page) {
	w.t.Helper()
	s, pages, err := w.Submission(w.t.Context(), norths, id)
	w.check(err, "")
	return s, pages
}

func TestMerge(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, page := w.arrived(north, 1, noon.Add(-time.Hour))
		b, other := w.arrived(north, 1, noon)
		remark := gateway.Remark{ID: gateway.RemarkID(newID(t)), Submission: a.ID, Staff: "ann", At: noon, Sealed: []byte("called")}
		w.check(w.AddRemark(t.Context(), norths, remark, entry(gateway.ActionRemarked, "")), "")
		number := gateway.SealedCase{Sealed: []byte("sealed case"), Index: gateway.CaseIndex{7}}
		w.check(w.ChangeSubmission(t.Context(), norths, a.ID, gateway.SubmissionChange{Case: &number}, entry(gateway.ActionCaseSet, "")), "")
		unopened := w.text(north, phone(north, 1)) // leads where the sender's submission was

		w.merge(a, b, "")
		w.merge(a, b, "") // the form came twice
		if n := w.count("audit WHERE action = 'submission.merged'"); n != 1 {
			t.Errorf("%d rows in the audit trail", n)
		}
		merged, left := w.submission(a.ID)
		into, pages := w.submission(b.ID)
		if len(left) != 0 || merged.MergedInto != b.ID || merged.Pages != 0 || len(pages) != 2 || into.Pages != 2 || into.Bytes != 2000 {
			t.Errorf("merged %+v with %d pages into %+v with %d", merged, len(left), into, len(pages))
		}
		if into.CaseIndex != number.Index || !into.ArrivedAt.Equal(page.ReceivedAt) {
			t.Errorf("the other one: %+v", into)
		}
		w.wantListed("inbox", gateway.InboxQuery{}, into)
		beside, err := w.Beside(t.Context(), into)
		w.check(err, "")
		if len(beside.Remarks) != 1 || len(beside.Others) != 0 || len(beside.Home) != 1 {
			t.Errorf("beside: %+v", beside)
		}
		// What the sweep asks, and what the manifest of each folder tells.
		standings, err := w.KnownBlobs(t.Context(), a.ID, []gateway.BlobName{page.Blob})
		w.check(err, "")
		if standings[page.Blob] != gateway.BlobCounts {
			t.Errorf("the moved page's object may be swept: %v", standings)
		}
		_, sent, err := w.SubmissionPages(t.Context(), a.ID)
		w.check(err, "")
		if len(sent) != 1 || sent[0].ID != page.ID || sent[0].Submission != b.ID || sent[0].Home != a.ID {
			t.Errorf("sent to the merged one: %+v", sent)
		}
		if _, sent, err = w.SubmissionPages(t.Context(), b.ID); err != nil || len(sent) != 1 || sent[0].ID != other.ID {
			t.Errorf("sent to the other: %+v, %v", sent, err)
		}
		waiting, err := w.Unarchived(t.Context(), "", 10)
		w.check(err, "")
		if len(waiting) != 2 {
			t.Errorf("%d manifests are to be written, want both", len(waiting))
		}
		// A link that nobody had opened begins a fresh submission.
		claimed := w.claim(unopened, browser(9), noon.Add(time.Hour))
		if claimed.Submission == a.ID || claimed.Submission == b.ID {
			t.Errorf("the client adds to what a caseworker works on: %s", claimed.Submission)
		}
	})
}

// Papers of two cases that become one: both numbers find them.
func TestTheSecondCaseNumberOfAMergeIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var all []gateway.Submission
		for i := range 4 {
			s, _ := w.arrived(north, 1, noon)
			number := gateway.SealedCase{Sealed: []byte{byte(i)}, Index: gateway.CaseIndex{byte(1 + i%3)}} // the last is the first's again
			w.check(w.ChangeSubmission(t.Context(), norths, s.ID, gateway.SubmissionChange{Case: &number}, entry(gateway.ActionCaseSet, "")), "")
			all = append(all, s)
		}
		w.merge(all[2], all[1], "")
		w.merge(all[1], all[0], "") // with what was merged into it
		w.merge(all[3], all[0], "")
		for index := byte(1); index <= 3; index++ {
			found, err := w.FindCase(t.Context(), map[gateway.OfficeID]gateway.CaseIndex{north: {index}}, 10)
			w.check(err, "")
			if len(found) != 1 || found[0].ID != all[0].ID || found[0].CaseIndex != (gateway.CaseIndex{1}) {
				t.Errorf("case %d finds %+v", index, found)
			}
		}
		beside, err := w.Beside(t.Context(), all[0])
		w.check(err, "")
		kept := map[string]bool{}
		for _, home := range beside.Home {
			kept[string(home.SealedCase)] = true
		}
		if len(kept) != 3 || !kept["\x01"] || !kept["\x02"] {
			t.Errorf("beside: %v", kept)
		}
	})
}

// Who sent the pages finds them as before: a retry is known, and the receipt
// counts them.
func TestTheSenderFindsWhatWasMoved(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := w.page(link, noon)
		w.finish(link, noon)
		b, own := w.arrived(north, 1, noon)
		w.check(w.MovePage(t.Context(), norths, page.ID, b.ID, entry(gateway.ActionPageMoved, "")), "")

		session, err := w.Session(t.Context(), link.Submission, browser(1))
		w.check(err, "")
		if len(session.Pages) != 1 || session.Pages[0].ID != page.ID {
			t.Errorf("the sender's pages: %+v", session.Pages)
		}
		again := page
		again.ID = gateway.PageID(newID(t))
		got, stored, err := w.SavePage(t.Context(), again, gateway.DefaultLimits())
		w.check(err, "")
		if stored || got.ID != page.ID {
			t.Errorf("a retry was stored anew: %+v", got)
		}
		_, pages := w.submission(b.ID)
		if len(pages) != 2 {
			t.Errorf("%d pages in the target", len(pages))
		}
		// Back home it is as if nothing had been.
		back := gateway.Submission{ID: link.Submission}
		w.check(w.MovePage(t.Context(), norths, page.ID, back.ID, entry(gateway.ActionPageMoved, "")), "")
		home, pages := w.submission(back.ID)
		if len(pages) != 1 || pages[0].Home != "" || pages[0].Key != page.Key || home.Pages != 1 {
			t.Errorf("back home: %+v", pages)
		}
		if _, pages = w.submission(b.ID); len(pages) != 1 || pages[0].ID != own.ID {
			t.Errorf("the target keeps its own: %+v", pages)
		}
	})
}

// Browsers choose keys: two pages of one submission may then have the same.
func TestKeysThatMeet(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := w.page(link, noon)
		w.finish(link, noon)
		second := w.session(north, 1)
		same := newPage(t, second, noon)
		same.Key = page.Key
		_, stored, err := w.SavePage(t.Context(), same, gateway.DefaultLimits())
		w.check(err, "")
		w.finish(second, noon)
		w.check(w.MovePage(t.Context(), norths, page.ID, second.Submission, entry(gateway.ActionPageMoved, "")), "")
		got, err := w.FindPage(t.Context(), link.Submission, page.Key)
		w.check(err, "")
		own, err := w.FindPage(t.Context(), second.Submission, page.Key)
		w.check(err, "")
		if !stored || got.ID != page.ID || own.ID != same.ID {
			t.Errorf("found %s and %s, want %s and %s", got.ID, own.ID, page.ID, same.ID)
		}
	})
}

func TestWhatCannotBeMerged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, page := w.arrived(north, 1, noon)
		stranger, _ := w.arrived(north, 2, noon)
		elsewhere, _ := w.arrived(south, 1, noon)
		done, _ := w.arrived(north, 1, noon)
		w.check(w.HandleSubmission(t.Context(), norths, done.ID, "ann", gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, "")), "")
		open := w.session(north, 1)
		w.page(open, noon)
		live := gateway.Submission{ID: open.Submission, Office: north}

		w.merge(a, a, gateway.CodeNotMergeable)
		w.merge(a, stranger, gateway.CodeNotMergeable)
		w.merge(a, elsewhere, gateway.CodeNotFound)
		w.merge(elsewhere, a, gateway.CodeNotFound)
		w.merge(a, done, gateway.CodeNotMergeable)
		w.merge(a, live, gateway.CodeNotMergeable)
		w.merge(live, a, gateway.CodeNotMergeable)
		move := func(to gateway.SubmissionID, want gateway.Code) {
			t.Helper()
			w.check(w.MovePage(t.Context(), norths, page.ID, to, entry(gateway.ActionPageMoved, "")), want)
		}
		move(live.ID, gateway.CodeNotMergeable)
		move(done.ID, gateway.CodeNotMergeable)
		move(elsewhere.ID, gateway.CodeNotFound)
		move("0000000000000000000000nope", gateway.CodeNotFound)
		w.check(w.MovePage(t.Context(), []gateway.OfficeID{north, south}, page.ID, elsewhere.ID, entry(gateway.ActionPageMoved, "")), gateway.CodeNotMergeable)
		if n := w.count("pages WHERE home <> ''") + w.count("submissions WHERE merged_into <> ''") + w.count("audit WHERE action IN ('submission.merged', 'page.moved')"); n != 0 {
			t.Error("something was merged all the same")
		}
		move(stranger.ID, "") // a page that was sent by the wrong person
		w.merge(done, a, "")  // what was done comes back to what is not
	})
}

// Two that are merged into each other at once: one wins, nothing is lost.
func TestMergesThatRace(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, _ := w.arrived(north, 1, noon)
		b, _ := w.arrived(north, 1, noon)
		other := w.another()
		errs := race(2, func(i int) error {
			if i == 0 {
				return w.Merge(t.Context(), norths, a.ID, b.ID, entry(gateway.ActionMerged, ""))
			}
			return other.Merge(t.Context(), norths, b.ID, a.ID, entry(gateway.ActionMerged, ""))
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !gateway.Is(err, gateway.CodeNotMergeable) {
				t.Error(err)
			}
		}
		_, left := w.submission(a.ID)
		_, right := w.submission(b.ID)
		if won != 1 || len(left)+len(right) != 2 || len(left)*len(right) != 0 {
			t.Errorf("%d won; %d and %d pages", won, len(left), len(right))
		}
	})
}

// A picture that was being fetched while its submission was merged arrives in
// the other one, and its object is known where it lies.
func TestAPictureOnItsWayFollowsTheMerge(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, page := w.arrived(north, 1, noon)
		b, _ := w.arrived(north, 1, noon)
		text := newText(t, north, phone(north, 1))
		_, _, err := w.ReceiveText(t.Context(), text, answerWith(newLink(t, north, text.Sender, noon)))
		w.check(err, "")
		w.merge(a, b, "")
		picture := page
		picture.ID, picture.Key, picture.Text, picture.Link = gateway.PageID(newID(t)), "ME0123456789abcdef", text.ID, ""
		picture.Blob += "x"
		stored, err := w.SavePicture(t.Context(), picture, "", gateway.DefaultLimits(), func(gateway.Code) gateway.AuditEntry {
			return entry(gateway.ActionPageReceived, "")
		})
		w.check(err, "")
		_, pages := w.submission(b.ID)
		if !stored || len(pages) != 3 {
			t.Errorf("stored %v, %d pages", stored, len(pages))
		}
		if merged, left := w.submission(a.ID); len(left) != 0 || merged.Reached() {
			t.Errorf("the merged one is in the inbox again: %+v", merged)
		}
	})
}

// The time of a submission that holds another's papers ends with that one: then
// both go, with all that lies in both folders.
func TestErasureTakesWhatWasMerged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, page := w.arrived(north, 1, noon)
		b, _ := w.arrived(north, 1, noon)
		giver, moved := w.arrived(north, 2, noon)
		kept, _ := w.arrived(north, 2, noon)
		w.merge(a, b, "")
		w.check(w.MovePage(t.Context(), norths, moved.ID, b.ID, entry(gateway.ActionPageMoved, "")), "")
		handle := func(id gateway.SubmissionID) {
			w.check(w.HandleSubmission(t.Context(), norths, id, "ann", gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, "")), "")
		}
		handle(giver.ID)
		handle(kept.ID)
		terms := gateway.Terms{Now: noon.Add(100 * 24 * time.Hour), Offices: map[gateway.OfficeID]time.Duration{north: 90 * 24 * time.Hour}, Rows: 365 * 24 * time.Hour}
		w.raw("UPDATE texts SET due_at = 0, step = 'done'")
		due := func() (ids []gateway.SubmissionID) {
			list, err := w.DueSubmissions(t.Context(), north, terms, "", 10)
			w.check(err, "")
			for _, d := range list {
				ids = append(ids, d.ID)
			}
			return ids
		}
		if got := due(); len(got) != 1 || got[0] != kept.ID {
			t.Fatalf("due: %v; the giver's folder holds a page of another, the merged one goes with the other", got)
		}
		handle(b.ID)
		erased, err := w.EraseDue(t.Context(), gateway.Due{ID: b.ID, Office: north, Why: gateway.ErasedDone}, terms, entry(gateway.ActionErased, "submission:"+string(b.ID)))
		w.check(err, "")
		stones, err := w.Tombstoned(t.Context(), []gateway.SubmissionID{a.ID, b.ID, giver.ID})
		w.check(err, "")
		if !erased || len(stones) != 2 || w.count("submissions") != 2 {
			t.Errorf("erased %v, tombstones %v, %d submissions are left", erased, stones, w.count("submissions"))
		}
		// The page that was moved alone is swept where its object lies.
		standings, err := w.KnownBlobs(t.Context(), giver.ID, []gateway.BlobName{moved.Blob, page.Blob})
		w.check(err, "")
		if standings[moved.Blob] != gateway.BlobRemoved {
			t.Errorf("the moved page's object: %v", standings)
		}
		if _, pages := w.submission(giver.ID); len(pages) != 0 {
			t.Errorf("an erased page is shown again: %+v", pages)
		}
	})
}

func TestWhatIsHeldStaysWhereItIs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, page := w.arrived(north, 1, noon)
		b, _ := w.arrived(north, 1, noon)
		_, err := w.SaveHold(t.Context(), norths, gateway.Hold{Submission: a.ID, Staff: "ann", Reason: "litigation", At: noon}, entry(gateway.ActionSubmissionViewed, ""))
		w.check(err, "")
		w.merge(a, b, gateway.CodeNotMergeable)
		w.check(w.MovePage(t.Context(), norths, page.ID, b.ID, entry(gateway.ActionPageMoved, "")), gateway.CodeNotMergeable)
	})
}
