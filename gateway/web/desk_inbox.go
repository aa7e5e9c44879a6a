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
	Done    bool // the list of what is done
	Rows    []inboxRow
	Older   string // URL of the next page; empty on the last
	Newest  bool   // this is the first page
	Offices bool   // the person works for several
	Numbers []officeNumber
	Send    sendBox
}

// inboxRow is what a list tells of a submission.
type inboxRow struct {
	URL       string
	Reference string
	LastFour  string
	Name      string
	Office    string
	Language  string
	Pages     string // "3 pages"
	Missing   string // "1 missing"; empty if the client said nothing of that kind
	Counter   bool   // no phone belongs to it
	State     stateMark
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
	who := actor(c)
	after, err := parseCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	done := c.QueryParam("done") == "1"
	// One more than is shown tells whether there is a next page.
	rows, err := d.Desk.Inbox(c.Request().Context(), who, done, after, inboxRows+1)
	if err != nil {
		return err
	}
	title, here := "Inbox", "inbox"
	if done {
		title, here = "Done", "done"
	}
	view := inboxView{
		frame: d.frame(c, title, here), Done: done, Newest: after == gateway.Cursor{},
		Offices: len(who.Staff.OfficesWith(gateway.RightPapers)) > 1, Numbers: d.numbersOf(who.Staff), Send: d.sendBox(who.Staff),
	}
	if len(rows) > inboxRows {
		rows = rows[:inboxRows]
		view.Older = olderURL(done, rows[inboxRows-1].Submission)
	}
	for _, row := range rows {
		view.Rows = append(view.Rows, d.inboxRow(row))
	}
	return d.render(c, http.StatusOK, "inbox", view)
}

func (d *desk) inboxRow(row gateway.InboxRow) inboxRow {
	s := row.Submission
	return inboxRow{
		URL: submissionURL(s.ID), Reference: s.ID.Reference(), LastFour: row.LastFour, Name: row.Name.Whole(),
		Office: row.Office.Name, Language: d.LanguageName(s.Language), Pages: plural(s.Pages, "page"),
		State: stateOf(s), When: momentOf(s.ArrivedAt, d.Now(), row.Office.Location),
		Missing: missingWords(s.LackCount), Counter: s.Origin.AtCounter(),
	}
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

func olderURL(done bool, last gateway.Submission) string {
	q := url.Values{"after": {formatCursor(gateway.Cursor{ArrivedAt: last.ArrivedAt, ID: last.ID})}}
	if done {
		q.Set("done", "1")
	}
	return "/?" + q.Encode()
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
