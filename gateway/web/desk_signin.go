package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

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
	Typed   string // the login as it was typed before, for a second try
	Next    string // where to go afterwards; a path of the desk
	Problem *problem
	Return  bool // the person was here before and is asked again
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
	return d.showLogin(c, http.StatusOK, loginView{Next: next, Return: session.token != ""})
}

func (d *desk) showLogin(c echo.Context, status int, v loginView) error {
	v.frame = d.frame(c, "Sign in", "")
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
	if err := d.sessions.start(c, session, staff); err != nil {
		return err
	}
	return d.redirect(c, view.Next)
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
	view.Problem = &p
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
	if session.staff != "" {
		who := gateway.Actor{Staff: gateway.Staff{ID: session.staff}, From: c.RealIP()}
		if err := d.SignIns.SignedOut(c.Request().Context(), who); err != nil {
			d.Log.Error("a sign-out is missing in the audit trail", "code", string(gateway.CodeOf(err)), "err", err)
		}
	}
	if err := d.sessions.end(c, session); err != nil {
		return err
	}
	return d.redirect(c, "/login")
}

// sessionView tells a page how long it may stay on the screen.
type sessionView struct {
	Seconds int `json:"seconds"`
}

func (d *desk) session(c echo.Context) error {
	left, _ := c.Get(leftKey).(time.Duration)
	return d.json(c, http.StatusOK, sessionView{Seconds: int(left.Seconds())})
}

// loginPath is the sign-in page that leads back to what was asked for. What
// was posted is not kept: the person comes back to the page it stood on.
func loginPath(r *http.Request) string {
	back := r.URL.Path
	if r.Method == http.MethodGet && r.URL.RawQuery != "" {
		back += "?" + r.URL.RawQuery
	}
	for _, act := range []string{"/handled", "/export"} {
		back = strings.TrimSuffix(back, act)
	}
	back = localPath(back)
	if back == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {back}}.Encode()
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
	if strings.HasPrefix(clean, "//") || clean == "/login" || clean == "/logout" || clean == "/session" {
		return home
	}
	return (&url.URL{Path: clean, RawQuery: u.RawQuery}).String()
}
