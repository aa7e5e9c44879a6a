package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
)

// How many submissions one page of the inbox lists.
const inboxRows = 50

type inboxView struct {
	frame
	inboxFilter
	Rows    []inboxRow
	Older   string // URL of the next page; empty on the last
	Newest  bool   // this is the first page
	Offices bool   // the person works for several
	Numbers []officeNumber
	Send    sendBox
	Changes int64 // what of the lists' changes the rows show
	Finish  doneBox
}

// doneBox is the form that marks a submission done from the list.
type doneBox struct {
	Choices, Reasons []choice
	Back             string // the list
}

// inboxRow is what a list tells of a submission.
type inboxRow struct {
	URL       string
	Reference string
	LastFour  string
	Name      string
	Case      string
	Office    string
	Place     string // the office again, in lists of a person who works for several
	Language  string
	Pages     string // "3 pages"
	Missing   string // "1 missing"; empty if the client said nothing of that kind
	Words     string // "2 texts"
	Counter   bool   // no phone belongs to it
	State     stateMark
	Stage     stateMark // whose turn it is; empty when it is done
	Assigned  string
	Unread    bool
	Overdue   bool
	When      moment
}

// stateMark is a submission's state as a short mark.
type stateMark struct{ Tone, Words string }

func stateOf(s gateway.Submission) stateMark {
	switch {
	case s.State == gateway.SubmissionOpen:
		return stateMark{"live", "still sending"}
	case s.State == gateway.SubmissionHandled:
		return stateMark{"done", handledWords[s.HandledAs]}
	case s.Unfinished:
		return stateMark{"warn", "unfinished"}
	}
	return stateMark{"new", "complete"}
}

// officeNumber is where clients of an office text to.
type officeNumber struct{ Office, Number string }

func (d *desk) inbox(c echo.Context) error {
	who, ctx := actor(c), c.Request().Context()
	after, err := parseCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	offices := who.Staff.OfficesWith(gateway.RightPapers)
	filter := d.inboxFilter(c, offices)
	// Counted before the rows are read: what changes meanwhile is told of twice
	// rather than never.
	changes, err := d.Changes.Count(ctx, offices)
	if err != nil {
		return err
	}
	// One more than is shown tells whether there is a next page.
	rows, err := d.Desk.Inbox(ctx, who, filter.query(), after, inboxRows+1)
	if err != nil {
		return err
	}
	title, here := "Inbox", "inbox"
	if filter.Done {
		title, here = "Done", "done"
	}
	view := inboxView{
		frame: d.frame(c, title, here), inboxFilter: filter, Newest: after == gateway.Cursor{}, Changes: changes,
		Offices: len(offices) > 1, Numbers: d.numbersOf(who.Staff), Send: d.sendBox(who.Staff),
		Finish: doneBox{Choices: handledChoices, Reasons: notNeededReasons, Back: filter.URL(after)},
	}
	if len(rows) > inboxRows {
		rows = rows[:inboxRows]
		last := rows[inboxRows-1].Submission
		view.Older = filter.URL(gateway.Cursor{ArrivedAt: last.ArrivedAt, ID: last.ID})
	}
	names := &names{d: d, c: c}
	for _, row := range rows {
		view.Rows = append(view.Rows, d.listRow(row, names, view.Offices))
	}
	return d.render(c, http.StatusOK, "inbox", view)
}

// next leads to the next papers that are not done, further down the inbox than
// the ones that a person just looked at.
func (d *desk) next(c echo.Context) error {
	after, err := parseCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	rows, err := d.Desk.Inbox(c.Request().Context(), actor(c), gateway.InboxFilter{}, after, 1)
	if err != nil {
		return err
	}
	if len(rows) == 0 { // the end of the list: there may be newer ones
		return d.redirect(c, "/")
	}
	return d.redirect(c, submissionURL(rows[0].Submission.ID))
}

// nextURL leads from some papers to the next.
func nextURL(s gateway.Submission) string {
	return "/next?after=" + url.QueryEscape(formatCursor(gateway.Cursor{ArrivedAt: s.ArrivedAt, ID: s.ID}))
}

func (d *desk) inboxRow(row gateway.InboxRow) inboxRow {
	s := row.Submission
	r := inboxRow{
		URL: submissionURL(s.ID), Reference: s.ID.Reference(), LastFour: row.LastFour, Name: row.Name.Whole(), Case: row.Case,
		Office: row.Office.Name, Language: d.LanguageName(s.Language), Pages: plural(s.Pages, "page"),
		State: stateOf(s), When: momentOf(s.ArrivedAt, d.Now(), row.Office.Location),
		Missing: missingWords(s.LackCount), Counter: s.Origin.AtCounter(), Unread: row.Unread, Overdue: row.Overdue,
	}
	if row.Words > 0 {
		r.Words = plural(row.Words, "text")
	}
	if s.State != gateway.SubmissionHandled {
		r.Stage = stageMarks[s.Stage]
	}
	return r
}

var stageMarks = map[gateway.Stage]stateMark{
	gateway.StageNew:     {"new", "New"},
	gateway.StageOpen:    {"live", "Open"},
	gateway.StageWaiting: {"done", "Waiting for client"},
}

// listRow is inboxRow with what only a list tells.
func (d *desk) listRow(row gateway.InboxRow, n *names, several bool) inboxRow {
	r := d.inboxRow(row)
	if to := row.Submission.Assigned; to != "" {
		r.Assigned = n.of(to)
	}
	if several {
		r.Place = r.Office
	}
	return r
}

// names gives the names of accounts, each looked up once for a page.
type names struct {
	d     *desk
	c     echo.Context
	known map[gateway.StaffID]string
}

func (n *names) of(id gateway.StaffID) string {
	name, known := n.known[id]
	if known {
		return name
	}
	if n.known == nil {
		n.known = map[gateway.StaffID]string{}
	}
	name = n.d.colleague(n.c, id)
	n.known[id] = name
	return name
}

func missingWords(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n) + " missing"
}

func submissionURL(id gateway.SubmissionID) string { return "/submissions/" + string(id) }

// numbersOf lists the numbers that clients of a person's offices text to.
func (d *desk) numbersOf(staff gateway.Staff) []officeNumber {
	var numbers []officeNumber
	for _, id := range staff.OfficesWith(gateway.RightPapers) {
		if rule, ok := d.Directory.NumberOf(id); ok {
			numbers = append(numbers, officeNumber{d.Directory.Offices[id].Name, templates.FormatPhone(string(rule.Number))})
		}
	}
	return numbers
}

// formatCursor writes a place in the inbox as Unix milliseconds and identifier.
func formatCursor(at gateway.Cursor) string {
	return strconv.FormatInt(at.ArrivedAt.UnixMilli(), 10) + "-" + string(at.ID)
}

func parseCursor(text string) (gateway.Cursor, error) {
	if text == "" {
		return gateway.Cursor{}, nil
	}
	before, id, found := strings.Cut(text, "-")
	at, err := strconv.ParseInt(before, 10, 64)
	if !found || err != nil || !gateway.ValidID(id) {
		return gateway.Cursor{}, gateway.NewError(gateway.CodeBadRequest, nil)
	}
	return gateway.Cursor{ArrivedAt: time.UnixMilli(at), ID: gateway.SubmissionID(id)}, nil
}
