package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// The client's pages run their own script and their own worker, show
// previews from blob: URLs and talk to nobody else.
var intakePolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"worker-src 'self'",
	"style-src 'self'",
	"img-src 'self' blob:",
	"connect-src 'self'",
	"form-action 'self'",
	"base-uri 'none'",
	"frame-ancestors 'none'",
}, "; ")

// headers sets what holds for every answer; static files replace Cache-Control.
func (i *intake) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", intakePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would make forms send "Origin: null"
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set(echo.HeaderCacheControl, "no-store")
		if i.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// sameOrigin refuses what another site makes a client's browser post. The
// public URL is trusted by name, since a proxy may change the Host header
// that an old browser's Origin is compared with. Webhooks carry a signature.
func (i *intake) sameOrigin(base *url.URL) (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, err
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !isWebhook(c.Request()) {
				if err := protection.Check(c.Request()); err != nil {
					return gateway.NewError(gateway.CodeForbidden, err)
				}
			}
			return next(c)
		}
	}, nil
}

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

// Tokens cannot be guessed; a client address that asks for this many unknown
// ones is told to wait, so that trying costs more than it does here.
const (
	unknownLinks    = 20
	unknownLinksPer = time.Hour
)

// guessed counts an unknown token against the client's address. Known links
// are never refused by this: many phones share one address of their carrier.
func (i *intake) guessed(c echo.Context, unknown error) error {
	allowed, wait, err := i.Limiter.Allow(c.Request().Context(), "unknown-link", addressKey(c.RealIP()), unknownLinks, unknownLinksPer)
	if err != nil || allowed {
		return unknown // without the count the answer is still right
	}
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(wait.Seconds())+1))
	return gateway.NewError(gateway.CodeTooManyTries, nil)
}

// addressKey joins the addresses of one IPv6 customer, who has at least a /64.
func addressKey(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	parsed = parsed.Unmap().WithZone("")
	if parsed.Is4() {
		return parsed.String()
	}
	return netip.PrefixFrom(parsed, 64).Masked().String()
}

// observe writes the one line of a request: route, status, time and size. No
// path, no query, no address: a path may hold a token.
func (i *intake) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := i.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		took := i.Now().Sub(begun)
		route, status := i.route(c), c.Response().Status
		code, _ := c.Get(codeKey).(gateway.Code)
		i.answers.WithLabelValues(route, strconv.Itoa(status), string(code)).Inc()
		i.seconds.WithLabelValues(route).Observe(took.Seconds())
		level := slog.LevelInfo
		if route == "/static/*" {
			level = slog.LevelDebug
		}
		i.Log.LogAttrs(c.Request().Context(), level, "request",
			slog.String("method", methodName(c.Request().Method)), slog.String("route", route),
			slog.Int("status", status), slog.String("code", string(code)),
			slog.Duration("took", took), slog.Int64("bytes", c.Response().Size))
		return nil
	}
}

// methodName keeps what strangers invent as a method out of the log.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodPut,
		http.MethodPatch, http.MethodOptions:
		return method
	}
	return "other"
}
