package gateway

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// NoticeDesk is the flow of a person's own settings of how they are told.
type NoticeDesk struct {
	Directory Directory
	Records   NoticeRecords
	Now       func() time.Time
}

// CodeBadAddress tells that something is no e-mail address.
const CodeBadAddress Code = "bad-address"

// Settings gives the person's, and the events that their roles let them be told of.
func (n *NoticeDesk) Settings(ctx context.Context, who Actor) (NoticeSettings, []NoticeEvent, error) {
	s, saved, err := n.Records.NoticeSettings(ctx, who.Staff.ID)
	if !saved {
		s = defaultNotices(who.Staff)
	}
	return s, offeredTo(who.Staff), err
}

// offeredTo gives the events that an account's roles let it be told of; what it
// may look at in an emergency does not count.
func offeredTo(s Staff) []NoticeEvent {
	s.Emergencies = nil
	return slices.DeleteFunc(NoticeEvents(), func(e NoticeEvent) bool { return !sourceOf(e).own && !s.CanSomewhere(e.Right()) })
}

func validAddress(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= 254 && !strings.ContainsAny(text, "\r\n")
}

const minutesOfDay = 24 * 60

// Save changes them. The audit trail tells that they changed, not the address.
func (n *NoticeDesk) Save(ctx context.Context, who Actor, s NoticeSettings) error {
	s.Staff = who.Staff.ID
	if (s.Address != "" || s.Pace != NoticeOff) && !validAddress(s.Address) {
		return NewError(CodeBadAddress, nil)
	}
	paces := []NoticePace{NoticeOff, NoticeNow, NoticeHourly, NoticeDaily}
	if !slices.Contains(paces, s.Pace) || slices.ContainsFunc([]int{s.DailyAt, s.QuietFrom, s.QuietTil}, func(m int) bool { return m < 0 || m >= minutesOfDay }) {
		return NewError(CodeBadRequest, nil)
	}
	offered := offeredTo(who.Staff)
	if slices.ContainsFunc(s.Events, func(e NoticeEvent) bool { return !slices.Contains(offered, e) }) {
		return NewError(CodeBadRequest, nil)
	}
	return n.Records.SaveNoticeSettings(ctx, s, n.Now(), who.entry(n.Now(), ActionNoticesChanged, "staff:"+string(who.Staff.ID), ""))
}
