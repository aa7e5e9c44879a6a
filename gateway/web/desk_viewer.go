package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// viewerView is the part of a submission's page that shows its pages.
type viewerView struct {
	Pages    []pageView
	Current  *pageView // nil if nothing is left to show
	Beside   *pageView // shown next to it; nil for none
	Previous string    // URLs without JavaScript; empty at the ends
	Next     string
	Base     string // of the submission
	Labels   []choice
	Light    lightView
	Lacks    bool   // the client said what they do not have
	MayMore  bool   // change pages and ask for one again
	MayTake  bool   // a page as it came
	AskWhom  string // opens a page that is not shown here, where the person may not take it
}

// pageView is one page in the list beside the viewer.
type pageView struct {
	Number   int // from 1, in order
	ID       gateway.PageID
	URL      string
	ShownAt  string // the submission with this page in the viewer
	Original string
	Label    string
	Ask      string // the label as the records keep it
	Received moment
	Sealed   string
	Size     string
	Rotation int
	Right    int // the rotation after one turn to the right
	Left     int
	Before   int // the place of the page before it, and of the one after it
	After    int
	Kind     gateway.PageKind // only where the page is shown at once: else the script asks
	Current  bool
	Again    *pageAgain // what it is the new picture of; nil for most
	Newer    *pageAgain // the page that came instead of it
	MayTake  bool       // as the client sent it
	AskWhom  string
}

// pageAgain names the other one of two pictures of a page.
type pageAgain struct {
	ID     gateway.PageID
	Number int // 0 if it is not here any more
	Why    string
}

// lightView is how faint print is made readable, in steps for who has no
// JavaScript. 100 leaves the picture as it is.
type lightView struct {
	Brightness, Contrast int // percentages that desk.css knows
}

var sealedWords = map[gateway.Sealing]string{
	gateway.SealedByBrowser: "sealed on the phone",
	gateway.SealedByServer:  "sealed by the server",
}

func (d *desk) viewer(c echo.Context, found gateway.SubmissionView) viewerView {
	staff, office := actor(c).Staff, found.Office
	view := viewerView{
		Lacks: len(found.Submission.Lacks) > 0, Base: submissionURL(found.Submission.ID), Light: lightOf(c),
		MayMore: staff.Can(gateway.RightChange, office.ID), MayTake: office.Downloads(staff), Labels: d.labels(office),
	}
	if !view.MayTake {
		view.AskWhom = askWhom(office)
	}
	for i, p := range found.Pages {
		view.Pages = append(view.Pages, d.pageView(p, i+1, found))
		view.Pages[i].MayTake, view.Pages[i].AskWhom = view.MayTake, view.AskWhom
	}
	view.nameAgain(found.Again)
	shown := pageNumber(c.QueryParam("page"), len(view.Pages))
	if shown == 0 {
		shown = 1
	}
	if len(view.Pages) == 0 {
		return view
	}
	view.Current = &view.Pages[shown-1]
	view.Current.Current = true
	view.Current.Kind = d.kindOf(c, view.Current.ID)
	if n := pageNumber(c.QueryParam("beside"), len(view.Pages)); n != 0 && n != shown {
		view.Beside = &view.Pages[n-1]
		view.Beside.Kind = d.kindOf(c, view.Beside.ID)
	}
	if shown > 1 {
		view.Previous = view.Pages[shown-2].ShownAt
	}
	if shown < len(view.Pages) {
		view.Next = view.Pages[shown].ShownAt
	}
	return view
}

// askWhom says who opens a page that no browser shows.
func askWhom(office gateway.Office) string {
	var roles []string
	for _, role := range office.DownloadRoles() {
		roles = append(roles, string(role))
	}
	if len(roles) == 0 {
		return "Ask the person who runs Dropslot to open it: nobody at " + office.Name + " may download papers."
	}
	return "Ask a " + strings.Join(roles, " or ") + " of " + office.Name + " to open it: they may download it."
}

// nameAgain has pages that were sent once more, and those before them, name
// each other.
func (v *viewerView) nameAgain(again gateway.Again) {
	numbers := map[gateway.PageID]int{}
	for _, p := range v.Pages {
		numbers[p.ID] = p.Number
	}
	for i := range v.Pages {
		p := &v.Pages[i]
		if wish, so := again.Wishes[p.ID]; so {
			p.Again = &pageAgain{wish.Page, numbers[wish.Page], wish.Reason.Words()}
		}
		if by, so := again.By[p.ID]; so {
			p.Newer = &pageAgain{ID: by, Number: numbers[by]}
		}
	}
}

func (d *desk) pageView(p gateway.Page, n int, found gateway.SubmissionView) pageView {
	page := pageView{
		Number: n, ID: p.ID, URL: pageURL(p.ID, n), ShownAt: shownAt(found.Submission.ID, n), Original: originalURL(p.ID, n),
		Received: momentOf(p.ReceivedAt, d.Now(), found.Office.Location), Sealed: sealedWords[p.Sealing],
		Size: sizeWords(p.PlainBytes), Rotation: p.Rotation, Ask: p.Label,
		Right: (p.Rotation + 90) % 360, Left: (p.Rotation + 270) % 360, Before: max(1, n-1), After: n + 1,
	}
	if p.Text != "" {
		page.Sealed = "texted"
	}
	if p.Label != "" {
		page.Label = d.AskName(p.Label)
	}
	return page
}

func shownAt(id gateway.SubmissionID, n int) string {
	return submissionURL(id) + "?page=" + strconv.Itoa(n)
}

// labels are what a page may be called.
func (d *desk) labels(office gateway.Office) []choice {
	labels := []choice{{"", "No label"}}
	for _, ask := range office.Asks {
		labels = append(labels, choice{ask, d.AskName(ask)})
	}
	return labels
}

// kindOf is empty if it cannot be told: opening the page says why.
func (d *desk) kindOf(c echo.Context, id gateway.PageID) gateway.PageKind {
	kind, err := d.Desk.PageKind(c.Request().Context(), actor(c), id)
	if err != nil {
		return ""
	}
	return kind
}

// pageNumber reads a page's number; 0 if there is none like it.
func pageNumber(text string, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0
	}
	return n
}

func lightOf(c echo.Context) lightView {
	step := func(name string) int {
		n, err := strconv.Atoi(c.QueryParam(name))
		if err != nil || n < 50 || n > 300 || n%25 != 0 {
			return 100
		}
		return n
	}
	return lightView{step("brightness"), step("contrast")}
}

// pageKind tells the page's script how a page can be looked at.
func (d *desk) pageKind(c echo.Context) error {
	id, err := pageID(c)
	if err != nil {
		return err
	}
	kind, err := d.Desk.PageKind(c.Request().Context(), actor(c), id)
	if err != nil {
		return err
	}
	return d.json(c, http.StatusOK, map[string]gateway.PageKind{"kind": kind})
}

// smallPage answers with a small picture, or with nothing: the list shows a
// page's number then.
func (d *desk) smallPage(c echo.Context) error {
	id, err := pageID(c)
	if err != nil {
		return err
	}
	small, err := d.Desk.Preview(c.Request().Context(), actor(c), id)
	h := c.Response().Header()
	h.Set("Content-Security-Policy", pagePolicy)
	if gateway.Is(err, gateway.CodePageType) {
		d.count(c, http.StatusNoContent, "")
		return c.NoContent(http.StatusNoContent)
	}
	if err != nil {
		return err
	}
	d.count(c, http.StatusOK, "")
	return c.Blob(http.StatusOK, "image/jpeg", small)
}

// turnPage keeps how far a page is turned. The form says where to, not by how
// much: sent twice it turns once.
func (d *desk) turnPage(c echo.Context) error {
	return d.changePage(c, func(form url.Values) (gateway.PageChange, string, error) {
		degrees, err := strconv.Atoi(form.Get("rotation"))
		return gateway.PageChange{Rotation: &degrees}, form.Get("n"), err
	})
}

func (d *desk) labelPage(c echo.Context) error {
	return d.changePage(c, func(form url.Values) (gateway.PageChange, string, error) {
		label := form.Get("label")
		return gateway.PageChange{Label: &label}, form.Get("n"), nil
	})
}

func (d *desk) placePage(c echo.Context) error {
	return d.changePage(c, func(form url.Values) (gateway.PageChange, string, error) {
		place, err := strconv.Atoi(form.Get("place"))
		if place < 1 {
			err = strconv.ErrRange
		}
		return gateway.PageChange{Place: place}, form.Get("place"), err
	})
}

// changePage answers the page's script with 204, and a plain form with the
// submission at the page of that number.
func (d *desk) changePage(c echo.Context, read func(url.Values) (gateway.PageChange, string, error)) error {
	id, err := pageID(c)
	if err != nil {
		return err
	}
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	change, number, err := read(form)
	if err != nil {
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	page, err := d.Desk.ChangePage(c.Request().Context(), actor(c), id, change)
	if err != nil {
		return err
	}
	if wantsJSON(c.Request()) {
		d.count(c, http.StatusNoContent, "")
		return c.NoContent(http.StatusNoContent)
	}
	return d.redirect(c, shownAt(page.Submission, max(1, pageNumber(number, 999))))
}

func pageID(c echo.Context) (gateway.PageID, error) {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return "", gateway.NewError(gateway.CodeNotFound, nil)
	}
	return gateway.PageID(id), nil
}
