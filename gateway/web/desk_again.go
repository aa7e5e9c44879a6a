package web

import (
	"net/http"
	"strconv"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// againPage is the form that asks a client for one page once more.
type againPage struct {
	frame
	Sending   gateway.SendingID
	Action    string
	Back      string // the submission
	Name      string // of the page
	LastFour  string // of the phone that is texted; empty if there is none
	Reasons   []choice
	Reason    string
	Words     string
	Most      int
	Languages []choice
	Language  string
	Asked     bool
	Problem   *problem
}

// Why a page is asked for once more, as a caseworker reads it.
var againReasons = []choice{
	{string(gateway.AgainBlurry), "It is blurry"},
	{string(gateway.AgainCutOff), "Part of it is cut off"},
	{string(gateway.AgainWrongMonth), "It is of the wrong month"},
	{string(gateway.AgainOther), "In my own words"},
}

func (d *desk) againForm(c echo.Context) error {
	page, err := d.againPage(c)
	if err != nil {
		return err
	}
	return d.render(c, http.StatusOK, "again", page)
}

// againPage finds the page that the form is about. The submission's own row in
// the audit trail tells that it was looked at.
func (d *desk) againPage(c echo.Context) (againPage, error) {
	id, err := pageID(c)
	if err != nil {
		return againPage{}, err
	}
	found, page, err := d.Desk.PagePlace(c.Request().Context(), actor(c), id)
	if err != nil {
		return againPage{}, err
	}
	office := found.Office
	view := againPage{
		frame: d.frame(c, "Ask for a page again", ""), Sending: d.newSendingID(), Action: "/pages/" + string(id) + "/again",
		Back: shownAt(found.Submission.ID, page.Number), Name: "Page " + strconv.Itoa(page.Number), Reasons: againReasons,
		Most: gateway.WishWords, Language: found.Submission.Language,
	}
	if page.Label != "" {
		view.Name += ", " + d.AskName(page.Label)
	}
	if !found.Submission.Sender.IsZero() {
		view.LastFour = found.LastFour
	}
	for _, tag := range office.Languages {
		view.Languages = append(view.Languages, choice{tag, d.LanguageName(tag)})
	}
	return view, nil
}

// sendPageAgain texts the client a link that shows which page, and why.
func (d *desk) sendPageAgain(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	view, err := d.againPage(c)
	if err != nil {
		return err
	}
	view.Reason, view.Words, view.Asked = form.Get("reason"), form.Get("words"), form.Get("asked") != ""
	if language := form.Get("language"); language != "" {
		view.Language = language
	}
	if id := form.Get("sending"); gateway.ValidID(id) {
		view.Sending = gateway.SendingID(id)
	}
	sent, err := d.Requests.Send(c.Request().Context(), actor(c), gateway.RequestAsk{
		ID: view.Sending, Page: gateway.PageID(c.Param("id")), Reason: gateway.AgainReason(view.Reason), Words: view.Words,
		Language: view.Language, Said: view.Asked,
	})
	if err == nil {
		return d.redirect(c, requestURL(sent.ID))
	}
	p := problemOf(err)
	if p.Status != http.StatusUnprocessableEntity {
		return err
	}
	d.note(c, p, err)
	view.Problem = &p
	return d.render(c, p.Status, "again", view)
}
