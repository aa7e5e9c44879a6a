package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Handoff is the flow of papers that leave Dropslot.
type Handoff interface {
	Take(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, t gateway.Take) (*gateway.Package, error)
	PDF(ctx context.Context, p *gateway.Package, t gateway.Take) (gateway.PDF, error)
	ZIP(ctx context.Context, p *gateway.Package, t gateway.Take) (*gateway.ZIP, error)
}

// pdfSizes are the offered bounds of a PDF, by megabytes: what mail servers
// and upload forms take.
var pdfSizes = []choice{{"", "As large as it gets"}, {"25", "At most 25 MB"}, {"10", "At most 10 MB"}, {"5", "At most 5 MB"}}

// withoutThese is what the form says who was told of pages that cannot be part
// of a PDF and wants it all the same.
const withoutThese gateway.TakeForm = "pdf-without"

// takeForm reads what somebody wants to take along.
func takeForm(form url.Values) (t gateway.Take, without []string, err error) {
	t.Form = gateway.TakeForm(form.Get("form"))
	if t.Form == withoutThese {
		t.Form, without = gateway.TakePDF, form["without"]
	}
	t.Cover, t.Transcript = form.Get("cover") != "", form.Get("transcript") != ""
	if size := form.Get("size"); size != "" {
		if _, known := wordsOf(pdfSizes, size); !known {
			return t, without, gateway.NewError(gateway.CodeBadRequest, nil)
		}
		megabytes, _ := strconv.ParseInt(size, 10, 64) // one of those offered
		t.MostBytes = megabytes * 1_000_000
	}
	for _, id := range form["page"] {
		if !gateway.ValidID(id) {
			return t, without, gateway.NewError(gateway.CodeBadRequest, nil)
		}
		t.Pages = append(t.Pages, gateway.PageID(id))
	}
	return t, without, nil
}

// export answers with a package of the chosen pages.
func (d *desk) export(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	t, without, err := takeForm(form)
	if err != nil {
		return err
	}
	switch t.Form {
	case gateway.TakePDF:
		err = d.exportPDF(c, id, t, without)
	case gateway.TakeZIP:
		err = d.exportZIP(c, id, t)
	default:
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	return d.handoffFailed(c, id, t, err)
}

// handoffFailed shows on the submission's page what can be mended there.
func (d *desk) handoffFailed(c echo.Context, id gateway.SubmissionID, t gateway.Take, err error) error {
	if err == nil || c.Response().Committed {
		return err
	}
	switch gateway.CodeOf(err) {
	case gateway.CodePageMissing, gateway.CodePDFTooBig, gateway.CodeSendTwice, gateway.CodeInfected, gateway.CodeScanner, gateway.CodeNotScanned:
		p := problemOf(err)
		d.note(c, p, err)
		return d.showHandoff(c, p.Status, id, handoffAsked{take: t, problem: &p})
	}
	return err
}

func (d *desk) exportPDF(c echo.Context, id gateway.SubmissionID, t gateway.Take, without []string) error {
	ctx := c.Request().Context()
	patient(c)
	taken, err := d.Handoff.Take(ctx, actor(c), id, t)
	if err != nil {
		return err
	}
	pdf, err := d.Handoff.PDF(ctx, taken, t)
	if err != nil {
		return errors.Join(err, taken.Failed(ctx, err))
	}
	out := pdf.LeftOut()
	unsaid := func(l gateway.LeftOut) bool { return !slices.Contains(without, strconv.Itoa(l.Number)) }
	if len(out) > 0 && (slices.ContainsFunc(out, unsaid) || pdf.Sheets() == 0) {
		if err := taken.Failed(ctx, gateway.NewError(gateway.CodePageType, nil)); err != nil {
			return err
		}
		d.count(c, http.StatusUnprocessableEntity, gateway.CodePageType)
		return d.showHandoff(c, http.StatusUnprocessableEntity, id, handoffAsked{take: t, leftOut: out, rest: pdf.Sheets()})
	}
	return d.sendPackage(c, taken, ".pdf", "application/pdf", func(w io.Writer) error { return pdf.Write(ctx, w) })
}

func (d *desk) exportZIP(c echo.Context, id gateway.SubmissionID, t gateway.Take) error {
	ctx := c.Request().Context()
	patient(c)
	taken, err := d.Handoff.Take(ctx, actor(c), id, t)
	if err != nil {
		return err
	}
	zip, err := d.Handoff.ZIP(ctx, taken, t)
	if err != nil {
		return errors.Join(err, taken.Failed(ctx, err))
	}
	return d.sendPackage(c, taken, ".zip", "application/zip", func(w io.Writer) error { return zip.Write(ctx, w) })
}

// packagePatience is how long a package may take before its first byte, with a
// minute of decoding in it, and between two pieces on a slow line.
const packagePatience = 10 * time.Minute

// patient gives an answer that is long in the making time to be made.
func patient(c echo.Context) {
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(packagePatience))
}

// sendPackage streams a package. One that breaks off breaks the connection, so
// that no browser takes the half of it for the whole.
func (d *desk) sendPackage(c echo.Context, taken *gateway.Package, extension, kind string, write func(io.Writer) error) error {
	name := taken.Name() + extension
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", pagePolicy)
	c.Response().WriteHeader(http.StatusOK)
	d.count(c, http.StatusOK, "")
	if err := write(steadyAnswer{c}); err != nil {
		err = errors.Join(err, taken.Failed(c.Request().Context(), err))
		d.note(c, problemOf(err), err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// steadyAnswer gives the browser time for the next piece as long as it takes
// the one before.
type steadyAnswer struct{ c echo.Context }

func (a steadyAnswer) Write(b []byte) (int, error) {
	patient(a.c)
	return a.c.Response().Write(b)
}

// handoffAsked is what was asked for and how it ended, for the page that is
// shown again.
type handoffAsked struct {
	take    gateway.Take
	problem *problem
	leftOut []gateway.LeftOut
	rest    int // pages that are not left out
}

// handoffKey is where a request keeps what was asked for.
const handoffKey = "desk-handoff"

func (d *desk) showHandoff(c echo.Context, status int, id gateway.SubmissionID, asked handoffAsked) error {
	c.Set(handoffKey, asked)
	return d.showSubmission(c, status, id, nil, "")
}

// handoffView is the panel beside the pages.
type handoffView struct {
	URL, PrintURL string
	Link          string // of the submission, for a colleague
	May           bool   // the person may take papers along
	Pages         []handoffPage
	All           bool // every page is chosen
	Chosen        int
	Sizes         []choice
	Size          string
	Cover         bool
	Transcript    bool
	Problem       *problem
	DeliverURL    string
	Deliver       bool   // there is a partner, and the person may hand papers over
	Partner       string // its name; empty if there is none
	Delivery      string // identifier of the delivery that the form asks for
	Live          bool   // the client may still add pages
	Waiting       bool   // a delivery is under way
	Deliveries    []deliveryLine
	LeftOut       []leftOut // what a PDF would not hold
	Rest          int       // how many pages it would
}

type leftOut struct {
	Number int
	Words  string
}

type handoffPage struct {
	ID, Label string
	Number    int
	Chosen    bool
	Newer     int // the page that came instead; 0 if none did
}

func (d *desk) handoffView(c echo.Context, found gateway.SubmissionView) (handoffView, error) {
	asked, again := c.Get(handoffKey).(handoffAsked)
	id := found.Submission.ID
	v := handoffView{
		URL: submissionURL(id) + "/export", PrintURL: submissionURL(id) + "/print", Link: d.URL + submissionURL(id),
		May: found.Office.Downloads(actor(c).Staff), Sizes: pdfSizes, Cover: !again || asked.take.Cover,
		Transcript: asked.take.Transcript, Problem: asked.problem, Rest: asked.rest, All: true,
	}
	if asked.take.MostBytes > 0 {
		v.Size = strconv.FormatInt(asked.take.MostBytes/1_000_000, 10)
	}
	for _, l := range asked.leftOut {
		v.LeftOut = append(v.LeftOut, leftOut{l.Number, l.Words()})
	}
	chosen := map[gateway.PageID]bool{}
	for _, page := range asked.take.Pages {
		chosen[page] = true
	}
	for i, p := range found.Pages {
		// Of two pictures of a page the new one goes along, unless somebody chooses.
		by, replaced := found.Again.By[p.ID]
		page := handoffPage{ID: string(p.ID), Number: i + 1, Label: "No label", Chosen: !again && !replaced || chosen[p.ID]}
		if replaced {
			page.Newer = 1 + slices.IndexFunc(found.Pages, func(other gateway.Page) bool { return other.ID == by })
		}
		if p.Label != "" {
			page.Label = d.AskName(p.Label)
		}
		if page.Chosen {
			v.Chosen++
		}
		v.Pages = append(v.Pages, page)
	}
	v.All = v.Chosen == len(v.Pages)
	return v, d.addDeliveries(c, &v, found)
}
