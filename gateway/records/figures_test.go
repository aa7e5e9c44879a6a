package records

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// linkAt is a link whose identifier tells the time, as those of the flows do.
func (w *world) linkAt(office gateway.OfficeID, n int, at time.Time) gateway.Link {
	w.t.Helper()
	l := newLink(w.t, office, phone(office, n), at)
	l.ID, l.Submission = gateway.LinkID(newIDAt(w.t, at)), gateway.SubmissionID(newIDAt(w.t, at))
	text := newText(w.t, office, l.Sender)
	text.ID, text.ReceivedAt = gateway.TextID(newIDAt(w.t, at)), at
	outcome, _, err := w.ReceiveText(w.t.Context(), text, answerWith(l))
	w.check(err, "")
	return *outcome.Link
}

func (w *world) pageAt(l gateway.Link, at time.Time) gateway.Page {
	w.t.Helper()
	p := newPage(w.t, l, at)
	p.ID = gateway.PageID(newIDAt(w.t, at))
	saved, stored, err := w.SavePage(w.t.Context(), p, gateway.DefaultLimits(), entry(gateway.ActionPageReceived, ""))
	if err != nil || !stored {
		w.t.Fatalf("save page: %v", err)
	}
	return saved
}

// Two weeks of two offices, counted, counted again, and kept when the rows go.
func TestFigures(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		// Noon is a Sunday: in Chicago the week of the 16th, and in Auckland,
		// where it is past midnight, the week of the 23rd.
		chicago, auckland := zone(t, "America/Chicago"), zone(t, "Pacific/Auckland")
		counting := &gateway.Counting{
			Directory: gateway.Directory{Offices: map[gateway.OfficeID]gateway.Office{
				north: {ID: north, Location: chicago}, south: {ID: south, Location: auckland},
			}},
			Records: w, Now: func() time.Time { return noon.Add(36 * time.Hour) },
		}
		w.check(counting.Run(t.Context()), "") // of nothing
		first := w.claim(w.linkAt(north, 1, noon), browser(1), noon.Add(time.Minute))
		gone := w.pageAt(first, noon.Add(4*time.Minute))
		w.pageAt(first, noon.Add(9*time.Minute))
		_, err := w.RemovePage(t.Context(), first.ID, first.Submission, gone.Key, gateway.Act{At: noon.Add(10 * time.Minute)})
		w.check(err, "")
		w.linkAt(north, 2, noon)                                                                   // is replaced
		empty := w.claim(w.linkAt(north, 2, noon.Add(time.Hour)), browser(2), noon.Add(time.Hour)) // brings nothing
		w.linkAt(north, 3, noon)                                                                   // is never opened
		w.linkAt(south, 4, noon)
		w.raw("INSERT INTO wishes (link, asks, words, page, reason) VALUES ('" + string(empty.ID) + "', '[]', " + w.emptyBytes() + ", '" + string(gone.ID) + "', 'blurry')")

		week := gateway.Figures{
			Office: north, Week: "2026-11-16", Texts: 4, Links: 3, Used: 2, Brought: 1, Timed: 1, Median: 4 * time.Minute, P90: 4 * time.Minute,
			Pages: 2, Removed: 1, Retakes: 1, Waiting: gateway.NotCounted, CountedAt: counting.Now(),
		}
		present := gateway.Figures{
			Office: north, Week: "2026-11-23", Waiting: 1, WaitHalf: 36*time.Hour - 4*time.Minute, WaitMost: 36*time.Hour - 4*time.Minute, CountedAt: counting.Now(),
		}
		elsewhere := gateway.Figures{Office: south, Week: "2026-11-23", Texts: 1, Links: 1, CountedAt: counting.Now()}
		for _, when := range []string{"counted", "counted again"} {
			w.check(counting.Run(t.Context()), "")
			got, err := w.Figures(t.Context(), []gateway.OfficeID{north, south}, "2026-11-01")
			w.check(err, "")
			if diff := cmp.Diff([]gateway.Figures{week, present, elsewhere}, got); diff != "" {
				t.Errorf("%s:\n%s", when, diff)
			}
		}
		if got, err := w.Figures(t.Context(), []gateway.OfficeID{south}, "2026-11-01"); err != nil || len(got) != 1 || got[0].Office != south {
			t.Errorf("of the south: %v, %v", got, err)
		}
		if got, err := w.Figures(t.Context(), nil, "2026-11-01"); err != nil || len(got) != 0 {
			t.Errorf("of no office: %v, %v", got, err)
		}

		// A month later all is erased; what was counted stays as it was.
		w.raw("DELETE FROM wishes")
		w.raw("DELETE FROM pages")
		w.raw("DELETE FROM submissions")
		w.raw("DELETE FROM links")
		w.raw("DELETE FROM texts")
		counting.Now = func() time.Time { return noon.AddDate(0, 0, 30) }
		w.check(counting.Run(t.Context()), "")
		got, err := w.Figures(t.Context(), []gateway.OfficeID{north}, "2026-11-01")
		w.check(err, "")
		late := gateway.Figures{Office: north, Week: "2026-12-21", CountedAt: counting.Now()}
		if diff := cmp.Diff([]gateway.Figures{week, present, late}, got); diff != "" {
			t.Errorf("a month later:\n%s", diff)
		}
	})
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// The page reads what was counted; what counts reads the last weeks alone,
// along identifiers, however many years lie behind.
func TestFiguresReadAlongIdentifiers(t *testing.T) {
	w := openWorld(t, readySQLite(t))
	db := w.database()
	defer db.Close()
	for text, want := range map[string]string{
		"SELECT office, received_at, 0 FROM texts WHERE id >= $1":                                          "texts USING INDEX sqlite_autoindex_texts_1 (id>?)",
		"SELECT office, received_at, CASE WHEN removed_at > 0 THEN 1 ELSE 0 END FROM pages WHERE id >= $1": "pages USING INDEX sqlite_autoindex_pages_1 (id>?)",
		selectLinkFacts: "SEARCH l USING INDEX sqlite_autoindex_links_1 (id>?)",
		"SELECT arrived_at FROM submissions WHERE office = $1 AND handled = 0 AND arrived_at > 0":                  "COVERING INDEX submissions_inbox (office=? AND handled=? AND arrived_at>?)",
		"SELECT " + figureColumns + " FROM figures WHERE week >= $1 AND office IN ('north') ORDER BY office, week": "figures USING INDEX sqlite_autoindex_figures_1 (office=? AND week>?)",
	} {
		st := &statement{}
		st.text.WriteString(text)
		st.args = []any{"x"}
		plan := explain(t, db, st)
		if !strings.Contains(plan, want) || strings.Contains(plan, "SCAN") {
			t.Errorf("%s:\n%s", text, plan)
		}
	}
}
