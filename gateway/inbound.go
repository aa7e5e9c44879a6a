package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Inbound is the flow of a text that arrives.
type Inbound struct {
	Directory Directory
	Limits    Limits
	Records   TextRecords
	Links     LinkStore
	Phones    PhoneBook
	Mint      TokenMint
	Wording   Wording
	Budget    *Budget
	WordsKey  []byte // LinkKey.Subkey(SubkeyWords)
	PublicURL string // without a slash at the end
	Now       func() time.Time
	Random    io.Reader
}

// Answer is what the webhook says to Twilio.
type Answer struct {
	Text   TextID
	Body   string // empty: silence
	Reason Reason
	Again  bool // the message came before
}

// LinkURL is the address that stands in a text.
func LinkURL(publicURL string, t Token) string { return publicURL + "/c/" + t.Reveal() }

// Receive takes one message. When it fails, nothing was answered and Twilio's
// retry finds nothing half done: at most the text and its link stand in SQL,
// and the retry is then the same message again, which gets the same answer.
func (f *Inbound) Receive(ctx context.Context, m Message) (Answer, error) {
	rule, ok := f.Directory.Numbers[m.To]
	if !ok {
		return Answer{}, NewError(CodeNotFound, nil)
	}
	office := f.Directory.Offices[rule.Office]
	now := f.Now()
	text, err := f.text(m, rule, now)
	if err != nil {
		return Answer{}, err
	}
	rules := Rules{
		Limits: f.Limits, Countries: f.Directory.Countries, Own: f.Directory.Own(),
		Languages: office.Languages, Detected: f.Wording.Detect(m.Words, office.Languages), MMS: rule.MMS,
	}
	if m.MediaCount == 0 {
		rules.Mark = WordsMark(f.WordsKey, m.Words)
	}
	taken, most, err := f.Budget.reserve(ctx, f.Wording, rule, f.PublicURL)
	if err != nil {
		return Answer{}, err
	}
	rules.Spent = !taken.OK
	answer, err := f.decide(ctx, m, text, rules, rule, office)
	f.Budget.settle(taken, most, f.Wording.Segments(answer.Body))
	return answer, err
}

// decide has the records decide on a message under the sender's lock, and
// makes the answer.
func (f *Inbound) decide(ctx context.Context, m Message, text Text, rules Rules, rule NumberRule, office Office) (Answer, error) {
	now := text.ReceivedAt
	outcome, earlier, err := f.Records.ReceiveText(ctx, text, func(s Standing) (TextOutcome, error) {
		return f.outcome(m, text, s, rules, rule, now)
	})
	if err != nil {
		return Answer{}, err
	}
	if earlier != nil {
		return f.again(ctx, *earlier, office, now)
	}
	if outcome.Link == nil {
		return Answer{Text: text.ID, Reason: outcome.Decision.Reason}, nil
	}
	answer, err := f.answer(ctx, text.ID, outcome.Decision.Occasion, *outcome.Link, office, outcome.Decision.Reason)
	if err != nil {
		// Nothing was said: the next text must not meet the silence that
		// follows an answer. If this fails too, the pause is all that is lost.
		forgetting, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetPatience)
		defer cancel()
		err = errors.Join(err, f.Records.ForgetAnswer(forgetting, *outcome.Link))
	}
	return answer, err
}

// forgetPatience, after Redis took its 1.2 seconds, leaves the webhook time to
// say within 2 that it failed.
const forgetPatience = 400 * time.Millisecond

func (f *Inbound) text(m Message, rule NumberRule, now time.Time) (Text, error) {
	id, err := NewID(now, f.Random)
	if err != nil {
		return Text{}, err
	}
	t := Text{
		ID: TextID(id), AccountSID: m.AccountSID, MessageSID: m.MessageSID, Office: rule.Office,
		Number: rule.Number, ReceivedAt: now, MediaCount: m.MediaCount,
	}
	if m.Sender != SenderPhone {
		return t, nil
	}
	t.Sender = f.Phones.Index(rule.Office, m.From)
	t.Phone, err = f.Phones.Seal(m.From)
	return t, err
}

// outcome decides, and makes the link that an answer carries.
func (f *Inbound) outcome(m Message, t Text, s Standing, r Rules, rule NumberRule, now time.Time) (TextOutcome, error) {
	d := Decide(m, s, r, now)
	out := TextOutcome{Decision: d, Keeping: Keep(m, d.Reason, rule.MMS, rule.Words), Submission: s.Submission}
	entry := AuditEntry{At: now, Actor: ActorClient, Object: "text:" + string(t.ID), Office: rule.Office, Outcome: OutcomeDone, Reason: string(d.Reason)}
	switch {
	case d.Reason == ReasonStop:
		entry.Action = ActionTextOptOut
	case d.Reason == ReasonStart:
		entry.Action = ActionTextOptIn
	case !d.Answers():
		return out, nil
	default:
		link, err := newLink(f.Mint, f.Random, Link{
			Office: rule.Office, Number: rule.Number, Sender: t.Sender, Phone: t.Phone, Submission: s.Submission,
			Language: d.Language, Origin: OriginText, IssuedAt: now, ExpiresAt: now.Add(rule.LinkTTL),
		})
		if err != nil {
			return TextOutcome{}, err
		}
		out.Decision.Standing.Link, out.Decision.Standing.Submission = link.ID, link.Submission
		out.Submission, out.Link = link.Submission, &link
		entry.Action, entry.Object = ActionLinkIssued, "link:"+string(link.ID)
	}
	out.Audit = []AuditEntry{entry}
	return out, nil
}

// newLink gives a link its identifier, its token's hash and, if it joins no
// submission, one of its own.
func newLink(mint TokenMint, random io.Reader, l Link) (Link, error) {
	id, err := NewID(l.IssuedAt, random)
	if err != nil {
		return Link{}, err
	}
	if l.Nonce, err = NewNonce(random); err != nil {
		return Link{}, err
	}
	if l.Submission == "" {
		submission, err := NewID(l.IssuedAt, random)
		if err != nil {
			return Link{}, err
		}
		l.Submission = SubmissionID(submission)
	}
	l.ID, l.State = LinkID(id), LinkIssued
	l.Hash = mint.Token(l.ID, l.Nonce).Hash()
	return l, nil
}

// answer puts the link where Redis can find it and writes the words.
func (f *Inbound) answer(ctx context.Context, id TextID, o Occasion, l Link, office Office, reason Reason) (Answer, error) {
	if err := f.Links.Put(ctx, l.Entry(f.Limits.LinkKnown)); err != nil {
		return Answer{}, fmt.Errorf("put link: %w", err)
	}
	url := LinkURL(f.PublicURL, f.Mint.Token(l.ID, l.Nonce))
	body, err := f.Wording.Text(office, l.Language, Filling{Occasion: o, Link: url, TTL: l.ExpiresAt.Sub(l.IssuedAt)})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Text: id, Body: body, Reason: reason}, nil
}

func (f *Inbound) again(ctx context.Context, earlier EarlierText, office Office, now time.Time) (Answer, error) {
	if !DecideAgain(earlier, f.Limits, now) {
		return Answer{Text: earlier.ID, Again: true}, nil
	}
	a, err := f.answer(ctx, earlier.ID, earlier.Occasion, *earlier.Link, office, ReasonAnswered)
	if err != nil {
		return Answer{}, err
	}
	a.Again = true
	return a, f.Records.RecallAnswer(ctx, *earlier.Link, earlier.Occasion.ofPictures(), now)
}

// Deliver notes what Twilio says of an answer's way to the phone.
func (f *Inbound) Deliver(ctx context.Context, d Delivery) error {
	return f.Records.SaveDelivery(ctx, d)
}

// Greeting gives what a caller of a number hears, in each of the office's languages.
func (f *Inbound) Greeting(to Number) ([]Speech, error) {
	rule, ok := f.Directory.Numbers[to]
	if !ok {
		return nil, NewError(CodeNotFound, nil)
	}
	office := f.Directory.Offices[rule.Office]
	var speeches []Speech
	for _, language := range office.Languages {
		words, err := f.Wording.Text(office, language, Filling{Occasion: OccasionVoice})
		if err != nil {
			return nil, err
		}
		speeches = append(speeches, Speech{Language: language, Words: words})
	}
	return speeches, nil
}
