package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

const (
	// ssoCookie holds a secret of the browser that a sign-in through the
	// organization began in: an answer counts in no other. Lax, because the
	// provider leads back to here.
	ssoCookie = "__Host-desk-sso"
	// ssoAnewCookie remembers that somebody signed out here a moment ago, or was
	// not let in: whoever comes next shows the provider who they are, even if it
	// still knows the last.
	ssoAnewCookie = "__Host-desk-anew"
)

// ssoTime is how long somebody may take at the provider.
const ssoTime = 15 * time.Minute

// ssoDone is where a sign-in in a second tab ends.
const ssoDone = "/login/sso/done"

// ssoBegun is a sign-in that waits for the provider's answer. Its name, which
// travels as the parameter state, is the key that it is kept under.
type ssoBegun struct {
	Browser [sha256.Size]byte
	Next    string
	State   []byte
}

const useSSO = "sso"

func (d *desk) setSSOCookie(c echo.Context, name, value string, age time.Duration) {
	seconds := int(age.Seconds())
	if value == "" {
		seconds = -1
	}
	c.SetCookie(&http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// ssoBrowser gives the secret of this browser; sign-ins in two tabs share it.
func ssoBrowser(c echo.Context) (string, bool) {
	cookie, err := c.Cookie(ssoCookie)
	if err != nil {
		return "", false
	}
	return parsedToken(cookie.Value)
}

func parsedToken(text string) (string, bool) {
	token, err := gateway.ParseToken(text)
	return token.Reveal(), err == nil
}

// visited tells whether a person opened the address. A picture or a frame of
// any page can ask for it as well, as often as that page likes.
func visited(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return dest == "" || dest == "document"
}

// strayedSSO leads away what nobody here began. It leaves the tries of the
// address alone, and the trail.
func (d *desk) strayedSSO(c echo.Context) error {
	return d.redirect(c, "/login?sso="+string(gateway.CodeSSOLate))
}

// beginSSO leads to the organization's provider. It is a plain link: a form
// may not lead to another site, and who begins a sign-in for somebody else
// gains nothing by it.
func (d *desk) beginSSO(c echo.Context) error {
	if !visited(c.Request()) {
		return d.strayedSSO(c)
	}
	next := localPath(c.QueryParam("next"))
	if c.QueryParam("tab") == "1" {
		next = ssoDone
	}
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return err
	}
	if session.staff != "" {
		return d.redirect(c, next)
	}
	_, absent := c.Cookie(ssoAnewCookie)
	name := gateway.NewSecretToken().Reveal()
	address, state, err := d.SignIns.BeginSSO(c.Request().Context(), name, session.locked || absent == nil, c.RealIP())
	if err != nil {
		return d.refuseSSO(c, next, err)
	}
	browser, has := ssoBrowser(c)
	if !has {
		browser = gateway.NewSecretToken().Reveal()
	}
	kept, err := json.Marshal(ssoBegun{sha256.Sum256([]byte(browser)), next, state})
	if err != nil {
		return err
	}
	if err := d.keep(c.Request().Context(), useSSO, name, kept, ssoTime); err != nil {
		return err
	}
	d.setSSOCookie(c, ssoCookie, browser, ssoTime)
	return d.redirect(c, address)
}

// finishSSO takes the provider's answer. It never answers with a page: what
// the provider sent stands in the address, and must not stay in the history.
func (d *desk) finishSSO(c echo.Context) error {
	if _, has := ssoBrowser(c); !has || !visited(c.Request()) {
		return d.strayedSSO(c)
	}
	session, err := d.sessions.load(c.Request())
	if err != nil {
		return d.refuseSSO(c, "/", err)
	}
	begun, err := d.takeSSO(c)
	if err != nil {
		return d.refuseSSO(c, "/", err)
	}
	staff, proven, err := d.SignIns.FinishSSO(c.Request().Context(), begun.State, gateway.IdentityAnswer{
		Code: c.QueryParam("code"), Fault: c.QueryParam("error"), Issuer: c.QueryParam("iss"),
	}, c.RealIP())
	if err != nil {
		return d.refuseSSO(c, begun.Next, err)
	}
	d.setSSOCookie(c, ssoAnewCookie, "", 0)
	if err := d.enter(c, session, staff, shown{"single sign-on", proven}, begun.Next); err != nil {
		return d.refuseSSO(c, begun.Next, err)
	}
	return nil
}

// takeSSO gives what was kept of the sign-in, once and to the browser that
// began it; nothing for any other answer.
func (d *desk) takeSSO(c echo.Context) (ssoBegun, error) {
	none := ssoBegun{Next: "/"}
	name, named := parsedToken(c.QueryParam("state"))
	browser, has := ssoBrowser(c)
	if !named || !has {
		return none, nil
	}
	kept, err := d.takeCeremony(c.Request().Context(), useSSO, name)
	if gateway.Is(err, gateway.CodePasskey) { // nothing is kept under that name
		return none, nil
	}
	if err != nil {
		return none, err
	}
	var begun ssoBegun
	if err := json.Unmarshal(kept, &begun); err != nil {
		return none, err
	}
	sum := sha256.Sum256([]byte(browser))
	if subtle.ConstantTimeCompare(begun.Browser[:], sum[:]) != 1 {
		return none, nil
	}
	return begun, nil
}

// refuseSSO leads to the sign-in page, which says what was wrong.
func (d *desk) refuseSSO(c echo.Context, next string, err error) error {
	p := problemOf(err)
	d.note(c, p, err)
	if errors.Is(err, context.Canceled) {
		return err
	}
	switch p.Code {
	case gateway.CodeSSO, gateway.CodeSSOGroup, gateway.CodeSSOSecond, gateway.CodeSSOOff:
		d.setSSOCookie(c, ssoAnewCookie, "1", d.Idle)
	}
	if p.Code == gateway.CodeSSO {
		d.Log.Warn("single sign-on was refused", "err", err) // perhaps the operator's to mend
	}
	to := url.Values{"sso": {string(gateway.CodeUnavailable)}}
	if ssoProblems[p.Code] {
		to.Set("sso", string(p.Code))
	}
	if next == ssoDone {
		to.Set("tab", "1")
	} else if next = localPath(next); next != "/" {
		to.Set("next", next)
	}
	return c.Redirect(http.StatusSeeOther, "/login?"+to.Encode())
}

// ssoProblems are what the sign-in page may be asked to say.
var ssoProblems = map[gateway.Code]bool{
	gateway.CodeSSO: true, gateway.CodeSSODown: true, gateway.CodeSSOLate: true, gateway.CodeSSOGroup: true, gateway.CodeSSOSecond: true,
	gateway.CodeSSOOff: true, gateway.CodeTooManyTries: true, gateway.CodeUnavailable: true,
}

// ssoProblem is what went wrong at the provider, if the address says so.
func ssoProblem(c echo.Context) *problem {
	code := gateway.Code(c.QueryParam("sso"))
	if !ssoProblems[code] {
		return nil
	}
	p := problemOf(gateway.NewError(code, nil))
	return &p
}

type ssoDoneView struct{ frame }

// ssoBack says that the screen is unlocked, to whoever did that in a second tab.
func (d *desk) ssoBack(c echo.Context) error {
	return d.render(c, http.StatusOK, "sso-done", ssoDoneView{d.frame(c, "You are signed in again", "")})
}
