package gateway

import (
	"context"
	"io"
	"log/slog"
	"time"
)

const (
	// JobNotice sends one message; its subject is the message's identifier.
	JobNotice JobKind = "notice"
	// JobNotices makes the messages that are due, where that cannot wait for
	// the clock.
	JobNotices JobKind = "notices"
)

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
	people, err := n.people(ctx)
	if err != nil {
		return err
	}
	if err := n.gather(ctx, people); err != nil {
		return err
	}
	waiting, err := n.Records.NoticesWaiting(ctx)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if !n.due(people, w) {
			continue
		}
		now := n.Now()
		id, err := NewID(now, n.Random)
		if err != nil {
			return err
		}
		if _, err := n.Records.ComposeNotice(ctx, w.Target, id, now, n.tells(people, w.Target), Job{Kind: JobNotice, Subject: id}); err != nil {
			return err
		}
	}
	return nil
}

// gather stores for everybody who wants to know what is new.
func (n *Notices) gather(ctx context.Context, people map[StaffID]told) error {
	now := n.Now()
	seen, err := n.Records.NoticeLook(ctx)
	if err != nil {
		return err
	}
	if seen.IsZero() { // the first look: nobody is told of old things
		return n.Records.AddNotices(ctx, nil, now, now.Add(-noticeKept))
	}
	var notices []Notice
	for _, source := range noticeSources {
		entries, err := n.entriesOf(ctx, source, seen, now)
		if err != nil {
			return err
		}
		for _, e := range entries {
			for _, target := range n.targets(people, source, e) {
				notices = append(notices, Notice{Target: target, Event: source.event, Object: e.Object, Office: e.Office, At: e.At})
			}
		}
	}
	return n.Records.AddNotices(ctx, notices, now, now.Add(-noticeKept))
}

func (n *Notices) entriesOf(ctx context.Context, source noticeSource, seen, now time.Time) ([]AuditEntry, error) {
	switch {
	case source.event == NoticeOverdue:
		return n.overdue(ctx, seen, now)
	case len(source.actions) == 0:
		return nil, nil
	}
	return n.events(ctx, source.actions, seen.Add(-noticeOverlap))
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
		since = later(part[len(part)-1].At, since)
	}
}
