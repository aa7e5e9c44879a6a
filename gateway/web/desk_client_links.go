package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"dropslot/gateway"
)

// links gives a line for each link, with what is known of its way, and one for
// each text that brought none.
func (t *timeline) links() []threadLine {
	var lines []threadLine
	for _, l := range t.found.Links {
		line := threadLine{Kind: "link", Title: "Link", at: l.IssuedAt}
		steps := &steps{t: t, line: &line}
		if i := slices.IndexFunc(t.found.Texts, func(x gateway.ThreadText) bool { return x.Link == l.ID }); i >= 0 {
			text := t.found.Texts[i]
			line.Title, line.at = "Link, answered to a text", text.ReceivedAt
			steps.texted(text)
			steps.delivery(text.AnswerState, text.AnswerError, text.ReceivedAt, text.AnswerAt) // answered at once
		} else if i := slices.IndexFunc(t.found.Sendings, func(x gateway.Sending) bool { return x.Link == l.ID }); i >= 0 {
			sent := t.found.Sendings[i]
			line.Title = "Link, sent by " + t.sender(sent)
			steps.delivery(sent.State, sent.ErrorCode, sent.AttemptedAt, sent.UpdatedAt)
		}
		steps.opened(l)
		steps.again = t.againWords(l.ID)
		steps.papers(t.placed(l.Submission), func(p gateway.ThreadPages) bool { return p.Link == l.ID })
		lines = append(lines, line)
	}
	for _, text := range t.found.Texts {
		if text.Link != "" {
			continue
		}
		line := threadLine{Kind: "text", Title: "Text", at: text.ReceivedAt}
		steps := &steps{t: t, line: &line}
		steps.texted(text)
		steps.papers(t.placed(text.Submission), func(p gateway.ThreadPages) bool { return p.Text == text.ID })
		lines = append(lines, line)
	}
	return lines
}

// againWords says what the pages of a link are a new picture of.
func (t *timeline) againWords(link gateway.LinkID) string {
	wish, so := t.found.Again[link]
	if !so {
		return ""
	}
	words := ": new picture of a page that is not here any more"
	if n := t.found.Places[wish.Page]; n > 0 {
		words = fmt.Sprintf(": new picture of page %d", n)
	}
	if why := wish.Reason.Words(); why != "" {
		words += " (" + why + ")"
	}
	return words
}

func (t *timeline) sender(s gateway.Sending) string {
	if s.Staff == "" {
		return "Dropslot"
	}
	return t.names.of(s.Staff)
}

// placed is where the pages of a submission are now.
func (t *timeline) placed(id gateway.SubmissionID) gateway.Submission {
	for _, e := range t.found.Submissions {
		if e.Submission.ID == id && e.Submission.MergedInto != "" {
			return t.placed(e.Submission.MergedInto)
		}
		if e.Submission.ID == id {
			return e.Submission
		}
	}
	return gateway.Submission{ID: id}
}

// steps collects what is true of a link, in the order of its way.
type steps struct {
	t     *timeline
	line  *threadLine
	again string // what its pages are a new picture of; empty for most
}

func (s *steps) add(words string, at time.Time) {
	s.line.Steps = append(s.line.Steps, threadStep{Words: words, When: s.t.moment(at)})
}

func (s *steps) bad(words string, at time.Time) {
	s.line.Steps = append(s.line.Steps, threadStep{Words: words, When: s.t.moment(at), Bad: true})
}

func (s *steps) texted(x gateway.ThreadText) {
	words := "texted"
	if x.MediaCount > 0 {
		words += " with " + plural(x.MediaCount, "picture")
	}
	s.add(words, x.ReceivedAt)
	switch {
	case !x.ErasedAt.IsZero():
		s.add("erased at Twilio", x.ErasedAt)
	case x.Dead:
		s.bad("could not be erased at Twilio", time.Time{})
	}
}

func (s *steps) delivery(state gateway.DeliveryState, code int, sent, at time.Time) {
	if textLeft(state) {
		s.add("link sent", sent)
	}
	switch state {
	case gateway.DeliveryDelivered:
		s.add("delivered", at)
	case gateway.DeliveryFailed:
		s.bad("not delivered: "+cmp.Or(failures[code], "the carrier did not say why"), at)
	case gateway.DeliveryUnknown:
		s.bad("may or may not have been sent", at)
	case gateway.DeliveryDropped:
		s.bad("not sent: no longer wanted, or the client texted STOP", at)
	}
}

func (s *steps) opened(l gateway.Link) {
	switch state := l.StateAt(s.t.found.Now); {
	case !l.ClaimedAt.IsZero():
		s.add("opened", l.ClaimedAt)
	case state == gateway.LinkSuperseded:
		s.bad("a newer link replaced it", time.Time{})
	case state == gateway.LinkExpired:
		s.bad("never opened; its time is over", l.ExpiresAt)
	}
}

// papers tells of the pages that came this way, where they are, who looked at
// them, and what became of them.
func (s *steps) papers(at gateway.Submission, mine func(gateway.ThreadPages) bool) {
	var pages []gateway.PageID
	var first, last time.Time
	for _, p := range s.t.found.Pages {
		if !mine(p) {
			continue
		}
		pages = append(pages, p.Pages...)
		if first.IsZero() || p.First.Before(first) {
			first = p.First
		}
		if p.Last.After(last) {
			last = p.Last
		}
		at.ID = p.Submission
	}
	if len(pages) == 0 {
		return
	}
	s.line.URL = submissionURL(at.ID)
	s.add(plural(len(pages), "page")+s.again, last)
	for _, look := range s.t.found.Looks {
		if look.Submission == at.ID && !look.Last.Before(first) {
			seen := look.First
			if seen.Before(first) {
				seen = look.Last
			}
			s.add("viewed by "+s.t.names.of(look.Staff), seen)
			break
		}
	}
	s.taken(pages)
	if at = s.t.placed(at.ID); at.State == gateway.SubmissionHandled {
		s.add(handledWords[at.HandledAs], at.HandledAt)
	}
}
