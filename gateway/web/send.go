package web

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
)

// A photograph is scaled down to this many pixels on its long side: small
// print of a letter stays readable, and a weak signal carries it.
const longSide = 2400

// doneBytes is ample for a name.
const doneBytes = 4 << 10

type sendPage struct {
	clientView
	Base       string // /send/ID
	Key        string // a fresh Page-Id for the plain form
	Asks       []string
	Pages      []sentPage
	Notice     string // key of the catalog
	Trouble    bool
	Until      string
	PageBytes  int64
	LongSide   int
	Recipients string
}

type sentPage struct {
	Key, Label string
	Remove     string // where its form posts
	Vars       templates.Vars
}

// session finds the submission of the path that this browser holds, and sets
// the scene. A stranger's is not found.
func (i *intake) session(c echo.Context) (gateway.Session, gateway.Office, error) {
	var none gateway.Session
	id := c.Param("id")
	browser, had := i.browser(c)
	if !gateway.ValidID(id) {
		return none, gateway.Office{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	setScene(c, scene{path: sendPath(gateway.SubmissionID(id))})
	if !had {
		return none, gateway.Office{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	s, office, err := i.Uploads.Session(ctx, gateway.SubmissionID(id), browser)
	if err != nil {
		return none, gateway.Office{}, err
	}
	setScene(c, scene{office: office, number: s.Link.Number, language: s.Link.Language, path: sendPath(s.Submission.ID)})
	return s, office, nil
}

// over tells whether no page may be sent any more.
func (i *intake) over(s gateway.Session) bool {
	return s.Submission.State != gateway.SubmissionOpen || s.Link.StateAt(i.Now()) != gateway.LinkClaimed
}

func (i *intake) showSend(c echo.Context) error {
	s, office, err := i.session(c)
	if err != nil {
		return err
	}
	v := i.view(c)
	base := sendPath(s.Submission.ID)
	if i.over(s) {
		return i.redirect(c, base+"/receipt"+v.Suffix)
	}
	key, err := i.pageKey()
	if err != nil {
		return err
	}
	page := sendPage{
		clientView: v, Base: base, Key: key, Asks: office.Asks,
		PageBytes: i.Limits.PageBytes, LongSide: longSide,
		Recipients: strings.Join(i.Recipients(office.ID), " "),
	}
	page.Until = i.until(v, s.Link.Deadline(), office.Location)
	page.Vars["until"] = page.Until
	for n, p := range s.Pages {
		page.Pages = append(page.Pages, sentPage{
			Key: string(p.Key), Label: p.Label, Remove: base + "/pages/" + url.PathEscape(string(p.Key)) + "/remove" + v.Suffix,
			Vars: templates.Vars{"number": strconv.Itoa(n + 1)},
		})
	}
	page.Notice, page.Trouble = notice(c)
	return i.render(c, http.StatusOK, "send", page)
}

// notice turns what a form's redirect says into a key of the catalog. Only
// known codes count: a link from elsewhere cannot put words on the page.
func notice(c echo.Context) (key string, trouble bool) {
	switch code := gateway.Code(c.QueryParam("problem")); {
	case refusals[code].notice:
		return "errors." + string(code), true
	case c.QueryParam("ok") == "page":
		return "page.send.added", false
	case c.QueryParam("ok") == "removed":
		return "page.send.removed", false
	}
	return "", false
}

// pageKey makes the Page-Id of the plain form: 128 random bits. A form that
// is sent twice has it twice.
func (i *intake) pageKey() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(i.Random, raw[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// removePage takes a page back, for the page's script or for its plain form.
func (i *intake) removePage(c echo.Context) error {
	s, _, err := i.session(c)
	if err != nil {
		return err
	}
	key := gateway.PageKey(c.Param("page"))
	if !key.Valid() {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	if err := i.Uploads.Remove(ctx, s, key); err != nil {
		return err
	}
	if c.Request().Method == http.MethodDelete {
		return c.NoContent(http.StatusNoContent)
	}
	return i.backWith(c, s, "ok", "removed")
}

// backWith redirects a plain form to the page it came from, with its outcome.
func (i *intake) backWith(c echo.Context, s gateway.Session, name, value string) error {
	query := url.Values{name: {value}}
	if v := i.view(c); v.Suffix != "" {
		query.Set("lang", v.Language)
	}
	return i.redirect(c, sendPath(s.Submission.ID)+"?"+query.Encode()+"#status")
}

// finish ends the session at the client's word.
func (i *intake) finish(c echo.Context) error {
	s, _, err := i.session(c)
	if err != nil {
		return err
	}
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, doneBytes)
	if err := r.ParseForm(); err != nil {
		return gateway.NewError(gateway.CodeBadRequest, nil) // the cause may quote the form
	}
	_, err = i.Uploads.Finish(r.Context(), s, r.PostForm.Get("name"))
	switch {
	case gateway.Is(err, gateway.CodeNoPages):
		return i.backWith(c, s, "problem", string(gateway.CodeNoPages))
	// The time was over, or another of this person's links ended it: the
	// receipt says what is there.
	case gateway.Is(err, gateway.CodeLinkExpired), gateway.Is(err, gateway.CodeLinkClosed), err == nil:
		return i.redirect(c, sendPath(s.Submission.ID)+"/receipt"+i.view(c).Suffix)
	}
	return err
}

type receiptPage struct {
	clientView
	Reference  string
	Unfinished bool
}

// showReceipt says what arrived, after "I'm done" or after the time was over.
func (i *intake) showReceipt(c echo.Context) error {
	s, _, err := i.session(c)
	if err != nil {
		return err
	}
	current := sceneOf(c)
	current.path = sendPath(s.Submission.ID) + "/receipt"
	v := i.view(c)
	if !i.over(s) {
		return i.redirect(c, sendPath(s.Submission.ID)+v.Suffix)
	}
	setScene(c, current)
	if len(s.Pages) == 0 {
		return gateway.NewError(gateway.CodeLinkExpired, nil)
	}
	page := receiptPage{clientView: i.view(c), Reference: s.Submission.ID.Reference()}
	page.Unfinished = s.Submission.Unfinished || s.Submission.State == gateway.SubmissionOpen
	page.Second = true
	page.Vars["count"] = strconv.Itoa(len(s.Pages))
	return i.render(c, http.StatusOK, "receipt", page)
}
