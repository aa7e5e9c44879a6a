package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

type linkPage struct {
	clientView
	Action string // where the button posts: this page's own path
	Mine   bool
	InApp  bool // another app's browser
	Until  string
}

// showLink shows what a link is for and changes nothing, however often a
// preview fetches it. It gives the browser a secret if it has none, so that
// the tap on the button has something to bind the link to.
func (i *intake) showLink(c echo.Context) error {
	token, err := gateway.ParseToken(c.Param("token"))
	if err != nil {
		return err
	}
	setScene(c, scene{path: linkPath(token)})
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	browser, had := i.browser(c)
	link, err := i.Claims.Look(ctx, token, browser)
	if gateway.Is(err, gateway.CodeLinkUnknown) {
		return i.guessed(c, err)
	}
	if err != nil {
		return err
	}
	i.setLinkScene(c, link, token)
	v := i.view(c)
	if link.Mine && link.State != gateway.LinkClaimed && !link.Canceled {
		return i.redirect(c, sendPath(link.Submission)+"/receipt"+v.Suffix)
	}
	if code := unusable(link); code != "" {
		return gateway.NewError(code, nil)
	}
	if !had {
		if browser, err = gateway.NewBrowser(i.Random); err != nil {
			return err
		}
		i.keepBrowser(c, browser)
	}
	page := linkPage{clientView: v, Action: sceneOf(c).path + v.Suffix, Mine: link.Mine, InApp: insideAnApp(c.Request().UserAgent())}
	page.Until = i.until(v, link.ExpiresAt, link.Office.Location)
	page.Vars["until"] = page.Until
	return i.render(c, http.StatusOK, "link", page)
}

// unusable gives the code of a link that this browser cannot open, or "".
func unusable(v gateway.LinkView) gateway.Code {
	switch {
	case v.Canceled:
		return gateway.CodeLinkCanceled
	case v.State == gateway.LinkIssued, v.State == gateway.LinkClaimed && v.Mine:
		return ""
	case v.State == gateway.LinkClosed:
		return gateway.CodeLinkClosed
	case v.State == gateway.LinkSuperseded:
		return gateway.CodeLinkSuperseded
	case v.State == gateway.LinkExpired:
		return gateway.CodeLinkExpired
	}
	return gateway.CodeLinkTaken
}

func (i *intake) setLinkScene(c echo.Context, v gateway.LinkView, t gateway.Token) {
	s := scene{office: v.Office, number: v.Number, language: v.Language, path: linkPath(t)}
	if unusable(v) != "" && v.Texted && !v.Canceled {
		s.again = s.path + "/again"
	}
	setScene(c, s)
}

func linkPath(t gateway.Token) string { return "/c/" + t.Reveal() }

// claimLink binds the link to the browser whose person tapped the button. The
// same browser gets the same redirect again: an answer that was lost on the
// way, a reload or an empty battery cost nothing.
func (i *intake) claimLink(c echo.Context) error {
	token, err := gateway.ParseToken(c.Param("token"))
	if err != nil {
		return err
	}
	setScene(c, scene{path: linkPath(token)})
	browser, had := i.browser(c)
	if !had {
		return gateway.NewError(gateway.CodeNoCookie, nil)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	link, err := i.Claims.Claim(ctx, token, browser)
	if link.Office.ID != "" {
		i.setLinkScene(c, link, token)
	}
	if gateway.Is(err, gateway.CodeLinkUnknown) {
		return i.guessed(c, err)
	}
	if err != nil {
		return err
	}
	i.keepBrowser(c, browser)
	return i.redirect(c, sendPath(link.Submission)+i.view(c).Suffix)
}

// sendAgain texts a new link to the phone that got this one. Where it went is
// not told to whoever holds an old link.
func (i *intake) sendAgain(c echo.Context) error {
	token, err := gateway.ParseToken(c.Param("token"))
	if err != nil {
		return err
	}
	setScene(c, scene{path: linkPath(token)})
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	link, err := i.Claims.Again(ctx, token)
	if link.Office.ID != "" {
		i.setLinkScene(c, link, token)
	}
	if gateway.Is(err, gateway.CodeLinkUnknown) {
		return i.guessed(c, err)
	}
	if err != nil {
		return err
	}
	return i.render(c, http.StatusOK, "again", i.view(c))
}

// sendAgainFor is the same on the page of a session that is over.
func (i *intake) sendAgainFor(c echo.Context) error {
	s, _, err := i.session(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	if err := i.Claims.AgainFor(ctx, s); err != nil {
		return err
	}
	return i.render(c, http.StatusOK, "again", i.view(c))
}

// redirect answers with 303, so that a reload does not post again.
func (i *intake) redirect(c echo.Context, path string) error {
	return c.Redirect(http.StatusSeeOther, path)
}

func sendPath(id gateway.SubmissionID) string { return "/send/" + string(id) }

// Tokens cannot be guessed; a client address that asks for this many unknown
// ones is told to wait.
const (
	unknownLinks    = 20
	unknownLinksPer = time.Hour
)

// guessed counts an unknown token against the client's address. By then it has
// been looked up: whether a token is known must be told before a limit may
// speak, since many phones share one address of their carrier and a link of
// theirs is never refused for what a neighbor tried. So the limit spares Redis
// and SQL nothing: it tells a program that guesses to stop, and its refusals
// show in the metrics.
func (i *intake) guessed(c echo.Context, unknown error) error {
	allowed, wait, err := i.Limiter.Allow(c.Request().Context(), "unknown-link", gateway.AddressKey(c.RealIP()), unknownLinks, unknownLinksPer)
	if err != nil || allowed {
		return unknown // without the count the answer is still right
	}
	retryAfter(c, wait)
	return gateway.NewError(gateway.CodeTooManyTries, nil)
}

// retryAfter says in the header when to come again, in whole seconds.
func retryAfter(c echo.Context, wait time.Duration) {
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(wait.Seconds())+1))
}
