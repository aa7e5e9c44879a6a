package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Notices is the flow of how a person is told that something is at the desk.
type Notices interface {
	Settings(ctx context.Context, who gateway.Actor) (gateway.NoticeSettings, []gateway.NoticeEvent, error)
	Save(ctx context.Context, who gateway.Actor, s gateway.NoticeSettings) error
}

type noticesView struct {
	frame
	Mails                          bool // there is a mail server
	Zone                           string
	Address                        string
	Events                         []eventChoice
	AtOnce                         []eventChoice // whatever the pace
	Watches                        bool          // emergency access at an office is told to the person
	Paces                          []choice
	Pace                           string
	DailyAt, QuietFrom, QuietUntil string // like 08:30; the quiet hours empty if there are none
	Saved                          bool
	Problem                        *problem
}

type eventChoice struct {
	choice
	Chosen bool
}

var eventWords = map[gateway.NoticeEvent]string{
	gateway.NoticeSubmission: "New papers arrived",
	gateway.NoticeOverdue:    "Papers became overdue",
	gateway.NoticeErasure:    "Papers that nobody marked done will be erased",
	gateway.NoticeNewBrowser: "Somebody signs in to your account from a new browser",
}

var noticePaces = []choice{
	{string(gateway.NoticeOff), "Only what is told at once"},
	{string(gateway.NoticeNow), "At once"},
	{string(gateway.NoticeHourly), "Once an hour, if there is something"},
	{string(gateway.NoticeDaily), "Once a day"},
}

func (d *desk) notices(c echo.Context) error {
	settings, offered, err := d.Notices.Settings(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	return d.showNotices(c, http.StatusOK, settings, offered, nil)
}

func (d *desk) showNotices(c echo.Context, status int, s gateway.NoticeSettings, offered []gateway.NoticeEvent, p *problem) error {
	view := noticesView{
		frame: d.frame(c, "Notices", "notices"), Mails: d.Mails, Zone: gateway.ZoneOf(d.Directory, actor(c).Staff).String(),
		Address: s.Address, Paces: noticePaces, Pace: string(s.Pace), DailyAt: clockOf(s.DailyAt),
		Saved: c.QueryParam("saved") == "1", Problem: p,
	}
	if s.QuietFrom != s.QuietTil {
		view.QuietFrom, view.QuietUntil = clockOf(s.QuietFrom), clockOf(s.QuietTil)
	}
	for _, e := range offered {
		line := eventChoice{choice{string(e), eventWords[e]}, slices.Contains(s.Events, e)}
		if e.Urgent() {
			view.AtOnce = append(view.AtOnce, line)
		} else {
			view.Events = append(view.Events, line)
		}
	}
	view.Watches = actor(c).Staff.CanSomewhere(gateway.RightWatch)
	return d.render(c, status, "notices", view)
}

func (d *desk) saveNotices(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	s := gateway.NoticeSettings{Address: form.Get("address"), Pace: gateway.NoticePace(form.Get("pace"))}
	for _, event := range form["events"] {
		s.Events = append(s.Events, gateway.NoticeEvent(event))
	}
	for name, into := range map[string]*int{"daily-at": &s.DailyAt, "quiet-from": &s.QuietFrom, "quiet-till": &s.QuietTil} {
		if *into, err = minutesOf(form.Get(name)); err != nil {
			return gateway.NewError(gateway.CodeBadRequest, nil)
		}
	}
	if form.Get("quiet-from") == "" || form.Get("quiet-till") == "" {
		s.QuietFrom, s.QuietTil = 0, 0
	}
	ctx := c.Request().Context()
	err = d.Notices.Save(ctx, actor(c), s)
	if gateway.Is(err, gateway.CodeBadAddress) {
		_, offered, failed := d.Notices.Settings(ctx, actor(c))
		if failed != nil {
			return failed
		}
		p := problemOf(err)
		d.note(c, p, err)
		return d.showNotices(c, p.Status, s, offered, &p)
	}
	if err != nil {
		return err
	}
	return d.redirect(c, "/notices?saved=1")
}

// clockOf writes minutes after midnight as a field of type time has them.
func clockOf(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// minutesOf reads them; an empty field is midnight.
func minutesOf(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err
}
