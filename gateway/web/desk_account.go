package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// accountView is a person's own account.
type accountView struct {
	frame
	Roles    []roleLine
	Sessions []sessionLine
	Untold   []sessionLine
	Stranger bool   // this browser is new itself: it confirms nothing
	Next     string // where "that was me" leads
	Passkeys []passkeyLine
	Password bool // the account has one
	App      bool
	Setup    *setupView
	Problem  *problem
	Said     string // what was done
	Least    int    // characters of a password
}

type roleLine struct{ Office, Roles string }

type sessionLine struct {
	ID, Browser, From string
	When              moment
	This              bool
}

type passkeyLine struct {
	ID, Name    string
	Added, Used moment
}

var accountSaid = map[string]string{
	"password": "Your password is changed, and you are signed out everywhere else.",
	"app":      "Your new authenticator app is set up. Codes of the old one do not work any more, and you are signed out everywhere else.",
	"passkey":  "Your passkey is added, and you are signed out everywhere else.",
	"removed":  "The passkey is removed, and you are signed out everywhere else.",
	"ended":    "Signed out there.",
}

func (d *desk) account(c echo.Context) error {
	return d.showAccount(c, http.StatusOK, nil, nil)
}

func (d *desk) showAccount(c echo.Context, status int, p *problem, form url.Values) error {
	who, session := actor(c), sessionOf(c)
	own, err := d.SignIns.Own(c.Request().Context(), who, session.id)
	if err != nil {
		return err
	}
	view := accountView{
		frame: d.frame(c, "Your account", "account"), Problem: p, Said: accountSaid[c.QueryParam("done")],
		Next: localPath(c.QueryParam("next")), Password: own.Staff.PasswordHash != "", App: len(own.Staff.SealedTOTP) > 0,
		Least: gateway.PasswordLength,
	}
	for _, office := range own.Staff.Roles.Offices() {
		view.Roles = append(view.Roles, roleLine{d.officeName(office), rolesWords(own.Staff.Roles[office])})
	}
	zone := d.zoneOf(who.Staff)
	line := func(s gateway.DeskSession) sessionLine {
		return sessionLine{string(s.ID), s.Browser, s.From, momentOf(s.BegunAt, d.Now(), zone), s.ID == session.id}
	}
	for _, s := range own.Sessions {
		view.Sessions = append(view.Sessions, line(s))
	}
	view.Stranger = own.Stranger
	for _, s := range own.Untold {
		view.Untold = append(view.Untold, line(s))
	}
	for _, k := range own.Passkeys {
		view.Passkeys = append(view.Passkeys, passkeyLine{
			base64.RawURLEncoding.EncodeToString(k.ID), k.Name, momentOf(k.AddedAt, d.Now(), zone), momentOf(k.UsedAt, d.Now(), zone),
		})
	}
	if view.Password {
		if view.Setup, err = d.newSetup(own.Staff, form); err != nil {
			return err
		}
	}
	return d.render(c, status, "account", view)
}

func (d *desk) accountForm(c echo.Context, done string, act func(url.Values) error) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	if err := act(form); err != nil {
		return d.refuseAccount(c, err, form)
	}
	return d.redirect(c, "/account?done="+done)
}

// refuseAccount shows the page again with what was wrong, if that is the
// person's to mend. A wrong password there signs nobody out.
func (d *desk) refuseAccount(c echo.Context, err error, form url.Values) error {
	p := problemOf(err)
	switch p.Code {
	case gateway.CodeSignIn:
		p.Title, p.Text = "The password is not right", "Nothing was changed. Type the password that you use now."
		p.Status = http.StatusUnprocessableEntity
	case gateway.CodeForbidden:
		p.Title, p.Text = "This is your only way to sign in", "Nothing was changed. Add another one first."
		p.Status = http.StatusUnprocessableEntity
	case gateway.CodeWeakPassword, gateway.CodeSecondFactor, gateway.CodeTooManyTries, codeTypedTwice, codeNotRecent:
	default:
		return err
	}
	p.setRetryAfter(c)
	d.note(c, p, err)
	return d.showAccount(c, p.Status, &p, form)
}

func (d *desk) changePassword(c echo.Context) error {
	return d.accountForm(c, "password", func(form url.Values) error {
		who, session := actor(c), sessionOf(c)
		if form.Get("again") != form.Get("new") {
			return errTypedTwice
		}
		err := d.SignIns.ChangePassword(c.Request().Context(), who, form.Get("password"), form.Get("new"))
		if err != nil {
			return err
		}
		// Every session has ended, this one too: it begins anew.
		staff, err := d.SignIns.Staff(c.Request().Context(), who.Staff.ID, "")
		if err != nil {
			return err
		}
		id, err := d.SignIns.Begin(c.Request().Context(), staff, d.arrival(c, shown{how: "new password"}))
		if err != nil {
			return err
		}
		return d.sessions.start(c, session, staff, deskSession{id: id, since: session.since})
	})
}

func (d *desk) changeApp(c echo.Context) error {
	return d.accountForm(c, "app", func(form url.Values) error {
		if err := d.confirmRecent(c, form.Get("password")); err != nil {
			return err
		}
		if actor(c).Staff.PasswordHash == "" {
			return gateway.NewError(gateway.CodeBadRequest, nil)
		}
		return d.SignIns.SetUpApp(c.Request().Context(), actor(c), sealedSetup(form), form.Get("code"))
	})
}

// recentSignIn is how long after a whole sign-in a person may change how they
// sign in. A password alone unlocks a screen; whoever saw it typed must not be
// able to add a second step of their own at a desk that somebody left.
const recentSignIn = 15 * time.Minute

const codeNotRecent gateway.Code = "sign-in-not-recent"

func (d *desk) recent(c echo.Context) bool { return d.Now().Sub(sessionOf(c).since) <= recentSignIn }

// confirmRecent asks for the password once more, soon after a whole sign-in.
func (d *desk) confirmRecent(c echo.Context, password string) error {
	if !d.recent(c) {
		return gateway.NewError(codeNotRecent, nil)
	}
	return d.SignIns.Confirm(c.Request().Context(), actor(c), password)
}

// confirm is confirmRecent for a script, to which a wrong password is no end of
// the session, which 401 would mean.
func (d *desk) confirm(c echo.Context, password string) error {
	err := d.confirmRecent(c, password)
	if gateway.Is(err, gateway.CodeSignIn) {
		return gateway.NewError(codeWrongPassword, nil)
	}
	return err
}

// codeWrongPassword is a wrong password of somebody who is signed in.
const codeWrongPassword gateway.Code = "wrong-password"

func (d *desk) removePasskey(c echo.Context) error {
	return d.accountForm(c, "removed", func(form url.Values) error {
		id, err := base64.RawURLEncoding.DecodeString(form.Get("passkey"))
		if err != nil {
			return gateway.NewError(gateway.CodeNotFound, nil)
		}
		if err := d.confirmRecent(c, form.Get("password")); err != nil {
			return err
		}
		return d.SignIns.RemovePasskey(c.Request().Context(), actor(c), id)
	})
}

// endSession ends one of the person's sessions, or all but this one.
func (d *desk) endSession(c echo.Context) error {
	return d.accountForm(c, "ended", func(form url.Values) error {
		one := gateway.SessionID(form.Get("session"))
		if one != "" && !gateway.ValidID(string(one)) {
			return gateway.NewError(gateway.CodeNotFound, nil)
		}
		return d.SignIns.EndSession(c.Request().Context(), actor(c), one, sessionOf(c).id)
	})
}

// knowSessions notes that the person knows of the sign-ins from new browsers
// that the page showed.
func (d *desk) knowSessions(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	var shown []gateway.SessionID
	for _, id := range form["session"] {
		if !gateway.ValidID(id) {
			return gateway.NewError(gateway.CodeNotFound, nil)
		}
		shown = append(shown, gateway.SessionID(id))
	}
	if err := d.SignIns.Told(c.Request().Context(), actor(c), sessionOf(c).id, shown); err != nil {
		return err
	}
	return d.redirect(c, localPath(form.Get("next")))
}
