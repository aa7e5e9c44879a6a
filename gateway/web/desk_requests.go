package web

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// How many sent links the page of requests lists.
const requestRows = 50

// sendBox is the form that texts a link.
type sendBox struct {
	ID        gateway.SendingID // of the text that this form sends, once
	Offices   []choice          // empty if the person works for one
	Office    string
	Languages []choice
	Language  string
	Phone     string // as it was typed before, for a second try
	Asks      []askChoice
	Words     string
	Most      int  // characters of the words
	Asked     bool // "the client asked me"
	Problem   *problem
	Blank     requestView // what desk.ts makes the state of a new link from
}

type requestsView struct {
	frame
	Send    sendBox
	Rows    []requestView
	Offices bool
}

type requestPage struct {
	frame
	Request requestView
}

// requestView is how far a sent link came, in words. It is the JSON that
// desk.ts asks for while a link is on its way.
type requestView struct {
	URL      string `json:"url"`
	LastFour string `json:"lastFour"`
	Office   string `json:"office"`
	Words    string `json:"words"`
	Tone     string `json:"tone"` // wait, good, bad or over
	Steps    []step `json:"steps"`
	Papers   string `json:"papers"` // URL of what arrived; empty while nothing did
	Moving   bool   `json:"moving"` // it may still change: ask again
	// Next is the identifier for the form's next text, when this one was just sent.
	Next gateway.SendingID `json:"next,omitempty"`
	// Cancel and Renew are where their forms post; empty if there is nothing to.
	Cancel string            `json:"cancel"`
	Renew  string            `json:"renew"`
	Fresh  gateway.SendingID `json:"fresh"` // names the text of Renew
	Asks   string            `json:"asks"`  // what it asks for, in words
	When   moment            `json:"-"`
}

// step is one of the stations of a sent link.
type step struct {
	Words string `json:"words"`
	Done  bool   `json:"done"`
}

// askChoice is one paper that may be asked for.
type askChoice struct {
	choice
	Offices string // that ask for it, by spaces
	Chosen  bool
}

// addAsks offers each paper once, whichever offices ask for it.
func (b *sendBox) addAsks(office gateway.Office, name func(string) string) {
	for _, ask := range office.Asks {
		at := slices.IndexFunc(b.Asks, func(a askChoice) bool { return a.Value == ask })
		if at < 0 {
			b.Asks = append(b.Asks, askChoice{choice: choice{ask, name(ask)}})
			at = len(b.Asks) - 1
		}
		b.Asks[at].Offices = strings.TrimSpace(b.Asks[at].Offices + " " + string(office.ID))
	}
}

func (d *desk) sendBox(staff gateway.Staff) sendBox {
	box := sendBox{ID: d.newSendingID(), Most: gateway.WishWords}
	for _, id := range staff.OfficesWith(gateway.RightAsk) {
		office, known := d.Directory.Offices[id]
		if !known {
			continue
		}
		box.Offices = append(box.Offices, choice{string(id), office.Name})
		box.addAsks(office, d.AskName)
		for _, tag := range office.Languages {
			if !slices.ContainsFunc(box.Languages, func(c choice) bool { return c.Value == tag }) {
				box.Languages = append(box.Languages, choice{tag, d.LanguageName(tag)})
			}
		}
	}
	if len(box.Offices) > 0 {
		box.Office = box.Offices[0].Value
	}
	if len(box.Languages) > 0 {
		box.Language = box.Languages[0].Value
	}
	return box
}

func (d *desk) requests(c echo.Context) error {
	return d.showRequests(c, http.StatusOK, d.sendBox(actor(c).Staff))
}

func (d *desk) showRequests(c echo.Context, status int, box sendBox) error {
	who := actor(c)
	found, err := d.Requests.List(c.Request().Context(), who, requestRows)
	if err != nil {
		return err
	}
	view := requestsView{frame: d.frame(c, "Sent links", "requests"), Send: box, Offices: len(who.Staff.OfficesWith(gateway.RightAsk)) > 1}
	for _, r := range found {
		view.Rows = append(view.Rows, d.requestView(r))
	}
	return d.render(c, status, "requests", view)
}

// sendRequest texts a link. The answer to desk.ts is the state of the new
// link; a plain form is led to the page that shows it.
func (d *desk) sendRequest(c echo.Context) error {
	who := actor(c)
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	box := d.sendBox(who.Staff)
	box.Phone, box.Language = form.Get("phone"), form.Get("language")
	box.Words, box.Asked = form.Get("words"), form.Get("asked") != ""
	for i := range box.Asks {
		box.Asks[i].Chosen = slices.Contains(form["ask"], box.Asks[i].Value)
	}
	if office := form.Get("office"); office != "" {
		box.Office = office
	}
	next := box.ID
	if id := form.Get("sending"); gateway.ValidID(id) {
		box.ID = gateway.SendingID(id)
	}
	sent, err := d.send(c, box)
	if err != nil {
		return d.refuseRequest(c, box, err)
	}
	if wantsJSON(c.Request()) {
		view := d.requestView(sent)
		view.Next = next
		return d.json(c, http.StatusCreated, view)
	}
	return d.redirect(c, requestURL(sent.ID))
}

func (d *desk) send(c echo.Context, box sendBox) (gateway.RequestView, error) {
	phone, err := d.ParsePhone(box.Phone)
	if err != nil {
		return gateway.RequestView{}, err
	}
	ask := gateway.RequestAsk{
		ID: box.ID, Office: gateway.OfficeID(box.Office), Phone: phone, Language: box.Language, Words: box.Words, Said: box.Asked,
	}
	// A paper of another of the person's offices stays out, as its box was out of sight.
	for _, a := range box.Asks {
		if a.Chosen && d.Directory.Offices[ask.Office].Asked(a.Value) {
			ask.Asks = append(ask.Asks, a.Value)
		}
	}
	return d.Requests.Send(c.Request().Context(), actor(c), ask)
}

// newSendingID names a text before it is sent, so that a form that arrives
// twice sends one.
func (d *desk) newSendingID() gateway.SendingID {
	id, err := gateway.NewID(d.Now(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand ends the process instead
	}
	return gateway.SendingID(id)
}

// refuseRequest shows what was wrong beside the form, what was typed still in it.
func (d *desk) refuseRequest(c echo.Context, box sendBox, err error) error {
	p := problemOf(err)
	if p.Status != http.StatusUnprocessableEntity {
		return err
	}
	if p.Code == gateway.CodeOptedOut {
		p.Text = d.optedOutWords(gateway.OfficeID(box.Office))
	}
	d.note(c, p, err)
	if wantsJSON(c.Request()) {
		return c.JSON(p.Status, map[string]problem{"problem": p})
	}
	box.Problem = &p
	return d.showRequests(c, p.Status, box)
}

func (d *desk) findRequest(c echo.Context) (requestView, error) {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return requestView{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	found, err := d.Requests.Get(c.Request().Context(), actor(c), gateway.SendingID(id))
	if err != nil {
		return requestView{}, err
	}
	return d.requestView(found), nil
}

// cancelRequest takes a link back.
func (d *desk) cancelRequest(c echo.Context) error {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	found, err := d.Requests.Cancel(c.Request().Context(), actor(c), gateway.SendingID(id))
	return d.answerRequest(c, http.StatusOK, found, err)
}

// renewRequest sends a link in place of one.
func (d *desk) renewRequest(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	old, fresh := c.Param("id"), d.newSendingID()
	if !gateway.ValidID(old) {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	if id := form.Get("sending"); gateway.ValidID(id) {
		fresh = gateway.SendingID(id)
	}
	found, err := d.Requests.Renew(c.Request().Context(), actor(c), gateway.SendingID(old), fresh)
	return d.answerRequest(c, http.StatusCreated, found, err)
}

// answerRequest gives desk.ts the state of a link; a plain form is led to it.
func (d *desk) answerRequest(c echo.Context, status int, found gateway.RequestView, err error) error {
	if err != nil {
		return err
	}
	if wantsJSON(c.Request()) {
		return d.json(c, status, d.requestView(found))
	}
	return d.redirect(c, requestURL(found.ID))
}

func (d *desk) request(c echo.Context) error {
	view, err := d.findRequest(c)
	if err != nil {
		return err
	}
	return d.render(c, http.StatusOK, "request", requestPage{d.frame(c, "Sent link", "requests"), view})
}

func (d *desk) requestState(c echo.Context) error {
	view, err := d.findRequest(c)
	if err != nil {
		return err
	}
	return d.json(c, http.StatusOK, view)
}

func requestURL(id gateway.SendingID) string { return "/requests/" + string(id) }
