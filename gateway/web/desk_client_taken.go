package web

import (
	"fmt"
	"slices"
	"time"

	"dropslot/gateway"
)

// How pages were taken along, as the thread tells it.
var takenWords = map[gateway.TakeForm]string{
	gateway.TakePDF:   "exported as one PDF by ",
	gateway.TakeZIP:   "exported as a ZIP by ",
	gateway.TakePrint: "opened to be printed by ",
	"":                "original downloaded by ",
}

// taken tells what left of these pages: by hand, the first time in each way, and
// to partners.
func (s *steps) taken(pages []gateway.PageID) {
	told := map[gateway.TakeForm]bool{}
	for _, t := range s.t.found.Takes {
		if part, some := partOf(pages, t.Pages); some && !told[t.Form] {
			told[t.Form] = true
			s.add(part+takenWords[t.Form]+s.t.names.of(t.Staff), t.At)
		}
	}
	for _, d := range s.t.found.Handed {
		if part, some := partOf(pages, d.Pages); some {
			s.handed(part, d)
		}
	}
}

// partOf says how many of the pages are among others, and nothing if all are.
func partOf(pages, among []gateway.PageID) (words string, some bool) {
	n := 0
	for _, p := range pages {
		if slices.Contains(among, p) {
			n++
		}
	}
	if n < len(pages) {
		words = fmt.Sprintf("%d of them ", n)
	}
	return words, n > 0
}

// handed tells how far a delivery came.
func (s *steps) handed(part string, d gateway.HandDelivery) {
	partner := "a partner" // that was taken out of the configuration since
	if rule := s.t.found.Office.Delivery; rule != nil {
		partner = rule.Partner
	}
	switch {
	case d.State == gateway.HandDelivered:
		s.add(part+"handed over to "+partner, d.DeliveredAt)
	case d.State == gateway.HandDead, d.State == gateway.HandDropped:
		s.bad(part+"not handed over to "+partner, time.Time{})
	case d.Fault != "":
		s.bad(part+"not handed over to "+partner+" yet", time.Time{})
	default:
		s.add(part+"on the way to "+partner, d.AskedAt)
	}
}
