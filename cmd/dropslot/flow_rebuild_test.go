package main

import (
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
	r, x := newRig(t), &texter{}
	who := staffOf(demoOffice)
	id := r.papers(client)
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	view, err := r.desk.Submission(t.Context(), who, id)
	if err != nil {
		t.Fatal(err)
	}
	r.wait(time.Hour)
	if _, err := r.requestsBy(x).Send(t.Context(), who, gateway.RequestAsk{ID: r.sendingID(), Page: view.Pages[0].ID, Reason: gateway.AgainBlurry, Said: true}); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	claimed, err := r.claims.Claim(t.Context(), r.token(gateway.Answer{Body: x.bodies[0]}), b)
	if err != nil || claimed.Submission != id {
		t.Fatalf("the link leads to %s, %v", claimed.Submission, err)
	}
	if _, err := r.send(r.resume(id, b), "page-0000000000000009", r.sealed(picture(t, 99))); err != nil {
		t.Fatal(err)
	}
	after := r.lost()
	if report := after.reindex(); report.Restored != 3 || report.Missing+len(report.Damaged) != 0 {
		t.Errorf("report %+v", report)
	}
	if report := after.reindex(); report.Restored != 0 {
		t.Errorf("a second run restored %d pages", report.Restored)
	}
	view, err = after.desk.Submission(t.Context(), who, id)
	if err != nil || len(view.Pages) != 3 || view.Submission.State != gateway.SubmissionReceived || !view.Submission.Unfinished {
		t.Errorf("restored %d pages, %s, %v", len(view.Pages), view.Submission.State, err)
	}
}
