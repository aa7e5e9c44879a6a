package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// The desk's pages run their own script and nothing else. A page of a client
// is shown from a blob: URL, because each fetch of it is one line in the
// audit trail and the browser's PDF viewer would fetch it again and again.
var deskPolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' blob:",
	"frame-src 'self' blob:",
	"connect-src 'self'",
	"form-action 'self'",
	"base-uri 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
}, "; ")

// headers sets what holds for every answer; the handler of page bytes
// replaces the policy with its own.
func (d *desk) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", deskPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would make forms send "Origin: null"
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set(echo.HeaderCacheControl, "no-store")
		if d.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// sameOrigin refuses what another site makes a signed-in browser post. The
// public URL is trusted by name, since a proxy may change the Host header
// that an old browser's Origin is compared with.
func (d *desk) sameOrigin(base *url.URL) (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, err
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return gateway.NewError(gateway.CodeForbidden, err)
			}
			return next(c)
		}
	}, nil
}

// bounded limits what a form may bring.
func (d *desk) bounded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		r.Body = http.MaxBytesReader(c.Response(), r.Body, deskFormBytes)
		return next(c)
	}
}

// deskForm reads a url-encoded form. Multipart bodies are not read at all.
func deskForm(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, gateway.NewError(gateway.CodeBadRequest, nil) // the cause may quote the form
	}
	return r.PostForm, nil
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get(echo.HeaderAccept), echo.MIMEApplicationJSON)
}

func ipNet(p netip.Prefix) *net.IPNet {
	addr := p.Masked().Addr()
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(p.Bits(), addr.BitLen())}
}
