package gateway

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// leftOutWords say why a page is not part of a PDF.
var leftOutWords = map[LeftOutReason]string{
	LeftOutPDF:     "is a PDF that cannot be put into another one here",
	LeftOutHEIC:    "is a HEIC photo, which cannot be put into a PDF here",
	LeftOutAside:   "lies beside this file",
	LeftOutDamaged: "cannot be read as a picture",
	LeftOutPixels:  "has too many pixels",
}

// Words says which page it is and why it is left out.
func (l LeftOut) Words() string { return fmt.Sprintf("Page %d %s.", l.Number, leftOutWords[l.Reason]) }

// missingPage stands at the end of a PDF that leaves something out.
func missingPage(out []LeftOut) Cover {
	list := CoverList{Title: "These pages came too and are not in this file"}
	for _, l := range out {
		list.Lines = append(list.Lines, l.Words())
	}
	return Cover{Title: "Not in this file", Lists: []CoverList{list}}
}

// lackWords say why a client has no paper.
var lackWords = map[LackReason]string{
	LackCannot: "the client cannot get it",
	LackHelp:   "the client needs help with it",
	LackRemind: "the client wants to be reminded",
}

// cover is the page that tells what a package is. No phone number is on it.
func (t *Package) cover() Cover {
	s := t.Row.Submission
	c := Cover{Title: "Papers " + s.ID.Reference(), Facts: []CoverFact{
		{"Office", t.Row.Office.Name}, {"Reference", s.ID.Reference()},
	}}
	if t.caseNumber != "" {
		c.Facts = append(c.Facts, CoverFact{"Case number", t.caseNumber})
	}
	c.Facts = append(c.Facts, CoverFact{"First page", t.clock(s.ArrivedAt)})
	switch {
	case s.FinishedAt.IsZero():
		c.Facts = append(c.Facts, CoverFact{"Finished", "not yet: the client may still send pages"})
	case s.Unfinished:
		c.Facts = append(c.Facts, CoverFact{"Finished", "the time was over " + t.clock(s.FinishedAt) + " before the client said that this is all"})
	default:
		c.Facts = append(c.Facts, CoverFact{"Finished", t.clock(s.FinishedAt)})
	}
	pages := CoverList{Title: "Pages"}
	if len(t.Sheets) < s.Pages {
		pages.Title = fmt.Sprintf("Pages (%d of the %d that came)", len(t.Sheets), s.Pages)
	}
	for _, p := range t.Sheets {
		pages.Lines = append(pages.Lines, fmt.Sprintf("%d. %s, received %s", p.Number, t.label(p.Page), t.clock(p.ReceivedAt)))
	}
	c.Lists = append(c.Lists, pages)
	if len(s.Lacks) > 0 {
		lacks := CoverList{Title: "Missing"}
		for _, l := range s.Lacks {
			lacks.Lines = append(lacks.Lines, t.askName(l.Ask)+": "+lackWords[l.Reason])
		}
		c.Lists = append(c.Lists, lacks)
	}
	return c
}

func (t *Package) label(p Page) string {
	if p.Label == "" {
		return "no label"
	}
	return t.askName(p.Label)
}

func (t *Package) clock(at time.Time) string {
	zone := t.Row.Office.Location
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format("Mon, Jan 2, 2006, 3:04 PM MST")
}

// Name is what a package is called, without its extension: the case number,
// or the reference where there is none.
func (t *Package) Name() string {
	if name := fileWord(t.caseNumber); name != "" {
		return name
	}
	return "papers-" + t.Row.Submission.ID.Reference()
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileWord makes of what a person typed a part of a file's name: nothing that
// leads elsewhere, hides the file or means something to a shell.
func fileWord(text string) string {
	word := strings.Trim(notInNames.ReplaceAllString(text, "-"), ".-_")
	return word[:min(len(word), 64)]
}
