package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Holds is the flow behind the page of what goes and what is held.
type Holds interface {
	List(ctx context.Context, who gateway.Actor) ([]gateway.GoingRow, error)
	One(ctx context.Context, who gateway.Actor, id gateway.SubmissionID) (gateway.Going, error)
	Hold(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, reason gateway.HoldReason) error
	Release(ctx context.Context, who gateway.Actor, id gateway.SubmissionID) error
}

type retentionView struct {
	frame
	Soon       goingList // done, and gone within a week
	Unfinished goingList // nobody marked them done
	Held       goingList
	Said       string // what was just done
}

// goingList is one list of the page.
type goingList []goingLine

// Count is how many there are, in words: the records list no more than so many.
func (l goingList) Count() string {
	if len(l) >= gateway.GoingMost {
		return fmt.Sprintf("%d or more, the first are shown", len(l))
	}
	return strconv.Itoa(len(l))
}

// goingLine is one submission of the page.
type goingLine struct {
	inboxRow
	Goes       string // the day, in the office's time zone
	Overdue    bool
	HoldURL    string
	Reasons    []choice
	ReleaseURL string
	Why        string // it is held
	Unread     bool   // but nobody could read why
	By         string
	Since      moment
}

// Why papers are held, in the order of gateway.HoldReasons.
var holdWords = map[gateway.HoldReason]string{
	gateway.HoldHearing: "Fair hearing or appeal",
	gateway.HoldLawsuit: "Lawsuit",
	gateway.HoldAudit:   "Audit",
	gateway.HoldInquiry: "Investigation",
	gateway.HoldRequest: "Request for records",

	gateway.HoldUnreadable: "Reason unknown",
}

// What the page says after a form; nothing else may stand in its address.
var retentionSaid = map[string]string{
	"held":     "The papers are held. They stay until somebody releases them.",
	"released": "The papers are released. Their time runs as if they had never been held.",
}

func (d *desk) retention(c echo.Context) error {
	rows, err := d.Holds.List(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	view := retentionView{frame: d.frame(c, "Retention and holds", "retention"), Said: retentionSaid[c.QueryParam("said")]}
	for _, row := range rows {
		line := d.goingLine(row)
		switch {
		case row.Hold != nil:
			view.Held = append(view.Held, line)
		case row.Why == gateway.ErasedDone:
			view.Soon = append(view.Soon, line)
		default:
			view.Unfinished = append(view.Unfinished, line)
		}
	}
	return d.render(c, http.StatusOK, "retention", view)
}

func holdChoices() (list []choice) {
	for _, reason := range gateway.HoldReasons() {
		list = append(list, choice{string(reason), holdWords[reason]})
	}
	return list
}

func (d *desk) goingLine(row gateway.GoingRow) goingLine {
	now, zone := d.Now(), row.Office.Location
	id := row.InboxRow.Submission.ID
	line := goingLine{
		inboxRow: d.inboxRow(row.InboxRow), Reasons: holdChoices(), HoldURL: "/retention/" + string(id) + "/hold", ReleaseURL: "/retention/" + string(id) + "/release",
	}
	if row.Hold != nil {
		line.Why, line.By, line.Since = holdWords[row.Hold.Reason], row.HeldBy, momentOf(row.Hold.At, now, zone)
		line.Unread = row.Hold.Reason == gateway.HoldUnreadable
		return line
	}
	if !row.At.IsZero() {
		line.Overdue, line.Goes = !row.At.After(now), row.At.In(zone).Format("Mon, Jan 2, 2006")
	}
	return line
}

// holdLine is the hold of one submission, for its own page; nil for who may
// not hold its papers.
func (d *desk) holdLine(c echo.Context, found gateway.SubmissionView) (*goingLine, error) {
	who := actor(c)
	if !who.Staff.Can(gateway.RightHold, found.Submission.Office) {
		return nil, nil
	}
	going, err := d.Holds.One(c.Request().Context(), who, found.Submission.ID)
	if err != nil {
		return nil, err
	}
	line := d.goingLine(gateway.GoingRow{InboxRow: found.InboxRow, Going: going})
	return &line, nil
}

func (d *desk) holdPapers(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	if err := d.Holds.Hold(c.Request().Context(), actor(c), id, gateway.HoldReason(form.Get("reason"))); err != nil {
		return err
	}
	return d.redirect(c, "/retention?said=held")
}

func (d *desk) releasePapers(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	if err := d.Holds.Release(c.Request().Context(), actor(c), id); err != nil {
		return err
	}
	return d.redirect(c, "/retention?said=released")
}
