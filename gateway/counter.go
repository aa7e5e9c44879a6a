package gateway

import (
	"context"
	"errors"
	"slices"
	"time"
)

// CounterTTL is how long a link that is shown at the desk waits for a phone.
// The person stands there: nobody else's phone should find it later.
const CounterTTL = 15 * time.Minute

// AtCounter tells whether a link is shown at the desk instead of being texted:
// it belongs to no telephone number.
func (o Origin) AtCounter() bool { return o == OriginStaff || o == OriginCounter }

// CounterAsk is a caseworker's wish for a link that is not texted.
type CounterAsk struct {
	Office   OfficeID
	Origin   Origin // OriginStaff or OriginCounter
	Name     Name   // of the client; may be empty
	Language string
}

// Counter is what the records keep of such a link beside the link itself.
type Counter struct {
	Link       LinkID
	Staff      StaffID // who made it
	SealedName []byte  // nil if no name was given
}

// CounterRow is such a link and how far it came.
type CounterRow struct {
	Counter
	Shown      Link
	State      SubmissionState // empty before the claim
	Unfinished bool
	Camera     bool
	Pages      int
	Lacks      int
}

// CounterView is what the caseworker sees who made it.
type CounterView struct {
	ID         LinkID
	Office     Office
	Origin     Origin
	URL        string // empty once no phone may open it any more
	ExpiresAt  time.Time
	Opened     bool
	Camera     bool // the page's camera ran
	Pages      int
	Lacks      int
	Ended      RequestEnd
	CanCancel  bool
	Submission SubmissionID
	CreatedAt  time.Time
}

// Counter makes a link that is shown at the desk as a QR code: a phone at the
// counter, or the caseworker's own on a visit, photographs with the page that
// clients use, and seals as theirs do. No text is sent.
func (r *Requests) Counter(ctx context.Context, who Actor, ask CounterAsk) (CounterView, error) {
	now := r.Now()
	if !who.Staff.Can(RightAsk, ask.Office) {
		return CounterView{}, r.refused(ctx, who, ask.Office, NewError(CodeForbidden, nil))
	}
	rule, ok := r.Directory.NumberOf(ask.Office)
	if !ok || !ask.Origin.AtCounter() || who.Staff.ID == "" {
		return CounterView{}, NewError(CodeBadRequest, nil)
	}
	if spoken := r.Directory.Offices[ask.Office].Languages; !slices.Contains(spoken, ask.Language) {
		ask.Language = spoken[0]
	}
	name, err := ask.Name.seal(r.Sealer, ask.Office)
	if err != nil {
		return CounterView{}, err
	}
	link, err := newLink(r.Mint, r.Random, Link{
		Office: ask.Office, Number: rule.Number, Language: ask.Language, Origin: ask.Origin,
		IssuedAt: now, ExpiresAt: now.Add(CounterTTL),
	})
	if err != nil {
		return CounterView{}, err
	}
	entry := who.entry(now, ActionLinkIssued, "link:"+string(link.ID), ask.Office)
	entry.Reason = string(ask.Origin)
	row := CounterRow{Counter: Counter{Link: link.ID, Staff: who.Staff.ID, SealedName: name}, Shown: link}
	if err := r.Records.IssueCounter(ctx, link, row.Counter, entry); err != nil {
		return CounterView{}, err
	}
	_ = r.Links.Put(ctx, link.Entry(r.Limits.LinkKnown)) // a link that Redis does not know is found in SQL
	return r.counterView(row), nil
}

// CounterState gives such a link to whoever made it, and to nobody else: it can
// be opened from there.
func (r *Requests) CounterState(ctx context.Context, who Actor, id LinkID) (CounterView, error) {
	row, err := r.Records.CounterLink(ctx, who.Staff.OfficesWith(RightAsk), id)
	if err == nil && (row.Staff != who.Staff.ID || row.Staff == "") {
		err = NewError(CodeNotFound, nil)
	}
	if Is(err, CodeNotFound) {
		entry := who.entry(r.Now(), ActionLinksViewed, "link:"+string(id), "")
		entry.Outcome, entry.Reason = OutcomeDenied, string(CodeNotFound)
		err = errors.Join(err, r.Audit.Append(ctx, entry))
	}
	if err != nil {
		return CounterView{}, err
	}
	return r.counterView(row), nil
}

// CancelCounter takes back a link that the person shows at the desk: nothing may
// be sent through it any more, by whoever opened it.
func (r *Requests) CancelCounter(ctx context.Context, who Actor, id LinkID) (CounterView, error) {
	now := r.Now()
	shown, err := r.CounterState(ctx, who, id)
	if err != nil {
		return CounterView{}, err
	}
	entry := who.entry(now, ActionLinkCanceled, "link:"+string(id), shown.Office.ID)
	taken, err := r.Records.CancelCounter(ctx, who.Staff.OfficesWith(RightAsk), who.Staff.ID, id, now, entry)
	switch {
	case err == nil:
		_ = r.Links.Put(ctx, taken.Entry(r.Limits.LinkKnown)) // SQL decides
	case !Is(err, CodeLinkClosed): // which it was by itself meanwhile
		return CounterView{}, err
	}
	return r.CounterState(ctx, who, id)
}

func (r *Requests) counterView(row CounterRow) CounterView {
	l, now := row.Shown, r.Now()
	opened := !l.ClaimedAt.IsZero()
	v := CounterView{
		ID: l.ID, Office: r.Directory.Offices[l.Office], Origin: l.Origin, ExpiresAt: l.ExpiresAt,
		Opened: opened, Camera: row.Camera, Pages: row.Pages, Lacks: row.Lacks, Submission: l.Submission, CreatedAt: l.IssuedAt,
		Ended: requestEnd(RequestRow{Link: l, Opened: opened, State: row.State, Unfinished: row.Unfinished}, now),
	}
	switch l.StateAt(now) {
	case LinkClaimed:
		v.CanCancel = true
	case LinkIssued:
		v.CanCancel = true
		v.URL = LinkURL(r.Sendings.PublicURL, r.Mint.Token(l.ID, l.Nonce))
	}
	return v
}
