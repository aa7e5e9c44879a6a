package web

import (
	"net/http"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Permission tells who may use a route of the desk. What a person sees there
// is decided by the flows, office by office.
type Permission string

// The permissions.
const (
	PermitAnyone Permission = "anyone" // also before the sign-in
	PermitStaff  Permission = "staff"  // a signed-in account that is not disabled
)

// Route is one line of the desk's table of routes.
type Route struct {
	Method, Path string // Path as Echo writes it, e.g. /pages/:id
	Permit       Permission
}

type deskRoute struct {
	Route
	quiet  bool // asked by the page itself, not by a person: does not put off the idle limit
	handle func(*desk, echo.Context) error
}

// deskRoutes is the desk's whole surface. What is not in it answers 404.
var deskRoutes = []deskRoute{
	{Route{http.MethodGet, "/", PermitStaff}, false, (*desk).inbox},
	{Route{http.MethodGet, "/submissions/:id", PermitStaff}, false, (*desk).submission},
	{Route{http.MethodPost, "/submissions/:id/handled", PermitStaff}, false, (*desk).handled},
	{Route{http.MethodGet, "/pages/:id", PermitStaff}, false, (*desk).page},
	{Route{http.MethodGet, "/pages/:id/original", PermitStaff}, false, (*desk).original},
	{Route{http.MethodGet, "/requests", PermitStaff}, false, (*desk).requests},
	{Route{http.MethodPost, "/requests", PermitStaff}, false, (*desk).sendRequest},
	{Route{http.MethodGet, "/requests/:id", PermitStaff}, false, (*desk).request},
	{Route{http.MethodGet, "/requests/:id/state", PermitStaff}, true, (*desk).requestState},
	{Route{http.MethodGet, "/counter", PermitStaff}, false, (*desk).counterForm},
	{Route{http.MethodPost, "/counter", PermitStaff}, false, (*desk).openCounter},
	{Route{http.MethodGet, "/counter/:id", PermitStaff}, false, (*desk).counter},
	{Route{http.MethodGet, "/counter/:id/state", PermitStaff}, true, (*desk).counterState},
	{Route{http.MethodGet, "/session", PermitStaff}, true, (*desk).session},
	{Route{http.MethodPost, "/session", PermitStaff}, false, (*desk).session},
	{Route{http.MethodGet, "/login", PermitAnyone}, false, (*desk).loginPage},
	{Route{http.MethodPost, "/login", PermitAnyone}, false, (*desk).login},
	{Route{http.MethodPost, "/logout", PermitAnyone}, false, (*desk).logout},
	{Route{http.MethodGet, "/static/*", PermitAnyone}, true, (*desk).static},
}

// DeskRoutes gives the table of routes, so that a test can try every route
// with every account.
func DeskRoutes() []Route {
	routes := make([]Route, len(deskRoutes))
	for i, r := range deskRoutes {
		routes[i] = r.Route
	}
	return routes
}

// guard lets a request through to its handler only as the table permits.
func (d *desk) guard(r deskRoute) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r.Permit == PermitAnyone {
			return r.handle(d, c)
		}
		// A page that loads itself again without JavaScript says so.
		quiet := r.quiet || c.QueryParam("auto") == "1"
		staff, left, err := d.signedIn(c, quiet)
		if err != nil {
			if gateway.Is(err, gateway.CodeSignIn) && !wantsJSON(c.Request()) {
				return d.redirect(c, loginPath(c.Request()))
			}
			return err
		}
		c.Set(actorKey, gateway.Actor{Staff: staff, From: c.RealIP()})
		c.Set(leftKey, left)
		return r.handle(d, c)
	}
}

// signedIn gives the account of a request as it is now and how long its
// session has left, or CodeSignIn. An account that was disabled meanwhile, or
// has a new password, loses its session.
func (d *desk) signedIn(c echo.Context, quiet bool) (gateway.Staff, time.Duration, error) {
	ctx := c.Request().Context()
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return gateway.Staff{}, 0, err
	}
	if session.staff == "" {
		return gateway.Staff{}, 0, gateway.NewError(gateway.CodeSignIn, nil)
	}
	staff, err := d.SignIns.Staff(ctx, session.staff)
	if err == nil && session.stamp != stampOf(staff) {
		err = gateway.NewError(gateway.CodeSignIn, nil)
	}
	if gateway.Is(err, gateway.CodeSignIn) {
		if ended := d.sessions.end(c, session); ended != nil {
			return gateway.Staff{}, 0, ended
		}
	}
	if err != nil {
		return gateway.Staff{}, 0, err
	}
	if !quiet {
		if err := d.sessions.touch(ctx, &session); err != nil {
			return gateway.Staff{}, 0, err
		}
	}
	return staff, session.left, nil
}

// What guard leaves in the context of a request.
const (
	actorKey = "desk-actor" // gateway.Actor
	leftKey  = "desk-left"  // time.Duration
)

func signedInActor(c echo.Context) (gateway.Actor, bool) {
	who, ok := c.Get(actorKey).(gateway.Actor)
	return who, ok
}

// actor is the person behind a request that passed guard as PermitStaff.
func actor(c echo.Context) gateway.Actor {
	who, _ := signedInActor(c)
	return who
}

func (d *desk) static(c echo.Context) error {
	h := c.Response().Header()
	h.Del(echo.HeaderCacheControl) // the handler's own: hashed names never change
	d.Static.ServeHTTP(c.Response(), c.Request())
	return nil
}
