package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

func (w *world) change(id gateway.PageID, change gateway.PageChange, offices ...gateway.OfficeID) error {
	return w.ChangePage(w.t.Context(), offices, id, change, entry(gateway.ActionPageTurned, "page:"+string(id)))
}

func turned(degrees int) gateway.PageChange   { return gateway.PageChange{Rotation: &degrees} }
func labeled(label string) gateway.PageChange { return gateway.PageChange{Label: &label} }
func movedTo(place int) gateway.PageChange    { return gateway.PageChange{Place: place} }
func keysOf(pages []gateway.Page) (keys string) {
	return joined(pages, func(p gateway.Page) string { return string(p.ID) })
}

func joined(pages []gateway.Page, of func(gateway.Page) string) (text string) {
	for _, p := range pages {
		text += of(p) + " "
	}
	return text
}

// What staff change of pages is kept, apart from offices that it is not for,
// and the manifest is written once more.
func TestStaffChangePages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		var pages []gateway.Page
		for i := range 3 {
			pages = append(pages, w.page(link, noon.Add(time.Duration(i)*time.Second)))
		}
		w.check(w.lack(link, "pay-stub", gateway.LackCannot, noon), "")
		done := w.finish(link, noon.Add(time.Minute))
		w.check(w.MarkArchived(t.Context(), done, noon), "")
		w.check(w.change(pages[1].ID, turned(90), south), gateway.CodeNotFound)
		w.check(w.change(pages[1].ID, turned(90)), gateway.CodeNotFound)
		if n := w.count("pages WHERE rotation <> 0"); n != 0 {
			t.Fatal("another office turned a page")
		}
		w.check(w.change(pages[1].ID, turned(90), north, south), "")
		w.check(w.change(pages[0].ID, labeled("pay-stub"), north), "")
		w.check(w.change(pages[2].ID, movedTo(1), north), "")
		s, got, err := w.Submission(t.Context(), []gateway.OfficeID{north}, link.Submission)
		w.check(err, "")
		if want := keysOf([]gateway.Page{pages[2], pages[0], pages[1]}); keysOf(got) != want {
			t.Errorf("order %q, want %q", keysOf(got), want)
		}
		if got[2].Rotation != 90 || got[0].Rotation != 0 || got[1].Label != "pay-stub" || s.LackCount != 0 || s.Revision != 3 {
			t.Errorf("kept %+v of %+v", got, s)
		}
		w.check(w.change(pages[2].ID, movedTo(99), north), "")
		if _, got, _ = w.Submission(t.Context(), []gateway.OfficeID{north}, link.Submission); keysOf(got) != keysOf([]gateway.Page{pages[0], pages[1], pages[2]}) {
			t.Errorf("to the end: %q", keysOf(got))
		}
		w.proven()
	})
}

func TestAChangedSubmissionIsArchivedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		page := w.page(link, noon)
		done := w.finish(link, noon.Add(time.Minute))
		waits := func() int {
			list, err := w.Unarchived(t.Context(), "", 10)
			w.check(err, "")
			return len(list)
		}
		w.check(w.MarkArchived(t.Context(), done, noon), "")
		if waits() != 0 {
			t.Fatal("archived, and waits")
		}
		w.check(w.change(page.ID, turned(180), north), "")
		// The manifest that was read before the turn is written only now.
		w.check(w.MarkArchived(t.Context(), done, noon), "")
		if waits() != 1 {
			t.Fatal("a manifest without the turn counts as written")
		}
		now, _, err := w.SubmissionPages(t.Context(), link.Submission)
		w.check(err, "")
		w.check(w.MarkArchived(t.Context(), now, noon), "")
		if waits() != 0 {
			t.Error("archived again, and waits")
		}
	})
}
