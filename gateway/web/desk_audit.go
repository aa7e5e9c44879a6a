package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Audits is the flow of who looks into what was done.
type Audits interface {
	Choices(ctx context.Context, who gateway.Actor) (gateway.AuditChoices, error)
	Rows(ctx context.Context, who gateway.Actor, s gateway.AuditSearch, before gateway.AuditCursor, limit int) ([]gateway.AuditRow, error)
	Each(ctx context.Context, who gateway.Actor, s gateway.AuditSearch, form string, visit func([]gateway.AuditRow) error) error
	Verify(ctx context.Context, who gateway.Actor) (gateway.AuditProof, error)
}

// How many rows one page of the trail lists.
const auditRows = 100

// auditForm is the search as it was typed. It is posted, so that a client's
// number or reference stands in no address; a page may be led to with the
// rest of it.
type auditForm struct {
	Office, Person, Client, Action, Outcome, From, To string
}

func auditFormOf(v url.Values, posted bool) auditForm {
	f := auditForm{
		Office: v.Get("office"), Person: v.Get("person"), Action: v.Get("action"), Outcome: v.Get("outcome"),
		From: v.Get("from"), To: v.Get("to"),
	}
	if posted {
		f.Client = strings.TrimSpace(v.Get("client"))
	}
	return f
}

// auditView is the page of the trail.
type auditView struct {
	frame
	Form     auditForm
	Offices  []choice // empty if there is one
	People   []choice
	Actions  []choice
	Outcomes []choice
	Problem  *problem
	Rows     []auditLine
	Older    string // cursor of the next page; empty on the last
	First    bool
	Zone     string
}

// auditLine is one row of the trail in words.
type auditLine struct {
	Machine, Clock string
	Who            string
	Action         string
	Object         string
	ObjectURL      string
	ObjectTitle    string // the whole identifier
	Office         string
	Outcome        string
	Tone           string
	From, Reason   string
	Emergency      bool // a look that no role allowed
}

var outcomeChoices = []choice{
	{string(gateway.OutcomeDone), "Done"}, {string(gateway.OutcomeDenied), "Refused"}, {string(gateway.OutcomeFailed), "Failed"},
}

func (d *desk) audit(c echo.Context) error {
	return d.showAudit(c, auditFormOf(c.QueryParams(), false), "")
}

func (d *desk) searchAudit(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	return d.showAudit(c, auditFormOf(form, true), form.Get("before"))
}

func (d *desk) showAudit(c echo.Context, form auditForm, place string) error {
	ctx, who := c.Request().Context(), actor(c)
	choices, err := d.Audits.Choices(ctx, who)
	if err != nil {
		return err
	}
	zone := auditZone(choices, form.Office)
	view := d.auditView(c, form, choices)
	view.Zone, view.First = zone.String(), place == ""
	before, err := parseAuditCursor(place)
	if err != nil {
		return err
	}
	search, err := d.auditSearch(form, zone)
	if err != nil {
		p := problemOf(err)
		d.note(c, p, err)
		view.Problem = &p
		return d.render(c, http.StatusUnprocessableEntity, "audit", view)
	}
	rows, err := d.Audits.Rows(ctx, who, search, before, auditRows+1)
	if err != nil {
		return err
	}
	if len(rows) > auditRows {
		rows = rows[:auditRows]
		view.Older = formatAuditCursor(rows[auditRows-1].Cursor())
	}
	papers := who.Staff.CanSomewhere(gateway.RightPapers)
	for _, r := range rows {
		view.Rows = append(view.Rows, d.auditLine(r, choices.Logins, zone, papers && who.Staff.Can(gateway.RightPapers, r.Office)))
	}
	return d.render(c, http.StatusOK, "audit", view)
}

func (d *desk) auditView(c echo.Context, form auditForm, choices gateway.AuditChoices) auditView {
	view := auditView{frame: d.frame(c, "Audit trail", "audit"), Form: form, Outcomes: outcomeChoices}
	if len(choices.Offices) > 1 {
		for _, o := range choices.Offices {
			view.Offices = append(view.Offices, choice{string(o.ID), o.Name})
		}
	}
	for _, s := range choices.Staff {
		view.People = append(view.People, choice{gateway.ActorStaff(s.ID), s.Login})
	}
	for _, name := range []string{gateway.ActorClient, gateway.ActorOperator, "unknown", gateway.ActorRole("intake"), gateway.ActorRole("desk"), gateway.ActorRole("worker")} {
		view.People = append(view.People, choice{name, actorWords(name, nil)})
	}
	for _, a := range choices.Actions {
		view.Actions = append(view.Actions, choice{string(a), actionWords(a)})
	}
	slices.SortFunc(view.Actions, func(a, b choice) int { return strings.Compare(a.Words, b.Words) })
	return view
}

// auditZone is the time zone that days are meant in and times are shown in.
func auditZone(choices gateway.AuditChoices, office string) *time.Location {
	for _, o := range choices.Offices {
		if (office == "" || office == string(o.ID)) && o.Location != nil {
			return o.Location
		}
	}
	return time.UTC
}

var referencePattern = regexp.MustCompile(`^[2-9B-DF-HJ-NP-TV-Y]{5}$`)

// auditSearch reads what was typed: days are whole days, the last included.
func (d *desk) auditSearch(form auditForm, zone *time.Location) (s gateway.AuditSearch, err error) {
	s = gateway.AuditSearch{
		Office: gateway.OfficeID(form.Office), Actor: form.Person, Action: gateway.Action(form.Action), Outcome: gateway.Outcome(form.Outcome),
	}
	if s.From, err = dayOf(form.From, zone); err != nil {
		return s, err
	}
	if s.To, err = dayOf(form.To, zone); err != nil {
		return s, err
	}
	if !s.To.IsZero() {
		s.To = s.To.AddDate(0, 0, 1)
	}
	if reference := strings.ToUpper(form.Client); referencePattern.MatchString(reference) {
		s.Reference = reference
	} else if form.Client != "" {
		s.Phone, err = d.ParsePhone(form.Client)
		if err != nil {
			err = gateway.NewError(codeClient, nil)
		}
	}
	return s, err
}

// codeClient is for what is neither a reference nor a phone number, codeDay for
// what is no date.
const (
	codeClient gateway.Code = "client"
	codeDay    gateway.Code = "day"
)

func dayOf(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, gateway.NewError(codeDay, nil)
	}
	return day, nil
}

func (d *desk) auditLine(r gateway.AuditRow, logins map[gateway.StaffID]string, zone *time.Location, papers bool) auditLine {
	line := auditLine{
		Machine: r.At.UTC().Format(time.RFC3339), Clock: r.At.In(zone).Format("Jan 2, 2006, 3:04:05 PM"),
		Who: actorWords(r.Actor, logins), Action: actionWords(r.Action), Office: d.Directory.Offices[r.Office].Name,
		From: r.From, Reason: r.Reason, ObjectTitle: r.Object,
	}
	switch r.Outcome {
	case gateway.OutcomeDenied:
		line.Outcome, line.Tone = "refused", "bad"
	case gateway.OutcomeFailed:
		line.Outcome, line.Tone = "failed", "warn"
	}
	if id := r.Emergency(); id != "" {
		line.Emergency, line.Reason = true, objectWords("emergency:"+string(id), nil)
	}
	line.Object = objectWords(r.Object, logins)
	if id, is := strings.CutPrefix(r.Object, "submission:"); is && papers && gateway.ValidID(id) {
		line.ObjectURL = submissionURL(gateway.SubmissionID(id))
	}
	return line
}

func actorWords(actor string, logins map[gateway.StaffID]string) string {
	kind, name, _ := strings.Cut(actor, ":")
	switch kind {
	case "staff":
		if login := logins[gateway.StaffID(name)]; login != "" {
			return login
		}
		return "an account that is gone"
	case "role":
		return "Dropslot (" + name + ")"
	case gateway.ActorClient:
		return "a client"
	case gateway.ActorOperator:
		return "the operator"
	case "unknown":
		return "nobody signed in"
	}
	return actor
}

func formatAuditCursor(c gateway.AuditCursor) string {
	return strconv.FormatInt(c.At.UnixMilli(), 10) + "-" + c.Chain + "-" + strconv.FormatInt(c.Seq, 10)
}

var auditCursorPattern = regexp.MustCompile(`^(\d{1,16})-([0-9a-v]{26})-(\d{1,18})$`)

func parseAuditCursor(text string) (c gateway.AuditCursor, err error) {
	if text == "" {
		return c, nil
	}
	found := auditCursorPattern.FindStringSubmatch(text)
	if found == nil {
		return c, gateway.NewError(gateway.CodeBadRequest, nil)
	}
	at, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return c, gateway.NewError(gateway.CodeBadRequest, nil)
	}
	c = gateway.AuditCursor{At: time.UnixMilli(at), Chain: found[2]}
	c.Seq, err = strconv.ParseInt(found[3], 10, 64)
	return c, err
}
