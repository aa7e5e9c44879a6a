package web

import (
	"fmt"
	"net/http"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// printView is a page that is made to be printed.
type printView struct {
	frame
	Reference string
	Office    string
	Back      string
	Sheets    []printSheet
	LeftOut   []string // what a browser cannot show here
}

type printSheet struct {
	Number   int
	Label    string
	URL      string
	Rotation int
	Received moment
}

// print shows the chosen pages for the browser's own print. Each picture is
// fetched, and noted in the audit trail, by itself.
func (d *desk) print(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	query := c.QueryParams()
	t, _, err := takeForm(query)
	if err != nil {
		return err
	}
	t.Form = gateway.TakePrint
	taken, err := d.Handoff.Take(c.Request().Context(), actor(c), id, t)
	if err != nil {
		return d.handoffFailed(c, id, t, err)
	}
	view := printView{
		frame: d.frame(c, "Print "+id.Reference(), ""), Reference: id.Reference(), Office: taken.Row.Office.Name, Back: submissionURL(id),
	}
	for _, p := range taken.Sheets {
		if !p.Inline || !p.Kind.Picture {
			instead := "is not a picture that a browser shows: open or download it by itself"
			if p.Kind.Media == "application/pdf" {
				instead = "is a PDF: take the pages along as one PDF, and print that"
			}
			view.LeftOut = append(view.LeftOut, fmt.Sprintf("Page %d %s.", p.Number, instead))
			continue
		}
		sheet := printSheet{
			Number: p.Number, URL: pageURL(p.ID, p.Number), Rotation: p.Rotation,
			Received: momentOf(p.ReceivedAt, d.Now(), taken.Row.Office.Location),
		}
		if p.Label != "" {
			sheet.Label = d.AskName(p.Label)
		}
		view.Sheets = append(view.Sheets, sheet)
	}
	return d.render(c, http.StatusOK, "print", view)
}
