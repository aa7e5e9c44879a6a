package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Emergencies is the flow of access to another office's papers in an emergency.
type Emergencies interface {
	Page(ctx context.Context, who gateway.Actor) (gateway.EmergencyPage, error)
	MayOpen(who gateway.Actor) []gateway.Office
	Unseen(ctx context.Context, who gateway.Actor) (int, error)
	Open(ctx context.Context, who gateway.Actor, session gateway.SessionID, office gateway.OfficeID, reason string) (gateway.Emergency, error)
	Leave(ctx context.Context, who gateway.Actor, office gateway.OfficeID) error
	Lock(ctx context.Context, who gateway.Actor, session gateway.SessionID) error
	CutOff(ctx context.Context, who gateway.Actor, id gateway.EmergencyID) error
	See(ctx context.Context, who gateway.Actor, id gateway.EmergencyID) error
}

// emergencyFrame is what stands above every page.
type emergencyFrame struct {
	Menu    bool // there is something for the person on the page of emergencies
	May     bool // open an office's papers
	Running []runningLine
	Unseen  int // opened at offices that they watch over, and not acknowledged
}

// runningLine is an access that the person has.
type runningLine struct {
	Office, Place string
	Until         moment
	Clock, Left   string
}

// emergencyFrame also takes the papers off the screen when the access ends:
// the browser then asks for the page of emergencies, and says that it does so
// by itself.
func (d *desk) emergencyFrame(c echo.Context, who gateway.Actor) emergencyFrame {
	f := emergencyFrame{May: len(d.Emergencies.MayOpen(who)) > 0}
	now, zone, first := d.Now(), d.zoneOf(who.Staff), time.Time{}
	for _, e := range who.Staff.Emergencies {
		f.Running = append(f.Running, runningLine{
			Office: string(e.Office), Place: d.officeName(e.Office), Until: momentOf(e.Until, now, zone),
			Clock: e.Until.In(zone).Format("3:04 PM MST"), Left: leftWords(e.Until.Sub(now)),
		})
		if first.IsZero() || e.Until.Before(first) {
			first = e.Until
		}
	}
	if !first.IsZero() {
		seconds := int(first.Sub(now)/time.Second) + 1
		c.Response().Header().Set("Refresh", strconv.Itoa(seconds)+"; url=/emergency?auto=1")
	}
	var err error
	if f.Unseen, err = d.Emergencies.Unseen(c.Request().Context(), who); err != nil {
		d.Log.Error("the desk could not look for emergency access", "code", string(gateway.CodeOf(err)), "err", err)
	}
	f.Menu = f.May || len(f.Running) > 0 || f.Unseen > 0 || d.watches(who.Staff)
	return f
}

// watches tells whether some office that the person watches over allows access
// in an emergency.
func (d *desk) watches(staff gateway.Staff) bool {
	for _, office := range staff.OfficesWith(gateway.RightWatch) {
		if len(d.Directory.Offices[office].Emergency.Roles) > 0 {
			return true
		}
	}
	return false
}

// leftWords rounds up; times.ts says it alike while a page stays open.
func leftWords(left time.Duration) string {
	minutes := int((left + time.Minute - 1) / time.Minute)
	switch {
	case minutes <= 1:
		return "less than a minute left"
	case minutes < 60:
		return plural(minutes, "minute") + " left"
	case minutes%60 == 0:
		return plural(minutes/60, "hour") + " left"
	}
	return plural(minutes/60, "hour") + " " + plural(minutes%60, "minute") + " left"
}

type emergencyPageView struct {
	frame
	Offices  []choice // that may be opened
	Office   string   // chosen before
	Reason   string   // typed before
	Most     int      // characters of it
	Password bool     // the account has one
	Recent   bool     // the sign-in is young enough
	Next     string   // where to go afterwards
	Again    string   // this page, after a new sign-in
	Problem  *problem
	Said     string
	Watches  bool
	Auto     bool // the browser came by itself, and nobody looks: the list is left out
	Watched  []watchedLine
}

// watchedLine is an access that somebody had to an office of the person's.
type watchedLine struct {
	ID, Who, Place, Reason string
	Opened, Until          moment
	Running                bool
	Ended                  string
	EndedAt                moment
	Seen                   string
	SeenAt                 moment
	MayEnd, MaySee         bool
}

var emergencySaid = map[string]string{
	"ended":  "The emergency access has ended.",
	"seen":   "Noted, with your name.",
	"cutoff": "Their access to your office’s papers has ended.",
}

var emergencyEnds = map[gateway.EmergencyEnd]string{
	gateway.EmergencyTime:     "its time was over",
	gateway.EmergencyPerson:   "they ended it",
	gateway.EmergencyOverseer: "the office ended it",
	gateway.EmergencyLocked:   "their desk locked",
	gateway.EmergencySession:  "they signed out, or the account was switched off",
}

func (d *desk) emergency(c echo.Context) error { return d.showEmergency(c, http.StatusOK, nil, nil) }

func (d *desk) showEmergency(c echo.Context, status int, p *problem, form url.Values) error {
	who := actor(c)
	page, auto := gateway.EmergencyPage{May: d.Emergencies.MayOpen(who)}, c.QueryParam("auto") == "1"
	if !auto {
		var err error
		if page, err = d.Emergencies.Page(c.Request().Context(), who); err != nil {
			return err
		}
	}
	view := emergencyPageView{
		Auto:  auto,
		frame: d.frame(c, "Emergency access", "emergency"), Office: form.Get("office"), Reason: form.Get("reason"), Most: gateway.EmergencyReasonRunes,
		Password: who.Staff.PasswordHash != "", Recent: d.recent(c), Next: localPath(form.Get("next")),
		Problem: p, Said: emergencySaid[c.QueryParam("done")], Watches: d.watches(who.Staff),
	}
	if form == nil {
		view.Next = localPath(c.QueryParam("next"))
	}
	view.Again = "/emergency?" + url.Values{"next": {view.Next}}.Encode()
	for _, office := range page.May {
		view.Offices = append(view.Offices, choice{string(office.ID), office.Name + ", for " + lengthWords(office.Emergency.For)})
	}
	zone := d.zoneOf(who.Staff)
	for _, w := range page.Watched {
		view.Watched = append(view.Watched, d.watchedLine(w, page.Logins, zone))
	}
	return d.render(c, status, "emergency", view)
}

func (d *desk) watchedLine(w gateway.EmergencyView, logins map[gateway.StaffID]string, zone *time.Location) watchedLine {
	now := d.Now()
	line := watchedLine{
		ID: string(w.ID), Who: logins[w.Staff], Place: d.officeName(w.Office), Reason: w.Reason,
		Opened: momentOf(w.OpenedAt, now, zone), Until: momentOf(w.Until, now, zone), Running: w.Running,
		MayEnd: w.MayEnd, MaySee: !w.Own && w.SeenAt.IsZero(),
	}
	if !w.Running {
		ended, why := w.EndedAt, w.End
		if ended.IsZero() || ended.After(w.Until) { // its end is noted later than it comes
			ended, why = w.Until, gateway.EmergencyTime
		}
		line.Ended, line.EndedAt = emergencyEnds[why], momentOf(ended, now, zone)
	}
	if !w.SeenAt.IsZero() {
		line.Seen, line.SeenAt = logins[w.SeenBy], momentOf(w.SeenAt, now, zone)
	}
	return line
}

// lengthWords is a length of time of the configuration.
func lengthWords(d time.Duration) string {
	hours, minutes := int(d.Hours()), int(d.Minutes())%60
	switch {
	case hours == 0:
		return plural(minutes, "minute")
	case minutes == 0:
		return plural(hours, "hour")
	}
	return plural(hours, "hour") + " " + plural(minutes, "minute")
}

// openEmergency asks for a young sign-in and the password, as whoever changes
// how they sign in is asked: nobody does it at a desk that somebody left.
func (d *desk) openEmergency(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	office, ctx := gateway.OfficeID(form.Get("office")), c.Request().Context()
	if err = d.confirmRecent(c, form.Get("password")); err == nil {
		_, err = d.Emergencies.Open(ctx, actor(c), sessionOf(c).id, office, form.Get("reason"))
	}
	if err != nil {
		return d.refuseEmergency(c, err, form)
	}
	next := localPath(form.Get("next"))
	if next == "/" {
		next += "?" + url.Values{"office": {string(office)}}.Encode()
	}
	return d.redirect(c, next)
}

// refuseEmergency shows the page again with what was wrong, if that is the
// person's to mend.
func (d *desk) refuseEmergency(c echo.Context, err error, form url.Values) error {
	p := problemOf(err)
	switch p.Code {
	case gateway.CodeSignIn:
		p.Title, p.Text, p.Status = "The password is not right", "Nothing was opened. Type the password that you use now.", http.StatusUnprocessableEntity
	case codeNotRecent:
		p.Text = "Nothing was opened. For 15 minutes after you signed in you can open papers in an emergency, so nobody can do it at a desk that you left."
	case gateway.CodeNoFactor:
		if staff := actor(c).Staff; staff.SSO() {
			p.Title, p.Text = "Your organization’s sign-in did not ask for a second step", "Nothing was opened. This office lets nobody in by a password alone. Call the office, and ask the person who runs Dropslot."
		} else if staff.HasFactor() {
			p.Title, p.Text = "Sign in with your second step first", "Nothing was opened. This office asks for a sign-in with an authenticator app or a passkey that your account has had for a day. Sign in again with one. If yours is newer, call the office."
		}
	case gateway.CodeTooManyTries, gateway.CodeEmergencyReason:
	default:
		return err
	}
	p.setRetryAfter(c)
	d.note(c, p, err)
	return d.showEmergency(c, p.Status, &p, form)
}

// leaveEmergency ends the person's own access to an office.
func (d *desk) leaveEmergency(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	if err := d.Emergencies.Leave(c.Request().Context(), actor(c), gateway.OfficeID(form.Get("office"))); err != nil {
		return err
	}
	return d.redirect(c, "/emergency?done=ended")
}

func emergencyID(c echo.Context) (gateway.EmergencyID, error) {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return "", gateway.NewError(gateway.CodeNotFound, nil)
	}
	return gateway.EmergencyID(id), nil
}

func (d *desk) cutOffEmergency(c echo.Context) error {
	return d.watchEmergency(c, "cutoff", d.Emergencies.CutOff)
}

func (d *desk) seeEmergency(c echo.Context) error {
	return d.watchEmergency(c, "seen", d.Emergencies.See)
}

func (d *desk) watchEmergency(c echo.Context, done string, act func(context.Context, gateway.Actor, gateway.EmergencyID) error) error {
	id, err := emergencyID(c)
	if err != nil {
		return err
	}
	if err := act(c.Request().Context(), actor(c), id); err != nil {
		return err
	}
	return d.redirect(c, "/emergency?done="+done)
}
