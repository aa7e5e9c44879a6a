package gateway

// Again tells which of a submission's pages were sent once more.
type Again struct {
	// Wishes gives for a page that came so what was asked for: the page before
	// it, which may be gone or elsewhere by now, and why.
	Wishes map[PageID]Wish
	// By gives for a page the last one that came instead and is still there.
	By map[PageID]PageID
}

// againOf puts together a submission's pages, in their order.
func againOf(pages []Page) Again {
	a := Again{Wishes: map[PageID]Wish{}, By: map[PageID]PageID{}}
	there, last := map[PageID]bool{}, map[PageID]Page{}
	for _, p := range pages {
		there[p.ID] = true
	}
	for _, p := range pages {
		if p.Again == "" {
			continue
		}
		a.Wishes[p.ID] = Wish{Page: p.Again, Reason: p.AgainWhy}
		if there[p.Again] && !p.ReceivedAt.Before(last[p.Again].ReceivedAt) {
			last[p.Again], a.By[p.Again] = p, p.ID
		}
	}
	return a
}

// Whole tells whether pages leave out nothing but what came once more.
func (a Again) Whole(all []Page, chosen []PackedPage) bool {
	taken := map[PageID]bool{}
	for _, p := range chosen {
		taken[p.ID] = true
	}
	for _, p := range all {
		if _, replaced := a.By[p.ID]; !taken[p.ID] && !replaced {
			return false
		}
	}
	return true
}

// reasonWords say why a page was asked for once more, in a few words.
var reasonWords = map[AgainReason]string{
	AgainBlurry: "blurry", AgainCutOff: "cut off", AgainWrongMonth: "of the wrong month",
}

// Words says it for staff; nothing where the caseworker's own words do.
func (r AgainReason) Words() string { return reasonWords[r] }
