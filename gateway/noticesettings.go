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
	s, err := n.Records.NoticeSettings(ctx, who.Staff.ID)
	return s, n.offered(who), err
}

func (n *NoticeDesk) offered(who Actor) []NoticeEvent {
	return slices.DeleteFunc(NoticeEvents(), func(e NoticeEvent) bool { return !who.Staff.CanSomewhere(e.Right()) })
}

const minutesOfDay = 24 * 60

// Save changes them. The audit trail tells that they changed, not the address.
func (n *NoticeDesk) Save(ctx context.Context, who Actor, s NoticeSettings) error {
	s.Staff = who.Staff.ID
	if s.Address != "" || s.Pace != NoticeOff {
		parsed, err := mail.ParseAddress(s.Address)
		if err != nil || parsed.Address != s.Address || len(s.Address) > 254 || strings.ContainsAny(s.Address, "\r\n") {
			return NewError(CodeBadAddress, nil)
		}
	}
	paces := []NoticePace{NoticeOff, NoticeNow, NoticeHourly, NoticeDaily}
	if !slices.Contains(paces, s.Pace) || slices.ContainsFunc([]int{s.DailyAt, s.QuietFrom, s.QuietTil}, func(m int) bool { return m < 0 || m >= minutesOfDay }) {
		return NewError(CodeBadRequest, nil)
	}
	offered := n.offered(who)
	if slices.ContainsFunc(s.Events, func(e NoticeEvent) bool { return !slices.Contains(offered, e) }) {
		return NewError(CodeBadRequest, nil)
	}
	return n.Records.SaveNoticeSettings(ctx, s, n.Now(), who.entry(n.Now(), ActionNoticesChanged, "staff:"+string(who.Staff.ID), ""))
}
