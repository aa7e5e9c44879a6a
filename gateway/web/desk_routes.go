package web

import (
	"net/http"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Permission tells who may use a route of the desk. What a person sees there
// is decided by the flows, office by office.
type Permission string

// The permissions. Beside these two each right is one: who has it at some
// office may use the route, and the flow behind decides office by office.
const (
	PermitAnyone Permission = "anyone" // also before the sign-in
	PermitStaff  Permission = "staff"  // a signed-in account that is not disabled
	PermitHalf   Permission = "half"   // an account whose password was right and whose second factor is awaited

	PermitPapers   = Permission(gateway.RightPapers)
	PermitChange   = Permission(gateway.RightChange)
	PermitDownload = Permission(gateway.RightDownload)
	PermitAsk      = Permission(gateway.RightAsk)
	PermitDeliver  = Permission(gateway.RightDeliver)
	PermitHold     = Permission(gateway.RightHold)
	PermitFigures  = Permission(gateway.RightFigures)
	PermitAudit    = Permission(gateway.RightAudit)
	PermitAccounts = Permission(gateway.RightAccounts)
	PermitWatch    = Permission(gateway.RightWatch)
	PermitCutOff   = Permission(gateway.RightCutOff)
)

// allows tells whether an account may use a route of this permission.
func (p Permission) allows(staff gateway.Staff) bool {
	return p == PermitAnyone || p == PermitStaff || p == PermitHalf || staff.CanSomewhere(gateway.Right(p))
}

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
	{Route{http.MethodGet, "/", PermitPapers}, false, (*desk).inbox},
	{Route{http.MethodGet, "/next", PermitPapers}, false, (*desk).next},
	{Route{http.MethodGet, "/submissions/:id", PermitPapers}, false, (*desk).submission},
	{Route{http.MethodPost, "/submissions/:id/handled", PermitChange}, false, (*desk).handled},
	{Route{http.MethodPost, "/submissions/:id/stage", PermitChange}, false, thread(setStage)},
	{Route{http.MethodPost, "/submissions/:id/assigned", PermitChange}, false, thread(assign)},
	{Route{http.MethodPost, "/submissions/:id/case", PermitChange}, false, thread(setCase)},
	{Route{http.MethodPost, "/submissions/:id/notes", PermitChange}, false, thread(addRemark)},
	{Route{http.MethodPost, "/submissions/:id/merge", PermitChange}, false, thread(merge)},
	{Route{http.MethodPost, "/submissions/:id/move", PermitChange}, false, thread(movePage)},
	{Route{http.MethodGet, "/clients/:id", PermitPapers}, false, (*desk).client},
	{Route{http.MethodPost, "/clients/:id/name", PermitChange}, false, (*desk).nameClient},
	{Route{http.MethodGet, "/search", PermitPapers}, false, (*desk).searchForm},
	{Route{http.MethodPost, "/search", PermitPapers}, false, (*desk).search},
	{Route{http.MethodGet, "/changes", PermitPapers}, true, (*desk).changes},
	{Route{http.MethodPost, "/submissions/:id/export", PermitDownload}, false, (*desk).export},
	{Route{http.MethodPost, "/submissions/:id/deliver", PermitDeliver}, false, (*desk).deliver},
	{Route{http.MethodGet, "/submissions/:id/print", PermitDownload}, false, (*desk).print},
	{Route{http.MethodGet, "/pages/:id", PermitPapers}, false, (*desk).page},
	{Route{http.MethodGet, "/pages/:id/original", PermitDownload}, false, (*desk).original},
	{Route{http.MethodGet, "/pages/:id/kind", PermitPapers}, false, (*desk).pageKind},
	{Route{http.MethodGet, "/pages/:id/small", PermitPapers}, false, (*desk).smallPage},
	{Route{http.MethodPost, "/pages/:id/rotation", PermitChange}, false, (*desk).turnPage},
	{Route{http.MethodPost, "/pages/:id/label", PermitChange}, false, (*desk).labelPage},
	{Route{http.MethodPost, "/pages/:id/place", PermitChange}, false, (*desk).placePage},
	{Route{http.MethodGet, "/requests", PermitAsk}, false, (*desk).requests},
	{Route{http.MethodPost, "/requests", PermitAsk}, false, (*desk).sendRequest},
	{Route{http.MethodGet, "/requests/:id", PermitAsk}, false, (*desk).request},
	{Route{http.MethodPost, "/requests/:id/cancel", PermitAsk}, false, (*desk).cancelRequest},
	{Route{http.MethodPost, "/requests/:id/renew", PermitAsk}, false, (*desk).renewRequest},
	{Route{http.MethodGet, "/pages/:id/again", PermitAsk}, false, (*desk).againForm},
	{Route{http.MethodPost, "/pages/:id/again", PermitAsk}, false, (*desk).sendPageAgain},
	{Route{http.MethodGet, "/requests/:id/state", PermitAsk}, true, (*desk).requestState},
	{Route{http.MethodGet, "/counter", PermitAsk}, false, (*desk).counterForm},
	{Route{http.MethodPost, "/counter", PermitAsk}, false, (*desk).openCounter},
	{Route{http.MethodGet, "/counter/:id", PermitAsk}, false, (*desk).counter},
	{Route{http.MethodPost, "/counter/:id/cancel", PermitAsk}, false, (*desk).cancelCounter},
	{Route{http.MethodGet, "/counter/:id/state", PermitAsk}, true, (*desk).counterState},
	{Route{http.MethodGet, "/audit", PermitAudit}, false, (*desk).audit},
	{Route{http.MethodPost, "/audit", PermitAudit}, false, (*desk).searchAudit},
	{Route{http.MethodPost, "/audit/download", PermitAudit}, false, (*desk).downloadAudit},
	{Route{http.MethodPost, "/audit/verify", PermitAudit}, false, (*desk).verifyAudit},
	{Route{http.MethodGet, "/figures", PermitFigures}, false, (*desk).figures},
	{Route{http.MethodGet, "/figures/csv", PermitFigures}, false, (*desk).figuresCSV},
	{Route{http.MethodGet, "/retention", PermitHold}, false, (*desk).retention},
	{Route{http.MethodPost, "/retention/:id/hold", PermitHold}, false, (*desk).holdPapers},
	{Route{http.MethodPost, "/retention/:id/release", PermitHold}, false, (*desk).releasePapers},
	{Route{http.MethodGet, "/notices", PermitStaff}, false, (*desk).notices},
	{Route{http.MethodPost, "/notices", PermitStaff}, false, (*desk).saveNotices},
	{Route{http.MethodGet, "/emergency", PermitStaff}, false, (*desk).emergency},
	{Route{http.MethodPost, "/emergency", PermitStaff}, false, (*desk).openEmergency},
	{Route{http.MethodPost, "/emergency/end", PermitStaff}, false, (*desk).leaveEmergency},
	{Route{http.MethodPost, "/emergency/:id/end", PermitCutOff}, false, (*desk).cutOffEmergency},
	{Route{http.MethodPost, "/emergency/:id/seen", PermitWatch}, false, (*desk).seeEmergency},
	{Route{http.MethodGet, "/account", PermitStaff}, false, (*desk).account},
	{Route{http.MethodPost, "/account/password", PermitStaff}, false, (*desk).changePassword},
	{Route{http.MethodPost, "/account/app", PermitStaff}, false, (*desk).changeApp},
	{Route{http.MethodPost, "/account/passkeys/options", PermitStaff}, false, (*desk).newPasskeyOptions},
	{Route{http.MethodPost, "/account/passkeys", PermitStaff}, false, (*desk).addPasskey},
	{Route{http.MethodPost, "/account/passkeys/remove", PermitStaff}, false, (*desk).removePasskey},
	{Route{http.MethodPost, "/account/sessions/end", PermitStaff}, false, (*desk).endSession},
	{Route{http.MethodPost, "/account/known", PermitStaff}, false, (*desk).knowSessions},
	{Route{http.MethodGet, "/accounts", PermitAccounts}, false, (*desk).accounts},
	{Route{http.MethodPost, "/accounts", PermitAccounts}, false, (*desk).invite},
	{Route{http.MethodGet, "/accounts/:id", PermitAccounts}, false, (*desk).oneAccount},
	{Route{http.MethodPost, "/accounts/:id/roles", PermitAccounts}, false, (*desk).setRoles},
	{Route{http.MethodPost, "/accounts/:id/reset", PermitAccounts}, false, (*desk).resetAccount},
	{Route{http.MethodPost, "/accounts/:id/link/cancel", PermitAccounts}, false, (*desk).cancelAccountLink},
	{Route{http.MethodPost, "/accounts/:id/state", PermitAccounts}, false, (*desk).setAccountState},
	{Route{http.MethodGet, "/join/:token", PermitAnyone}, false, (*desk).openJoin},
	{Route{http.MethodGet, "/join", PermitAnyone}, false, (*desk).joinPage},
	{Route{http.MethodPost, "/join", PermitAnyone}, false, (*desk).join},
	{Route{http.MethodPost, "/join/options", PermitAnyone}, false, (*desk).joinOptions},
	{Route{http.MethodGet, "/login/second", PermitHalf}, false, (*desk).secondPage},
	{Route{http.MethodPost, "/login/second", PermitHalf}, false, (*desk).second},
	{Route{http.MethodPost, "/login/setup", PermitHalf}, false, (*desk).setup},
	{Route{http.MethodPost, "/login/setup/options", PermitHalf}, false, (*desk).setupOptions},
	{Route{http.MethodPost, "/login/options", PermitAnyone}, false, (*desk).passkeyOptions},
	{Route{http.MethodPost, "/login/passkey", PermitAnyone}, false, (*desk).passkeyLogin},
	{Route{http.MethodGet, "/login/sso", PermitAnyone}, false, (*desk).beginSSO},
	{Route{http.MethodGet, "/login/sso/back", PermitAnyone}, false, (*desk).finishSSO},
	{Route{http.MethodGet, "/login/sso/done", PermitStaff}, false, (*desk).ssoBack},
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

func (d *desk) static(c echo.Context) error {
	h := c.Response().Header()
	h.Del(echo.HeaderCacheControl) // the handler's own: hashed names never change
	d.Static.ServeHTTP(c.Response(), c.Request())
	return nil
}
