package main

import (
	"reflect"
	"testing"
	"time"

	"dropslot/gateway"
)

// What staff decided about papers is told by the vault too, so that lost
// records bring back no work that is done, and no retention begins anew.
func TestAReindexKeepsWhatIsDoneAndWhoHasTheRest(t *testing.T) {
	r := newRig(t)
	who := staffOf(demoOffice)
	done, waiting := r.papers(client), r.submits("+13125550143", picture(t, 132))
	at := r.now().Add(-time.Minute)
	stage := gateway.StageWaiting
	if err := r.threads().SetStage(t.Context(), who, waiting, stage); err != nil {
		t.Fatal(err)
	}
	r.sql("UPDATE submissions SET assigned = 'an account that is gone' WHERE id = '" + string(waiting) + "'")
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := r.lost()
	if report := after.reindex(); report.Restored != 3 {
		t.Errorf("report %+v", report)
	}
	view, err := after.desk.Submission(t.Context(), who, waiting)
	if err != nil || view.Submission.Stage != stage || view.Submission.Assigned != "" {
		t.Errorf("restored as %q of %q, %v", view.Submission.Stage, view.Submission.Assigned, err)
	}
	view, err = after.desk.Submission(t.Context(), who, done)
	s := view.Submission
	if err != nil || s.State != gateway.SubmissionHandled || s.HandledAs != gateway.HandledDelivered || s.HandledBy != who.Staff.ID || s.HandledAt.After(at) {
		t.Errorf("restored as %s, %s by %q at %v, %v", s.State, s.HandledAs, s.HandledBy, s.HandledAt, err)
	}
	after.keep()
	after.wait(90 * days)
	after.keep() // it was off for long
	after.wait(25 * time.Hour)
	after.keep()
	if _, err := after.desk.Submission(t.Context(), who, done); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("90 days after it was done: %v", err)
	}
	if _, err := after.desk.Submission(t.Context(), who, waiting); err != nil {
		t.Errorf("what was not done: %v", err)
	}
}

// A page that is sent once more comes after a manifest that tells of the end.
// Lost right after it was acknowledged, it is found, and the papers are not done.
func TestAPageAfterTheManifestIsNotLost(t *testing.T) {
	r := newRig(t)
	who := staffOf(demoOffice)
	id := r.papers(client)
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.sendsFirstPageAgain(id)
	after := r.lost()
	if report := after.reindex(); report.Restored != 3 || report.Missing+len(report.Damaged) != 0 {
		t.Errorf("report %+v", report)
	}
	if report := after.reindex(); report.Restored != 0 {
		t.Errorf("a second run restored %d pages", report.Restored)
	}
	view, err := after.desk.Submission(t.Context(), who, id)
	if err != nil || len(view.Pages) != 3 || view.Submission.State != gateway.SubmissionReceived || !view.Submission.Unfinished {
		t.Errorf("restored %d pages, %s, %v", len(view.Pages), view.Submission.State, err)
	}
}

// sendsFirstPageAgain has the first page asked for once more, because it is
// blurry, and sent. It gives both, and the browser whose session goes on.
func (r *rig) sendsFirstPageAgain(id gateway.SubmissionID) (old, fresh gateway.PageID, b gateway.Browser) {
	r.t.Helper()
	x, who := &texter{}, staffOf(demoOffice)
	view, err := r.desk.Submission(r.t.Context(), who, id)
	if err != nil {
		r.t.Fatal(err)
	}
	old = view.Pages[0].ID
	r.wait(time.Hour)
	if _, err := r.requestsBy(x).Send(r.t.Context(), who, gateway.RequestAsk{ID: r.sendingID(), Page: old, Reason: gateway.AgainBlurry, Said: true}); err != nil {
		r.t.Fatal(err)
	}
	b = newBrowser(r.t)
	claimed, err := r.claims.Claim(r.t.Context(), r.token(gateway.Answer{Body: x.bodies[0]}), b)
	if err != nil || claimed.Submission != id {
		r.t.Fatalf("the link leads to %s, %v", claimed.Submission, err)
	}
	page, err := r.send(r.resume(id, b), "page-0000000000000009", r.sealed(picture(r.t, 99)))
	if err != nil {
		r.t.Fatal(err)
	}
	return old, page.ID, b
}

// Which page came instead of which is told by the vault, and so is why: what is
// handed on after the records were lost is the new picture, as before.
func TestAReindexKeepsWhichPageCameInsteadOfWhich(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	old, fresh, b := r.sendsFirstPageAgain(id)
	if _, err := r.uploads.Finish(t.Context(), r.resume(id, b), gateway.Name{}); err != nil {
		t.Fatal(err)
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := func(r *rig) {
		t.Helper()
		view, err := r.desk.Submission(t.Context(), staffOf(demoOffice), id)
		if err != nil {
			t.Fatal(err)
		}
		want := gateway.Wish{Page: old, Reason: gateway.AgainBlurry}
		if again := view.Again; len(again.By) != 1 || again.By[old] != fresh || len(again.Wishes) != 1 || !reflect.DeepEqual(again.Wishes[fresh], want) {
			t.Errorf("%+v", again)
		}
	}
	told(r)
	after := r.lost()
	if report := after.reindex(); report.Restored != 3 {
		t.Errorf("report %+v", report)
	}
	told(after)
	// The next manifest, which counts over the first, tells it as well.
	after.sql("UPDATE submissions SET archived_at = 0")
	after.wait(time.Second)
	if err := after.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := after.lost()
	later.reindex()
	told(later)
}
