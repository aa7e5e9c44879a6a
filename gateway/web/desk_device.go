package web

import (
	"net/http"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// browserSecretCookie recognizes a browser that an account signed in from
// before. It signs nobody in.
const browserSecretCookie = "__Host-desk-browser" // #nosec G101 -- the name, not the secret

const browserSecretAge = 400 * 24 * time.Hour // what browsers keep a cookie for at most

// shown is what somebody signs in with.
type shown struct {
	how    string // see gateway.Arrival
	proven bool
}

// arrival tells of a sign-in that is about to succeed.
func (d *desk) arrival(c echo.Context, by shown) gateway.Arrival {
	secret := ""
	if cookie, err := c.Cookie(browserSecretCookie); err == nil {
		if token, err := gateway.ParseToken(cookie.Value); err == nil {
			secret = token.Reveal()
		}
	}
	if secret == "" {
		secret = gateway.NewSecretToken().Reveal()
	}
	c.SetCookie(&http.Cookie{
		Name: browserSecretCookie, Value: secret, Path: "/", MaxAge: int(browserSecretAge.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return gateway.Arrival{How: by.how, Proven: by.proven, From: c.RealIP(), Browser: browserWords(c.Request().UserAgent()), Device: secret}
}

// What a User-Agent names, the more special ones first: Edge and Opera also
// say Chrome, and Chrome says Safari.
var (
	browserNames = [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systemNames = [][2]string{
		{"Windows", "Windows"}, {"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"CrOS", "a Chromebook"},
		{"Mac OS X", "a Mac"}, {"Linux", "Linux"},
	}
)

// browserWords names a browser so that its owner knows it again. Nothing of
// what it says about itself is repeated: anybody may write a User-Agent.
func browserWords(userAgent string) string {
	browser, system := "A browser", ""
	for _, name := range browserNames {
		if strings.Contains(userAgent, name[0]) {
			browser = name[1]
			break
		}
	}
	for _, name := range systemNames {
		if strings.Contains(userAgent, name[0]) {
			system = " on " + name[1]
			break
		}
	}
	return browser + system
}
