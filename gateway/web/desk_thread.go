package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Threads is the flow of what caseworkers say of submissions and clients.
type Threads interface {
	Panel(ctx context.Context, who gateway.Actor, s gateway.Submission, at time.Time) (gateway.Panel, error)
	Client(ctx context.Context, who gateway.Actor, id gateway.ClientID) (gateway.Thread, error)
	Search(ctx context.Context, who gateway.Actor, typed string, phone gateway.Phone) (gateway.Found, error)
	SetStage(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, stage gateway.Stage) error
	Assign(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, to gateway.StaffID) error
	SetCase(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, number string) error
	AddRemark(ctx context.Context, who gateway.Actor, about gateway.SubmissionID, id gateway.RemarkID, words string) error
	NameClient(ctx context.Context, who gateway.Actor, id gateway.ClientID, name string) error
	Merge(ctx context.Context, who gateway.Actor, id, into gateway.SubmissionID) error
	MovePage(ctx context.Context, who gateway.Actor, id gateway.PageID, to gateway.SubmissionID) error
	Target(ctx context.Context, who gateway.Actor, beside gateway.SubmissionID, typed string) (gateway.SubmissionID, error)
}

// threadPanel is what a caseworker says of a submission, in the template
// "thread-panel".
type threadPanel struct {
	ID         gateway.SubmissionID
	URL        string // of the submission: the forms post below it
	May        bool   // change something
	Stage      stateMark
	Stages     []option
	Done       bool
	Assignees  []option
	Assigned   string
	Case       string
	OtherCases string           // that papers had which were merged into these
	RemarkID   gateway.RemarkID // of the note that the form adds, once
	Remarks    []remarkLine
	ClientURL  string // all of this phone; empty if there is none
	ClientName string
	NameURL    string
	Others     []choice // of the same phone
	Pages      []choice // that may be moved; empty while the client may still send
	Merges     bool     // it may be merged into another one
	Merged     string   // "2 submissions were merged into this one"
	Problem    *problem
}

type option struct {
	choice
	Chosen bool
}

type remarkLine struct {
	By, Words string
	When      moment
}

var stageChoices = []choice{
	{string(gateway.StageNew), "New"}, {string(gateway.StageOpen), "Open"}, {string(gateway.StageWaiting), "Waiting for client"},
}

// threadPanel makes the panel of a submission that was just shown.
func (d *desk) threadPanel(c echo.Context, found gateway.SubmissionView, at time.Time) (threadPanel, error) {
	s, who := found.Submission, actor(c)
	beside, err := d.Threads.Panel(c.Request().Context(), who, s, at)
	if err != nil {
		return threadPanel{}, err
	}
	names := &names{d: d, c: c}
	p := threadPanel{
		ID: s.ID, URL: submissionURL(s.ID), May: who.Staff.Can(gateway.RightChange, s.Office), Done: s.State == gateway.SubmissionHandled,
		Stage: stageMarks[s.Stage], Case: beside.Case, OtherCases: strings.Join(beside.OtherCases, ", "), RemarkID: gateway.RemarkID(d.newSendingID()),
	}
	for _, stage := range stageChoices {
		p.Stages = append(p.Stages, option{stage, stage.Value == string(s.Stage)})
	}
	p.Assignees = []option{{choice{"", "Nobody"}, s.Assigned == ""}}
	for _, colleague := range beside.Colleagues {
		words := colleague.Login
		if colleague.ID == who.Staff.ID {
			words += " (me)"
		}
		p.Assignees = append(p.Assignees, option{choice{string(colleague.ID), words}, colleague.ID == s.Assigned})
	}
	if s.Assigned != "" {
		p.Assigned = names.of(s.Assigned)
	}
	for _, r := range beside.Remarks {
		p.Remarks = append(p.Remarks, remarkLine{names.of(r.Staff), cmp.Or(r.Words, "These words cannot be opened here."), momentOf(r.At, d.Now(), found.Office.Location)})
	}
	if beside.Client != "" {
		p.ClientURL, p.ClientName, p.NameURL = clientURL(beside.Client), beside.ClientName, clientURL(beside.Client)+"/name"
	}
	d.mergePanel(&p, found, beside)
	return p, nil
}

func (d *desk) mergePanel(p *threadPanel, found gateway.SubmissionView, beside gateway.Panel) {
	s, zone := found.Submission, found.Office.Location
	for _, other := range beside.Others {
		if other.State == gateway.SubmissionReceived {
			p.Others = append(p.Others, choice{string(other.ID),
				other.ID.Reference() + ", " + plural(other.Pages, "page") + ", " + momentOf(other.ArrivedAt, d.Now(), zone).Relative})
		}
	}
	switch n := len(beside.Merged); n {
	case 0:
	case 1:
		p.Merged = "1 other submission was merged into this one."
	default:
		p.Merged = plural(n, "other submission") + " were merged into this one."
	}
	if s.State == gateway.SubmissionOpen {
		return
	}
	p.Merges = true
	for i, page := range found.Pages {
		words := "Page " + strconv.Itoa(i+1)
		if page.Label != "" {
			words += ", " + d.AskName(page.Label)
		}
		p.Pages = append(p.Pages, choice{string(page.ID), words})
	}
}

// threadAct is one act of the panel. It gives the submission to show afterwards.
type threadAct func(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error)

// thread reads the form of an act, and shows the submission again: with what
// was wrong, if something was.
func thread(act threadAct) func(*desk, echo.Context) error {
	return func(d *desk, c echo.Context) error {
		id, err := submissionID(c)
		if err != nil {
			return err
		}
		form, err := deskForm(c.Request())
		if err != nil {
			return err
		}
		next, err := act(d, c, id, form)
		if err == nil {
			return d.redirect(c, submissionURL(next)+"#work")
		}
		words, known := threadProblems[gateway.CodeOf(err)]
		if !known {
			return err
		}
		p := problem{Code: gateway.CodeOf(err), Status: http.StatusUnprocessableEntity, Title: "Not saved", Text: words, thread: true}
		d.note(c, p, err)
		return d.showSubmission(c, p.Status, id, &p, "")
	}
}

var threadProblems = map[gateway.Code]string{
	gateway.CodeBadRequest: "Something was left out, or a colleague left the office meanwhile. Fill the field in and try again.",
	gateway.CodeForbidden:  "These papers were merged into others meanwhile. Go on there.",
	gateway.CodeNotMergeable: "Papers can be put together only when both clients are done, the others are not marked done, and both are of the same phone or one of them is from the counter. " +
		"A page can go to any papers of the office of which that is true. If you typed a reference, check it: none, or more than one, of your office may have it.",
}

func setStage(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	return id, d.Threads.SetStage(c.Request().Context(), actor(c), id, gateway.Stage(form.Get("stage")))
}

func assign(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	return id, d.Threads.Assign(c.Request().Context(), actor(c), id, gateway.StaffID(form.Get("to")))
}

func setCase(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	return id, d.Threads.SetCase(c.Request().Context(), actor(c), id, form.Get("case"))
}

func addRemark(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	note := form.Get("note")
	if !gateway.ValidID(note) {
		return id, gateway.NewError(gateway.CodeBadRequest, nil)
	}
	return id, d.Threads.AddRemark(c.Request().Context(), actor(c), id, gateway.RemarkID(note), form.Get("words"))
}

func merge(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	into, err := d.target(c, id, form)
	if err != nil {
		return id, err
	}
	return into, d.Threads.Merge(c.Request().Context(), actor(c), id, into)
}

func movePage(d *desk, c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	page := form.Get("page")
	if !gateway.ValidID(page) {
		return id, gateway.NewError(gateway.CodeBadRequest, nil)
	}
	to, err := d.target(c, id, form)
	if err != nil {
		return id, err
	}
	return id, d.Threads.MovePage(c.Request().Context(), actor(c), gateway.PageID(page), to)
}

// target is the other submission that a form names: one that was offered, or
// by its reference.
func (d *desk) target(c echo.Context, id gateway.SubmissionID, form url.Values) (gateway.SubmissionID, error) {
	if typed := form.Get("reference"); typed != "" {
		return d.Threads.Target(c.Request().Context(), actor(c), id, typed)
	}
	if to := form.Get("to"); gateway.ValidID(to) {
		return gateway.SubmissionID(to), nil
	}
	return "", gateway.NewError(gateway.CodeBadRequest, nil)
}
