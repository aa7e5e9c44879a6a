package gateway

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// JobNotice sends one message; its subject is the message's identifier.
const JobNotice JobKind = "notice"

// Mailer sends e-mail. An error is *NotTaken if the message was certainly not
// taken; every other error leaves it open.
type Mailer interface {
	Mail(ctx context.Context, to, subject, text, id string) error
}

// NotTaken is the error of a message that was certainly not taken. It never
// tells the address.
type NotTaken struct {
	Final bool // no further try helps
	Err   error
}

func (e *NotTaken) Error() string { return "not taken: " + e.Err.Error() }
func (e *NotTaken) Unwrap() error { return e.Err }

// Poster posts to an office's hook. The same identifier may be posted several
// times: it is by this that the other side knows a message that came again.
type Poster interface {
	Post(ctx context.Context, office OfficeID, hook, id string, body []byte) error
}

// Notices is the flow that tells caseworkers and other systems that something
// is at the desk. What is told holds no content, and nothing of a client.
type Notices struct {
	Directory Directory
	Records   NoticeRecords
	Mailer    Mailer // nil if the configuration names no server
	Poster    Poster
	DeskURL   string
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
}

const (
	// noticeOverlap is how far each look at the audit trail reaches back before
	// the last: a row's time is a little older than its commit.
	noticeOverlap = 10 * time.Minute
	// noticeKept is how long what was told is remembered.
	noticeKept = 30 * 24 * time.Hour
)

// Run reads what is new in the audit trail and makes the messages that are due.
func (n *Notices) Run(ctx context.Context) error {
	if err := n.gather(ctx); err != nil {
		return err
	}
	waiting, err := n.Records.NoticesWaiting(ctx)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		due, err := n.due(ctx, w)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		now := n.Now()
		id, err := NewID(now, n.Random)
		if err != nil {
			return err
		}
		if _, err := n.Records.ComposeNotice(ctx, w.Target, id, now, Job{Kind: JobNotice, Subject: id}); err != nil {
			return err
		}
	}
	return nil
}

// gather stores for everybody who wants to know what is new.
func (n *Notices) gather(ctx context.Context) error {
	now := n.Now()
	seen, err := n.Records.NoticeLook(ctx)
	if err != nil {
		return err
	}
	if seen.IsZero() { // the first look: nobody is told of old things
		return n.Records.AddNotices(ctx, nil, now, now.Add(-noticeKept))
	}
	people, err := n.listeners(ctx)
	if err != nil {
		return err
	}
	var notices []Notice
	for _, source := range noticeSources {
		entries, err := n.events(ctx, source.actions, seen.Add(-noticeOverlap))
		if err != nil {
			return err
		}
		for _, e := range entries {
			for _, target := range n.targets(people, source, e.Office) {
				notices = append(notices, Notice{Target: target, Event: source.event, Object: e.Object, Office: e.Office, At: e.At})
			}
		}
	}
	return n.Records.AddNotices(ctx, notices, now, now.Add(-noticeKept))
}

// noticeBatch is how many audit rows are read at once.
const noticeBatch = 1000

// events gives all that was done since: after a night of many none is left out.
func (n *Notices) events(ctx context.Context, actions []Action, since time.Time) ([]AuditEntry, error) {
	var found []AuditEntry
	for {
		part, err := n.Records.NewEvents(ctx, actions, since, noticeBatch)
		found = append(found, part...)
		if err != nil || len(part) < noticeBatch {
			return found, err
		}
		// The next part begins with the rows of the last one's moment: each thing
		// is told once, however often it is read.
		last := part[len(part)-1].At
		if !last.After(since) {
			last = since.Add(time.Millisecond)
		}
		since = last
	}
}

// told is a person who is told.
type told struct {
	staff    Staff
	settings NoticeSettings
}

func (n *Notices) listeners(ctx context.Context) ([]told, error) {
	if n.Mailer == nil {
		return nil, nil
	}
	settings, err := n.Records.AllNoticeSettings(ctx)
	if err != nil || len(settings) == 0 {
		return nil, err
	}
	accounts, err := n.Records.ListStaff(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[StaffID]Staff{}
	for _, s := range accounts {
		byID[s.ID] = s
	}
	var people []told
	for _, s := range settings {
		if staff, known := byID[s.Staff]; known {
			people = append(people, told{staff, s})
		}
	}
	return people, nil
}

// targets gives who is told of an event at an office.
func (n *Notices) targets(people []told, source noticeSource, office OfficeID) (targets []NoticeTarget) {
	for _, p := range people {
		if p.settings.Wants(source.event) && p.staff.Can(source.right, office) {
			targets = append(targets, StaffTarget(p.staff.ID))
		}
	}
	for _, hook := range n.Directory.Offices[office].Hooks {
		for _, event := range hook.Events {
			if event == source.event {
				targets = append(targets, HookTarget(office, hook.Name))
			}
		}
	}
	return targets
}

func (n *Notices) due(ctx context.Context, w WaitingNotices) (bool, error) {
	id, isStaff := w.Target.staff()
	if !isStaff {
		return true, nil
	}
	settings, err := n.Records.NoticeSettings(ctx, id)
	if err != nil || n.Mailer == nil {
		return false, err
	}
	return settings.Due(n.Now().In(n.zone(ctx, id)), w.Last, w.Oldest), nil
}

// zone is the time zone of the first of a person's offices.
func (n *Notices) zone(ctx context.Context, id StaffID) *time.Location {
	accounts, err := n.Records.ListStaff(ctx)
	if err == nil {
		for _, s := range accounts {
			if s.ID == id {
				return ZoneOf(n.Directory, s)
			}
		}
	}
	return time.UTC
}

// ZoneOf is the time zone of the first of a person's offices.
func ZoneOf(d Directory, s Staff) *time.Location {
	for _, office := range s.Roles.Offices() {
		if zone := d.Offices[office].Location; zone != nil {
			return zone
		}
	}
	return time.UTC
}
