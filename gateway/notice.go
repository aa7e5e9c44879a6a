package gateway

import (
	"context"
	"slices"
	"strings"
	"time"
)

// NoticeEvent is something that caseworkers and other systems are told of,
// without any content: how many, at which office, and where the desk is.
type NoticeEvent string

// The events.
const (
	NoticeSubmission NoticeEvent = "submission" // papers arrived: the client is done, or their time is over
	NoticeOverdue    NoticeEvent = "overdue"    // papers wait for longer than the office's working days allow
	NoticeErasure    NoticeEvent = "erasure"    // papers that nobody marked done will be erased
	NoticeNewBrowser NoticeEvent = "new-browser"
	NoticeEmergency  NoticeEvent = "emergency" // somebody opened the papers in an emergency
)

// noticeSource tells which audit row makes an event, and what right at the
// office whoever is told of it must have.
type noticeSource struct {
	event   NoticeEvent
	actions []Action
	right   Right
	own     bool   // of the person's own account, at no office
	urgent  bool   // told at once, whatever pace and quiet hours they chose
	one     string // in words, of one
	several string
	page    string // of the desk
}

var noticeSources = []noticeSource{
	{
		event: NoticeSubmission, actions: []Action{ActionSubmissionDone, ActionSubmissionExpired}, right: RightPapers,
		one: "new submission", several: "new submissions", page: "/",
	},
	{ // the clock makes it: see overdue
		event: NoticeOverdue, right: RightPapers,
		one: "submission became overdue", several: "submissions became overdue", page: "/?overdue=1",
	},
	{
		event: NoticeErasure, actions: []Action{ActionErasureWarned}, right: RightHold,
		one: "unfinished submission will be erased", several: "unfinished submissions will be erased", page: "/retention",
	},
	{
		event: NoticeNewBrowser, actions: []Action{ActionNewBrowser}, own: true, urgent: true,
		one: "sign-in to your account from a new browser", several: "sign-ins to your account from new browsers", page: "/account",
	},
	{ // stored with the access itself: see alertsOf
		event: NoticeEmergency, right: RightWatch, urgent: true,
		one: "emergency access to papers", several: "emergency accesses to papers", page: "/emergency",
	},
}

// NoticeEvents are those that a person may choose, in the order of the page.
// Nobody chooses not to be told of emergency access.
func NoticeEvents() (events []NoticeEvent) {
	for _, s := range noticeSources {
		if s.event != NoticeEmergency {
			events = append(events, s.event)
		}
	}
	return events
}

func sourceOf(event NoticeEvent) noticeSource {
	i := slices.IndexFunc(noticeSources, func(s noticeSource) bool { return s.event == event })
	if i < 0 {
		return noticeSource{}
	}
	return noticeSources[i]
}

// Right is what somebody must be allowed at an office to be told of the event.
func (e NoticeEvent) Right() Right { return sourceOf(e).right }

// Urgent tells whether it is told at once, whatever pace a person chose.
func (e NoticeEvent) Urgent() bool { return sourceOf(e).urgent }

// NoticePace is how often somebody is told.
type NoticePace string

// The paces.
const (
	NoticeOff    NoticePace = "off"
	NoticeNow    NoticePace = "now"
	NoticeHourly NoticePace = "hourly"
	NoticeDaily  NoticePace = "daily"
)

// NoticeSettings is how a caseworker wants to be told. Minutes are those after
// midnight in the office's time zone.
type NoticeSettings struct {
	Staff               StaffID
	Address             string // of e-mail: the caseworker's own, and in no log
	Events              []NoticeEvent
	Pace                NoticePace
	DailyAt             int
	QuietFrom, QuietTil int // no quiet hours if both are the same
}

// Wants tells whether the person is told of an event.
func (s NoticeSettings) Wants(e NoticeEvent) bool {
	if s.Address == "" || s.Pace == NoticeOff && !e.Urgent() {
		return false
	}
	return e == NoticeEmergency || slices.Contains(s.Events, e)
}

// quiet tells whether a time is within the quiet hours.
func (s NoticeSettings) quiet(now time.Time) bool {
	minute := now.Hour()*60 + now.Minute()
	if s.QuietFrom <= s.QuietTil {
		return minute >= s.QuietFrom && minute < s.QuietTil
	}
	return minute >= s.QuietFrom || minute < s.QuietTil // over midnight
}

// noticeGather is the pause between two messages to somebody who wants to be
// told at once: what comes within it is one message.
const noticeGather = time.Minute

// Due tells whether it is time for a message, at a time in the office's zone.
// last is when the latest was made, oldest when what waits longest happened.
func (s NoticeSettings) Due(now, last, oldest time.Time) bool {
	if s.Pace == NoticeOff || s.quiet(now) {
		return false
	}
	switch s.Pace {
	case NoticeHourly:
		return now.Sub(last) >= time.Hour
	case NoticeDaily:
		year, month, day := now.Date()
		at := time.Date(year, month, day, s.DailyAt/60, s.DailyAt%60, 0, 0, now.Location())
		if at.After(now) {
			at = time.Date(year, month, day-1, s.DailyAt/60, s.DailyAt%60, 0, 0, now.Location())
		}
		return last.Before(at) && !oldest.After(at)
	}
	return now.Sub(last) >= noticeGather
}

// Hook is where another system of an office is told, by signed HTTP requests.
type Hook struct {
	Name   string
	Events []NoticeEvent
}

// NoticeTarget is who is told: a person or a hook.
type NoticeTarget string

// StaffTarget names a person as one who is told.
func StaffTarget(id StaffID) NoticeTarget { return NoticeTarget("staff:" + string(id)) }

// UrgentTarget names a person as one who is told at once: in a message of its
// own, which takes nothing along that waits for its time.
func UrgentTarget(id StaffID) NoticeTarget { return NoticeTarget("urgent:" + string(id)) }

// HookTarget names an office's hook.
func HookTarget(office OfficeID, name string) NoticeTarget {
	return NoticeTarget("hook:" + string(office) + "/" + name)
}

func (t NoticeTarget) staff() (id StaffID, urgent, ok bool) {
	if id, ok := strings.CutPrefix(string(t), "urgent:"); ok {
		return StaffID(id), true, true
	}
	text, ok := strings.CutPrefix(string(t), "staff:")
	return StaffID(text), false, ok
}

// Notice is one thing that somebody is to be told of.
type Notice struct {
	Target NoticeTarget
	Event  NoticeEvent
	Object string
	Office OfficeID
	At     time.Time
}

// NoticeCount is how many of an event there are at an office.
type NoticeCount struct {
	Office OfficeID    `json:"office"`
	Event  NoticeEvent `json:"event"`
	Count  int         `json:"count"`
}

// WaitingNotices is what one target is not told of yet.
type WaitingNotices struct {
	Target NoticeTarget
	Oldest time.Time // when it happened
	Last   time.Time // the latest message to the target; zero if none
}

// WaitingSubmission is one that waits for its office.
type WaitingSubmission struct {
	ID    SubmissionID
	Since time.Time
}

// NoticeState is what became of a message.
type NoticeState string

// The states of messages.
const (
	NoticeWaiting NoticeState = "waiting"
	NoticeSent    NoticeState = "sent"
	NoticeRefused NoticeState = "refused" // it will never be taken
	NoticeUnknown NoticeState = "unknown" // it may have been sent, and is not sent again
)

// NoticeMessage is one message to one target.
type NoticeMessage struct {
	ID          string
	Target      NoticeTarget
	Counts      []NoticeCount
	MadeAt      time.Time
	AttemptedAt time.Time // being handed over for the first time
	State       NoticeState
}

// NoticeRecords keeps who is told what.
type NoticeRecords interface {
	// NoticeSettings gives a person's, if they ever saved some.
	NoticeSettings(ctx context.Context, id StaffID) (s NoticeSettings, saved bool, err error)
	// SaveNoticeSettings changes them. What waited for the person is told by the new ones.
	SaveNoticeSettings(ctx context.Context, s NoticeSettings, at time.Time, audit AuditEntry) error
	// AllNoticeSettings gives those of everybody who saved some.
	AllNoticeSettings(ctx context.Context) ([]NoticeSettings, error)
	// ListStaff is StaffRecords'.
	ListStaff(ctx context.Context) ([]Staff, error)
	// NoticeLook gives up to when the audit trail was read, zero if never.
	NoticeLook(ctx context.Context) (time.Time, error)
	// NewEvents gives at most limit audit rows of these actions that were done
	// since, the oldest first. Ends of submissions that nothing reached are left out.
	NewEvents(ctx context.Context, actions []Action, since time.Time, limit int) ([]AuditEntry, error)
	// WaitingSince gives at most limit submissions of an office of which it has
	// been the office's turn since a time of [from, to), the oldest first.
	WaitingSince(ctx context.Context, office OfficeID, from, to time.Time, limit int) ([]WaitingSubmission, error)
	// AddNotices stores what is to be told, each thing once for each target, and
	// up to when the trail was read. What is older than keep is forgotten.
	AddNotices(ctx context.Context, notices []Notice, seen, keep time.Time) error
	// NoticesWaiting gives every target that is not told of something.
	NoticesWaiting(ctx context.Context) ([]WaitingNotices, error)
	// ComposeNotice puts what waits for a target into one message, with the job
	// that sends it. What may not be told, which is for the pure tell to say, is
	// forgotten. made is false if nothing is left to tell.
	ComposeNotice(ctx context.Context, target NoticeTarget, id string, now time.Time, tell func(NoticeCount) bool, job Job) (made bool, err error)
	// NoticeMessage gives one, or CodeNotFound.
	NoticeMessage(ctx context.Context, id string) (NoticeMessage, error)
	// AttemptNotice notes that a message is being handed over, for the first
	// time: CodeSendTwice if it was before.
	AttemptNotice(ctx context.Context, id string, at time.Time) error
	// ReleaseNotice takes that back: it was certainly not taken.
	ReleaseNotice(ctx context.Context, id string) error
	// EndNotice notes what became of a message.
	EndNotice(ctx context.Context, id string, state NoticeState, at time.Time) error
}
