package web

import (
	"net/http"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// The client's cookies. With the __Host- prefix a browser takes them only over
// https, for this host and the whole path. Chromium counts
// http://localhost and http://127.0.0.1 as safe too, which the demo needs.
const (
	browserCookie  = "__Host-b"    // the secret that claims are bound to
	languageCookie = "__Host-lang" // the language that was switched to; nothing about the person
)

// A language that was switched to is kept as long as a link may be.
const languageAge = 30 * 24 * time.Hour

func (i *intake) setCookie(c echo.Context, name, value string, age time.Duration) {
	c.SetCookie(&http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age.Seconds()),
		Secure: true, HttpOnly: true,
		// Strict would hide the cookie when the link is tapped again in the messages app.
		SameSite: http.SameSiteLaxMode,
	})
}

// browser reads the secret that this browser holds; false if it holds none.
func (i *intake) browser(c echo.Context) (gateway.Browser, bool) {
	cookie, err := c.Cookie(browserCookie)
	if err != nil {
		return gateway.Browser{}, false
	}
	b, valid := gateway.ParseBrowser(cookie.Value)
	if !valid {
		return gateway.Browser{}, false
	}
	return b, true
}

// keepBrowser gives the browser its secret, or renews how long it is kept:
// as long as a link is known.
func (i *intake) keepBrowser(c echo.Context, b gateway.Browser) {
	i.setCookie(c, browserCookie, b.Reveal(), i.Limits.LinkKnown)
}
