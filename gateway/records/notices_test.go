package records

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func TestNoticeSettingsAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		off, err := w.NoticeSettings(t.Context(), "ana")
		w.check(err, "")
		if off.Pace != gateway.NoticeOff || off.Wants(gateway.NoticeSubmission) {
			t.Errorf("without settings: %+v", off)
		}
		set := gateway.NoticeSettings{
			Staff: "ana", Address: "ana@example.gov", Events: []gateway.NoticeEvent{gateway.NoticeSubmission, gateway.NoticeErasure},
			Pace: gateway.NoticeDaily, DailyAt: 510, QuietFrom: 1080, QuietTil: 420,
		}
		for range 2 {
			w.check(w.SaveNoticeSettings(t.Context(), set, noon, entry(gateway.ActionNoticesChanged, "staff:ana")), "")
		}
		got, err := w.AllNoticeSettings(t.Context())
		w.check(err, "")
		if diff := cmp.Diff([]gateway.NoticeSettings{set}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Each thing is told to each target once, however often the trail is read and
// whoever composes.
func TestEachThingIsToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		received := w.received(1)
		w.session(north, 2) // ends with nothing
		w.expire(noon.Add(48*time.Hour), 10)
		actions := []gateway.Action{gateway.ActionSubmissionDone, gateway.ActionSubmissionExpired}
		w.check(w.Append(t.Context(), entry(gateway.ActionSubmissionDone, "submission:"+string(received.Submission))), "")
		events, err := w.NewEvents(t.Context(), actions, noon.Add(-time.Minute), 100)
		w.check(err, "")
		var notices []gateway.Notice
		for _, e := range events {
			if e.Object != "" { // the helpers' own rows name nothing
				notices = append(notices, gateway.Notice{Target: "staff:ana", Event: gateway.NoticeSubmission, Object: e.Object, Office: e.Office, At: e.At})
			}
		}
		if len(notices) != 1 {
			t.Fatalf("%d things to tell, want the papers alone: %+v", len(notices), events)
		}
		for range 2 {
			w.check(w.AddNotices(t.Context(), notices, noon, noon.Add(-day)), "")
		}
		if seen, err := w.NoticeLook(t.Context()); err != nil || !seen.Equal(noon) {
			t.Errorf("seen %v, %v", seen, err)
		}
		other := w.another()
		made := make([]bool, 2)
		errs := race(2, func(i int) (err error) {
			made[i], err = []*world{w, other}[i].ComposeNotice(t.Context(), "staff:ana", newID(t), noon, gateway.Job{Kind: gateway.JobNotice, Subject: newID(t)})
			return err
		})
		w.check(errs[0], "")
		w.check(errs[1], "")
		if made[0] == made[1] || w.count("notice_messages") != 1 || w.count("river_job WHERE kind = 'notice'") != 1 {
			t.Errorf("made %v", made)
		}
		if waiting, err := w.NoticesWaiting(t.Context()); err != nil || len(waiting) != 0 {
			t.Errorf("%v still waits, %v", waiting, err)
		}
		w.check(w.AddNotices(t.Context(), nil, noon, noon.Add(day)), "")
		if w.count("notices") != 0 || w.count("notice_messages") != 0 {
			t.Error("old notices are kept")
		}
	})
}

func TestAMessageIsHandedOverOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.check(w.AddNotices(t.Context(), []gateway.Notice{
			{Target: "staff:ana", Event: gateway.NoticeSubmission, Object: "submission:1", Office: north, At: noon},
			{Target: "staff:ana", Event: gateway.NoticeSubmission, Object: "submission:2", Office: north, At: noon},
			{Target: "staff:ana", Event: gateway.NoticeErasure, Object: "submission:2", Office: south, At: noon},
		}, noon, noon.Add(-day)), "")
		id := newID(t)
		_, err := w.ComposeNotice(t.Context(), "staff:ana", id, noon, gateway.Job{Kind: gateway.JobNotice, Subject: id})
		w.check(err, "")
		m, err := w.NoticeMessage(t.Context(), id)
		w.check(err, "")
		want := []gateway.NoticeCount{{Office: north, Event: gateway.NoticeSubmission, Count: 2}, {Office: south, Event: gateway.NoticeErasure, Count: 1}}
		if diff := cmp.Diff(want, m.Counts); diff != "" {
			t.Error(diff)
		}
		w.check(w.AttemptNotice(t.Context(), id, noon), "")
		w.check(w.AttemptNotice(t.Context(), id, noon), gateway.CodeSendTwice)
		w.check(w.ReleaseNotice(t.Context(), id), "")
		w.check(w.AttemptNotice(t.Context(), id, noon), "")
		w.check(w.EndNotice(t.Context(), id, gateway.NoticeSent, noon), "")
		_, err = w.NoticeMessage(t.Context(), newID(t))
		w.check(err, gateway.CodeNotFound)
	})
}
