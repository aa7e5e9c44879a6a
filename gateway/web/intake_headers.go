package web

import (
	"log/slog"
	"strconv"
	"strings"

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

// The camera is what the page is for; of the rest it needs nothing.
const intakePermissions = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"

// toldKey holds what a handler adds to the line of its request: []slog.Attr.
const toldKey = "intake-told"

// observe writes the one line of a request: route, status, time and size, and
// what became of a text. No path, no query, no address: a path may hold a token.
func (i *intake) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := i.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		took := i.Now().Sub(begun)
		route, status := routeOf(c, i.known), c.Response().Status
		code, _ := c.Get(codeKey).(gateway.Code)
		i.answers.WithLabelValues(route, strconv.Itoa(status), string(code)).Inc()
		i.seconds.WithLabelValues(route).Observe(took.Seconds())
		level := slog.LevelInfo
		if route == "/static/*" {
			level = slog.LevelDebug
		}
		told, _ := c.Get(toldKey).([]slog.Attr)
		i.Log.LogAttrs(c.Request().Context(), level, "request", append([]slog.Attr{
			slog.String("method", methodName(c.Request().Method)), slog.String("route", route),
			slog.Int("status", status), slog.String("code", string(code)),
			slog.Duration("took", took), slog.Int64("bytes", c.Response().Size),
		}, told...)...)
		return nil
	}
}
