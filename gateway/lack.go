package gateway

import (
	"context"
	"slices"
	"time"
)

// LackReason is why a client has no paper for one of the office's asks.
type LackReason string

// The reasons. None takes back what was said.
const (
	LackNone   LackReason = ""
	LackCannot LackReason = "cannot" // they cannot get it
	LackHelp   LackReason = "help"   // they need help with it
	LackRemind LackReason = "remind" // they want one text about it, tomorrow
)

// LackReasons are those that a client may choose, in the order of the page.
func LackReasons() []LackReason { return []LackReason{LackCannot, LackHelp, LackRemind} }

// Lack is one ask that a client has no paper for.
type Lack struct {
	Ask    string
	Reason LackReason
	At     time.Time
}

// LackOf gives what the client said of an ask.
func (s Submission) LackOf(ask string) LackReason {
	for _, l := range s.Lacks {
		if l.Ask == ask {
			return l.Reason
		}
	}
	return LackNone
}

// Reached tells whether something of the client came: a page, or word of what
// they do not have.
func (s Submission) Reached() bool { return !s.ArrivedAt.IsZero() }

// Texted tells whether the client of a session can be texted. Whoever was
// given their link at the counter gave no number.
func (s Session) Texted() bool { return !s.Link.Sender.IsZero() }

// Lack notes why a client has no paper for an ask; LackNone takes that back.
// Who wants to be reminded gets one text tomorrow, however many asks it is
// about: it is queued here, and dropped if the client takes it back by then.
func (u *Uploads) Lack(ctx context.Context, s Session, ask string, reason LackReason) error {
	now := u.Now()
	if code, over := sessionOver(s, now); over {
		return NewError(code, nil)
	}
	office := u.Directory.Offices[s.Submission.Office]
	if !office.Asked(ask) || reason != LackNone && !slices.Contains(LackReasons(), reason) || reason == LackRemind && !s.Texted() {
		return NewError(CodeBadRequest, nil)
	}
	if s.Submission.LackOf(ask) == reason {
		return nil // said before: a retry, or a second tap
	}
	said := LackSaid{Lack: Lack{Ask: ask, Reason: reason, At: now}, IdleAt: u.act(now).IdleAt}
	if reason == LackRemind {
		reminder, err := newSending(u.Random, now, OccasionRemindMe, s.Link)
		if err != nil {
			return err
		}
		reminder.Link, reminder.Submission = "", s.Submission.ID // a link is chosen when it is sent
		said.Reminder, said.Jobs = reminder, []Job{sendJob(reminder.ID, tomorrowByDay(office.Location, now))}
	}
	return u.Records.SaveLack(ctx, s.Link.ID, s.Submission.ID, said, u.byClient(s, ActionLackSaid, "submission:"+string(s.Submission.ID)))
}

// byClient is the audit entry of what a client did in a session.
func (u *Uploads) byClient(s Session, action Action, object string) AuditEntry {
	return AuditEntry{
		At: u.Now(), Actor: ActorClient, Action: action, Object: object, Office: s.Submission.Office, Outcome: OutcomeDone,
	}
}
