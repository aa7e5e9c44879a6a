package config

import (
	"cmp"
	"fmt"
	"reflect"
	"time"
)

// limits checks that each limit is of a sensible size and that those which
// belong together fit. A limit that is left out takes the product's default,
// which is repeated here for the comparison alone.
func (v *validator) limits() {
	l, at := v.config.Limits, path{"limits"}
	values := reflect.ValueOf(l)
	for name, i := range fieldsOf(values.Type()) {
		if v.document.has(at.to(name)) && values.Field(i).Int() <= 0 {
			v.fault(at.to(name), wrong(name+" must be above zero", "write a larger one, or take the line out for the default"))
		}
	}
	v.linkTTL(l.LinkTTL, at.to("link_ttl"))
	v.linkTTL(l.RequestTTL, at.to("request_ttl"))
	day := Duration(24 * time.Hour)
	requestTTL := cmp.Or(l.RequestTTL, 3*day)
	v.ordered("session_idle", cmp.Or(l.SessionIdle, Duration(2*time.Hour)), "session_total", cmp.Or(l.SessionTotal, day))
	v.ordered("request_ttl", requestTTL, "link_known", cmp.Or(l.LinkKnown, 30*day))
	v.ordered("link_ttl", l.LinkTTL, "link_known", cmp.Or(l.LinkKnown, 30*day))
	v.ordered("desk_idle", l.DeskIdle, "desk_total", l.DeskTotal)
	v.ordered("answers_per_hour", cmp.Or(l.AnswersPerHour, 5), "answers_per_day", cmp.Or(l.AnswersPerDay, 20))
	v.ordered("page_size", cmp.Or(l.PageSize, 20<<20), "link_size", cmp.Or(l.LinkSize, 200<<20))
	// What an upload may still commit must not look abandoned to the sweep.
	v.ordered("commit_grace", cmp.Or(l.CommitGrace, Duration(15*time.Minute)), "sweep_age", cmp.Or(l.SweepAge, day))
	year := 365 * day
	v.ordered("unfinished_warned", cmp.Or(l.UnfinishedWarned, 60*day), "unfinished_kept", cmp.Or(l.UnfinishedKept, year))
	v.ordered("warned_least", cmp.Or(l.WarnedLeast, 30*day), "unfinished_kept", cmp.Or(l.UnfinishedKept, year))
	v.ordered("link_known", cmp.Or(l.LinkKnown, 30*day), "rows_kept", cmp.Or(l.RowsKept, year))
	v.ordered("rows_kept", cmp.Or(l.RowsKept, year), "audit_kept", cmp.Or(l.AuditKept, 2192*day))
	for number, n := range v.config.Numbers {
		if known := cmp.Or(l.LinkKnown, 30*day); n.LinkTTL > known {
			v.fault(path{"numbers", string(number), "link_ttl"}, wrong("link_ttl is longer than the limit link_known", "write a shorter one"))
		}
	}
}

// ordered adds a fault at whichever of the two limits the file sets when the
// first is above the second. Both arguments are of one type.
func (v *validator) ordered(small string, smaller any, large string, larger any) {
	if reflect.ValueOf(smaller).Int() <= reflect.ValueOf(larger).Int() {
		return
	}
	at := path{"limits", small}
	if !v.document.has(at) {
		at = path{"limits", large}
	}
	v.fault(at, wrong(fmt.Sprintf("%s (%v) is above %s (%v)", small, smaller, large, larger), "change one of the two"))
}
