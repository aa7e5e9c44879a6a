package web

import (
	"context"
	"net/http"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
)

// otherAsk is a label for what fits no other: nobody lacks "something else".
const otherAsk = "other"

// lackView is a paper of which a client may say that they do not have it.
type lackView struct {
	Ask     string
	Reason  gateway.LackReason   // what was said; empty if nothing was
	Choices []gateway.LackReason // what may be said
}

func lacksOf(s gateway.Session, office gateway.Office) []lackView {
	var all []lackView
	for _, ask := range office.Asks {
		if ask == otherAsk {
			continue
		}
		one := lackView{Ask: ask, Reason: s.Submission.LackOf(ask)}
		for _, reason := range gateway.LackReasons() {
			if reason != gateway.LackRemind || s.Texted() {
				one.Choices = append(one.Choices, reason)
			}
		}
		all = append(all, one)
	}
	return all
}

// saidOf gives what the client does not have, in the office's order.
func saidOf(s gateway.Session, office gateway.Office) []lackView {
	var said []lackView
	for _, ask := range office.Asks {
		if reason := s.Submission.LackOf(ask); reason != gateway.LackNone {
			said = append(said, lackView{Ask: ask, Reason: reason})
		}
	}
	return said
}

// sealingOf is the office's rule for the page's script.
func sealingOf(office gateway.Office) string {
	if office.BrowserOnly {
		return "browser-only"
	}
	return "browser-or-server"
}

// lackNotice says what was noted about an ask, as its submission bears out.
func (i *intake) lackNotice(v clientView, ask string, s gateway.Session) notice {
	office := i.Directory.Offices[s.Submission.Office]
	if !office.Asked(ask) {
		return notice{}
	}
	said := "page.lacks.noted-none"
	if reason := s.Submission.LackOf(ask); reason != gateway.LackNone {
		said = "page.lacks.noted-" + string(reason)
	}
	return notice{Words: said, Vars: templates.Vars{"ask": i.Words.Say(v.Language, "asks."+ask, nil)}}
}

// sayLack notes what the client does not have, or takes it back.
func (i *intake) sayLack(c echo.Context) error {
	s, form, err := i.sessionForm(c, formBytes)
	if err != nil {
		return err
	}
	ask := form.Get("ask")
	err = i.change(c, s, func(ctx context.Context) error {
		return i.Uploads.Lack(ctx, s, ask, gateway.LackReason(form.Get("reason")))
	})
	return i.answerForm(c, s, err, queryLack, ask)
}

// labelPage says what a page is.
func (i *intake) labelPage(c echo.Context) error {
	s, form, err := i.sessionForm(c, formBytes)
	if err != nil {
		return err
	}
	if !form.Has("label") {
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	err = i.change(c, s, func(ctx context.Context) error {
		return i.Uploads.Label(ctx, s, gateway.PageKey(c.Param("page")), form.Get("label"))
	})
	return i.answerForm(c, s, err, queryArranged, "1")
}

// A key, its field's name and what joins them.
const orderedPageBytes = 80

// orderPages puts the pages in the client's order.
func (i *intake) orderPages(c echo.Context) error {
	s, form, err := i.sessionForm(c, formBytes+orderedPageBytes*int64(i.Limits.LinkPages))
	if err != nil {
		return err
	}
	var keys []gateway.PageKey
	for _, key := range form["page"] {
		keys = append(keys, gateway.PageKey(key))
	}
	err = i.change(c, s, func(ctx context.Context) error { return i.Uploads.Order(ctx, s, keys) })
	return i.answerForm(c, s, err, queryArranged, "1")
}

// answerForm answers what changed nothing but records: 204 to the page's
// script, to a plain form the page that it came from.
func (i *intake) answerForm(c echo.Context, s gateway.Session, err error, name, value string) error {
	byScript := wantsJSON(c.Request())
	code := gateway.CodeOf(err)
	switch {
	case err == nil && byScript:
		return c.NoContent(http.StatusNoContent)
	case err == nil:
		return i.backWith(c, s, name, value)
	case byScript:
		return err
	case isOver(err):
		return i.backToOver(c, s, err)
	case code == gateway.CodeOptedOut, code == gateway.CodeTooManyChanges:
		c.Set(codeKey, code)
		return i.backWith(c, s, queryProblem, string(code))
	}
	return err
}
