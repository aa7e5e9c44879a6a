package gateway

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Emergencies is the flow of access to another office's papers in an emergency.
type Emergencies struct {
	Directory Directory
	Records   EmergencyRecords
	Audit     AuditTrail
	Sealer    Sealer
	Opener    Opener // nil where no reason is shown
	Now       func() time.Time
	Random    io.Reader
}

// EmergencyReasonRunes bounds a reason.
const EmergencyReasonRunes = 500

const (
	// CodeEmergencyReason tells that no reason was given, or too long a one.
	CodeEmergencyReason Code = "emergency-reason"
	// CodeNoFactor tells that the office asks for a second factor, and that the
	// session was not begun with one that counts.
	CodeNoFactor Code = "no-factor"
)

// EmergencyView is an access as it is shown.
type EmergencyView struct {
	Emergency
	Place   Office
	Running bool
	Reason  string // empty if it cannot be opened, or is old
	Own     bool   // the person's, who does not acknowledge it
	MayEnd  bool
}

// EmergencyPage is what a person sees of all this.
type EmergencyPage struct {
	May     []Office        // may be opened
	Running []EmergencyView // the person's, in this session
	Watched []EmergencyView // at the offices that they watch over, what nobody acknowledged first
	Logins  map[StaffID]string
}

// emergenciesShown bounds the list.
const emergenciesShown = 50

// Page gives a person what they may open, what runs, and what others opened at
// their offices, with the reasons: that they look at these is written down.
func (e *Emergencies) Page(ctx context.Context, who Actor) (EmergencyPage, error) {
	page := EmergencyPage{May: e.MayOpen(who), Logins: map[StaffID]string{}}
	now := e.Now()
	for _, running := range who.Staff.Emergencies {
		page.Running = append(page.Running, e.view(who, running, now))
	}
	watched, err := e.Records.EmergenciesAt(ctx, who.Staff.OfficesWith(RightWatch), emergenciesShown)
	if err != nil || len(watched) == 0 {
		return page, err
	}
	var looked []AuditEntry
	for _, w := range watched {
		if !slices.ContainsFunc(looked, func(l AuditEntry) bool { return l.Office == w.Office }) {
			looked = append(looked, who.entry(now, ActionEmergenciesViewed, "", w.Office))
		}
	}
	if err := e.Audit.Append(ctx, looked...); err != nil {
		return page, err
	}
	staff, err := e.Records.ListStaff(ctx)
	for _, s := range staff {
		page.Logins[s.ID] = s.Login
	}
	for _, w := range watched {
		view := e.view(who, w, now)
		if reason, err := openBytes(e.Opener, w.Office, w.SealedReason); err == nil {
			view.Reason = string(reason)
		}
		page.Watched = append(page.Watched, view)
	}
	return page, err
}

func (e *Emergencies) view(who Actor, of Emergency, now time.Time) EmergencyView {
	return EmergencyView{
		Emergency: of, Place: e.Directory.Offices[of.Office], Running: of.Running(now), Own: of.Staff == who.Staff.ID,
		MayEnd: of.Running(now) && who.Staff.Can(RightCutOff, of.Office),
	}
}

// MayOpen gives the offices that the person may open in an emergency and has
// not opened, by name.
func (e *Emergencies) MayOpen(who Actor) []Office {
	var offices []Office
	for id, office := range e.Directory.Offices {
		if e.Directory.mayOpen(who.Staff, id) && who.Staff.emergencyAt(id).ID == "" {
			offices = append(offices, office)
		}
	}
	slices.SortFunc(offices, func(a, b Office) int { return strings.Compare(a.Name, b.Name) })
	return offices
}

// Unseen counts what nobody acknowledged at the offices that the person
// watches over.
func (e *Emergencies) Unseen(ctx context.Context, who Actor) (int, error) {
	offices := who.Staff.OfficesWith(RightWatch)
	if len(offices) == 0 {
		return 0, nil
	}
	return e.Records.UnseenEmergencies(ctx, offices, who.Staff.ID)
}

// Open lets a person look at an office's papers, and tells who watches over
// the office: both are stored together or not at all.
func (e *Emergencies) Open(ctx context.Context, who Actor, session SessionID, office OfficeID, reason string) (Emergency, error) {
	now := e.Now()
	entry := who.entry(now, ActionEmergencyOpened, "", office)
	place, known := e.Directory.Offices[office]
	if !known {
		entry.Office = "" // what was typed is no name of an office
	}
	proven, err := e.proven(ctx, who, session)
	if err != nil {
		return Emergency{}, err
	}
	reason = strings.TrimSpace(reason)
	var cause *Error
	switch {
	case !e.Directory.mayOpen(who.Staff, office):
		cause = NewError(CodeForbidden, nil)
	case !place.SecondFactorOptional && !proven:
		cause = NewError(CodeNoFactor, nil)
	case reason == "" || utf8.RuneCountInString(reason) > EmergencyReasonRunes:
		return Emergency{}, NewError(CodeEmergencyReason, nil) // a slip, and no refusal
	}
	if cause != nil {
		entry.Outcome, entry.Reason = OutcomeDenied, string(cause.Code)
		return Emergency{}, errors.Join(cause, e.Audit.Append(ctx, entry))
	}
	id, err := NewID(now, e.Random)
	if err != nil {
		return Emergency{}, err
	}
	access := Emergency{
		ID: EmergencyID(id), Staff: who.Staff.ID, Session: session, Office: office, OpenedAt: now, Until: now.Add(place.Emergency.For),
	}
	if access.SealedReason, err = sealBytes(e.Sealer, office, []byte(cleanWords(reason, EmergencyReasonRunes))); err != nil {
		return Emergency{}, err
	}
	staff, err := e.Records.ListStaff(ctx)
	if err != nil {
		return Emergency{}, err
	}
	opened := entry
	opened.Object, opened.Reason = access.object(), "for "+place.Emergency.For.String()
	access, err = e.Records.OpenEmergency(ctx, access, alertsOf(staff, place, access), Job{Kind: JobNotices, Subject: "now", Unique: true}, opened)
	return access, denied(ctx, e.Audit, entry, err)
}

// proven tells whether the session was begun with a second factor that counts:
// that the account has one says nothing of who sits there.
func (e *Emergencies) proven(ctx context.Context, who Actor, session SessionID) (bool, error) {
	sessions, err := e.Records.Sessions(ctx, who.Staff.ID, e.Now())
	return slices.ContainsFunc(sessions, func(s DeskSession) bool { return s.ID == session && s.Proven }), err
}

// alertsOf names everybody and everything that is told of an access at once.
func alertsOf(staff []Staff, office Office, access Emergency) (told []Notice) {
	notice := Notice{Event: NoticeEmergency, Object: access.object(), Office: office.ID, At: access.OpenedAt}
	for _, s := range staff {
		if s.Can(NoticeEmergency.Right(), office.ID) {
			notice.Target = UrgentTarget(s.ID)
			told = append(told, notice)
		}
	}
	for _, hook := range office.Hooks {
		if slices.Contains(hook.Events, NoticeEmergency) {
			notice.Target = HookTarget(office.ID, hook.Name)
			told = append(told, notice)
		}
	}
	return told
}

// Leave ends the person's own access to an office in this session. One that is
// over already is left as it is.
func (e *Emergencies) Leave(ctx context.Context, who Actor, office OfficeID) error {
	for _, running := range who.Staff.Emergencies {
		if running.Office == office {
			if err := e.end(ctx, who, running, EmergencyPerson); !Is(err, CodeNotFound) {
				return err
			}
		}
	}
	return nil
}

// Lock ends every access of a session that was locked: whoever unlocks it may
// be back at the desk for something else.
func (e *Emergencies) Lock(ctx context.Context, who Actor, session SessionID) error {
	if !e.Directory.emergencies() {
		return nil
	}
	running, err := e.Records.RunningEmergencies(ctx, who.Staff.ID, session, e.Now())
	for _, r := range running {
		if failed := e.end(ctx, who, r, EmergencyLocked); !Is(failed, CodeNotFound) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

func (e *Emergencies) end(ctx context.Context, who Actor, of Emergency, why EmergencyEnd) error {
	now := e.Now()
	entry := who.entry(now, ActionEmergencyEnded, of.object(), of.Office)
	entry.Reason = string(why)
	return e.Records.EndEmergency(ctx, of.ID, why, now, entry)
}

// CutOff ends somebody's access to an office that the person watches over, in
// every session of theirs; they cannot open it anew before its time is over.
// What is over already is left as it is.
func (e *Emergencies) CutOff(ctx context.Context, who Actor, id EmergencyID) error {
	of, err := e.find(ctx, who, RightCutOff, ActionEmergencyEnded, id)
	if err != nil {
		return err
	}
	now := e.Now()
	entry := who.entry(now, ActionEmergencyEnded, "", of.Office)
	entry.Reason = string(EmergencyOverseer)
	return e.Records.CutOffEmergencies(ctx, of.Staff, of.Office, now, entry)
}

// See notes that the person knows of an access; CodeForbidden for their own.
func (e *Emergencies) See(ctx context.Context, who Actor, id EmergencyID) error {
	of, err := e.find(ctx, who, RightWatch, ActionEmergencySeen, id)
	if err != nil {
		return err
	}
	entry := who.entry(e.Now(), ActionEmergencySeen, of.object(), of.Office)
	if of.Staff == who.Staff.ID {
		entry.Outcome, entry.Reason = OutcomeDenied, string(CodeForbidden)
		return errors.Join(NewError(CodeForbidden, nil), e.Audit.Append(ctx, entry))
	}
	return e.Records.SeeEmergency(ctx, id, who.Staff.ID, e.Now(), entry)
}

func (e *Emergencies) find(ctx context.Context, who Actor, right Right, action Action, id EmergencyID) (Emergency, error) {
	of, err := e.Records.Emergency(ctx, who.Staff.OfficesWith(right), id)
	return of, denied(ctx, e.Audit, who.entry(e.Now(), action, emergencyMark+string(id), ""), err)
}

// running gives what a session may look at now: also what the configuration,
// or the account's roles, allowed when it was opened is asked for again.
func (e *Emergencies) running(ctx context.Context, staff Staff, session SessionID) ([]Emergency, error) {
	if !e.Directory.emergencies() {
		return nil, nil
	}
	running, err := e.Records.RunningEmergencies(ctx, staff.ID, session, e.Now())
	return slices.DeleteFunc(running, func(r Emergency) bool { return !e.Directory.mayOpen(staff, r.Office) }), err
}

// settleAtOnce bounds what one look takes.
const settleAtOnce = 200

// Settle notes the ends that nobody asked for. They hold from their own moment
// on: what is late is the row in the trail.
func (e *Emergencies) Settle(ctx context.Context) error {
	over, err := e.Records.OverEmergencies(ctx, e.Now(), settleAtOnce)
	for _, o := range over {
		failed := e.end(ctx, Actor{Role: "worker"}, o, o.End)
		if !Is(failed, CodeNotFound) {
			err = errors.Join(err, failed)
		}
	}
	return err
}
