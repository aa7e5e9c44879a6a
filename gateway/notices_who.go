package gateway

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// told is a person who is told.
type told struct {
	staff    Staff
	settings NoticeSettings
}

// people gives every account that is not switched off, as it is now, with how
// its person wants to be told. Nobody without a mail server.
func (n *Notices) people(ctx context.Context) (map[StaffID]told, error) {
	people := map[StaffID]told{}
	if n.Mailer == nil {
		return people, nil
	}
	saved, err := n.Records.AllNoticeSettings(ctx)
	if err != nil {
		return nil, err
	}
	settings := map[StaffID]NoticeSettings{}
	for _, s := range saved {
		settings[s.Staff] = s
	}
	accounts, err := n.Records.ListStaff(ctx)
	if err != nil {
		return nil, err
	}
	for _, staff := range accounts {
		if !staff.DisabledAt.IsZero() {
			continue
		}
		chosen, known := settings[staff.ID]
		if !known {
			chosen = defaultNotices(staff)
		}
		people[staff.ID] = told{staff, chosen}
	}
	return people, nil
}

// may tells whether somebody may be told of an event at an office, by what
// they are now and want now.
func (p told) may(event NoticeEvent, office OfficeID) bool {
	source := sourceOf(event)
	return p.settings.Wants(event) && (source.own || p.staff.Can(source.right, office))
}

// tells gives what a target may be told of.
func (n *Notices) tells(people map[StaffID]told, target NoticeTarget) func(NoticeCount) bool {
	id, _, isStaff := target.staff()
	p, known := people[id]
	return func(c NoticeCount) bool {
		if isStaff {
			return known && p.may(c.Event, c.Office)
		}
		return slices.ContainsFunc(n.Directory.Offices[c.Office].Hooks, func(h Hook) bool {
			return HookTarget(c.Office, h.Name) == target && slices.Contains(h.Events, c.Event)
		})
	}
}

// targets gives who is told of what an entry tells.
func (n *Notices) targets(people map[StaffID]told, source noticeSource, e AuditEntry) (targets []NoticeTarget) {
	for id, p := range people {
		if source.own && e.Object != "staff:"+string(id) || !p.may(source.event, e.Office) {
			continue
		}
		if source.urgent {
			targets = append(targets, UrgentTarget(id))
		} else {
			targets = append(targets, StaffTarget(id))
		}
	}
	for _, hook := range n.Directory.Offices[e.Office].Hooks {
		if slices.Contains(hook.Events, source.event) {
			targets = append(targets, HookTarget(e.Office, hook.Name))
		}
	}
	return targets
}

// due tells whether it is time for a message. To who may not be told any more
// it is time too: what waited for them is forgotten. What is told at once waits
// for the address of who gave none.
func (n *Notices) due(people map[StaffID]told, w WaitingNotices) bool {
	id, urgent, isStaff := w.Target.staff()
	if !isStaff {
		return true
	}
	if n.Mailer == nil {
		return false
	}
	p, known := people[id]
	if known && urgent {
		return p.settings.Address != ""
	}
	return !known || p.settings.Due(n.Now().In(ZoneOf(n.Directory, p.staff)), w.Last, w.Oldest)
}

// overdueTold is when somebody is told of what became overdue at midnight:
// nobody is woken for it.
const overdueTold = 7 * time.Hour

// overdue gives what became overdue between two moments, counted as the inbox
// counts.
func (n *Notices) overdue(ctx context.Context, seen, now time.Time) (entries []AuditEntry, err error) {
	for id, office := range n.Directory.Offices {
		from, to := office.Overdue(seen.Add(-overdueTold)), office.Overdue(now.Add(-overdueTold))
		for from.Before(to) {
			some, err := n.Records.WaitingSince(ctx, id, from, to, noticeBatch)
			if err != nil {
				return nil, err
			}
			for _, s := range some {
				// Since when it waits is part of the name: what becomes overdue once
				// more is told once more.
				entries = append(entries, AuditEntry{
					At: now, Object: submissionObject(s.ID) + "@" + strconv.FormatInt(s.Since.UnixMilli(), 10), Office: id,
				})
			}
			if len(some) < noticeBatch {
				break
			}
			from = later(some[len(some)-1].Since, from)
		}
	}
	return entries, nil
}

// later is where to read on after rows that end at a moment: there may be more
// of that moment, and each is told once however often it is read.
func later(last, since time.Time) time.Time {
	if last.After(since) {
		return last
	}
	return since.Add(time.Millisecond)
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

// defaultNotices is how somebody is told who never chose: of what nobody should
// learn late, if their login is an address of e-mail, and of the rest not.
func defaultNotices(s Staff) NoticeSettings {
	settings := NoticeSettings{Staff: s.ID, Events: offeredTo(s), Pace: NoticeOff, DailyAt: 8 * 60}
	if strings.Contains(s.Login, "@") && validAddress(s.Login) {
		settings.Address = s.Login
	}
	return settings
}
