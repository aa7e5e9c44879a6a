package web

import (
	"net/url"
	"slices"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// inboxFilter is what the inbox shows, as it stands in the URL.
type inboxFilter struct {
	Status  gateway.Stage // empty: all that is not done
	Done    bool
	Office  string
	Mine    bool
	Overdue bool
	Tabs    []filterTab
	Places  []choice // the offices to choose from; empty if the person works for one
}

// filterTab is one of the statuses to choose.
type filterTab struct {
	URL, Words string
	Here       bool
}

var filterWords = []choice{
	{"", "Not done"}, {string(gateway.StageNew), "New"}, {string(gateway.StageOpen), "Open"},
	{string(gateway.StageWaiting), "Waiting for client"}, {string(gateway.StageDone), "Done"},
}

// inboxFilter reads the filter; what it does not know filters nothing.
func (d *desk) inboxFilter(c echo.Context, offices []gateway.OfficeID) inboxFilter {
	f := inboxFilter{
		Done: c.QueryParam("done") == "1", Mine: c.QueryParam("mine") == "1",
	}
	if status := gateway.Stage(c.QueryParam("status")); status.Settable() && !f.Done {
		f.Status = status
	}
	f.Overdue = c.QueryParam("overdue") == "1" && !f.Done && f.Status != gateway.StageWaiting
	if office := c.QueryParam("office"); slices.Contains(offices, gateway.OfficeID(office)) {
		f.Office = office
	}
	if len(offices) > 1 {
		for _, id := range offices {
			f.Places = append(f.Places, choice{string(id), d.Directory.Offices[id].Name})
		}
	}
	for _, status := range filterWords {
		other := f
		other.Status, other.Done = gateway.Stage(status.Value), status.Value == string(gateway.StageDone)
		here := other.Status == f.Status && !f.Done || f.Done && other.Done
		f.Tabs = append(f.Tabs, filterTab{other.URL(gateway.Cursor{}), status.Words, here})
	}
	return f
}

// Narrowed tells whether rows may be left out that are not done.
func (f inboxFilter) Narrowed() bool {
	return f.Status != "" || f.Office != "" || f.Mine || f.Overdue
}

func (f inboxFilter) query() gateway.InboxFilter {
	q := gateway.InboxFilter{Stage: f.Status, Office: gateway.OfficeID(f.Office), Mine: f.Mine, Overdue: f.Overdue}
	if f.Done {
		q.Stage = gateway.StageDone
	}
	return q
}

// URL leads to the same filter at a place of the list.
func (f inboxFilter) URL(after gateway.Cursor) string {
	q := url.Values{}
	set := func(name, value string, wanted bool) {
		if wanted {
			q.Set(name, value)
		}
	}
	set("done", "1", f.Done)
	set("status", string(f.Status), f.Status != "" && !f.Done)
	set("office", f.Office, f.Office != "")
	set("mine", "1", f.Mine)
	set("overdue", "1", f.Overdue && !f.Done && f.Status != gateway.StageWaiting)
	set("after", formatCursor(after), after != gateway.Cursor{})
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// First leads to the start of the list.
func (f inboxFilter) First() string { return f.URL(gateway.Cursor{}) }
