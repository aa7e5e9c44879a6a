package gateway

import "time"

// LinkState is where a link stands. Expired is not stored: it is issued or
// claimed with its time over.
type LinkState string

// The states of a link.
const (
	LinkIssued     LinkState = "issued"
	LinkClaimed    LinkState = "claimed"
	LinkClosed     LinkState = "closed"     // the client is done
	LinkSuperseded LinkState = "superseded" // a newer link was issued before this one was claimed
	LinkExpired    LinkState = "expired"
)

// Origin tells why a link was issued.
type Origin string

// The origins of links.
const (
	OriginText    Origin = "text"    // a client texted
	OriginRequest Origin = "request" // a caseworker asked
	OriginStaff   Origin = "staff"   // a caseworker photographs a client's papers with a phone of theirs
	OriginCounter Origin = "counter" // a client at the counter does, with their own phone
)

// Link is the one-time right to send documents.
type Link struct {
	ID         LinkID
	Nonce      Nonce
	Hash       TokenHash
	Office     OfficeID
	Number     Number
	Sender     PhoneIndex
	Phone      SealedPhone
	Submission SubmissionID
	Language   string
	Origin     Origin
	IssuedAt   time.Time
	ExpiresAt  time.Time // unclaimed
	State      LinkState // as stored

	// What follows is set by the claim.
	Browser   BrowserHash
	ClaimedAt time.Time
	IdleAt    time.Time // the session ends here unless a page arrives before
	EndsAt    time.Time // and here in any case

	CanceledAt time.Time // by staff, who took it back: superseded or closed since

	// Root is the first of a row of links, of which each came instead of the
	// one before; empty if it is that.
	Root LinkID
}

// First gives the first link of the row that this one stands in.
func (l Link) First() LinkID {
	if l.Root != "" {
		return l.Root
	}
	return l.ID
}

// Deadline is when the claimed session ends.
func (l Link) Deadline() time.Time {
	if l.IdleAt.Before(l.EndsAt) {
		return l.IdleAt
	}
	return l.EndsAt
}

// StateAt is the state at a time, with expiry seen.
func (l Link) StateAt(now time.Time) LinkState {
	switch {
	case l.State == LinkIssued && !now.Before(l.ExpiresAt):
		return LinkExpired
	case l.State == LinkClaimed && !now.Before(l.Deadline()):
		return LinkExpired
	}
	return l.State
}

// LinkEntry is what Redis holds of a link: enough to turn away what the
// internet throws, nothing that could not be lost. SQL's word counts.
type LinkEntry struct {
	Hash      TokenHash
	Link      LinkID
	State     LinkState // issued, claimed, closed or superseded
	Browser   BrowserHash
	ExpiresAt time.Time // unclaimed
	KnownTill time.Time // the entry is dropped here
}

// Entry is the link as Redis holds it.
func (l Link) Entry(known time.Duration) LinkEntry {
	return LinkEntry{
		Hash: l.Hash, Link: l.ID, State: l.State, Browser: l.Browser,
		ExpiresAt: l.ExpiresAt, KnownTill: l.IssuedAt.Add(known),
	}
}

// Session is a claimed link together with the submission it fills.
type Session struct {
	Link       Link
	Submission Submission
	Pages      []Page // not removed, in their order; of a link that asks for a page once more, its own alone
	Wish       Wish   // what the link asks for
}
