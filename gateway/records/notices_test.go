package records

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

func TestNoticeSettingsAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		if _, saved, err := w.NoticeSettings(t.Context(), "ana"); saved || err != nil {
			t.Errorf("there are settings: %v", err)
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
		one, saved, err := w.NoticeSettings(t.Context(), "ana")
		if w.check(err, ""); !saved || !cmp.Equal(one, set) {
			t.Errorf("her own: %+v", one)
		}
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
			made[i], err = []*world{w, other}[i].ComposeNotice(t.Context(), "staff:ana", newID(t), noon, everything, gateway.Job{Kind: gateway.JobNotice, Subject: newID(t)})
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
		_, err := w.ComposeNotice(t.Context(), "staff:ana", id, noon, everything, gateway.Job{Kind: gateway.JobNotice, Subject: id})
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

func everything(gateway.NoticeCount) bool { return true }

// What may not be told any more when it is put together is forgotten, and is in
// no later message either.
func TestWhatMayNotBeToldIsForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		notices := []gateway.Notice{
			{Target: "staff:ana", Event: gateway.NoticeSubmission, Object: "submission:1", Office: north, At: noon},
			{Target: "staff:ana", Event: gateway.NoticeSubmission, Object: "submission:2", Office: south, At: noon},
		}
		w.check(w.AddNotices(t.Context(), notices, noon, noon.Add(-day)), "")
		id := newID(t)
		made, err := w.ComposeNotice(t.Context(), "staff:ana", id, noon, func(c gateway.NoticeCount) bool { return c.Office == south },
			gateway.Job{Kind: gateway.JobNotice, Subject: id})
		if w.check(err, ""); !made {
			t.Fatal("nothing was made")
		}
		m, err := w.NoticeMessage(t.Context(), id)
		w.check(err, "")
		if want := []gateway.NoticeCount{{Office: south, Event: gateway.NoticeSubmission, Count: 1}}; !cmp.Equal(m.Counts, want) {
			t.Errorf("told %+v", m.Counts)
		}
		notices[0].Object = "submission:3"
		w.check(w.AddNotices(t.Context(), notices, noon, noon.Add(-day)), "")
		made, err = w.ComposeNotice(t.Context(), "staff:ana", newID(t), noon, func(gateway.NoticeCount) bool { return false },
			gateway.Job{Kind: gateway.JobNotice, Subject: id})
		if w.check(err, ""); made || w.count("notice_messages") != 1 {
			t.Error("a message of nothing was made")
		}
		if waiting, err := w.NoticesWaiting(t.Context()); err != nil || len(waiting) != 0 {
			t.Errorf("%v still waits, %v", waiting, err)
		}
	})
}

// What is told as overdue is what the inbox marks as overdue.
func TestWhatWaitsIsWhatTheInboxMarks(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var days gateway.Workweek
		for d := range days {
			days[d] = d != 0 && d != 6
		}
		office := gateway.Office{ID: north, WorkingDays: days, OverdueAfter: 1} // noon is a Sunday
		waits, waiting, done := w.received(1), w.received(2), w.received(3)
		w.raw("UPDATE submissions SET stage = 'waiting' WHERE id = '" + string(waiting.Submission) + "'")
		w.raw("UPDATE submissions SET state = 'handled', handled = 1 WHERE id = '" + string(done.Submission) + "'")
		answered := w.received(4)
		turn := noon.Add(36 * time.Hour) // Monday at midnight
		w.raw("UPDATE submissions SET turn_at = $1 WHERE id = $2", turn.UnixMilli(), string(answered.Submission))
		for _, id := range []gateway.SubmissionID{waits.Submission, waiting.Submission, done.Submission, answered.Submission} {
			s, _, err := w.SubmissionPages(t.Context(), id)
			w.check(err, "")
			for now := noon; now.Before(noon.Add(6 * day)); now = now.Add(6 * time.Hour) {
				found, err := w.WaitingSince(t.Context(), north, time.UnixMilli(1), office.Overdue(now), 10)
				w.check(err, "")
				told := slices.ContainsFunc(found, func(f gateway.WaitingSubmission) bool { return f.ID == id && f.Since.Equal(s.OursSince()) })
				if told != office.IsOverdue(s, now) {
					t.Fatalf("%s at %s: told %v, marked %v", id, now, told, !told)
				}
			}
		}
	})
}
