package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// cutOff is a Twilio whose lists last until the look's time is over.
type cutOff struct {
	TwilioMessages
	end   context.CancelFunc
	asked []Number
	since []time.Time
}

func (c *cutOff) List(ctx context.Context, n Number, since, _ time.Time, _ func(TwilioMessage) error) error {
	c.asked, c.since = append(c.asked, n), append(c.since, since)
	if len(c.asked) == 3 {
		c.end()
	}
	return ctx.Err()
}

type lookRecords struct {
	LeftoverRecords
	entries []AuditEntry
}

func (r *lookRecords) Append(ctx context.Context, entries ...AuditEntry) error {
	r.entries = append(r.entries, entries...)
	return ctx.Err()
}

// A look that runs out of its time has gone through the numbers in their order,
// far enough back to see what was given up, and says so in the audit trail.
func TestALookThatRunsOutOfTime(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	numbers := []Number{"+15551230100", "+15551230101", "+15551230102", "+15551230103", "+15551230104"}
	var rules []NumberRule
	for _, n := range numbers {
		rules = append(rules, NumberRule{Number: n, Office: "north"})
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	twilio, records := &cutOff{end: end}, &lookRecords{}
	f := &Leftovers{
		Directory: NewDirectory([]Office{{ID: "north"}}, rules, nil), Limits: DefaultLimits(), Records: records, Twilio: twilio,
		Now: func() time.Time { return at },
	}
	if err := f.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if !slices.Equal(twilio.asked, numbers) || at.Sub(twilio.since[0]) != f.Limits.ErasePatience+3*24*time.Hour {
		t.Errorf("asked for %v since %v", twilio.asked, twilio.since)
	}
	if len(records.entries) != 1 || records.entries[0].Outcome != OutcomeFailed || !strings.Contains(records.entries[0].Reason, "3 could not be looked at") {
		t.Errorf("the audit trail: %+v", records.entries)
	}
}
