package web

import (
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// A photograph is scaled down to this many pixels on its long side where the
// office says nothing: small print of a letter stays readable, and a weak
// signal carries it.
const longSide = 2400

// formBytes is ample for a name.
const formBytes = 4 << 10

type sendPage struct {
	clientView
	Base       string // /send/ID
	Key        string // a fresh Page-Id for the plain form
	Asks       []string
	Pages      []sentPage
	Notice     notice
	Until      string
	Left       int64 // ms until the link ends, whatever happens; a phone's clock may be wrong
	PageBytes  int64
	LongSide   int
	InApp      bool   // another app's browser, which may give no camera
	Sealing    string // browser-or-server or browser-only
	Recipients string
	Lacks      []lackView
	Done       bool      // there is something to be done with
	Wish       *wishView // nil if nothing certain is asked for
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

// compressed packs a page: on a weak signal the words of the send page are most
// of what comes. Only that page is packed. It holds no secret, so that its
// length tells none; a link's page holds the token.
var compressed = middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1 << 10})

func (i *intake) showSend(c echo.Context) error {
	s, office, err := i.session(c)
	if err != nil {
		return err
	}
	v := i.view(c)
	base := sendPath(s.Submission.ID)
	if !s.Link.CanceledAt.IsZero() && len(s.Pages) == 0 {
		return gateway.NewError(gateway.CodeLinkCanceled, nil)
	}
	if i.over(s) {
		return i.redirect(c, base+"/receipt"+v.Suffix)
	}
	key, err := i.pageKey()
	if err != nil {
		return err
	}
	page := sendPage{
		clientView: v, Base: base, Key: key, Asks: wishedFirst(s.Wish, office), Wish: wishOf(s),
		PageBytes: i.Limits.PageBytes, LongSide: cmp.Or(office.LongSide, longSide), Sealing: sealingOf(office),
		Recipients: strings.Join(i.Recipients(office.ID), " "),
		InApp:      insideAnApp(c.Request().UserAgent()),
		Left:       s.Link.EndsAt.Sub(i.Now()).Milliseconds(),
		Lacks:      lacksOf(s, office),
		Done:       len(s.Pages)+len(s.Submission.Lacks) > 0,
	}
	page.Until = i.until(v, s.Link.Deadline(), office.Location)
	page.Vars["until"] = page.Until
	for n, p := range s.Pages {
		page.Pages = append(page.Pages, sentPage{
			Key: string(p.Key), Label: p.Label, Remove: base + "/pages/" + url.PathEscape(string(p.Key)) + "/remove" + v.Suffix,
			Vars: templates.Vars{"number": strconv.Itoa(n + 1)},
		})
	}
	page.Notice = i.noticeOf(v, c.QueryParams(), s)
	return i.render(c, http.StatusOK, "send", page)
}

// notice is what became of a plain form, said above the forms.
type notice struct {
	Words   string // key of the catalog; empty if there is nothing to say
	Vars    templates.Vars
	Trouble bool
}

// What a plain form's redirect says in its query: the Page-Id of the page that
// was stored or taken back, or the code of what went wrong.
const (
	queryStored   = "ok"
	queryRemoved  = "removed"
	queryLack     = "lack"     // the ask that something was said of
	queryArranged = "arranged" // labels and order speak for themselves
	queryProblem  = "problem"
	queryLate     = "late" // on the receipt: the form came after the end
)

// noticeOf turns what a form's redirect says into words. A link from elsewhere
// can say the same, so only known codes count, and of a page only what its
// submission bears out at this moment: nobody reads "received" of a page that
// is not there.
func (i *intake) noticeOf(v clientView, query url.Values, s gateway.Session) notice {
	pages := s.Pages
	place := func(key string) int {
		return slices.IndexFunc(pages, func(p gateway.Page) bool { return string(p.Key) == key })
	}
	if code := gateway.Code(query.Get(queryProblem)); refusals[code].notice {
		return notice{Words: "errors." + string(code), Trouble: true}
	}
	if at := place(query.Get(queryStored)); at >= 0 {
		return notice{Words: "page.send.added", Vars: templates.Vars{"number": strconv.Itoa(at + 1)}}
	}
	if key := query.Get(queryRemoved); gateway.PageKey(key).Valid() && place(key) < 0 {
		return notice{Words: "page.send.removed", Vars: templates.Vars{"count": strconv.Itoa(len(pages))}}
	}
	return i.lackNotice(v, query.Get(queryLack), s)
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
	err = i.change(c, s, func(ctx context.Context) error { return i.Uploads.Remove(ctx, s, key) })
	switch byScript := c.Request().Method == http.MethodDelete; {
	case !byScript && isOver(err):
		return i.backToOver(c, s, err)
	case !byScript && gateway.Is(err, gateway.CodeTooManyChanges):
		c.Set(codeKey, gateway.CodeTooManyChanges)
		return i.backWith(c, s, queryProblem, string(gateway.CodeTooManyChanges))
	case !byScript && gateway.Is(err, gateway.CodePageUnknown): // it is gone, as was wished
	case err != nil:
		return err
	case byScript:
		return c.NoContent(http.StatusNoContent)
	}
	return i.backWith(c, s, queryRemoved, string(key))
}

// isOver tells whether an error means that the time is over, or that the
// session was ended, perhaps through another of this person's links.
func isOver(err error) bool {
	return gateway.Is(err, gateway.CodeLinkExpired) || gateway.Is(err, gateway.CodeLinkClosed)
}

// backToOver answers a plain form that came too late: the receipt says what is
// there, and that this did not count.
func (i *intake) backToOver(c echo.Context, s gateway.Session, err error) error {
	c.Set(codeKey, gateway.CodeOf(err))
	query := url.Values{queryLate: {"1"}}
	if v := i.view(c); v.Suffix != "" {
		query.Set("lang", v.Language)
	}
	return i.redirect(c, sendPath(s.Submission.ID)+"/receipt?"+query.Encode())
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
	s, form, err := i.sessionForm(c, formBytes)
	if err != nil {
		return err
	}
	name := gateway.Name{First: form.Get("name"), Last: form.Get("last-name")}
	_, err = i.Uploads.Finish(c.Request().Context(), s, name)
	switch {
	case isOver(err) && name.Whole() != "": // it was not saved
		return i.backToOver(c, s, err)
	case gateway.Is(err, gateway.CodeNoPages):
		return i.backWith(c, s, queryProblem, string(gateway.CodeNoPages))
	case isOver(err), err == nil:
		return i.redirect(c, sendPath(s.Submission.ID)+"/receipt"+i.view(c).Suffix)
	}
	return err
}

// sessionForm finds the session and reads its form, of so many bytes at most.
func (i *intake) sessionForm(c echo.Context, most int64) (gateway.Session, url.Values, error) {
	s, _, err := i.session(c)
	if err != nil {
		return s, nil, err
	}
	form, err := smallForm(c, most)
	return s, form, err
}

// smallForm reads a form that is not an upload, of so many bytes at most.
func smallForm(c echo.Context, most int64) (url.Values, error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, most)
	if err := r.ParseForm(); err != nil {
		return nil, gateway.NewError(gateway.CodeBadRequest, nil) // the cause may quote the form
	}
	return r.PostForm, nil
}

type receiptPage struct {
	clientView
	Count      int
	Lacks      []lackView // what the client said they do not have
	Again      string     // where a new link is asked for
	Reference  string
	Unfinished bool
	Late       bool
}

// showReceipt says what arrived, after "I'm done" or after the time was over.
func (i *intake) showReceipt(c echo.Context) error {
	s, office, err := i.session(c)
	if err != nil {
		return err
	}
	current := sceneOf(c)
	current.path = sendPath(s.Submission.ID) + "/receipt"
	if s.Texted() {
		current.again = sendPath(s.Submission.ID) + "/again"
	}
	v := i.view(c)
	if !i.over(s) {
		return i.redirect(c, sendPath(s.Submission.ID)+v.Suffix)
	}
	setScene(c, current)
	if len(s.Pages)+len(s.Submission.Lacks) == 0 {
		return gateway.NewError(gateway.CodeLinkExpired, nil)
	}
	page := receiptPage{clientView: i.view(c), Again: current.again, Reference: s.Submission.ID.Reference(), Late: c.QueryParam(queryLate) == "1"}
	page.Count, page.Lacks = len(s.Pages), saidOf(s, office)
	page.Unfinished = s.Submission.Unfinished || s.Submission.State == gateway.SubmissionOpen
	page.Second = true
	page.Vars["count"] = strconv.Itoa(len(s.Pages))
	return i.render(c, http.StatusOK, "receipt", page)
}
