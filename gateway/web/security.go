package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// secureHeaders sets what holds for every answer of a side; static files
// replace Cache-Control, and the desk's page bytes the policy. permissions is
// the side's Permissions-Policy. https adds HSTS, which over plain http means
// nothing.
func secureHeaders(policy, permissions string, https bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Referrer-Policy", "same-origin") // no-referrer would make forms send "Origin: null"
			h.Set("Permissions-Policy", permissions)
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("X-Robots-Tag", "noindex, nofollow")
			h.Set(echo.HeaderCacheControl, "no-store")
			if https {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			return next(c)
		}
	}
}

// sameOrigin refuses what another site makes a browser post. The public URL
// is trusted by name, since a proxy may change the Host header that an old
// browser's Origin is compared with. exempt names what proves itself
// otherwise; nil exempts nothing.
func sameOrigin(base *url.URL, exempt func(*http.Request) bool) (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, err
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if exempt == nil || !exempt(c.Request()) {
				if err := protection.Check(c.Request()); err != nil {
					return gateway.NewError(gateway.CodeForbidden, err)
				}
			}
			return next(c)
		}
	}, nil
}

// clientAddress finds the client's address: that of the connection, or what a
// trusted proxy says of it. No other network is trusted to tell.
func clientAddress(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		trust = append(trust, echo.TrustIPRange(ipNet(p)))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

func ipNet(p netip.Prefix) *net.IPNet {
	addr := p.Masked().Addr()
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(p.Bits(), addr.BitLen())}
}

// routeOf names the route for metrics and logs, if it is one of the side's
// own. A path is never logged: it may hold a token, or what a stranger typed.
func routeOf(c echo.Context, known map[string]bool) string {
	if path := c.Path(); known[path] {
		return path
	}
	return "other"
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

// pageWriter answers with a page when its first byte comes. A page that could
// not be rendered writes none, and the answer is still free for the error.
type pageWriter struct {
	response *echo.Response
	status   int
}

func (w pageWriter) Write(p []byte) (int, error) {
	if !w.response.Committed {
		w.response.Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
		w.response.WriteHeader(w.status)
	}
	return w.response.Write(p)
}
