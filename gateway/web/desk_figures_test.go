package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

type figuresFake struct {
	gateway.FigureRecords
	rows []gateway.Figures
}

func (f *figuresFake) Figures(_ context.Context, offices []gateway.OfficeID, from gateway.Week) ([]gateway.Figures, error) {
	var found []gateway.Figures
	for _, r := range f.rows {
		if slices.Contains(offices, r.Office) && r.Week >= from {
			found = append(found, r)
		}
	}
	return found, nil
}

func figuresHouse(t *testing.T) (*deskHouse, *browser) {
	t.Helper()
	h := newDeskHouse(t)
	h.addRoles("sue", gateway.RolesIn(gateway.RoleSupervisor, "north"))
	h.figures.rows = []gateway.Figures{
		{Office: "north", Week: "2026-10-26", Texts: 41, Links: 30, Used: 20, Brought: 15, Timed: 12, Median: 7 * time.Minute, P90: 3 * time.Hour,
			Pages: 55, Removed: 6, Retakes: 2, Waiting: 4, WaitHalf: 30 * time.Hour, WaitMost: 99 * time.Hour, CountedAt: deskTime.Add(-time.Hour)},
		{Office: "north", Week: "2026-11-02", Texts: 8, Links: 4, Used: 3, Brought: 3, Timed: 3, Median: time.Hour, P90: time.Hour, Pages: 5, Waiting: 9, CountedAt: deskTime.Add(-time.Hour)},
		{Office: "south", Week: "2026-11-02", Texts: 987, CountedAt: deskTime},
	}
	return h, h.signedIn(t, "sue")
}

func TestFiguresAreShown(t *testing.T) {
	h, b := figuresHouse(t)
	answer := b.get("/figures")
	wantStatus(t, answer, http.StatusOK)
	wantText(t, answer, "<svg", "Oct 26: Texts 41", ">41</td>", ">50 %</td>", "3 h", "7 min", "Counted ", "1 hour ago", "America/Chicago")
	wantNoText(t, answer, "South County", "987", "style=")
	// Three clients are too few to tell how long they took.
	if body := answer.Body.String(); strings.Contains(body, "Nov 2: Middle") || !strings.Contains(body, "Oct 26: Middle 7 min") {
		t.Error("times of few people are told")
	}
	if last := h.audit[len(h.audit)-1]; last.Action != gateway.ActionFiguresViewed || last.Office != "north" {
		t.Errorf("it left %+v", last)
	}
	for _, number := range regexp.MustCompile(`\s(?:x|y|width|height|x1|y1)="(-[^"]*|[^"]*(?:NaN|Inf)[^"]*)"`).FindAllString(answer.Body.String(), -1) {
		t.Errorf("the drawing has %s", number)
	}
	wantStatus(t, b.get("/figures?weeks=52"), http.StatusOK)
	wantStatus(t, b.get("/figures?weeks=9999"), http.StatusBadRequest)
}

// The page tells how old its counts are and when the next come: nobody takes an
// empty page of an office's first minutes for the last word.
func TestFiguresTellWhenTheyAreCounted(t *testing.T) {
	h, b := figuresHouse(t)
	for ago, want := range map[time.Duration]string{
		20 * time.Minute:  "20 minutes ago</span> <span class=\"clock\">Tue, Nov 3, 2:21 PM CST</span></time>. The next count comes at 3:21 PM CST.",
		time.Hour:         "1 hour ago</span> <span class=\"clock\">Tue, Nov 3, 1:41 PM CST</span></time>. The next count is due: load this page again in a minute.",
		119 * time.Minute: "The next count is due",
		2 * time.Hour:     "The next count is overdue: tell the person who runs Dropslot",
	} {
		h.figures.rows[1].CountedAt = h.clock().Add(-ago)
		answer := b.get("/figures")
		wantText(t, answer, want, "Counted every hour;")
		wantNoText(t, answer, "not counted yet")
	}
	h.figures.rows = h.figures.rows[:1] // a Monday, a minute past midnight; or a fresh office
	answer := b.get("/figures")
	wantText(t, answer, "This week was not counted yet: it is counted every hour, as long as Dropslot’s worker runs.")
	wantNoText(t, answer, "The next count")
}

func TestFiguresCSV(t *testing.T) {
	_, b := figuresHouse(t)
	table, err := csv.NewReader(b.get("/figures/csv").Body).ReadAll()
	if err != nil || len(table) != 1+12 {
		t.Fatalf("%d lines, %v", len(table), err)
	}
	for week, want := range map[int]string{
		10: "north 2026-10-19 0 0 0 0 0   0 0 0   ",
		11: "north 2026-10-26 41 30 20 15 12 420 10800 55 6 2 4 30 99",
		12: "north 2026-11-02 8 4 3 3 3   5 0 0 9 0 0",
	} {
		if got := strings.Join(table[week], " "); got != want {
			t.Errorf("week %d: %q, want %q", week, got, want)
		}
	}
}

// Each scale holds its highest bar and ends at an even number.
func TestNiceTops(t *testing.T) {
	for most, want := range map[int64]int64{0: 1, 1: 1, 2: 2, 7: 8, 17: 20, 41: 50, 99: 100, 163: 200, 987: 1000, 123_456: 140_000} {
		if got := niceTop(most, false); got != want {
			t.Errorf("above %d: %d, want %d", most, got, want)
		}
	}
	for most := int64(1); most < 1_000_000; most = most*3 + 1 {
		for _, times := range []bool{false, true} {
			if top := niceTop(most, times); top < most || top > 1 && top%2 != 0 {
				t.Errorf("above %d: %d", most, top)
			}
		}
	}
}
