package web

import (
	"net/http"
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

// The desk needs nothing of the machine that it runs on.
const deskPermissions = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"

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
