package web

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// A download goes on as long as it moves; a verification as long as it takes
// to read the trail.
const (
	downloadStall = time.Minute
	proofPatience = 30 * time.Minute
)

type proofView struct {
	frame
	Proof gateway.AuditProof
	When  moment
	After int64 // rows after the last heads
}

// verifyAudit checks the trail and says what is proven.
func (d *desk) verifyAudit(c echo.Context) error {
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(proofPatience))
	proof, err := d.Audits.Verify(c.Request().Context(), actor(c))
	if gateway.Is(err, gateway.CodeTooManyTries) {
		err = gateway.NewError(codeProving, nil)
	}
	if err != nil {
		return err
	}
	view := proofView{frame: d.frame(c, "Tamper check of the audit trail", "audit"), Proof: proof, After: proof.Rows - proof.Proven}
	view.When = momentOf(proof.At, d.Now(), nil)
	return d.render(c, http.StatusOK, "audit-proof", view)
}

// codeProving: somebody's verification is under way.
const codeProving gateway.Code = "verifying"

// downloadAudit gives what was searched for as a file. What fails half way
// breaks the connection off, so that no browser takes the rest for the whole.
func (d *desk) downloadAudit(c echo.Context) error {
	posted, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	format := auditFormats[posted.Get("format")]
	if format.write == nil {
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	ctx, who := c.Request().Context(), actor(c)
	choices, err := d.Audits.Choices(ctx, who)
	if err != nil {
		return err
	}
	form := auditFormOf(posted, true)
	search, err := d.auditSearch(form, auditZone(choices, form.Office))
	if err != nil {
		return err
	}
	begun := false
	var write func(gateway.AuditRow) error
	var flush func() error
	begin := func() error {
		begun = true
		d.count(c, http.StatusOK, "")
		startDownload(c, format.media, "audit-"+d.Now().UTC().Format("20060102-150405")+"."+posted.Get("format"))
		write, flush, err = format.write(c.Response(), choices.Logins)
		return err
	}
	err = d.Audits.Each(ctx, who, search, posted.Get("format"), func(rows []gateway.AuditRow) error {
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(downloadStall))
		for _, r := range rows {
			if err := write(r); err != nil {
				return err
			}
		}
		return flush()
	})
	if err == nil && !begun { // nothing was found: an empty file says so
		if err = begin(); err == nil {
			err = flush()
		}
	}
	if err != nil && begun {
		d.note(c, problemOf(err), err)
		panic(http.ErrAbortHandler)
	}
	return err
}

func startDownload(c echo.Context, media, name string) {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, media)
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	c.Response().WriteHeader(http.StatusOK)
}

type auditFormat struct {
	media string
	write func(w io.Writer, logins map[gateway.StaffID]string) (row func(gateway.AuditRow) error, flush func() error, err error)
}

var auditFormats = map[string]auditFormat{
	"csv":    {"text/csv; charset=utf-8", writeAuditCSV},
	"ndjson": {"application/x-ndjson", writeAuditJSON},
}

var auditColumns = []string{"time", "office", "actor", "login", "action", "object", "reference", "outcome", "from", "reason", "chain", "row"}

func writeAuditCSV(w io.Writer, logins map[gateway.StaffID]string) (func(gateway.AuditRow) error, func() error, error) {
	table := csv.NewWriter(w)
	err := table.Write(auditColumns)
	row := func(r gateway.AuditRow) error {
		l := gateway.AuditLineOf(r, logins)
		return table.Write(safeCells(l.Time, l.Office, l.Actor, l.Login, l.Action, l.Object, l.Reference, l.Outcome, l.From,
			l.Reason, l.Chain, strconv.FormatInt(l.Row, 10)))
	}
	return row, func() error { table.Flush(); return table.Error() }, err
}

func writeAuditJSON(w io.Writer, logins map[gateway.StaffID]string) (func(gateway.AuditRow) error, func() error, error) {
	lines := json.NewEncoder(w)
	row := func(r gateway.AuditRow) error {
		return lines.Encode(gateway.AuditLineOf(r, logins))
	}
	return row, func() error { return nil }, nil
}

// safeCells puts an apostrophe before what a spreadsheet would take for a
// formula (OWASP, CSV injection): a reason was typed by a person.
func safeCells(cells ...string) []string {
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}
