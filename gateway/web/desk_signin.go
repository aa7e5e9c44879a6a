package web

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Longer input is no login or password of anybody; it is refused before the
// costly hash.
const (
	loginBytes    = 64
	passwordBytes = 1024
)

type loginView struct {
	frame
	Typed    string // the login as it was typed before, for a second try
	Next     string // where to go afterwards; a path of the desk
	Problem  *problem
	Return   bool   // the person was here before and is asked again
	Locked   bool   // the screen is locked: the account is known
	Through  string // what the provider is called, if people may sign in through one
	Password bool   // a password was tried
	Away     bool   // the locked account signs in there alone
	Tab      bool   // this is a second tab, for a page that is locked in the first
}

// loginPage shows the form, or leads on who is signed in already.
func (d *desk) loginPage(c echo.Context) error {
	next := localPath(c.QueryParam("next"))
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return err
	}
	if session.staff != "" {
		return d.redirect(c, next)
	}
	view := loginView{Next: next, Return: session.token != "", Problem: ssoProblem(c), Tab: c.QueryParam("tab") == "1"}
	if session.locked {
		staff, err := d.owner(c, session)
		if err != nil && !gateway.Is(err, gateway.CodeSignIn) {
			return err
		}
		view.Typed, view.Locked, view.Away = staff.Login, err == nil, staff.SSO()
	}
	status := http.StatusOK
	if view.Problem != nil {
		status = view.Problem.Status
	}
	return d.showLogin(c, status, view)
}

func (d *desk) showLogin(c echo.Context, status int, v loginView) error {
	title := "Sign in"
	if v.Locked {
		title = "Locked"
	}
	v.frame, v.Through = d.frame(c, title, ""), d.SSO
	return d.render(c, status, "login", v)
}

func (d *desk) login(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return err
	}
	login := strings.ToLower(strings.TrimSpace(form.Get("login")))
	view := loginView{Typed: login, Next: localPath(form.Get("next"))}
	staff, err := d.checkPassword(c, login, form.Get("password"))
	if gateway.Is(err, gateway.CodeSignIn) || gateway.Is(err, gateway.CodeTooManyTries) {
		return d.refuseLogin(c, view, err)
	}
	if err != nil {
		return err
	}
	return d.enter(c, session, staff, shown{how: "password"}, view.Next)
}

// nextView tells a script where the page goes on; Seconds of a session that
// goes on where it is.
type nextView struct {
	Next    string `json:"next"`
	Seconds int    `json:"seconds,omitempty"`
}

// enter takes somebody on who showed what they know or have: back behind the
// lock screen, in, or to the second factor.
func (d *desk) enter(c echo.Context, session deskSession, staff gateway.Staff, by shown, next string) error {
	if session.locked && session.account == staff.ID {
		if again, err := d.unlock(c, session, staff); again || err != nil {
			return d.goOn(c, next, err)
		}
	}
	if step := d.SignIns.Needs(staff); by.how == "password" && step != gateway.StepNone {
		if err := d.endOld(c, session); err != nil {
			return err
		}
		half := deskSession{step: step, since: d.Now(), next: next}
		return d.goOn(c, "/login/second", d.sessions.start(c, session, staff, half))
	}
	return d.complete(c, session, staff, by, next)
}

// unlock brings a locked session back, of the same age as before; false if it
// was ended meanwhile.
func (d *desk) unlock(c echo.Context, session deskSession, staff gateway.Staff) (bool, error) {
	now, err := d.SignIns.Staff(c.Request().Context(), staff.ID, session.id)
	if gateway.Is(err, gateway.CodeSignIn) || err == nil && session.stamp != stampOf(now) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	who := gateway.Actor{Staff: staff, From: c.RealIP()}
	if err := d.Emergencies.Lock(c.Request().Context(), who, session.id); err != nil {
		return false, err
	}
	if err := d.SignIns.Unlocked(c.Request().Context(), who); err != nil {
		return false, err
	}
	return true, d.sessions.start(c, session, staff, deskSession{id: session.id, since: session.since})
}

// complete signs somebody in. Sign-ins from browsers that the account never
// had are told first.
func (d *desk) complete(c echo.Context, session deskSession, staff gateway.Staff, by shown, next string) error {
	ctx := c.Request().Context()
	id, err := d.SignIns.Begin(ctx, staff, d.arrival(c, by))
	if err != nil {
		return err
	}
	if err := d.endOld(c, session); err != nil {
		return err
	}
	if err := d.sessions.start(c, session, staff, deskSession{id: id, since: d.Now()}); err != nil {
		return err
	}
	untold, err := d.SignIns.Untold(ctx, staff.ID, id)
	if len(untold) > 0 {
		next = "/account?" + url.Values{"next": {next}}.Encode()
	}
	return d.goOn(c, next, err)
}

// endOld ends the session that the browser brought, of whichever account: its
// token dies with what comes now, and it would be listed as one that lives.
func (d *desk) endOld(c echo.Context, old deskSession) error {
	if old.id == "" {
		return nil
	}
	who := gateway.Actor{Staff: gateway.Staff{ID: old.account}, From: c.RealIP()}
	err := d.SignIns.EndSession(c.Request().Context(), who, old.id, "")
	if gateway.Is(err, gateway.CodeNotFound) { // it was over
		return nil
	}
	return err
}

// goOn leads a person, or the script of a page, to where it goes on.
func (d *desk) goOn(c echo.Context, next string, err error) error {
	if err != nil {
		return err
	}
	if wantsJSON(c.Request()) {
		return d.json(c, http.StatusOK, nextView{Next: next, Seconds: int(d.Idle.Seconds())})
	}
	return d.redirect(c, next)
}

func (d *desk) checkPassword(c echo.Context, login, password string) (gateway.Staff, error) {
	if login == "" || password == "" || len(login) > loginBytes || len(password) > passwordBytes {
		return gateway.Staff{}, gateway.NewError(gateway.CodeSignIn, nil)
	}
	return d.SignIns.SignIn(c.Request().Context(), login, password, c.RealIP())
}

func (d *desk) refuseLogin(c echo.Context, view loginView, err error) error {
	p := problemOf(err)
	p.setRetryAfter(c)
	if wantsJSON(c.Request()) {
		return err // the lock screen shows it in place
	}
	view.Problem, view.Password = &p, true
	d.note(c, p, err)
	return d.showLogin(c, p.Status, view)
}

// logout ends the session even when the audit trail cannot be written: to
// refuse a sign-out would leave the desk open.
func (d *desk) logout(c echo.Context) error {
	// "Back" must not show papers: Chromium and Firefox drop this site's pages
	// that they kept for it. "cookies" would take those of the whole domain.
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	session, err := d.sessions.load(c.Request())
	if err != nil {
		d.sessions.takeBack(c) // the cookie goes even if the store is out of reach
		return err
	}
	if session.account != "" && session.step == gateway.StepNone {
		who := gateway.Actor{Staff: gateway.Staff{ID: session.account}, From: c.RealIP()}
		if err := d.SignIns.SignedOut(c.Request().Context(), who, session.id); err != nil {
			d.Log.Error("a sign-out is missing in the audit trail", "code", string(gateway.CodeOf(err)), "err", err)
		}
	}
	if err := d.sessions.end(c, session); err != nil {
		return err
	}
	if d.SSO != "" {
		d.setSSOCookie(c, ssoAnewCookie, "1", d.Idle)
	}
	form, err := deskForm(c.Request())
	if next := localPath(form.Get("next")); err == nil && next != "/" { // who signs in anew for something
		return d.redirect(c, "/login?"+url.Values{"next": {next}}.Encode())
	}
	return d.redirect(c, "/login")
}

// sessionView tells a page how long it may stay on the screen.
type sessionView struct {
	Seconds int    `json:"seconds"`
	Login   string `json:"login"` // another tab may have signed somebody else in
	Sight   string `json:"sight"` // or the same person, who may see something else now
}

func (d *desk) session(c echo.Context) error {
	staff := actor(c).Staff
	return d.json(c, http.StatusOK, sessionView{Seconds: int(sessionOf(c).left.Seconds()), Login: staff.Login, Sight: sightOf(staff)})
}

// loginPath is the sign-in page that leads back to what was asked for. What
// was posted is not kept: the person comes back to the page it stood on.
func (d *desk) loginPath(r *http.Request) string {
	back := r.URL.Path
	if r.Method == http.MethodGet {
		if r.URL.RawQuery != "" {
			back += "?" + r.URL.RawQuery
		}
	} else {
		for back != "/" && !slices.ContainsFunc(d.shown, func(route string) bool { return matches(route, back) }) {
			back = path.Dir(back)
		}
	}
	back = localPath(back)
	if back == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {back}}.Encode()
}

// matches tells whether a path is one of a route's.
func matches(route, path string) bool {
	want, have := strings.Split(route, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, have, func(a, b string) bool {
		return a == b || strings.HasPrefix(a, ":") && b != ""
	})
}

// localPath gives a path of this desk and nothing else: "/" for whatever a
// browser might take for another site.
func localPath(text string) string {
	const home = "/"
	if !strings.HasPrefix(text, "/") || strings.ContainsAny(text, "\\\t\r\n") || len(text) > 512 {
		return home
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return home
	}
	clean := path.Clean(u.Path)
	if strings.HasPrefix(clean, "//") || clean == "/logout" || clean == "/session" ||
		clean == "/login" || clean == "/join" || strings.HasPrefix(clean, "/login/") || strings.HasPrefix(clean, "/join/") {
		return home
	}
	return (&url.URL{Path: clean, RawQuery: u.RawQuery}).String()
}
