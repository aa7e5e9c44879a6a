package gateway

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

// Requests is the flow of a link that a caseworker sends.
type Requests struct {
	Directory Directory
	Limits    Limits
	Records   interface {
		LinkRecords
		DeskRecords
	}
	Audit     AuditTrail
	Links     LinkStore
	Phones    PhoneBook
	Mint      TokenMint
	Wording   Wording
	Texter    Texter
	PublicURL string
	Now       func() time.Time
	Random    io.Reader
}

// RequestView is how far a sent link came.
type RequestView struct {
	ID         SendingID
	Office     Office
	LastFour   string
	State      DeliveryState
	ErrorCode  int // Twilio's
	Opened     bool
	Pages      int
	Finished   bool
	Expired    bool
	Submission SubmissionID
	CreatedAt  time.Time
}

// Send texts a link to a phone. The link and the sending stand in the records
// before Twilio is asked: a crash between the two leaves a sending whose state
// stays "sending", never a link that nobody knows of.
func (r *Requests) Send(ctx context.Context, who Actor, office OfficeID, p Phone, language string) (RequestView, error) {
	now := r.Now()
	if !slices.Contains(who.Staff.Offices, office) {
		entry := who.entry(now, ActionLinkSent, "", office)
		entry.Outcome, entry.Reason = OutcomeDenied, string(CodeForbidden)
		return RequestView{}, errors.Join(NewError(CodeForbidden, nil), r.Audit.Append(ctx, entry))
	}
	link, sending, body, err := r.prepare(who, office, p, language, now)
	if err != nil {
		return RequestView{}, err
	}
	issued := who.entry(now, ActionLinkIssued, "link:"+string(link.ID), office)
	if err := r.Records.IssueRequest(ctx, link, sending, issued); err != nil {
		return RequestView{}, err
	}
	// Redis only remembers; a link it does not know is found in SQL.
	_ = r.Links.Put(ctx, link.Entry(r.Limits.LinkKnown))
	if err := r.dispatch(ctx, who, link, sending, p, body); err != nil {
		return RequestView{}, err
	}
	return r.Get(ctx, who, sending.ID)
}

func (r *Requests) prepare(who Actor, office OfficeID, p Phone, language string, now time.Time) (Link, Sending, string, error) {
	rule, ok := r.Directory.NumberOf(office)
	if !ok {
		return Link{}, Sending{}, "", NewError(CodeNotFound, nil)
	}
	settings := r.Directory.Offices[office]
	if !slices.Contains(settings.Languages, language) {
		language = settings.Languages[0]
	}
	sealed, err := r.Phones.Seal(p)
	if err != nil {
		return Link{}, Sending{}, "", err
	}
	link, err := newLink(r.Mint, r.Random, Link{
		Office: office, Number: rule.Number, Sender: r.Phones.Index(office, p), Phone: sealed, Language: language,
		Origin: OriginRequest, IssuedAt: now, ExpiresAt: now.Add(r.Limits.RequestTTL),
	})
	if err != nil {
		return Link{}, Sending{}, "", err
	}
	id, err := NewID(now, r.Random)
	if err != nil {
		return Link{}, Sending{}, "", err
	}
	url := LinkURL(r.PublicURL, r.Mint.Token(link.ID, link.Nonce))
	body, err := r.Wording.Text(settings, language, OccasionRequest, url, r.Limits.RequestTTL)
	return link, Sending{
		ID: SendingID(id), Link: link.ID, Office: office, Occasion: OccasionRequest, Staff: who.Staff.ID,
		State: DeliverySending, CreatedAt: now, UpdatedAt: now,
	}, body, err
}

// StatusPath is where Twilio reports how a sending goes.
func StatusPath(id SendingID) string { return "/twilio/status?sending=" + string(id) }

// AnswerStatusPath is where Twilio reports how the answer to a text goes.
func AnswerStatusPath(id TextID) string { return "/twilio/status?text=" + string(id) }

// dispatch hands the text to Twilio and notes what Twilio said. A refusal by
// Twilio is a state that the desk shows, no error of the call.
func (r *Requests) dispatch(ctx context.Context, who Actor, link Link, s Sending, p Phone, body string) error {
	sid, state, err := r.Texter.Send(ctx, OutgoingText{
		From: link.Number, To: p, Body: body, StatusURL: r.PublicURL + StatusPath(s.ID),
	})
	now := r.Now()
	entry := who.entry(now, ActionLinkSent, "link:"+string(link.ID), link.Office)
	d := Delivery{Sending: s.ID, SID: sid, State: state, At: now}
	if err != nil {
		entry.Outcome, entry.Reason = OutcomeFailed, string(CodeOf(err))
		d.State = DeliveryFailed
		if Is(err, CodeSendUnknown) {
			d.State = DeliveryUnknown
		}
		if coded, ok := errors.AsType[interface {
			error
			TwilioCode() int
		}](err); ok {
			d.ErrorCode = coded.TwilioCode()
		}
	}
	// What Twilio did is noted even when the person at the desk went away.
	return r.Records.FinishSending(context.WithoutCancel(ctx), d, entry)
}

// List gives the newest links that were sent.
func (r *Requests) List(ctx context.Context, who Actor, limit int) ([]RequestView, error) {
	rows, err := r.Records.Requests(ctx, who.Staff.Offices, limit)
	if err != nil {
		return nil, err
	}
	views := make([]RequestView, 0, len(rows))
	for _, row := range rows {
		views = append(views, r.view(row))
	}
	return views, nil
}

// Get gives one of them.
func (r *Requests) Get(ctx context.Context, who Actor, id SendingID) (RequestView, error) {
	row, err := r.Records.Request(ctx, who.Staff.Offices, id)
	if err != nil {
		return RequestView{}, err
	}
	return r.view(row), nil
}

// A sending without an answer from Twilio after this long was cut off.
const sendingPatience = 2 * time.Minute

func (r *Requests) view(row RequestRow) RequestView {
	now := r.Now()
	v := RequestView{
		ID: row.Sending.ID, Office: r.Directory.Offices[row.Sending.Office], State: row.Sending.State,
		ErrorCode: row.Sending.ErrorCode, Opened: row.Opened, Pages: row.Pages, Finished: row.Finished,
		Expired:    !row.Finished && row.Link.StateAt(now) == LinkExpired,
		Submission: row.Submission, CreatedAt: row.Sending.CreatedAt,
	}
	if v.State == DeliverySending && now.Sub(v.CreatedAt) > sendingPatience {
		v.State = DeliveryUnknown
	}
	if phone, err := r.Phones.Open(row.Phone); err == nil {
		v.LastFour = phone.LastFour()
	}
	return v
}
