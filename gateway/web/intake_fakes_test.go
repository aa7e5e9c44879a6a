package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"dropslot/gateway"
	"dropslot/templates"
)

var (
	fakeNow    = time.Date(2026, 11, 22, 15, 4, 0, 0, time.UTC)
	north      = gateway.Office{ID: "north", Name: "North County Benefits", Phone: "+15551230199", Languages: []string{"en", "es"}, Location: time.UTC, Asks: []string{"photo-id", "pay-stub", "benefit-letter", "other"}}
	submission = gateway.SubmissionID("0123456789abcdefghijklmnop")
)

const (
	goodToken = "abcdefghijklmnopqrstuvwxyz"
	pageKey   = "0123456789abcdef0123"
)

// The flows are what the intake is given.
var (
	_ Inbound     = (*gateway.Inbound)(nil)
	_ Claims      = (*gateway.Claims)(nil)
	_ Uploads     = (*gateway.Uploads)(nil)
	_ ClientPages = (*templates.Pages)(nil)
	_ Words       = (*templates.Texts)(nil)
)

// fakeFlows stands in for every flow behind the intake: one office, one link,
// one submission, kept in memory.
type fakeFlows struct {
	mu       sync.Mutex
	now      func() time.Time
	link     gateway.Link
	token    gateway.Token
	state    gateway.SubmissionState
	number   gateway.Number
	pages    []gateway.Page
	stored   map[gateway.PageKey][]byte
	name     gateway.Name
	lacks    []gateway.Lack
	order    []gateway.PageKey
	lackErr  error
	renewals int
	cameras  int
	wish     gateway.Wish
	office   gateway.Office // instead of north, if set
	// fail answers every call, if set.
	fail error
	// hang lets no call return before its context ends.
	hang bool
	// pageBytes is the limit of one page.
	pageBytes int64
}

func (f *fakeFlows) failure(ctx context.Context) error {
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.fail
}

func (f *fakeFlows) Look(ctx context.Context, t gateway.Token, b gateway.Browser) (gateway.LinkView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.failure(ctx); err != nil {
		return gateway.LinkView{}, err
	}
	if t != f.token {
		return gateway.LinkView{}, gateway.NewError(gateway.CodeLinkUnknown, nil)
	}
	return f.view(b), nil
}

func (f *fakeFlows) view(b gateway.Browser) gateway.LinkView {
	mine := !f.link.Browser.IsZero() && f.link.Browser.Equal(b.Hash())
	expires := f.link.ExpiresAt
	if f.link.State == gateway.LinkClaimed {
		expires = f.link.Deadline()
	}
	return gateway.LinkView{
		Office: north, Number: f.number, Language: f.link.Language, State: f.link.StateAt(f.now()),
		Mine: mine, Texted: !f.link.Sender.IsZero(), Submission: submission, ExpiresAt: expires,
	}
}

func (f *fakeFlows) Again(ctx context.Context, t gateway.Token) (gateway.LinkView, error) {
	v, err := f.Look(ctx, t, gateway.Browser{})
	if err != nil {
		return v, err
	}
	return v, f.again()
}

func (f *fakeFlows) AgainFor(context.Context, gateway.Session) error { return f.again() }

// again counts new links as the flow does: three, without their pauses.
func (f *fakeFlows) again() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link.StateAt(f.now()) == gateway.LinkIssued {
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	if f.renewals++; f.renewals > 3 {
		return gateway.NewError(gateway.CodeAgainOften, nil)
	}
	return nil
}

func (f *fakeFlows) Claim(ctx context.Context, t gateway.Token, b gateway.Browser) (gateway.LinkView, error) {
	if v, err := f.Look(ctx, t, b); err != nil {
		return v, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link.StateAt(f.now()) == gateway.LinkIssued {
		f.link.State, f.link.Browser = gateway.LinkClaimed, b.Hash()
		f.link.IdleAt, f.link.EndsAt = f.now().Add(2*time.Hour), f.now().Add(24*time.Hour)
	}
	v := f.view(b)
	if code := unusable(v); code != "" {
		return v, gateway.NewError(code, nil)
	}
	return v, nil
}

func (f *fakeFlows) Session(ctx context.Context, id gateway.SubmissionID, b gateway.Browser) (gateway.Session, gateway.Office, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.failure(ctx); err != nil {
		return gateway.Session{}, gateway.Office{}, err
	}
	if id != submission || f.link.Browser.IsZero() || !f.link.Browser.Equal(b.Hash()) {
		return gateway.Session{}, gateway.Office{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	office := north
	if f.office.ID != "" {
		office = f.office
	}
	return gateway.Session{
		Link: f.link,
		Submission: gateway.Submission{
			ID: submission, Office: north.ID, State: f.state, Pages: len(f.pages),
			LackCount: len(f.lacks), Lacks: append([]gateway.Lack(nil), f.lacks...),
		},
		Pages: append([]gateway.Page(nil), f.pages...), Wish: f.wish,
	}, office, nil
}

func (f *fakeFlows) AcceptSealed(_ context.Context, s gateway.Session, p gateway.SealedPage) (gateway.Page, error) {
	content, err := io.ReadAll(p.Body)
	if err != nil {
		return gateway.Page{}, err
	}
	if sha256.Sum256(content) != p.Digest {
		return gateway.Page{}, gateway.NewError(gateway.CodePageDigest, nil)
	}
	return f.store(s, p.Key, p.Label, content)
}

func (f *fakeFlows) AcceptPlain(_ context.Context, s gateway.Session, p gateway.PlainPage) (gateway.Page, error) {
	content, err := io.ReadAll(io.LimitReader(p.Body, f.pageBytes+1))
	switch {
	case err != nil:
		return gateway.Page{}, err
	case int64(len(content)) > f.pageBytes:
		return gateway.Page{}, gateway.NewError(gateway.CodePageTooBig, nil)
	case len(content) == 0:
		return gateway.Page{}, gateway.NewError(gateway.CodePageEmpty, nil)
	}
	if _, known := gateway.SniffType(content); !known {
		return gateway.Page{}, gateway.NewError(gateway.CodePageType, nil)
	}
	return f.store(s, p.Key, p.Label, content)
}

func (f *fakeFlows) store(s gateway.Session, key gateway.PageKey, label string, content []byte) (gateway.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.fail != nil:
		return gateway.Page{}, f.fail
	case !key.Valid():
		return gateway.Page{}, gateway.NewError(gateway.CodeBadRequest, nil)
	}
	if err := f.over(s); err != nil {
		return gateway.Page{}, err
	}
	if earlier, sent := f.stored[key]; sent && !bytes.Equal(earlier, content) {
		return gateway.Page{}, gateway.NewError(gateway.CodePageConflict, nil)
	} else if sent {
		return gateway.Page{Key: key}, nil
	}
	f.stored[key] = content
	f.pages = append(f.pages, gateway.Page{Key: key, Label: label})
	return gateway.Page{Key: key}, nil
}

func (f *fakeFlows) over(s gateway.Session) error {
	switch s.Link.StateAt(f.now()) {
	case gateway.LinkClaimed:
		return nil
	case gateway.LinkExpired:
		return gateway.NewError(gateway.CodeLinkExpired, nil)
	}
	return gateway.NewError(gateway.CodeLinkClosed, nil)
}

func (f *fakeFlows) Remove(_ context.Context, s gateway.Session, key gateway.PageKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.over(s); err != nil {
		return err
	}
	for n, p := range f.pages {
		if p.Key == key {
			f.pages = append(f.pages[:n:n], f.pages[n+1:]...)
			return nil
		}
	}
	return gateway.NewError(gateway.CodePageUnknown, nil)
}

func (f *fakeFlows) Camera(context.Context, gateway.Session) error {
	f.cameras++
	return f.fail
}

func (f *fakeFlows) Finish(_ context.Context, s gateway.Session, name gateway.Name) (gateway.Submission, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state == gateway.SubmissionOpen && s.Link.StateAt(fakeNow) == gateway.LinkExpired {
		return gateway.Submission{}, gateway.NewError(gateway.CodeLinkExpired, nil)
	}
	if len(f.pages)+len(f.lacks) == 0 {
		return gateway.Submission{}, gateway.NewError(gateway.CodeNoPages, nil)
	}
	f.name, f.state, f.link.State = name, gateway.SubmissionReceived, gateway.LinkClosed
	return gateway.Submission{ID: submission, State: f.state}, nil
}

func (f *fakeFlows) Receive(ctx context.Context, m gateway.Message) (gateway.Answer, error) {
	if err := f.failure(ctx); err != nil {
		return gateway.Answer{}, err
	}
	if m.Words == "STOP" {
		return gateway.Answer{Text: "t1", Reason: gateway.ReasonStop}, nil
	}
	return gateway.Answer{Text: "t1", Body: "the link", Reason: gateway.ReasonAnswered}, nil
}

func (f *fakeFlows) Deliver(context.Context, gateway.Delivery) error { return f.fail }

func (f *fakeFlows) Greeting(gateway.Number) ([]gateway.Speech, error) {
	return []gateway.Speech{{Language: "en", Words: "hello"}}, f.fail
}

// fakeChannel reads a webhook whose signature is the word "good".
type fakeChannel struct{}

func (fakeChannel) check(r *http.Request) error {
	if r.Header.Get("X-Twilio-Signature") == "panic" {
		panic("a secret value")
	}
	if r.Header.Get("X-Twilio-Signature") != "good" {
		return gateway.NewError(gateway.CodeForbidden, errors.New("signature"))
	}
	return nil
}

func (c fakeChannel) ReadMessage(r *http.Request) (gateway.Message, error) {
	return gateway.Message{Words: r.URL.Query().Get("words")}, c.check(r)
}
func (c fakeChannel) ReadStatus(r *http.Request) (gateway.Delivery, error) {
	return gateway.Delivery{}, c.check(r)
}
func (c fakeChannel) ReadCall(r *http.Request) (gateway.Number, error) { return "", c.check(r) }
func (fakeChannel) Say(s []gateway.Speech) []byte {
	return []byte("<Response><Say>" + s[0].Words + "</Say></Response>")
}

func (fakeChannel) Reply(body, action string) []byte {
	if body == "" {
		return []byte("<Response/>")
	}
	return []byte(`<Response><Message action="` + action + `">` + body + "</Message></Response>")
}

// fakeLimiter allows a few tries per key.
type fakeLimiter struct {
	mu    sync.Mutex
	tries map[string]int
	fail  error
}

func (l *fakeLimiter) Allow(_ context.Context, kind, key string, n int, _ time.Duration) (bool, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries[kind+" "+key]++
	return l.tries[kind+" "+key] <= n, time.Minute, l.fail
}
