package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// A ceremony's state waits in the session store for the browser's answer.
const ceremonyTime = 5 * time.Minute

// ceremonyView is what a browser needs to ask for a passkey.
type ceremonyView struct {
	Options json.RawMessage `json:"options"`
	State   string          `json:"state"` // names what is kept here
}

// keepCeremony stores the state of a ceremony. For tells what it may be used
// for: a challenge to add a passkey to one account is worth nothing elsewhere.
func (d *desk) keepCeremony(c echo.Context, use string, options, state []byte) error {
	name := gateway.NewSecretToken().Reveal()
	if err := d.keep(c.Request().Context(), use, name, state, ceremonyTime); err != nil {
		return err
	}
	return d.json(c, http.StatusOK, ceremonyView{options, name})
}

// keep stores the state of a ceremony under a name, for takeCeremony.
func (d *desk) keep(ctx context.Context, use, name string, state []byte, long time.Duration) error {
	if err := d.sessions.store.CommitCtx(ctx, ceremonyKey(use, name), state, d.Now().Add(long)); err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	return nil
}

func ceremonyKey(use, name string) string { return "ceremony." + use + "." + name }

// takeCeremony gives the state back, once.
func (d *desk) takeCeremony(ctx context.Context, use, name string) ([]byte, error) {
	state, found, err := d.sessions.store.TakeCtx(ctx, ceremonyKey(use, name))
	if err != nil {
		return nil, gateway.NewError(gateway.CodeUnavailable, err)
	}
	if !found {
		return nil, gateway.NewError(gateway.CodePasskey, nil) // it took too long
	}
	return state, nil
}

const useSignIn = "sign-in"

func useOf(staff gateway.StaffID) string { return "add." + string(staff) }

// passkeyOptions begins a sign-in by passkey.
func (d *desk) passkeyOptions(c echo.Context) error {
	options, state, err := d.SignIns.BeginPasskey(c.Request().Context(), c.RealIP())
	if err != nil {
		return err
	}
	return d.keepCeremony(c, useSignIn, options, state)
}

// passkeyLogin ends one. It stands for password and second factor, and opens a
// locked screen.
func (d *desk) passkeyLogin(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	state, err := d.takeCeremony(ctx, useSignIn, form.Get("state"))
	if err != nil {
		return err
	}
	staff, proven, err := d.SignIns.UsePasskey(ctx, state, []byte(form.Get("answer")), c.RealIP())
	if err != nil {
		return err
	}
	return d.enter(c, session, staff, shown{"passkey", proven}, localPath(form.Get("next")))
}

// newPasskeyOptions begins to add a passkey to the person's own account.
func (d *desk) newPasskeyOptions(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	if err := d.confirm(c, form.Get("password")); err != nil {
		return err
	}
	staff := actor(c).Staff
	options, state, err := d.SignIns.BeginAddPasskey(c.Request().Context(), staff, c.RealIP())
	if err != nil {
		return err
	}
	return d.keepCeremony(c, useOf(staff.ID), options, state)
}

func (d *desk) addPasskey(c echo.Context) error {
	if err := d.finishPasskey(c, actor(c)); err != nil {
		return err
	}
	return d.json(c, http.StatusOK, nextView{Next: "/account"})
}

// finishPasskey keeps the passkey that a browser made for an account.
func (d *desk) finishPasskey(c echo.Context, who gateway.Actor) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	state, err := d.takeCeremony(ctx, useOf(who.Staff.ID), form.Get("state"))
	if err != nil {
		return err
	}
	return d.SignIns.AddPasskey(ctx, who, browserWords(c.Request().UserAgent()), state, []byte(form.Get("answer")))
}
