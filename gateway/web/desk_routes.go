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

func (d *desk) static(c echo.Context) error {
	h := c.Response().Header()
	h.Del(echo.HeaderCacheControl) // the handler's own: hashed names never change
	d.Static.ServeHTTP(c.Response(), c.Request())
	return nil
}
