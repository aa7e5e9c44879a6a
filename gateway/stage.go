package gateway

import "time"

// Stage tells whose turn it is, as long as a submission is not done.
type Stage string

// The stages.
const (
	StageNew     Stage = "new"     // nobody took it on
	StageOpen    Stage = "open"    // somebody works on it
	StageWaiting Stage = "waiting" // for the client
	StageDone    Stage = "done"    // handled; in filters alone: a reason belongs to it
)

// Settable tells whether a caseworker may choose the stage.
func (s Stage) Settable() bool { return s == StageNew || s == StageOpen || s == StageWaiting }

// NewsAt is when the last of the client arrived.
func (s Submission) NewsAt() time.Time {
	return latest(s.ArrivedAt, s.LastPageAt, s.LastWordAt)
}

// OursSince is since when it is the office's turn.
func (s Submission) OursSince() time.Time { return latest(s.ArrivedAt, s.TurnAt) }

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// InboxFilter is what somebody wants to see of the inbox.
type InboxFilter struct {
	Stage   Stage    // empty: all that is not done
	Office  OfficeID // empty: all of the person's
	Mine    bool     // assigned to the person
	Overdue bool     // the office should have answered
}

// InboxQuery is a filter as the records take it.
type InboxQuery struct {
	Offices  []OfficeID
	Stage    Stage
	Assigned StaffID                // empty: to whomever, or nobody
	Overdue  map[OfficeID]time.Time // its turn began before; nil: overdue or not
	Viewer   StaffID                // whose looks are told
	After    Cursor
	Limit    int
}

// InboxEntry is a submission with what a list tells of it beside.
type InboxEntry struct {
	Submission Submission
	SealedName []byte    // what staff call the phone; may be empty
	LookedAt   time.Time // by the viewer, last; zero if never
	Words      int       // texts of the client that hold words
}
