package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// refusal is how one code is answered on the client's side. Its words are
// `errors.<code>` of the catalog, its heading `page.problem.<title>`.
type refusal struct {
	status int
	title  string
	text   bool // a new link helps: offer to text for one
	link   bool // the link works no more: offer to text a new one
	again  bool // going back to the page helps
	notice bool // belongs above the forms of /send/ID rather than on a page of its own
}

var refusals = map[gateway.Code]refusal{
	gateway.CodeUnavailable:  {status: http.StatusServiceUnavailable, title: "unavailable", again: true},
	gateway.CodeBadRequest:   {status: http.StatusBadRequest, title: "failed", again: true, notice: true},
	gateway.CodeForbidden:    {status: http.StatusForbidden, title: "failed", text: true},
	gateway.CodeNotFound:     {status: http.StatusNotFound, title: "not-found", text: true},
	codeBusy:                 {status: http.StatusServiceUnavailable, title: "wait", again: true, notice: true},
	codeMethod:               {status: http.StatusMethodNotAllowed, title: "not-found", text: true},
	gateway.CodeTooManyTries: {status: http.StatusTooManyRequests, title: "wait"},

	gateway.CodeLinkUnknown:    {status: http.StatusNotFound, title: "link-unknown", text: true},
	gateway.CodeLinkExpired:    {status: http.StatusGone, title: "link-expired", text: true, link: true},
	gateway.CodeLinkSuperseded: {status: http.StatusGone, title: "link-superseded", text: true, link: true},
	gateway.CodeLinkCanceled:   {status: http.StatusGone, title: "link-canceled", text: true},
	gateway.CodeLinkClosed:     {status: http.StatusConflict, title: "link-closed", text: true, link: true},
	gateway.CodeLinkTaken:      {status: http.StatusConflict, title: "link-taken", text: true, link: true},
	gateway.CodeAgainSoon:      {status: http.StatusTooManyRequests, title: "wait"},
	gateway.CodeAgainOften:     {status: http.StatusTooManyRequests, title: "failed", text: true},
	gateway.CodeOptedOut:       {status: http.StatusConflict, title: "failed", notice: true},
	gateway.CodeNoCookie:       {status: http.StatusBadRequest, title: "no-cookie", again: true},

	gateway.CodePageTooBig:     {status: http.StatusRequestEntityTooLarge, title: "page", again: true, notice: true},
	gateway.CodePageEmpty:      {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
	gateway.CodePageType:       {status: http.StatusUnsupportedMediaType, title: "page", again: true, notice: true},
	gateway.CodePageDamaged:    {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
	gateway.CodePagePixels:     {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
	gateway.CodePageDigest:     {status: http.StatusBadRequest, title: "page", again: true, notice: true},
	gateway.CodePageSeal:       {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
	gateway.CodePageConflict:   {status: http.StatusConflict, title: "page", again: true, notice: true},
	gateway.CodePageRemoved:    {status: http.StatusGone, title: "page", again: true, notice: true},
	gateway.CodePageUnknown:    {status: http.StatusNotFound, title: "page", again: true, notice: true},
	gateway.CodePlainRefused:   {status: http.StatusForbidden, title: "page", notice: true},
	gateway.CodePageMissing:    {status: http.StatusBadRequest, title: "page", again: true, notice: true},
	gateway.CodeTooManyPages:   {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
	gateway.CodeLinkFull:       {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
	gateway.CodeTooManyChanges: {status: http.StatusTooManyRequests, title: "wait", again: true, notice: true},
	gateway.CodeNoPages:        {status: http.StatusUnprocessableEntity, title: "page", again: true, notice: true},
}

// codeBusy: more pages are on their way than may be at once. The same page may
// well be taken a moment later.
const codeBusy gateway.Code = "busy"

var errIntakePanic = errors.New("panic")

// codeKey holds the code of the answer, for the line that observe writes.
const codeKey = "intake-code"

// refusalOf gives the code that is answered for an error and how. A code
// that no client should ever meet is answered as unavailable.
func refusalOf(err error) (gateway.Code, refusal) {
	code := gateway.CodeOf(err)
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		code = codeOfStatus(h.Code)
	}
	r, known := refusals[code]
	if !known {
		code = gateway.CodeUnavailable
		r = refusals[code]
	}
	if errors.Is(err, errIntakePanic) {
		r.status = http.StatusInternalServerError
	}
	return code, r
}

// fail is the one place where an error of the intake becomes an answer: empty
// TwiML for Twilio, {code, message} for the page's script, a page in the
// client's language for everybody else.
func (i *intake) fail(err error, c echo.Context) {
	code, r := refusalOf(err)
	c.Set(codeKey, code)
	i.logFailure(c, code, r, err)
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	if r.status == http.StatusServiceUnavailable {
		h.Set(echo.HeaderRetryAfter, "30")
	}
	switch {
	case isWebhook(c.Request()):
		i.refuseWebhook(c, r.status)
		return
	case wantsJSON(c.Request()):
		err = c.JSON(r.status, i.failure(c, code))
	default:
		err = i.renderProblem(c, code, r)
	}
	if err != nil && !c.Response().Committed {
		i.Log.Error("an error could not be shown", slog.String("route", routeOf(c, i.known)), slog.Any("err", err))
		_ = c.String(r.status, i.Words.Say("en", "errors."+string(code), nil)) // the client may be gone
	}
}

// failure is the body of an error for the page's script.
type failure struct {
	Code    gateway.Code `json:"code"`
	Message string       `json:"message"` // in the client's language
}

func (i *intake) failure(c echo.Context, code gateway.Code) failure {
	v := i.view(c)
	return failure{Code: code, Message: i.Words.Say(v.Language, "errors."+string(code), v.Vars)}
}

type problemPage struct {
	clientView
	Title, Words string // keys of the catalog
	Text         bool
	Again        string // where a new link is asked for, or empty
	Back         string
}

func (i *intake) renderProblem(c echo.Context, code gateway.Code, r refusal) error {
	v := i.view(c)
	page := problemPage{
		clientView: v, Title: "page.problem." + r.title, Words: "errors." + string(code), Text: r.text,
	}
	if r.link {
		page.Again = sceneOf(c).again
		page.Second = page.Again != ""
	}
	if here := sceneOf(c).path; r.again && here != "" {
		page.Back = here + v.Suffix
	}
	return i.render(c, r.status, "problem", page)
}

// logFailure says what failed. Refusals are everyday and stand in the line of
// the request; what is out of reach is not.
func (i *intake) logFailure(c echo.Context, code gateway.Code, r refusal, err error) {
	gone := errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil
	if r.status < http.StatusInternalServerError || code == codeBusy || gone {
		return
	}
	i.Log.Error("the intake could not answer",
		slog.String("route", routeOf(c, i.known)), slog.String("code", string(code)), slog.Any("err", err))
}
