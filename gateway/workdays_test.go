package gateway

import (
	"testing"
	"time"
)

func TestOverdueCountsWorkingDays(t *testing.T) {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	office := Office{Location: chicago, OverdueAfter: 2, WorkingDays: Workweek{false, true, true, true, true, true, false}}
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, chicago) }
	for _, c := range []struct {
		arrived, now time.Time
		overdue      bool
	}{
		{at(6, 16), at(10, 23), false}, // Friday; Monday and Tuesday are not over
		{at(6, 16), at(11, 0), true},
		{at(7, 10), at(10, 23), false}, // Saturday counts like Friday
		{at(7, 10), at(11, 0), true},
		{at(9, 1), at(11, 23), false}, // Monday
		{at(9, 23), at(12, 0), true},
	} {
		s := Submission{ArrivedAt: c.arrived, State: SubmissionReceived, Stage: StageNew}
		if got := office.IsOverdue(s, c.now); got != c.overdue {
			t.Errorf("arrived %s, now %s: overdue %v", c.arrived, c.now, got)
		}
	}
	s := Submission{ArrivedAt: at(2, 9), State: SubmissionReceived, Stage: StageOpen}
	s.TurnAt = at(11, 9) // the client answered
	if office.IsOverdue(s, at(12, 9)) {
		t.Error("the answer did not begin the time anew")
	}
	s.TurnAt, s.Stage = time.Time{}, StageWaiting
	if office.IsOverdue(s, at(12, 9)) {
		t.Error("overdue while the client is waited for")
	}
	s.Stage, s.State = StageOpen, SubmissionHandled
	if office.IsOverdue(s, at(12, 9)) {
		t.Error("overdue though it is done")
	}
}
