package web

import (
	"net/http"
	"net/url"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// joinView is the page behind a one-time link.
type joinView struct {
	frame
	Account  string
	Reset    bool
	Needed   bool // a second factor is asked for
	Setup    *setupView
	Problem  *problem
	Password int // the least length
}

// joinCookie holds the token of a one-time link while its page is open, so that
// it stands in no address from then on: not in the history, and not in what a
// browser says of where it comes from. Gone when the browser is closed.
const joinCookie = "__Host-desk-join"

// openJoin takes the token out of the address.
func (d *desk) openJoin(c echo.Context) error {
	token, err := gateway.ParseToken(c.Param("token"))
	if err != nil {
		return gateway.NewError(gateway.CodeInvitation, nil)
	}
	d.setJoinCookie(c, token.Reveal(), 0)
	return d.redirect(c, "/join")
}

func (d *desk) setJoinCookie(c echo.Context, value string, maxAge int) {
	c.SetCookie(&http.Cookie{
		Name: joinCookie, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// joinPage shows what a one-time link is for. Nothing changes however often it
// is fetched.
func (d *desk) joinPage(c echo.Context) error { return d.showJoin(c, http.StatusOK, nil, nil) }

// posted is invited for what a page posts, which names the account that it was
// made for: a link that was opened in another tab since is for another person.
func (d *desk) posted(c echo.Context, form url.Values) (gateway.Token, gateway.Staff, error) {
	token, _, staff, err := d.invited(c)
	if err == nil && form.Get("login") != staff.Login {
		err = gateway.NewError(gateway.CodeInvitation, nil)
	}
	return token, staff, err
}

func (d *desk) invited(c echo.Context) (gateway.Token, gateway.Invitation, gateway.Staff, error) {
	var token gateway.Token
	cookie, err := c.Cookie(joinCookie)
	if err == nil {
		token, err = gateway.ParseToken(cookie.Value)
	}
	if err != nil {
		return gateway.Token{}, gateway.Invitation{}, gateway.Staff{}, gateway.NewError(gateway.CodeInvitation, nil)
	}
	invitation, staff, err := d.SignIns.Invited(c.Request().Context(), token)
	return token, invitation, staff, err
}

func (d *desk) showJoin(c echo.Context, status int, p *problem, form url.Values) error {
	_, invitation, staff, err := d.invited(c)
	if err != nil {
		return err
	}
	title := "Set up your account"
	if invitation.Kind == gateway.InvitationReset {
		title = "Set up your account anew"
	}
	view := joinView{
		frame: d.frame(c, title, ""), Account: staff.Login, Reset: invitation.Kind == gateway.InvitationReset,
		Needed: d.Directory.AsksSecondFactor(staff.Roles), Problem: p, Password: gateway.PasswordLength,
	}
	if view.Setup, err = d.newSetup(staff, form); err != nil {
		return err
	}
	return d.render(c, status, "join", view)
}

func joinPath(token gateway.Token) string { return "/join/" + token.Reveal() }

// join uses the link up and signs the person in.
func (d *desk) join(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	token, staff, err := d.posted(c, form)
	if err != nil {
		return err
	}
	joining := gateway.Joining{
		Password: form.Get("password"), Setup: sealedSetup(form), Code: form.Get("code"),
		PasskeyAnswer: []byte(form.Get("answer")), PasskeyBrowser: browserWords(c.Request().UserAgent()),
	}
	how := "password"
	if len(joining.PasskeyAnswer) > 0 {
		how = "passkey"
		if joining.PasskeyState, err = d.takeCeremony(c.Request().Context(), useOf(staff.ID), form.Get("state")); err != nil {
			return err
		}
	} else if form.Get("again") != joining.Password {
		return d.refuseJoin(c, errTypedTwice, form)
	}
	if joining.Code != "" {
		how = "password and code"
	}
	staff, err = d.SignIns.Join(c.Request().Context(), token, joining, c.RealIP())
	if err != nil {
		return d.refuseJoin(c, err, form)
	}
	d.setJoinCookie(c, "", -1)
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return err
	}
	return d.complete(c, session, staff, shown{how: how}, "/")
}

// codeTypedTwice is for two passwords that differ, which only a page can tell.
const codeTypedTwice gateway.Code = "typed-twice"

var errTypedTwice = gateway.NewError(codeTypedTwice, nil)

func (d *desk) refuseJoin(c echo.Context, err error, form url.Values) error {
	switch gateway.CodeOf(err) {
	case gateway.CodeWeakPassword, gateway.CodeSecondFactor, gateway.CodePasskey, gateway.CodeTooManyTries, codeTypedTwice:
	default:
		return err
	}
	if wantsJSON(c.Request()) {
		return err
	}
	p := problemOf(err)
	p.setRetryAfter(c)
	d.note(c, p, err)
	return d.showJoin(c, p.Status, &p, form)
}

// joinOptions begins a passkey instead of a password.
func (d *desk) joinOptions(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	_, staff, err := d.posted(c, form)
	if err != nil {
		return err
	}
	// The passkeys that the account has are replaced: an authenticator may hold
	// one of them already.
	staff.Passkeys = 0
	options, state, err := d.SignIns.BeginAddPasskey(c.Request().Context(), staff, c.RealIP())
	if err != nil {
		return err
	}
	return d.keepCeremony(c, useOf(staff.ID), options, state)
}
