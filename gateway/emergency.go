package gateway

import (
	"context"
	"slices"
	"strings"
	"time"
)

// EmergencyID names one emergency access.
type EmergencyID string

// EmergencyRule is who may look at an office's papers in an emergency, and for
// how long. Without roles nobody may.
type EmergencyRule struct {
	Roles []Role // held at any office of the installation
	For   time.Duration
}

// EmergencyRoles are the roles that a rule may name. An auditor who opened
// papers would audit themselves.
func EmergencyRoles() []Role { return []Role{RoleCaseworker, RoleSupervisor, RoleAdmin} }

// Emergency is one account's access to the papers of an office where no role
// of it opens them. It lets look, and nothing else, in one session alone.
type Emergency struct {
	ID           EmergencyID
	Staff        StaffID
	Session      SessionID
	Office       OfficeID
	SealedReason []byte // to the office: a reason may name a client. Nil once it is old
	OpenedAt     time.Time
	Until        time.Time
	EndedAt      time.Time // when the end was noted; zero before
	End          EmergencyEnd
	SeenAt       time.Time // somebody of the office said that they know; zero before
	SeenBy       StaffID
}

// EmergencyEnd tells what ended an emergency access.
type EmergencyEnd string

// The ends.
const (
	EmergencyTime     EmergencyEnd = "time"     // its time was over
	EmergencyPerson   EmergencyEnd = "person"   // they said that they are done
	EmergencyOverseer EmergencyEnd = "overseer" // a supervisor or admin of the office
	EmergencyLocked   EmergencyEnd = "locked"   // the desk locked for want of use
	EmergencySession  EmergencyEnd = "session"  // signed out, or the account was switched off
)

// Running tells whether the access lets look at a time. What ends the session
// ends it too, which the records tell.
func (e Emergency) Running(now time.Time) bool { return e.EndedAt.IsZero() && now.Before(e.Until) }

func (e Emergency) object() string { return emergencyMark + string(e.ID) }

// emergencyMark begins the name of an access as the object of an audit row,
// and as the reason of each row of a look that it alone allowed.
const emergencyMark = "emergency:"

// Emergency gives the access that alone allowed what an audit row tells of;
// empty if a role did.
func (e AuditEntry) Emergency() EmergencyID {
	id, marked := strings.CutPrefix(e.Reason, emergencyMark)
	if !marked || e.Outcome != OutcomeDone || !ValidID(id) {
		return ""
	}
	return EmergencyID(id)
}

// emergencyAt gives the access by which alone the person sees an office's
// papers; the zero value if there is none, or a role of theirs opens them.
func (s Staff) emergencyAt(office OfficeID) Emergency {
	if office == "" || !s.DisabledAt.IsZero() || s.Roles.Grant(RightPapers, office) {
		return Emergency{}
	}
	for _, e := range s.Emergencies {
		if e.Office == office {
			return e
		}
	}
	return Emergency{}
}

// look makes the entry of a look at an office's papers. One that a role does
// not allow carries the mark of the emergency access that does.
func (a Actor) look(now time.Time, action Action, object string, office OfficeID) AuditEntry {
	e := a.entry(now, action, object, office)
	if access := a.Staff.emergencyAt(office); access.ID != "" {
		e.Reason = access.object()
	}
	return e
}

// across makes the entries of a look at papers of all the person's offices, or
// of one: besides the one that names no office, one for each office that is
// open to them in an emergency, for whoever audits there.
func (a Actor) across(now time.Time, action Action, only OfficeID) []AuditEntry {
	entries := []AuditEntry{a.entry(now, action, "", "")}
	for _, office := range a.Staff.OfficesWith(RightPapers) {
		if a.Staff.emergencyAt(office).ID != "" && (only == "" || only == office) {
			entries = append(entries, a.look(now, action, "", office))
		}
	}
	return entries
}

// mayOpen tells whether an office's rule lets an account look in an emergency.
func (d Directory) mayOpen(s Staff, office OfficeID) bool {
	rule := d.Offices[office].Emergency
	if !s.DisabledAt.IsZero() || rule.For <= 0 || s.Roles.Grant(RightPapers, office) {
		return false
	}
	for at, roles := range s.Roles {
		if _, known := d.Offices[at]; known && slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(rule.Roles, r) }) {
			return true
		}
	}
	return false
}

// emergencies tells whether some office allows any.
func (d Directory) emergencies() bool {
	for _, office := range d.Offices {
		if len(office.Emergency.Roles) > 0 {
			return true
		}
	}
	return false
}

// EmergencyRecords keeps who may look at what in an emergency.
type EmergencyRecords interface {
	// OpenEmergency stores an access with its audit row, what tells of it and
	// the job that sends that: all or nothing. One that runs in the same session
	// at the same office is given instead. CodeSignIn if the session is over,
	// CodeForbidden if the office cut one of the account off whose time is not.
	OpenEmergency(ctx context.Context, e Emergency, told []Notice, job Job, audit AuditEntry) (Emergency, error)
	// RunningEmergencies gives those of a live session that no end is noted of
	// and whose time is not over.
	RunningEmergencies(ctx context.Context, staff StaffID, session SessionID, now time.Time) ([]Emergency, error)
	// EmergencyRuns tells whether one of them still runs.
	EmergencyRuns(ctx context.Context, id EmergencyID, now time.Time) (bool, error)
	// Emergency gives one at these offices, or CodeNotFound.
	Emergency(ctx context.Context, offices []OfficeID, id EmergencyID) (Emergency, error)
	// EmergenciesAt gives at most limit at these offices: those that nobody
	// acknowledged, then the others, and of each the newest first.
	EmergenciesAt(ctx context.Context, offices []OfficeID, limit int) ([]Emergency, error)
	// UnseenEmergencies counts those at these offices that nobody acknowledged,
	// but for the person's own.
	UnseenEmergencies(ctx context.Context, offices []OfficeID, but StaffID) (int, error)
	// EmergenciesOf gives all of an account, oldest first.
	EmergenciesOf(ctx context.Context, staff StaffID) ([]Emergency, error)
	// EndEmergency notes the end of one, CodeNotFound if that was noted before.
	EndEmergency(ctx context.Context, id EmergencyID, end EmergencyEnd, at time.Time, audit AuditEntry) error
	// CutOffEmergencies ends all of an account at an office, in whichever session
	// they run, with an audit row for each, which names it.
	CutOffEmergencies(ctx context.Context, staff StaffID, office OfficeID, at time.Time, audit AuditEntry) error
	// SeeEmergency notes who knows of one; who did so first stays.
	SeeEmergency(ctx context.Context, id EmergencyID, by StaffID, at time.Time, audit AuditEntry) error
	// OverEmergencies gives at most limit of which no end is noted, though their
	// time is over, or their session, or their account is switched off: as End
	// tells.
	OverEmergencies(ctx context.Context, now time.Time, limit int) ([]Emergency, error)
	// Sessions is AccountRecords'.
	Sessions(ctx context.Context, staff StaffID, now time.Time) ([]DeskSession, error)
	// ListStaff is StaffRecords'.
	ListStaff(ctx context.Context) ([]Staff, error)
}
