package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Wish is what a caseworker asks for with a link.
type Wish struct {
	Asks   []string    // of the office
	Sealed []byte      // the caseworker's own words, by a WordsBook; nil if none
	Page   PageID      // that is to be sent once more, into the same submission; empty if none
	Reason AgainReason // why
	Label  string      // of that page; read, never stored
	Words  string      // opened from Sealed for the client; never stored
}

// IsZero tells whether nothing certain is asked for.
func (w Wish) IsZero() bool { return len(w.Asks) == 0 && len(w.Sealed) == 0 && w.Page == "" }

// AgainReason is why a page is to be sent once more.
type AgainReason string

// The reasons. The client reads each in their language.
const (
	AgainNone       AgainReason = ""
	AgainBlurry     AgainReason = "blurry"
	AgainCutOff     AgainReason = "cut-off"
	AgainWrongMonth AgainReason = "wrong-month"
	AgainOther      AgainReason = "other" // the caseworker's own words say it
)

// AgainReasons gives them in the order in which they are offered.
func AgainReasons() []AgainReason {
	return []AgainReason{AgainBlurry, AgainCutOff, AgainWrongMonth, AgainOther}
}

// WishWords is how many characters a caseworker may add.
const WishWords = 200

// TextedOf is how long after a text of theirs a client may be texted without
// having asked for it.
const TextedOf = 90 * 24 * time.Hour

// WordsBook seals a caseworker's words to a client. The intake has no key that
// opens what is sealed to an office, and must show them.
type WordsBook interface {
	SealWords(office OfficeID, words string) ([]byte, error)
	// OpenWords gives CodeBlobDamaged for what was altered or is another office's.
	OpenWords(office OfficeID, sealed []byte) (string, error)
}

// RequestAsk is a caseworker's wish to text a link.
type RequestAsk struct {
	ID       SendingID // chosen before the button is pressed: the same again sends nothing
	Office   OfficeID
	Phone    Phone // zero where Page tells it
	Language string
	Asks     []string
	Words    string
	Said     bool   // the staff member says that the client asked for it
	Page     PageID // to be sent once more; its submission tells whom to text
	Reason   AgainReason

	instead SendingID // the text that this one comes instead of; it was permitted
	root    LinkID    // the first link of the row that this one continues
}

// check tells what is wrong with an ask, and tidies it.
func (a *RequestAsk) check(office Office) error {
	a.Words = tidyWords(a.Words)
	for _, ask := range a.Asks {
		if !office.Asked(ask) {
			return NewError(CodeBadRequest, nil)
		}
	}
	a.Asks = slices.DeleteFunc(slices.Clone(office.Asks), func(ask string) bool { return !slices.Contains(a.Asks, ask) })
	switch {
	case utf8.RuneCountInString(a.Words) > WishWords:
		return NewError(CodeWordsLong, nil)
	case a.Page == "" && a.Reason != AgainNone, a.Page != "" && !slices.Contains(AgainReasons(), a.Reason):
		return NewError(CodeReasonMissing, nil)
	case a.Reason == AgainOther && a.Words == "":
		return NewError(CodeReasonMissing, nil)
	}
	return nil
}

// permission gives since when the client must have texted, zero if they need
// not have, and tells the trail why a text may be sent.
func (a RequestAsk) permission(now time.Time, entry *AuditEntry) time.Time {
	switch {
	case a.instead != "":
		entry.Reason = "instead of sending:" + string(a.instead)
	case a.Said:
		entry.Reason = "the client asked for it, says the sender"
	default:
		entry.Reason = "the client texted within 90 days"
		return now.Add(-TextedOf)
	}
	return time.Time{}
}

// tidyWords takes out what no person types and no screen should obey: signs of
// control, and those that turn the direction of what stands around them.
func tidyWords(words string) string {
	words = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, words)
	return strings.Join(strings.Fields(words), " ")
}

// wish seals what the client is to read.
func (r *Requests) wish(a RequestAsk) (Wish, error) {
	w := Wish{Asks: a.Asks, Page: a.Page, Reason: a.Reason}
	if a.Words == "" {
		return w, nil
	}
	var err error
	w.Sealed, err = r.Words.SealWords(a.Office, a.Words)
	return w, err
}

// again fills an ask for one page once more with whom to text, and gives the
// submission that the page will join.
func (r *Requests) again(ctx context.Context, who Actor, a *RequestAsk) (SubmissionID, error) {
	offices := who.Staff.OfficesWith(RightAsk)
	page, err := r.Records.Page(ctx, offices, a.Page)
	if err != nil {
		return "", err
	}
	s, _, err := r.Records.Submission(ctx, offices, page.Submission)
	if err != nil {
		return "", err
	}
	if s.Sender.IsZero() {
		return "", NewError(CodeNoPhone, nil)
	}
	if a.Phone, err = r.Phones.Open(s.Phone); err != nil {
		return "", err
	}
	if a.Office = s.Office; a.Language == "" {
		a.Language = s.Language
	}
	return s.ID, nil
}

// openWish gives a wish with its words.
func openWish(book WordsBook, office OfficeID, w Wish) Wish {
	if len(w.Sealed) == 0 {
		return w
	}
	if words, err := book.OpenWords(office, w.Sealed); err == nil {
		w.Words = words // what cannot be opened is never in the way of the papers
	}
	return w
}

// Camera notes that the camera of the client's page runs: a caseworker on the
// phone with them sees it. Nothing of the picture is told.
func (u *Uploads) Camera(ctx context.Context, s Session) error {
	now := u.Now()
	if code, over := sessionOver(s, now); over {
		return NewError(code, nil)
	}
	return u.Records.NoteCamera(ctx, s.Link.ID, now)
}

// own tells whether a page may be changed through a session: a link that asks
// for a page once more is about what it brings alone.
func (s Session) own(p Page) bool { return s.Wish.Page == "" || p.Link == s.Link.ID }

// Cancel takes back a link that was sent: nothing may be sent through it any
// more, by whoever has it. Redis hears of it at once, and SQL decides.
func (r *Requests) Cancel(ctx context.Context, who Actor, id SendingID) (RequestView, error) {
	now := r.Now()
	row, err := r.Records.Request(ctx, who.Staff.OfficesWith(RightAsk), id)
	if err != nil {
		return RequestView{}, r.denied(ctx, who, ActionLinkCanceled, id, err)
	}
	entry := who.entry(now, ActionLinkCanceled, "link:"+string(row.Link.ID), row.Link.Office)
	taken, err := r.Records.CancelLink(ctx, who.Staff.OfficesWith(RightAsk), id, now, entry)
	if err != nil && !Is(err, CodeLinkClosed) { // which it was by itself meanwhile
		return RequestView{}, err
	}
	for _, link := range taken {
		_ = r.Links.Put(ctx, link.Entry(r.Limits.LinkKnown))
	}
	return r.Get(ctx, who, id)
}

// Renew sends a link in place of one that was sent and works no more, or never
// arrived, to the same phone and for the same papers.
func (r *Requests) Renew(ctx context.Context, who Actor, old, id SendingID) (RequestView, error) {
	row, err := r.Records.Request(ctx, who.Staff.OfficesWith(RightAsk), old)
	if err != nil {
		return RequestView{}, r.denied(ctx, who, ActionLinkSent, old, err)
	}
	if !r.view(row).Renewable() {
		return RequestView{}, r.refused(ctx, who, row.Link.Office, NewError(CodeLinkWorks, nil))
	}
	ask := RequestAsk{
		ID: id, Office: row.Link.Office, Language: row.Link.Language, Asks: row.Wish.Asks,
		Words: openWish(r.Words, row.Link.Office, row.Wish).Words, Page: row.Wish.Page, Reason: row.Wish.Reason,
		root: row.Link.First(),
	}
	// What permitted the first of the row permits the others, for as long as it
	// would by itself. Identifiers begin with their time.
	since, err := FirstID(r.Now().Add(-TextedOf))
	if err != nil {
		return RequestView{}, err
	}
	if string(ask.root) >= since {
		ask.instead = old
	}
	if ask.Phone, err = r.Phones.Open(row.Phone); err != nil {
		return RequestView{}, err
	}
	return r.Send(ctx, who, ask)
}

// denied writes the audit row of a sending that was asked for in vain.
func (r *Requests) denied(ctx context.Context, who Actor, action Action, id SendingID, cause error) error {
	if !Is(cause, CodeNotFound) {
		return cause
	}
	entry := who.entry(r.Now(), action, "sending:"+string(id), "")
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeNotFound)
	return errors.Join(cause, r.Audit.Append(ctx, entry))
}
