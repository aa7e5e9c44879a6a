package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Send hands one message over. An e-mail is sent at most once: that it is being
// handed over is noted first, and a crash after that, or a connection that
// broke off after the message was on its way, ends it as unknown. Who missed
// one finds the papers at the desk; who got each twice would stop to look. A
// hook is posted to until it answers, each time with the same identifier.
func (n *Notices) Send(ctx context.Context, id string) error {
	m, err := n.Records.NoticeMessage(ctx, id)
	if err != nil || m.State != NoticeWaiting {
		if Is(err, CodeNotFound) {
			return GiveUp(err)
		}
		return err
	}
	people, err := n.people(ctx)
	if err != nil {
		return err
	}
	// Rights and wishes are asked for once more: since it was made, the person
	// may have lost the office, or the account.
	tell := n.tells(people, m.Target)
	m.Counts = slices.DeleteFunc(m.Counts, func(c NoticeCount) bool { return !tell(c) })
	if len(m.Counts) == 0 {
		return n.Records.EndNotice(ctx, m.ID, NoticeRefused, n.Now())
	}
	if staff, _, isStaff := m.Target.staff(); isStaff {
		return n.mail(ctx, m, people[staff].settings.Address)
	}
	return n.post(ctx, m)
}

func (n *Notices) mail(ctx context.Context, m NoticeMessage, address string) error {
	err := n.Records.AttemptNotice(ctx, m.ID, n.Now())
	if Is(err, CodeSendTwice) {
		return n.Records.EndNotice(ctx, m.ID, NoticeUnknown, n.Now())
	}
	if err != nil {
		return err
	}
	subject, text := n.words(m)
	err = n.Mailer.Mail(ctx, address, subject, text, m.ID)
	noting := context.WithoutCancel(ctx) // what was handed over is noted, whoever stops meanwhile
	if err == nil {
		return n.Records.EndNotice(noting, m.ID, NoticeSent, n.Now())
	}
	refused, sure := errors.AsType[*NotTaken](err)
	switch {
	case !sure:
		n.Log.WarnContext(ctx, "an e-mail may or may not have been sent; it is not sent again", slog.String("message", m.ID), slog.Any("error", err))
		return n.Records.EndNotice(noting, m.ID, NoticeUnknown, n.Now())
	case refused.Final:
		return errors.Join(GiveUp(err), n.Records.EndNotice(noting, m.ID, NoticeRefused, n.Now()))
	}
	return errors.Join(err, n.Records.ReleaseNotice(noting, m.ID))
}

// words makes the subject and the text of an e-mail.
func (n *Notices) words(m NoticeMessage) (subject, text string) {
	var lines, pages []string
	for _, c := range m.Counts {
		source := sourceOf(c.Event)
		what := cmp.Or(source.several, string(c.Event))
		if c.Count == 1 {
			what = cmp.Or(source.one, string(c.Event))
		}
		line := fmt.Sprintf("%d %s", c.Count, what)
		if c.Office != "" {
			line += " in " + cmp.Or(n.Directory.Offices[c.Office].Name, string(c.Office))
		}
		lines = append(lines, line)
		if page := n.DeskURL + cmp.Or(source.page, "/"); !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	subject = "Dropslot"
	if len(lines) > 0 {
		subject = lines[0]
	}
	if len(lines) > 1 {
		subject += " and more"
	}
	return subject, strings.Join(lines, "\n") + "\n\n" + strings.Join(pages, "\n") + "\n\nHow you are told: " + n.DeskURL + "/notices\n"
}

// hookBody is what a hook is posted.
type hookBody struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      hookData  `json:"data"`
}

type hookData struct {
	Desk   string        `json:"desk"`
	Counts []NoticeCount `json:"counts"`
}

func (n *Notices) post(ctx context.Context, m NoticeMessage) error {
	office, name, _ := strings.Cut(strings.TrimPrefix(string(m.Target), "hook:"), "/")
	body, err := json.Marshal(hookBody{Type: "notice", Timestamp: m.MadeAt.UTC(), Data: hookData{Desk: n.DeskURL + "/", Counts: m.Counts}})
	if err != nil {
		return err
	}
	err = n.Poster.Post(ctx, OfficeID(office), name, m.ID, body)
	noting := context.WithoutCancel(ctx)
	if err == nil {
		return n.Records.EndNotice(noting, m.ID, NoticeSent, n.Now())
	}
	if refused, sure := errors.AsType[*NotTaken](err); sure && refused.Final {
		return errors.Join(GiveUp(err), n.Records.EndNotice(noting, m.ID, NoticeRefused, n.Now()))
	}
	return err
}
