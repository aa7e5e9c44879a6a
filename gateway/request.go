package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
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
	Audit    AuditTrail
	Links    LinkStore
	Phones   PhoneBook
	Mint     TokenMint
	Sendings *Sendings
	Sealer   Sealer // of names that caseworkers type
	Words    WordsBook
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
}

// RequestView is how far a sent link came.
type RequestView struct {
	ID         SendingID
	Office     Office
	LastFour   string
	State      DeliveryState
	ErrorCode  int // Twilio's
	Opened     bool
	Camera     bool // the page's camera ran
	Pages      int
	Lacks      int // asks that the client says they do not have
	Ended      RequestEnd
	Submission SubmissionID
	CreatedAt  time.Time
	ExpiresAt  time.Time // unclaimed
	Wish       Wish
	CanCancel  bool
}

// Renewable tells whether a new link may help: this one brings nothing more.
func (v RequestView) Renewable() bool {
	switch v.Ended {
	case RequestExpired, RequestCanceled:
		return true
	case RequestRuns:
		return v.State == DeliveryFailed || v.State == DeliveryDropped
	}
	return false
}

// RequestEnd tells how a sent link ended.
type RequestEnd string

// The ends of a sent link; empty while it may still bring something.
const (
	RequestRuns       RequestEnd = ""
	RequestFinished   RequestEnd = "finished"   // the client said that they are done
	RequestExpired    RequestEnd = "expired"    // its time was over
	RequestCanceled   RequestEnd = "canceled"   // staff took it back
	RequestSuperseded RequestEnd = "superseded" // a newer link went to that phone before it was opened
)

// Send texts a link to a phone. The link and the sending stand in the records
// before Twilio is asked: a crash between the two leaves a sending whose state
// stays "sending", never a link that nobody knows of. The caller chooses the
// identifier before the person presses the button: the same one again sends
// nothing and tells how far the first came.
func (r *Requests) Send(ctx context.Context, who Actor, ask RequestAsk) (RequestView, error) {
	now := r.Now()
	var into SubmissionID
	if ask.Page != "" {
		var err error
		if into, err = r.again(ctx, who, &ask); err != nil {
			return RequestView{}, r.refused(ctx, who, "", err)
		}
	}
	office, id := ask.Office, ask.ID
	if !who.Staff.Can(RightAsk, office) {
		return RequestView{}, r.refused(ctx, who, office, NewError(CodeForbidden, nil))
	}
	if err := ask.check(r.Directory.Offices[office]); err != nil {
		return RequestView{}, err
	}
	link, sending, err := r.prepare(who, ask, into, now)
	if err != nil {
		return RequestView{}, err
	}
	wish, err := r.wish(ask)
	if err != nil {
		return RequestView{}, err
	}
	issued := who.entry(now, ActionLinkIssued, "link:"+string(link.ID), office)
	since := ask.permission(now, &issued)
	// The job finds out how it went should this process die meanwhile.
	err = r.Records.IssueRequest(ctx, link, wish, since, sending, []Job{sendJob(id, now.Add(sendingPatience))}, issued)
	if Is(err, CodeSendTwice) {
		return r.sendAgain(ctx, who, ask, link)
	}
	if err != nil {
		return RequestView{}, r.refused(ctx, who, office, err)
	}
	// Redis only remembers; a link it does not know is found in SQL.
	_ = r.Links.Put(ctx, link.Entry(r.Limits.LinkKnown))
	entry := who.entry(now, ActionLinkSent, "link:"+string(link.ID), office)
	err = r.Sendings.hand(ctx, sending, link, entry)
	if Is(err, CodeCeiling) {
		// Said to be refused, it must not go out later by its job.
		if err := r.Sendings.drop(ctx, sending, string(CodeCeiling)); err != nil {
			return RequestView{}, err
		}
		return RequestView{}, r.refused(ctx, who, office, err)
	}
	if _, waits := errors.AsType[*LaterError](err); err == nil || waits {
		return r.Get(ctx, who, sending.ID)
	}
	r.Log.ErrorContext(ctx, "a text was not sent yet, or what Twilio said of it could not be noted",
		slog.String("sending", string(id)), slog.Any("error", err))
	// To say "try again" would send two: the job sends it, or finds out how it went.
	row, err := r.Records.Request(ctx, who.Staff.OfficesWith(RightAsk), id)
	if err != nil {
		sending.State = DeliveryUnknown
		row = RequestRow{Sending: sending, Link: link, Phone: link.Phone, Submission: link.Submission}
	}
	return r.view(row), nil
}

// sendAgain is what happens to a form that arrives twice. If its phone was
// changed in between, because the first answer was lost, it is a text of its own.
func (r *Requests) sendAgain(ctx context.Context, who Actor, ask RequestAsk, link Link) (RequestView, error) {
	row, err := r.Records.Request(ctx, who.Staff.OfficesWith(RightAsk), ask.ID)
	if err == nil && row.Link.Sender == link.Sender && row.Link.Office == link.Office {
		return r.view(row), nil
	}
	if err != nil && !Is(err, CodeNotFound) {
		return RequestView{}, err
	}
	fresh, err := NewID(r.Now(), r.Random)
	if err != nil {
		return RequestView{}, err
	}
	ask.ID = SendingID(fresh)
	return r.Send(ctx, who, ask)
}

// refused writes the audit row of a text that was not sent.
func (r *Requests) refused(ctx context.Context, who Actor, office OfficeID, cause error) error {
	if _, ok := errors.AsType[*Error](cause); !ok {
		return cause
	}
	entry := who.entry(r.Now(), ActionLinkSent, "", office)
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeOf(cause))
	return errors.Join(cause, r.Audit.Append(ctx, entry))
}

func (r *Requests) prepare(who Actor, ask RequestAsk, into SubmissionID, now time.Time) (Link, Sending, error) {
	office, p, language := ask.Office, ask.Phone, ask.Language
	rule, ok := r.Directory.NumberOf(office)
	if !ok {
		return Link{}, Sending{}, NewError(CodeNotFound, nil)
	}
	settings := r.Directory.Offices[office]
	if !slices.Contains(settings.Languages, language) {
		language = settings.Languages[0]
	}
	sealed, err := r.Phones.Seal(p)
	if err != nil {
		return Link{}, Sending{}, err
	}
	link, err := newLink(r.Mint, r.Random, Link{
		Office: office, Number: rule.Number, Sender: r.Phones.Index(office, p), Phone: sealed, Language: language,
		Submission: into, Origin: OriginRequest, IssuedAt: now, ExpiresAt: now.Add(r.Limits.RequestTTL),
		Root: ask.root,
	})
	if err != nil {
		return Link{}, Sending{}, err
	}
	sending, err := newSending(r.Random, now, OccasionRequest, link)
	sending.ID, sending.Staff = ask.ID, who.Staff.ID
	return link, sending, err
}

// StatusPath is where Twilio reports how a sending goes.
func StatusPath(id SendingID) string { return "/twilio/status?sending=" + string(id) }

// AnswerStatusPath is where Twilio reports how the answer to a text goes.
func AnswerStatusPath(id TextID) string { return "/twilio/status?text=" + string(id) }

// List gives the newest links that were sent.
func (r *Requests) List(ctx context.Context, who Actor, limit int) ([]RequestView, error) {
	if err := r.Audit.Append(ctx, who.entry(r.Now(), ActionLinksViewed, "", "")); err != nil {
		return nil, err
	}
	rows, err := r.Records.Requests(ctx, who.Staff.OfficesWith(RightAsk), limit)
	if err != nil {
		return nil, err
	}
	views := make([]RequestView, 0, len(rows))
	for _, row := range rows {
		views = append(views, r.view(row))
	}
	return views, nil
}

// Get gives one of them. A page asks for it every two seconds while a text is
// on its way: only what is asked for in vain leaves an audit row.
func (r *Requests) Get(ctx context.Context, who Actor, id SendingID) (RequestView, error) {
	row, err := r.Records.Request(ctx, who.Staff.OfficesWith(RightAsk), id)
	if Is(err, CodeNotFound) {
		entry := who.entry(r.Now(), ActionLinksViewed, "sending:"+string(id), "")
		entry.Outcome, entry.Reason = OutcomeDenied, string(CodeNotFound)
		err = errors.Join(err, r.Audit.Append(ctx, entry))
	}
	if err != nil {
		return RequestView{}, err
	}
	return r.view(row), nil
}

// requestEnd looks at the submission first: links of later texts lead to the
// same one, and while it is open something may come.
func requestEnd(row RequestRow, now time.Time) RequestEnd {
	if !row.Link.CanceledAt.IsZero() {
		return RequestCanceled
	}
	state := row.State
	if !row.Opened && row.Pages+row.Lacks == 0 {
		state = "" // what a link for one more page leads to was there before
	}
	switch state {
	case SubmissionOpen:
		return RequestRuns
	case SubmissionEmpty:
		return RequestExpired
	case SubmissionReceived, SubmissionHandled:
		if row.Unfinished {
			return RequestExpired
		}
		return RequestFinished
	}
	switch row.Link.StateAt(now) {
	case LinkExpired:
		return RequestExpired
	case LinkSuperseded:
		return RequestSuperseded
	}
	return RequestRuns
}

// A sending without an answer from Twilio after this long was cut off.
const sendingPatience = 2 * time.Minute

func (r *Requests) view(row RequestRow) RequestView {
	now := r.Now()
	v := RequestView{
		ID: row.Sending.ID, Office: r.Directory.Offices[row.Sending.Office], State: row.Sending.State,
		ErrorCode: row.Sending.ErrorCode, Opened: row.Opened, Camera: row.Camera, Pages: row.Pages, Lacks: row.Lacks, Ended: requestEnd(row, now),
		Submission: row.Submission, CreatedAt: row.Sending.CreatedAt, ExpiresAt: row.Link.ExpiresAt, Wish: openWish(r.Words, row.Link.Office, row.Wish),
	}
	switch row.Link.StateAt(now) {
	case LinkIssued, LinkClaimed:
		v.CanCancel = true
	default: // one that its holder had texted instead may still work
		v.CanCancel = row.Followed && row.Link.CanceledAt.IsZero()
	}
	// One that was not handed to Twilio yet waits for its number or the records.
	if attempted := row.Sending.AttemptedAt; v.State == DeliverySending && !attempted.IsZero() && now.Sub(attempted) > sendingPatience {
		v.State = DeliveryUnknown
	}
	if phone, err := r.Phones.Open(row.Phone); err == nil {
		v.LastFour = phone.LastFour()
	}
	return v
}
