package records

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func (w *world) start(at time.Time, digests map[string]string, keys ...string) {
	w.t.Helper()
	w.check(w.RecordStart(w.t.Context(), gateway.Start{
		Role: "intake", At: at, Digests: digests, Keys: map[gateway.OfficeID][]string{north: keys},
	}), "")
}

// A start tells what differs from the last one, by name and never by value.
func TestStartsTellWhatChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, b, c := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
		w.start(noon, map[string]string{"limits.page_size": "1", "offices.north.name": "2"}, a, b)
		w.start(noon.Add(time.Hour), map[string]string{"limits.page_size": "1", "offices.north.name": "2"}, a, b)
		w.start(noon.Add(2*time.Hour), map[string]string{"offices.north.name": "3", "tls.mode": "4"}, a, c)
		w.start(noon.Add(3*time.Hour), map[string]string{"offices.north.name": "3", "tls.mode": "4"}, a, b, c)
		rows, err := w.AuditRows(t.Context(), gateway.AuditQuery{Offices: []gateway.OfficeID{north}, Whole: true}, gateway.AuditCursor{}, 20)
		w.check(err, "")
		var got []string
		for _, r := range rows {
			got = append(got, string(r.Action)+": "+r.Reason)
		}
		short := func(s string) string { return strings.Repeat(s, 16) }
		want := []string{
			"office.keys-changed: sealed to " + short("a") + ", " + short("b") + ", " + short("c"),
			"office.keys-changed: sealed to " + short("a") + ", " + short("c"),
			"config.changed: limits.page_size, offices.north.name, tls.mode",
			"office.keys-changed: sealed to " + short("a") + ", " + short("b"),
			"config.changed: first start of this role",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the trail:\n%s", diff)
		}
		times, err := w.KeyTimes(t.Context(), b)
		w.check(err, "")
		if diff := cmp.Diff([]gateway.KeyTime{{Office: north, Since: noon, Until: noon.Add(2 * time.Hour)}, {Office: north, Since: noon.Add(3 * time.Hour)}}, times); diff != "" {
			t.Errorf("the key's times:\n%s", diff)
		}
		if key, err := w.KeyByStart(t.Context(), short("b")); err != nil || key != b {
			t.Errorf("the key is %s, %v", key, err)
		}
		w.proven()
	})
}

// Who had pages before keys were recorded may have sealed them to the key.
func TestKeysOfOldPagesAreFromTheBeginning(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.session(north, 1)
		key := strings.Repeat("a", 64)
		w.start(noon, nil, key)
		if times, err := w.KeyTimes(t.Context(), key); err != nil || len(times) != 1 || !times[0].Since.IsZero() {
			t.Errorf("%v, %v", times, err)
		}
	})
}

// What was held at some time, of pages sent, removed and erased around it.
func TestHeldAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
		open := func(n int, at time.Time) gateway.Link { return w.claim(w.linkAt(north, n, at), browser(n), at) }
		first := open(1, hour(0))
		kept, gone := w.pageAt(first, hour(0)), w.pageAt(first, hour(0))
		_, err := w.RemovePage(t.Context(), first.ID, first.Submission, gone.Key, gateway.Act{At: hour(1)})
		w.check(err, "")
		late := open(2, hour(10))
		latePage := w.pageAt(late, hour(10))
		erased := gateway.SubmissionID(newIDAt(t, hour(0)))
		w.raw("INSERT INTO tombstones (submission, office, why, at, emptied_at) VALUES ($1, 'north', 'done', $2, 0)", string(erased), ms(hour(5)))
		w.claim(w.linkAt(south, 3, hour(0)), browser(3), hour(0))

		for name, test := range map[string]struct {
			spans  []gateway.Reach
			within bool
			want   map[gateway.SubmissionID][]gateway.PageID
		}{
			"all": {[]gateway.Reach{{Office: north, To: hour(20)}}, false, map[gateway.SubmissionID][]gateway.PageID{
				first.Submission: {kept.ID, gone.ID}, late.Submission: {latePage.ID}, erased: nil,
			}},
			"after the removal": {[]gateway.Reach{{Office: north, From: hour(2), To: hour(4)}}, false, map[gateway.SubmissionID][]gateway.PageID{
				first.Submission: {kept.ID}, erased: nil,
			}},
			"after the erasure": {[]gateway.Reach{{Office: north, From: hour(6), To: hour(9)}}, false, map[gateway.SubmissionID][]gateway.PageID{
				first.Submission: {kept.ID},
			}},
			"sealed late": {[]gateway.Reach{{Office: north, From: hour(6), To: hour(20)}}, true, map[gateway.SubmissionID][]gateway.PageID{
				late.Submission: {latePage.ID},
			}},
			"sealed early": {[]gateway.Reach{{Office: north, From: hour(-1), To: hour(3)}}, true, map[gateway.SubmissionID][]gateway.PageID{
				first.Submission: {kept.ID, gone.ID}, erased: nil,
			}},
			"nowhere": {nil, false, map[gateway.SubmissionID][]gateway.PageID{}},
		} {
			got := map[gateway.SubmissionID][]gateway.PageID{}
			w.check(gateway.EachHeld(t.Context(), w, test.spans, test.within, func(h gateway.Held) error {
				pages := map[gateway.PageID]bool{}
				for _, p := range h.Pages {
					pages[p.ID] = true
				}
				got[h.ID] = nil
				for _, id := range []gateway.PageID{kept.ID, gone.ID, latePage.ID} {
					if pages[id] {
						got[h.ID] = append(got[h.ID], id)
					}
				}
				return nil
			}), "")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
	})
}
