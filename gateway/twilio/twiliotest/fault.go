package twiliotest

import (
	"slices"
	"time"
)

// Kind is one way in which Twilio misbehaves.
type Kind string

// The kinds of faults, and on which requests they can fall.
const (
	TooMany           Kind = "too-many"            // any: 429 and 20429 with Retry-After; nothing is done
	ServerError       Kind = "server-error"        // any: 500 with a page of HTML; nothing is done
	Slow              Kind = "slow"                // any: the work begins after Delay
	Hang              Kind = "hang"                // any: the work is done, the answer never comes
	Cut               Kind = "cut"                 // any: the work is done, the connection breaks
	Garbled           Kind = "garbled"             // any: the work is done, the answer is HTML
	NotFinal          Kind = "not-final"           // redaction, deletion of a message: 20009
	NotFoundYet       Kind = "not-found-yet"       // fetch, list of media, fetch of media: 404
	NoMediaYet        Kind = "no-media-yet"        // list of media: it is empty
	DeleteRedirected  Kind = "delete-redirected"   // deletion: 307, nothing is done
	DeleteNotModified Kind = "delete-not-modified" // deletion: 304, nothing is done
	DuplicateWebhook  Kind = "duplicate-webhook"   // a message's webhook is posted twice
	BodyCut           Kind = "body-cut"            // fetch of media: the stream ends before its length
)

// Operation is what a request asks of the fake.
type Operation string

// The operations.
const (
	CreateMessage Operation = "create-message"
	FetchMessage  Operation = "fetch-message"
	ListMessages  Operation = "list-messages"
	UpdateMessage Operation = "update-message"
	DeleteMessage Operation = "delete-message"
	ListMedia     Operation = "list-media"
	FetchMedia    Operation = "fetch-media"
	DeleteMedia   Operation = "delete-media"
	FetchAccount  Operation = "fetch-account"
	ListNumbers   Operation = "list-numbers"
	UpdateNumber  Operation = "update-number"
	Registrations Operation = "registrations"
	PostWebhook   Operation = "post-webhook" // the fake's own request
)

// falls tells where a kind can fall; a kind without an entry falls on every
// operation of the REST API.
var falls = map[Kind][]Operation{
	NotFinal:          {UpdateMessage, DeleteMessage},
	NotFoundYet:       {FetchMessage, ListMedia, FetchMedia},
	NoMediaYet:        {ListMedia},
	DeleteRedirected:  {DeleteMessage, DeleteMedia},
	DeleteNotModified: {DeleteMessage, DeleteMedia},
	DuplicateWebhook:  {PostWebhook},
	BodyCut:           {FetchMedia},
}

// Fault is a way of misbehaving that is switched on.
type Fault struct {
	Kind       Kind
	On         Operation     // falls on this operation only; on every fitting one if empty
	Times      int           // how often; below zero until Mend
	RetryAfter time.Duration // of TooMany; no header if 0
	Delay      time.Duration // of Slow; of Hang: the connection is cut after it, or never if 0
}

// Break switches a fault on.
func (f *Fake) Break(fault Fault) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.faults = append(f.faults, &fault)
}

// Mend switches all faults of a kind off.
func (f *Fake) Mend(kind Kind) {
	f.lock.Lock()
	defer f.lock.Unlock()
	var rest []*Fault
	for _, fault := range f.faults {
		if fault.Kind != kind {
			rest = append(rest, fault)
		}
	}
	f.faults = rest
}

// take gives the first fault of the kinds that falls on the operation now,
// and counts it.
func (f *Fake) take(op Operation, kinds ...Kind) (Fault, bool) {
	f.lock.Lock()
	defer f.lock.Unlock()
	for _, fault := range f.faults {
		if fault.Times == 0 || !slices.Contains(kinds, fault.Kind) || !fault.fallsOn(op) {
			continue
		}
		if fault.Times > 0 {
			fault.Times--
		}
		return *fault, true
	}
	return f.roll(op, kinds)
}

func (f *Fault) fallsOn(op Operation) bool {
	if f.On != "" && f.On != op {
		return false
	}
	places, limited := falls[f.Kind]
	if !limited {
		return op != PostWebhook
	}
	return slices.Contains(places, op)
}
