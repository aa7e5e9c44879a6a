package web

import (
	"net/http"
	"strconv"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

type submissionView struct {
	frame
	inboxRow
	First     string // the client's first name, beside Name, which is the whole
	Last      string
	Taken     string // who photographed, or who let them at the counter; empty for a texted link
	Lacks     []lackLine
	Finished  moment // zero while the client may still send
	Unfinish  bool   // the time was over before the client was done
	Live      bool
	Viewer    viewerView
	Handled   *handledView // nil while it is not done
	Next      string       // URL of the next papers in the inbox
	Hold      *goingLine   // nil if the person may not hold papers
	CanHandle bool
	HandleURL string
	Retention string // "90 days"
	Choices   []choice
	Reasons   []choice
	Problem   *problem
	Panel     threadPanel
	Chosen    gateway.HandledAs // what was chosen before, for a second try
	Texts     []textLine        // what was texted, oldest first
	Handoff   handoffView
	OptedOut  string // what to do about a client who texted STOP; empty if they did not
}

// lackLine is one ask that the client says they do not have.
type lackLine struct {
	Ask, Words string
	When       moment
}

var lackWords = map[gateway.LackReason]string{
	gateway.LackCannot: "cannot get it",
	gateway.LackHelp:   "needs help with it",
	gateway.LackRemind: "wants a text about it the next day",
}

// handledView tells what became of a submission.
type handledView struct {
	By, As, Note string
	At           moment
}

type choice struct{ Value, Words string }

// What "done" may mean, in the order of the form.
var handledChoices = []choice{
	{string(gateway.HandledDelivered), "In the case file"},
	{string(gateway.HandledExported), "Given to another system"},
	{string(gateway.HandledNotNeeded), "Not needed"},
}

var handledWords = map[gateway.HandledAs]string{
	gateway.HandledDelivered: "in the case file",
	gateway.HandledExported:  "given to another system",
	gateway.HandledNotNeeded: "not needed",
}

// Why papers may be not needed.
var notNeededReasons = []choice{
	{"duplicate", "We have them already"},
	{"wrong-papers", "Wrong papers"},
	{"not-readable", "Not readable"},
	{"sent-by-mistake", "Sent by mistake"},
}

func submissionID(c echo.Context) (gateway.SubmissionID, error) {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return "", gateway.NewError(gateway.CodeNotFound, nil)
	}
	return gateway.SubmissionID(id), nil
}

func (d *desk) submission(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	return d.showSubmission(c, http.StatusOK, id, nil, "")
}

func (d *desk) showSubmission(c echo.Context, status int, id gateway.SubmissionID, p *problem, chosen gateway.HandledAs) error {
	now := d.Now() // what comes from now on is new to who looks
	found, err := d.Desk.Submission(c.Request().Context(), actor(c), id)
	if err != nil {
		return err
	}
	s, zone := found.Submission, found.Office.Location
	if s.MergedInto != "" {
		return d.redirect(c, submissionURL(s.MergedInto))
	}
	view := submissionView{
		frame: d.frame(c, "Papers "+id.Reference(), ""), inboxRow: d.inboxRow(found.InboxRow),
		Finished: momentOf(s.FinishedAt, now, zone), Unfinish: s.Unfinished, Live: s.State == gateway.SubmissionOpen,
		CanHandle: s.State == gateway.SubmissionReceived, HandleURL: submissionURL(id) + "/handled",
		Next: nextURL(s), Retention: days(found.Office.Retention), Choices: handledChoices, Reasons: notNeededReasons,
		Problem: p, Chosen: chosen,
	}
	if s.State == gateway.SubmissionHandled {
		view.Handled = d.handledView(c, found)
	}
	view.First, view.Last, view.Taken = found.Name.First, found.Name.Last, d.takenWords(c, s)
	for _, l := range s.Lacks {
		view.Lacks = append(view.Lacks, lackLine{d.AskName(l.Ask), lackWords[l.Reason], momentOf(l.At, now, zone)})
	}
	view.Texts = d.textLines(found)
	if !found.OptedOut.IsZero() {
		view.OptedOut = d.optedOutWords(s.Office)
	}
	if view.Handoff, err = d.handoffView(c, found); err != nil {
		return err
	}
	view.Viewer = d.viewer(c, found)
	if view.Hold, err = d.holdLine(c, found); err != nil {
		return err
	}
	if view.Panel, err = d.threadPanel(c, found, now); err != nil {
		return err
	}
	if p != nil && p.thread {
		view.Problem, view.Panel.Problem = nil, p
	}
	return d.render(c, status, "submission", view)
}

// takenWords tells whose phone took the photographs of a link that was shown
// at the desk.
func (d *desk) takenWords(c echo.Context, s gateway.Submission) string {
	if !s.Origin.AtCounter() {
		return ""
	}
	name := "a colleague"
	if s.Staff != "" { // a reindex may not tell
		name = d.colleague(c, s.Staff)
	}
	if s.Origin == gateway.OriginStaff {
		return "photographed by " + name
	}
	return "by the client’s own phone, with " + name
}

func (d *desk) handledView(c echo.Context, found gateway.SubmissionView) *handledView {
	s := found.Submission
	view := &handledView{
		By: d.colleague(c, s.HandledBy), At: momentOf(s.HandledAt, d.Now(), found.Office.Location),
	}
	view.As, _ = wordsOf(handledChoices, string(s.HandledAs))
	view.Note, _ = wordsOf(notNeededReasons, s.HandledNote)
	return view
}

func wordsOf(choices []choice, value string) (string, bool) {
	for _, c := range choices {
		if c.Value == value {
			return c.Words, true
		}
	}
	return "", false
}

// colleague names an account. One that was closed since has no name here; the
// audit trail knows it.
func (d *desk) colleague(c echo.Context, id gateway.StaffID) string {
	who := actor(c).Staff
	if id == who.ID {
		return who.Login
	}
	staff, err := d.SignIns.Staff(c.Request().Context(), id, "")
	if err != nil {
		return "a colleague"
	}
	return staff.Login
}

// handled marks a submission done.
func (d *desk) handled(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	as, note := gateway.HandledAs(form.Get("as")), form.Get("reason")
	if words := checkHandled(as, note); words != "" {
		p := problem{Code: gateway.CodeBadRequest, Status: http.StatusUnprocessableEntity, Title: "Not marked done yet", Text: words}
		d.count(c, p.Status, p.Code)
		return d.showSubmission(c, p.Status, id, &p, as)
	}
	if as != gateway.HandledNotNeeded {
		note = ""
	}
	err = d.Desk.Handle(c.Request().Context(), actor(c), id, as, note)
	if gateway.Is(err, gateway.CodeForbidden) {
		p := problem{Code: gateway.CodeForbidden, Status: http.StatusConflict, Title: "Not marked done yet",
			Text: "The client may still add pages. Wait until they say that they are done or their time is over."}
		d.note(c, p, err)
		return d.showSubmission(c, p.Status, id, &p, as)
	}
	if err != nil {
		return err
	}
	return d.redirect(c, backTo(form.Get("back"), submissionURL(id)))
}

// backTo leads back to a list of the inbox that a form came from.
func backTo(list, otherwise string) string {
	if list == "/" || strings.HasPrefix(list, "/?") {
		return list
	}
	return otherwise
}

// checkHandled says what is missing in the form; "" if nothing is.
func checkHandled(as gateway.HandledAs, note string) string {
	if _, known := wordsOf(handledChoices, string(as)); !known {
		return "Choose what became of the papers."
	}
	if _, known := wordsOf(notNeededReasons, note); as == gateway.HandledNotNeeded && !known {
		return "Choose why the papers are not needed."
	}
	return ""
}

// sizeWords gives a size as people read it.
func sizeWords(bytes int64) string {
	if bytes < 1_000_000 {
		return strconv.FormatInt((bytes+999)/1000, 10) + " KB"
	}
	return strconv.FormatFloat(float64(bytes)/1e6, 'f', 1, 64) + " MB"
}
