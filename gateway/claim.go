package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// Claims is the flow of a link that is looked at and claimed.
type Claims struct {
	Directory Directory
	Limits    Limits
	Records   LinkRecords
	Links     LinkStore
	Archive   *Archive
	Sendings  *Sendings
	Now       func() time.Time
	Random    io.Reader
}

// LinkView is what a person who holds a link may know of it.
type LinkView struct {
	Office     Office
	Number     Number
	Language   string
	State      LinkState // with expiry seen
	Canceled   bool      // staff took it back
	Mine       bool      // claimed by this browser
	Texted     bool      // it went to a phone, which can have another one
	Submission SubmissionID
	ExpiresAt  time.Time // unclaimed, or the session's end
}

func (c *Claims) view(l Link, b BrowserHash, now time.Time) LinkView {
	v := LinkView{
		Office: c.Directory.Offices[l.Office], Number: l.Number, Language: l.Language, State: l.StateAt(now), Canceled: !l.CanceledAt.IsZero(),
		Texted: !l.Sender.IsZero(),
		Mine:   !l.Browser.IsZero() && l.Browser.Equal(b), Submission: l.Submission, ExpiresAt: l.ExpiresAt,
	}
	if l.State == LinkClaimed {
		v.ExpiresAt = l.Deadline()
	}
	return v
}

// Look tells how a link stands and changes nothing, however often a preview
// fetches it. A token that Redis does not know is looked up in SQL and put
// back; one that Redis knows is read from SQL as well, which decides.
func (c *Claims) Look(ctx context.Context, t Token, b Browser) (LinkView, error) {
	_, err := c.Links.Resume(ctx, t.Hash())
	missing := Is(err, CodeLinkUnknown)
	if err != nil && !missing {
		return LinkView{}, err
	}
	link, err := c.Records.LinkByHash(ctx, t.Hash())
	if err != nil {
		return LinkView{}, err
	}
	if missing {
		if err := c.Links.Put(ctx, link.Entry(c.Limits.LinkKnown)); err != nil {
			return LinkView{}, err
		}
	}
	return c.view(link, b.Hash(), c.Now()), nil
}

// Claim binds a link to a browser: Redis first, then the SQL row, which
// decides. The same browser claims again with the same result, so that an
// answer lost on the way costs nothing. A crash between the two leaves a claim
// in Redis that nobody used, perhaps of a browser that nobody opens any more: as
// long as the row says that the link may be claimed, any browser may.
//
// The error's code says why it was refused; the view is filled whenever the
// link is known.
func (c *Claims) Claim(ctx context.Context, t Token, b Browser) (LinkView, error) {
	now := c.Now()
	entry, err := c.Links.Claim(ctx, t.Hash(), b.Hash(), now)
	// Redis forgot the link, or knows it as another's.
	differs := Is(err, CodeLinkUnknown) || err == nil && entry.State == LinkClaimed && !entry.Browser.Equal(b.Hash())
	if err != nil && !differs {
		return LinkView{}, err
	}
	if differs {
		known, err := c.Records.LinkByHash(ctx, t.Hash())
		if err != nil {
			return LinkView{}, err
		}
		view := c.view(known, b.Hash(), now)
		if entry.State == LinkClaimed && view.State != LinkIssued && !view.Mine {
			return view, NewError(refusal(view), nil)
		}
	}
	// Whatever else Redis says is only repeated here: SQL tells the same, and
	// tells it better after a failover. It goes by the token alone: who can write
	// to Redis must not choose which link a token opens.
	link, err := c.claimInSQL(ctx, t.Hash(), b, now)
	if err != nil {
		return LinkView{}, err
	}
	view := c.view(link, b.Hash(), now)
	refused := view.State != LinkClaimed || !view.Mine
	if differs || refused {
		// Redis forgot, or lost a failover: teach it.
		if err := c.Links.Put(ctx, link.Entry(c.Limits.LinkKnown)); err != nil {
			return view, err
		}
	}
	if refused {
		return view, NewError(refusal(view), nil)
	}
	if err := c.writeHeader(ctx, link); err != nil {
		return view, fmt.Errorf("write header: %w", err)
	}
	return view, nil
}

func (c *Claims) writeHeader(ctx context.Context, l Link) error {
	var made Counter
	if l.Origin.AtCounter() {
		var err error
		if made, err = c.Records.Counter(ctx, l.ID); err != nil {
			return err
		}
	}
	return c.Archive.WriteHeader(ctx, l, made)
}

func refusal(v LinkView) Code {
	if v.Canceled {
		return CodeLinkCanceled
	}
	switch v.State {
	case LinkClosed:
		return CodeLinkClosed
	case LinkSuperseded:
		return CodeLinkSuperseded
	case LinkExpired:
		return CodeLinkExpired
	}
	return CodeLinkTaken
}

// Again texts a new link in place of one that works no more, to the same phone.
func (c *Claims) Again(ctx context.Context, t Token) (LinkView, error) {
	link, err := c.Records.LinkByHash(ctx, t.Hash())
	if err != nil {
		return LinkView{}, err
	}
	err = c.Sendings.Again(ctx, link)
	if Is(err, CodeLinkUnknown) {
		return LinkView{}, err // too old to be told of
	}
	return c.view(link, BrowserHash{}, c.Now()), err
}

// AgainFor is Again for the browser whose session on a link is over.
func (c *Claims) AgainFor(ctx context.Context, s Session) error { return c.Sendings.Again(ctx, s.Link) }

func (c *Claims) claimInSQL(ctx context.Context, hash TokenHash, b Browser, now time.Time) (Link, error) {
	fresh, err := NewID(now, c.Random)
	if err != nil {
		return Link{}, err
	}
	return c.Records.ClaimLink(ctx, hash, Claim{
		Browser: b.Hash(), At: now, IdleAt: now.Add(c.Limits.SessionIdle), EndsAt: now.Add(c.Limits.SessionTotal),
		Fresh: SubmissionID(fresh),
	}, AuditEntry{At: now, Actor: ActorClient, Action: ActionLinkClaimed, Outcome: OutcomeDone})
}

// sealBytes seals a small thing whole.
func sealBytes(s Sealer, office OfficeID, plain []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := s.Seal(office, &sealed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}
