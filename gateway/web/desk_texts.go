package web

import (
	"slices"
	"time"

	"dropslot/gateway"
)

// textLine is one text message in a submission's list.
type textLine struct {
	Ours  bool
	When  moment
	Words string
	State string // of one of ours
	at    time.Time
}

// textLines puts what the client wrote and what was sent by itself in order.
func (d *desk) textLines(found gateway.SubmissionView) []textLine {
	now, zone := d.Now(), found.Office.Location
	var lines []textLine
	for _, n := range found.Notes {
		words := n.Words
		if words == "" {
			words = "These words cannot be opened here."
		}
		lines = append(lines, textLine{When: momentOf(n.At, now, zone), Words: words, at: n.At})
	}
	for _, s := range found.Sendings {
		lines = append(lines, textLine{
			Ours: true, When: momentOf(s.CreatedAt, now, zone), Words: s.Occasion.Words(), State: d.stateWords(s), at: s.CreatedAt,
		})
	}
	slices.SortStableFunc(lines, func(a, b textLine) int { return a.at.Compare(b.at) })
	return lines
}

// stateWords says how far a text of ours came.
func (d *desk) stateWords(s gateway.Sending) string {
	switch s.State {
	case gateway.DeliverySending:
		if s.Occasion == gateway.OccasionRemindMe && s.AttemptedAt.IsZero() {
			return "Comes the day after it was asked for"
		}
	case gateway.DeliveryFailed:
		return d.failedWords(gateway.RequestView{ErrorCode: s.ErrorCode, Office: d.Directory.Offices[s.Office]})
	case gateway.DeliveryDelivered:
		return "Delivered"
	case gateway.DeliveryDropped:
		return "Not sent: no longer wanted, or the client texted STOP"
	case gateway.DeliveryUnknown:
		return "May or may not have been sent"
	}
	return "On its way"
}
