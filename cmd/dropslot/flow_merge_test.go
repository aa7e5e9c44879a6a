package main

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"dropslot/gateway"
)

func (r *rig) threads() *gateway.Threads {
	return &gateway.Threads{
		Directory: r.directory, Records: r.records, Audit: r.records, Sealer: r.sealer, Opener: r.opener,
		Phones: r.phones, Blind: gateway.NewBlind(r.key), Now: r.now,
	}
}

// submits sends pages of one phone and says that they are all.
func (r *rig) submits(phone string, contents ...[]byte) gateway.SubmissionID {
	r.t.Helper()
	s, b := r.session(phone)
	for i, content := range contents {
		if _, err := r.send(s, "page-000000000000000"+strconv.Itoa(i+1), r.sealed(content)); err != nil {
			r.t.Fatal(err)
		}
		r.wait(time.Second)
	}
	if _, err := r.uploads.Finish(r.t.Context(), r.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
		r.t.Fatal(err)
	}
	r.wait(time.Minute)
	return s.Submission.ID
}

// What caseworkers merged and moved lies where it was sent, is never swept, and
// is where they put it after the records were lost.
func TestAReindexKeepsWhatWasMergedAndMoved(t *testing.T) {
	r := newRig(t)
	who := staffOf(demoOffice)
	who.Staff.ID = "06h0685201hf1sd8ceuts6isjs"
	first := r.submits(client, picture(t, 131))
	second := r.submits(client, picture(t, 132))
	giver := r.submits("+13125550143", picture(t, 133), picture(t, 134))
	threads := r.threads()
	if err := threads.SetCase(t.Context(), who, first, "12-345/B"); err != nil {
		t.Fatal(err)
	}
	if err := threads.AddRemark(t.Context(), who, first, "06h068520027dmlp1chjvecmk8", "called"); err != nil {
		t.Fatal(err)
	}
	if err := threads.Merge(t.Context(), who, first, second); err != nil {
		t.Fatal(err)
	}
	view, err := r.desk.Submission(t.Context(), who, giver)
	if err != nil {
		t.Fatal(err)
	}
	if err := threads.MovePage(t.Context(), who, view.Pages[1].ID, second); err != nil {
		t.Fatal(err)
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}

	check := func(when string, r *rig) {
		t.Helper()
		view, err := r.desk.Submission(t.Context(), who, second)
		if err != nil {
			t.Fatal(err)
		}
		if len(view.Pages) != 3 || view.Case != "12-345/B" {
			t.Fatalf("%s: %d pages, case %q", when, len(view.Pages), view.Case)
		}
		for _, n := range []uint8{131, 132, 134} {
			found := false
			for _, page := range view.Pages {
				found = found || bytes.Equal(r.opened(page.ID), picture(t, n))
			}
			if !found {
				t.Errorf("%s: picture %d is not there", when, n)
			}
		}
		panel, err := r.threads().Panel(t.Context(), who, view.Submission, r.now())
		if err != nil || len(panel.Remarks) != 1 || panel.Remarks[0].Words != "called" || len(panel.Merged) != 1 {
			t.Errorf("%s: %+v, %v", when, panel, err)
		}
		rest, err := r.desk.Submission(t.Context(), who, giver)
		if err != nil || len(rest.Pages) != 1 {
			t.Errorf("%s: %d pages are left, %v", when, len(rest.Pages), err)
		}
		rows, err := r.desk.Inbox(t.Context(), who, gateway.InboxFilter{}, gateway.Cursor{}, 10)
		if err != nil || len(rows) != 2 {
			t.Errorf("%s: %d in the inbox, %v", when, len(rows), err)
		}
	}
	check("before", r)
	r.age(25 * time.Hour)
	if err := r.house.Sweep(t.Context()); err != nil || len(r.files("/page-")) != 4 {
		t.Fatalf("after the sweep the vault holds %v, %v", r.files("/page-"), err)
	}
	after := r.lost()
	if report := after.reindex(); report.Restored != 4 || report.Missing+len(report.Damaged) != 0 {
		t.Errorf("report %+v", report)
	}
	if report := after.reindex(); report.Restored != 0 {
		t.Errorf("a second run restored %d pages", report.Restored)
	}
	check("after the loss", after)
	if err := after.house.Sweep(t.Context()); err != nil || len(after.files("/page-")) != 4 {
		t.Errorf("after the reindex and a sweep the vault holds %v, %v", after.files("/page-"), err)
	}
}

// A crash before the manifests costs that everything is found where it was.
func TestACrashBeforeTheManifestsLosesNothing(t *testing.T) {
	r := newRig(t)
	who := staffOf(demoOffice)
	first, second := r.submits(client, picture(t, 131)), r.submits(client, picture(t, 132))
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.threads().Merge(t.Context(), who, first, second); err != nil {
		t.Fatal(err)
	}
	after := r.lost()
	if report := after.reindex(); report.Restored != 2 {
		t.Errorf("report %+v", report)
	}
	for _, id := range []gateway.SubmissionID{first, second} {
		if view, err := after.desk.Submission(t.Context(), who, id); err != nil || len(view.Pages) != 1 {
			t.Errorf("%s: %d pages, %v", id, len(view.Pages), err)
		}
	}
}
