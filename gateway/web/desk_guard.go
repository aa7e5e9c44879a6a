package web

import (
	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// guard lets a request through to its handler only as the table permits.
func (d *desk) guard(r deskRoute) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r.Permit == PermitAnyone {
			return r.handle(d, c)
		}
		if r.Permit == PermitHalf {
			return d.halfway(c, r)
		}
		// A page that loads itself again without JavaScript says so.
		quiet := r.quiet || c.QueryParam("auto") == "1"
		staff, session, err := d.signedIn(c, quiet)
		if err != nil {
			if gateway.Is(err, gateway.CodeSignIn) && !wantsJSON(c.Request()) {
				return d.redirect(c, d.loginPath(c.Request()))
			}
			return err
		}
		c.Set(actorKey, gateway.Actor{Staff: staff, From: c.RealIP(), Session: session.id})
		c.Set(sessionKey, session)
		if !r.Permit.allows(staff) {
			return d.refuseRoute(c, r.Route)
		}
		return r.handle(d, c)
	}
}

// homes are the pages that a person may begin at, by what they may do.
var homes = []struct {
	right gateway.Right
	path  string
}{
	{gateway.RightPapers, "/"},
	{gateway.RightAudit, "/audit"},
	{gateway.RightFigures, "/figures"},
	{gateway.RightAccounts, "/accounts"},
}

// refuseRoute leads from the inbox, where everybody begins, to the page of who
// may see no papers, and refuses every other route with a line in the trail.
func (d *desk) refuseRoute(c echo.Context, r Route) error {
	who := actor(c)
	if r.Path == "/" {
		for _, home := range homes {
			if who.Staff.CanSomewhere(home.right) && d.known[home.path] {
				return d.redirect(c, home.path)
			}
		}
	}
	if err := d.SignIns.Refused(c.Request().Context(), who, r.Method+" "+r.Path); err != nil {
		return err
	}
	return gateway.NewError(gateway.CodeForbidden, nil)
}

// signedIn gives the account of a request as it is now and how long its
// session has left, or CodeSignIn. An account that was disabled meanwhile, or
// has a new password, loses its session.
func (d *desk) signedIn(c echo.Context, quiet bool) (gateway.Staff, deskSession, error) {
	ctx := c.Request().Context()
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return gateway.Staff{}, session, err
	}
	if session.staff == "" {
		return gateway.Staff{}, session, gateway.NewError(gateway.CodeSignIn, nil)
	}
	staff, err := d.owner(c, session)
	if err != nil {
		return gateway.Staff{}, session, err
	}
	if !quiet {
		if err := d.sessions.touch(ctx, &session); err != nil {
			return gateway.Staff{}, session, err
		}
	}
	return staff, session, nil
}

// owner gives the account of a session, live, locked or halfway, as it is now;
// one that the account does not have any more is ended, CodeSignIn.
func (d *desk) owner(c echo.Context, session deskSession) (gateway.Staff, error) {
	staff, err := d.SignIns.Staff(c.Request().Context(), session.account, session.id)
	if err == nil && session.stamp != stampOf(staff) {
		err = gateway.NewError(gateway.CodeSignIn, nil)
	}
	if gateway.Is(err, gateway.CodeSignIn) {
		if ended := d.sessions.end(c, session); ended != nil {
			return gateway.Staff{}, ended
		}
	}
	return staff, err
}

// halfway lets somebody through whose second factor is awaited. Who is signed
// in already is led on, and who is not begins at the beginning.
func (d *desk) halfway(c echo.Context, r deskRoute) error {
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return err
	}
	if session.staff != "" && !wantsJSON(c.Request()) {
		return d.redirect(c, "/")
	}
	if session.step == gateway.StepNone {
		err = gateway.NewError(gateway.CodeSignIn, nil)
	}
	var staff gateway.Staff
	if err == nil {
		staff, err = d.owner(c, session)
	}
	if gateway.Is(err, gateway.CodeSignIn) && !wantsJSON(c.Request()) {
		return d.redirect(c, "/login")
	}
	if err != nil {
		return err
	}
	c.Set(halfKey, gateway.Actor{Staff: staff, From: c.RealIP()})
	c.Set(sessionKey, session)
	return r.handle(d, c)
}

// What guard leaves in the context of a request.
const (
	actorKey   = "desk-actor"   // gateway.Actor who is signed in
	halfKey    = "desk-half"    // gateway.Actor whose second factor is awaited
	sessionKey = "desk-session" // deskSession
)

// sessionOf is the session behind a request that passed guard.
func sessionOf(c echo.Context) deskSession {
	session, _ := c.Get(sessionKey).(deskSession)
	return session
}

// halfActor is the person behind a request that passed guard as PermitHalf.
func halfActor(c echo.Context) gateway.Actor {
	who, _ := c.Get(halfKey).(gateway.Actor)
	return who
}

func signedInActor(c echo.Context) (gateway.Actor, bool) {
	who, ok := c.Get(actorKey).(gateway.Actor)
	return who, ok
}

// actor is the person behind a request that passed guard as PermitStaff.
func actor(c echo.Context) gateway.Actor {
	who, _ := signedInActor(c)
	return who
}
