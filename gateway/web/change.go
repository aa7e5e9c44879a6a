package web

import (
	"context"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// A session may change what it sent (labels, order, what is missing, pages
// taken back) so often: more than the forty pages of a link ask for, and few
// enough that a program can fill neither the disk nor the audit trail.
const (
	changes    = 300
	changesPer = time.Hour
)

// limiterPatience is how long a change waits for the count of the others. A
// Redis that hangs must not take the time that the records need.
const limiterPatience = 400 * time.Millisecond

// change does one of these, unless its session did too many.
func (i *intake) change(c echo.Context, s gateway.Session, act func(context.Context) error) error {
	counting, done := context.WithTimeout(c.Request().Context(), limiterPatience)
	defer done()
	allowed, wait, err := i.Limiter.Allow(counting, "change", string(s.Link.ID), changes, changesPer)
	if err == nil && !allowed { // without the count the change is still right
		retryAfter(c, wait)
		return gateway.NewError(gateway.CodeTooManyChanges, nil)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	return act(ctx)
}
