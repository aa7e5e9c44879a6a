package records

import (
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

// takenRow is a row of the audit trail about what left by hand.
type takenRow struct {
	at     time.Time
	staff  gateway.StaffID
	form   gateway.TakeForm
	page   gateway.PageID
	failed bool // a package of theirs did not leave; there is no page
}

func scanTaken(r scanner) (t takenRow, err error) {
	var actor, action, reason string
	err = r.Scan(at(&t.at), &actor, &action, &reason, (*string)(&t.page), flag(&t.failed))
	t.staff = gateway.StaffID(strings.TrimPrefix(actor, gateway.ActorStaff("")))
	if gateway.Action(action) == gateway.ActionPageExported {
		t.form = gateway.TakeForm(reason)
	}
	return t, err
}

// taken gives what left of the pages that are there: by hand, as the audit
// trail tells, and to partners, as the receipts do.
func (r *threadReader) taken() (err error) {
	ids := r.places()
	for _, e := range r.t.Submissions { // those that were merged into others have a past of their own
		if id := any(string(e.Submission.ID)); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	in := "IN (" + placeholders(1, len(ids)) + ")"
	rows, err := all(r.v, scanTaken, `SELECT a.at, a.actor, a.action, a.reason, p.id, 0 FROM pages p
			JOIN audit a ON a.object = 'page:' || p.id AND a.object <> ''
		WHERE p.removed_at = 0 AND p.submission `+in+` AND a.action IN ('page.exported', 'page.downloaded')
			AND a.outcome = 'done' AND a.actor LIKE 'staff:%'
		UNION ALL SELECT a.at, a.actor, a.action, a.reason, '', 1 FROM submissions s
			JOIN audit a ON a.object = 'submission:' || s.id AND a.object <> ''
		WHERE s.id `+in+` AND a.action = 'submission.exported' AND a.outcome = 'failed'
		ORDER BY 1, 6, 5`, ids...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		r.took(row)
	}
	r.t.Handed, err = all(r.v, scanDelivery, "SELECT "+deliveryColumns+" FROM deliveries WHERE submission "+in+" ORDER BY asked_at, id", ids...)
	return err
}

// took adds a row to the package that it is part of: the rows of one have one
// time. A package that failed is none; its row comes behind.
func (r *threadReader) took(row takenRow) {
	last := -1
	for i, t := range slices.Backward(r.t.Takes) {
		if t.Staff == row.staff && (row.failed && t.Form != "" || t.Form == row.form && t.At.Equal(row.at)) {
			last = i
			break
		}
	}
	switch {
	case row.failed && last >= 0:
		r.t.Takes = slices.Delete(r.t.Takes, last, last+1)
	case row.failed:
	case last >= 0:
		r.t.Takes[last].Pages = append(r.t.Takes[last].Pages, row.page)
	default:
		r.t.Takes = append(r.t.Takes, gateway.ThreadTake{Staff: row.staff, At: row.at, Form: row.form, Pages: []gateway.PageID{row.page}})
	}
}
