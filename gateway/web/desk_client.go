package web

import (
	"net/http"
	"slices"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// threadView is a client's thread: all submissions and texts of one phone at
// one office.
type threadView struct {
	frame
	Name     string
	LastFour string
	Office   string
	NameURL  string
	MayName  bool
	OptedOut string
	Rows     []inboxRow
	Lines    []threadLine // newest first
}

// threadLine is one thing that happened. A link's steps tell how far it came.
type threadLine struct {
	Kind  string // text, link, ours or note
	Title string
	Words string
	State string
	URL   string // of the papers; empty if there are none
	Steps []threadStep
	When  moment
	at    time.Time
}

// threadStep is one station of a link: what is true, and since when.
type threadStep struct {
	Words string
	When  moment
	Bad   bool
}

func (d *desk) client(c echo.Context) error {
	found, err := d.Threads.Client(c.Request().Context(), actor(c), gateway.ClientID(c.Param("id")))
	if err != nil {
		return err
	}
	view := threadView{
		frame: d.frame(c, "Client", ""), Name: found.Name, LastFour: found.LastFour, Office: found.Office.Name,
		NameURL: clientURL(found.ID) + "/name", MayName: actor(c).Staff.Can(gateway.RightChange, found.Office.ID),
	}
	if !found.OptedOutAt.IsZero() {
		view.OptedOut = d.optedOutWords(found.Office.ID)
	}
	people := &names{d: d, c: c}
	for _, row := range found.Rows {
		view.Rows = append(view.Rows, d.listRow(row, people, false))
	}
	t := timeline{d: d, found: found, names: people}
	view.Lines = t.lines()
	return d.render(c, http.StatusOK, "client", view)
}

func (d *desk) nameClient(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	id := gateway.ClientID(c.Param("id"))
	if err := d.Threads.NameClient(c.Request().Context(), actor(c), id, form.Get("name")); err != nil {
		return err
	}
	if about := form.Get("submission"); gateway.ValidID(about) { // the form beside the papers
		return d.redirect(c, submissionURL(gateway.SubmissionID(about))+"#work")
	}
	return d.redirect(c, clientURL(id))
}

// timeline puts a client's thread into lines.
type timeline struct {
	d     *desk
	found gateway.Thread
	names *names
}

func (t *timeline) moment(at time.Time) moment {
	return momentOf(at, t.found.Now, t.found.Office.Location)
}

func (t *timeline) lines() []threadLine {
	lines := []threadLine{}
	for _, n := range t.found.Said {
		words := n.Words
		if words == "" {
			words = "These words cannot be opened here."
		}
		lines = append(lines, threadLine{Kind: "text", Title: "Client wrote", Words: words, at: n.At})
	}
	for _, r := range t.found.Remarks {
		lines = append(lines, threadLine{Kind: "note", Title: "Note by " + t.names.of(r.Staff), Words: r.Words, URL: submissionURL(r.Submission), at: r.At})
	}
	lines = append(lines, t.links()...)
	lines = append(lines, t.ours()...)
	slices.SortStableFunc(lines, func(a, b threadLine) int { return b.at.Compare(a.at) })
	for i := range lines {
		lines[i].When = t.moment(lines[i].at)
	}
	return lines
}

// ours gives the texts of ours that carry no link.
func (t *timeline) ours() []threadLine {
	var lines []threadLine
	for _, s := range t.found.Sendings {
		if s.Link != "" && t.hasLink(s.Link) {
			continue
		}
		lines = append(lines, threadLine{Kind: "ours", Title: "We wrote", Words: s.Occasion.Words(), State: t.d.stateWords(s), at: s.CreatedAt})
	}
	return lines
}

func (t *timeline) hasLink(id gateway.LinkID) bool {
	return slices.ContainsFunc(t.found.Links, func(l gateway.Link) bool { return l.ID == id })
}

func clientURL(id gateway.ClientID) string { return "/clients/" + string(id) }
