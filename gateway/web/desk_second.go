package web

import (
	"encoding/base64"
	"net/http"
	"net/url"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// secondView asks for a second factor, or sets one up.
type secondView struct {
	frame
	Account  string // shown in the form; nobody is signed in yet
	Code     bool   // the account has an app
	Passkeys bool   // the account has passkeys
	Setup    *setupView
	Problem  *problem
}

// setupView is what sets an authenticator app up.
type setupView struct {
	Code   qrCode
	Secret string // in groups of four, for who cannot scan
	Sealed string // comes back with the first code
}

func setupViewOf(s gateway.Setup, login string) (*setupView, error) {
	code, err := qrOf(gateway.TOTPURL(s.Secret, login))
	if err != nil {
		return nil, err
	}
	view := setupView{Code: code, Sealed: base64.RawURLEncoding.EncodeToString(s.Sealed)}
	for i, letter := range gateway.TOTPText(s.Secret) {
		if i > 0 && i%4 == 0 {
			view.Secret += " "
		}
		view.Secret += string(letter)
	}
	return &view, nil
}

// sealedSetup reads what setupViewOf put into the form. Whatever is no sealing
// opens as none.
func sealedSetup(form url.Values) []byte {
	sealed, err := base64.RawURLEncoding.DecodeString(form.Get("setup"))
	if err != nil {
		return nil
	}
	return sealed
}

// newSetup is the set-up that a form shows: the one it brought, so that a
// mistyped code needs no new scan, or a fresh one.
func (d *desk) newSetup(staff gateway.Staff, form url.Values) (*setupView, error) {
	var setup gateway.Setup
	var err error
	if sealed := sealedSetup(form); len(sealed) > 0 {
		setup, err = d.SignIns.SetupAgain(staff.ID, sealed)
	} else {
		setup, err = d.SignIns.NewSetup(staff.ID)
	}
	if err != nil {
		return nil, err
	}
	return setupViewOf(setup, staff.Login)
}

func (d *desk) secondPage(c echo.Context) error { return d.showSecond(c, http.StatusOK, nil, nil) }

func (d *desk) showSecond(c echo.Context, status int, p *problem, form url.Values) error {
	staff := halfActor(c).Staff
	view := secondView{
		Account: staff.Login, Code: len(staff.SealedTOTP) > 0, Passkeys: staff.Passkeys > 0, Problem: p,
	}
	title := "Second step"
	if sessionOf(c).step == gateway.StepSetup {
		title = "Protect your account"
		var err error
		if view.Setup, err = d.newSetup(staff, form); err != nil {
			return err
		}
	}
	view.frame = d.frame(c, title, "")
	return d.render(c, status, "second", view)
}

// second checks the code of the account's app.
func (d *desk) second(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	staff, session := halfActor(c).Staff, sessionOf(c)
	proven, err := d.SignIns.Code(c.Request().Context(), staff, form.Get("code"), c.RealIP())
	if err != nil {
		return d.refuseSecond(c, err, form)
	}
	return d.complete(c, session, staff, shown{"password and code", proven}, session.next)
}

// setup gives an account without a second factor its first: an app that proves
// itself by a code, or a passkey that a script brings. Who only knows the
// password of an account that has one cannot add another here.
func (d *desk) setup(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	who, session := halfActor(c), sessionOf(c)
	if session.step != gateway.StepSetup || d.SignIns.Needs(who.Staff) != gateway.StepSetup {
		return gateway.NewError(gateway.CodeForbidden, nil)
	}
	how := "password and code"
	if form.Get("answer") != "" {
		how, err = "password and passkey", d.finishPasskey(c, who)
	} else {
		err = d.SignIns.SetUpApp(c.Request().Context(), who, sealedSetup(form), form.Get("code"))
	}
	if err != nil {
		return d.refuseSecond(c, err, form)
	}
	staff, err := d.SignIns.Staff(c.Request().Context(), who.Staff.ID, "")
	if err == nil && session.stamp != stampOf(staff) { // the password was changed meanwhile
		err = gateway.NewError(gateway.CodeSignIn, nil)
	}
	if err != nil {
		return err
	}
	return d.complete(c, session, staff, shown{how: how}, session.next)
}

func (d *desk) setupOptions(c echo.Context) error {
	who := halfActor(c)
	if sessionOf(c).step != gateway.StepSetup || d.SignIns.Needs(who.Staff) != gateway.StepSetup {
		return gateway.NewError(gateway.CodeForbidden, nil)
	}
	options, state, err := d.SignIns.BeginAddPasskey(c.Request().Context(), who.Staff, c.RealIP())
	if err != nil {
		return err
	}
	return d.keepCeremony(c, useOf(who.Staff.ID), options, state)
}

// refuseSecond shows the form again with what was wrong, if that is the
// person's to mend.
func (d *desk) refuseSecond(c echo.Context, err error, form url.Values) error {
	switch gateway.CodeOf(err) {
	case gateway.CodeSecondFactor, gateway.CodePasskey, gateway.CodeTooManyTries:
	default:
		return err
	}
	if wantsJSON(c.Request()) {
		return err
	}
	p := problemOf(err)
	p.setRetryAfter(c)
	d.note(c, p, err)
	return d.showSecond(c, p.Status, &p, form)
}
