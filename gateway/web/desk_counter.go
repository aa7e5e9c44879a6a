package web

import (
	"fmt"
	"net/http"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
	"rsc.io/qr"
)

// counterBox is the form that makes a link to be shown instead of texted.
type counterBox struct {
	frame
	Offices   []choice // empty if the person works for one
	Office    string
	Languages []choice
	Language  string
}

// counterPage shows such a link.
type counterPage struct {
	frame
	State counterView
	URL   string // empty once no phone may open it
	Code  qrCode
	Until moment
	Own   bool // the client's own phone opens it
}

// counterView is how far a shown link came: the JSON that desk.ts asks for, of
// the same form as that of a sent link, with the reference for the phone.
type counterView = requestView

// qrCode is a QR code as the path of an SVG, one unit a module, with the margin
// that readers need.
type qrCode struct {
	Size int
	Path string
}

const qrMargin = 4

func qrOf(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return qrCode{}, fmt.Errorf("draw the QR code: %w", err)
	}
	var path strings.Builder
	for row := range code.Size {
		for column := range code.Size {
			if code.Black(column, row) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", column+qrMargin, row+qrMargin)
			}
		}
	}
	return qrCode{Size: code.Size + 2*qrMargin, Path: path.String()}, nil
}

func counterURL(id gateway.LinkID) string { return "/counter/" + string(id) }

func (d *desk) counterForm(c echo.Context) error {
	box := d.sendBox(actor(c).Staff)
	return d.render(c, http.StatusOK, "counter", counterBox{
		frame: d.frame(c, "Photograph papers here", "counter"), Offices: box.Offices, Office: box.Office,
		Languages: box.Languages, Language: box.Language,
	})
}

// openCounter makes the link and leads to the page that shows it.
func (d *desk) openCounter(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	box := d.sendBox(actor(c).Staff)
	ask := gateway.CounterAsk{
		Office: gateway.OfficeID(box.Office), Origin: gateway.OriginStaff, Language: form.Get("language"),
		Name: gateway.Name{First: form.Get("first-name"), Last: form.Get("last-name")},
	}
	if office := form.Get("office"); office != "" {
		ask.Office = gateway.OfficeID(office)
	}
	if form.Get("whose") == string(gateway.OriginCounter) {
		ask.Origin = gateway.OriginCounter
	}
	view, err := d.Requests.Counter(c.Request().Context(), actor(c), ask)
	if err != nil {
		return err
	}
	return d.redirect(c, counterURL(view.ID))
}

func (d *desk) findCounter(c echo.Context) (gateway.CounterView, error) {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return gateway.CounterView{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	return d.Requests.CounterState(c.Request().Context(), actor(c), gateway.LinkID(id))
}

// counter shows the QR code while a phone may still open its link.
func (d *desk) counter(c echo.Context) error {
	found, err := d.findCounter(c)
	if err != nil {
		return err
	}
	page := counterPage{
		frame: d.frame(c, "Photograph papers here", "counter"), State: counterViewOf(found), URL: found.URL,
		Until: momentOf(found.ExpiresAt, d.Now(), found.Office.Location), Own: found.Origin == gateway.OriginCounter,
	}
	if found.URL != "" {
		if page.Code, err = qrOf(found.URL); err != nil {
			return err
		}
	}
	return d.render(c, http.StatusOK, "counter-link", page)
}

// cancelCounter takes the link back, and shows the page without its code.
func (d *desk) cancelCounter(c echo.Context) error {
	id := c.Param("id")
	if !gateway.ValidID(id) {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	found, err := d.Requests.CancelCounter(c.Request().Context(), actor(c), gateway.LinkID(id))
	if err != nil {
		return err
	}
	return d.redirect(c, counterURL(found.ID))
}

func (d *desk) counterState(c echo.Context) error {
	found, err := d.findCounter(c)
	if err != nil {
		return err
	}
	return d.json(c, http.StatusOK, counterViewOf(found))
}

// counterViewOf puts into words how far a shown link came.
func counterViewOf(v gateway.CounterView) counterView {
	view := counterView{
		URL: counterURL(v.ID), LastFour: v.Submission.Reference(), Office: v.Office.Name,
		Steps: []step{{"Opened", v.Opened}, {"Camera on", v.Camera || v.Pages > 0}, {pagesReceived(v.Pages), v.Pages > 0}},
	}
	if v.Pages+v.Lacks > 0 {
		view.Papers = submissionURL(v.Submission)
	}
	if v.CanCancel {
		view.Cancel = counterURL(v.ID) + "/cancel"
	}
	switch {
	case v.Ended == gateway.RequestCanceled && v.Pages > 0:
		view.Words, view.Tone = "You took the link back. "+plural(v.Pages, "page")+" came before.", "over"
	case v.Ended == gateway.RequestCanceled:
		view.Words, view.Tone = "You took the link back. No phone can send anything with it.", "over"
	case v.Ended != gateway.RequestRuns && v.Pages == 0 && v.Lacks > 0:
		view.Words, view.Tone = "No page came, but word of "+plural(v.Lacks, "missing paper")+".", "good"
	case v.Ended == gateway.RequestFinished:
		view.Words, view.Tone = "Done: "+plural(v.Pages, "page")+".", "good"
	case v.Ended != gateway.RequestRuns && v.Pages+v.Lacks > 0:
		view.Words, view.Tone = "The time is over. "+plural(v.Pages, "page")+" came.", "over"
	case v.Ended != gateway.RequestRuns:
		view.Words, view.Tone = "The time is over and nothing came. Make a new code.", "over"
	case v.Pages > 0:
		view.Words, view.Tone, view.Moving = pagesReceived(v.Pages)+". The phone may be taking the next one.", "good", true
	case v.Camera:
		view.Words, view.Tone, view.Moving = "The camera is on. Waiting for page 1.", "good", true
	case v.Opened:
		view.Words, view.Tone, view.Moving = "A phone opened the link. Waiting for page 1. No other phone can open it.", "good", true
	default:
		view.Words, view.Tone, view.Moving = "Waiting for a phone to open the link.", "wait", true
	}
	return view
}
