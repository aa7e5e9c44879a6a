// Package twiliotest is a Twilio of one's own for tests and the demo: the part
// of the REST API that Dropslot uses, and the side that posts signed webhooks
// and follows their answers. It keeps messages and media until they are
// deleted, answers STOP by itself, and misbehaves on request the way the real
// one was seen to.
package twiliotest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Twilio's limits for a webhook: the time to connect and the time in all.
const (
	ConnectTimeout = 5 * time.Second
	AnswerTimeout  = 15 * time.Second
)

// Config is what the fake stands in for.
type Config struct {
	// Accounts gives each account's auth token by account SID.
	Accounts map[string]string
	// Numbers are the Twilio numbers, E.164.
	Numbers map[string]Number
	// Now is the clock and Random the source of SIDs; the real ones if nil.
	Now    func() time.Time
	Random io.Reader
	// Transport carries the webhooks; one with Twilio's connect timeout if nil.
	Transport http.RoundTripper
	// Timeout bounds one webhook in all; AnswerTimeout if 0.
	Timeout time.Duration
	// Progress are the statuses that a text passes after "queued"; "sent" and
	// "delivered" if nil. An empty slice leaves texts queued; see SetStatus.
	Progress []string
	// Services are the messaging services by SID.
	Services map[string]Service
	// OpenMedia serves media to everybody who knows their address, as an
	// account does that was not set up otherwise. RedirectMedia answers their
	// fetch with a 307 to an address that asks for no password, as Twilio does
	// with its content network.
	OpenMedia, RedirectMedia bool
	// Chaos makes the fake misbehave at random.
	Chaos Chaos
	// AdvancedOptOut makes the webhook of a keyword carry OptOutType.
	AdvancedOptOut bool
}

// Number is how one number is set up in Twilio's console. A URL's fragment may
// override the retries: `#rc=2&rp=5xx,ct`.
type Number struct {
	Account     string
	MessageURL  string
	FallbackURL string
	VoiceURL    string
	StatusURL   string // told how calls ended

	// What else the API shows of a number. The fake posts whatever the methods
	// say; empty is POST.
	MessageMethod, FallbackMethod, VoiceMethod, StatusMethod string
	// Application is the SID of a TwiML application; Verification the state of
	// a toll-free number's, empty if there is none.
	Application, Verification string
}

// Service is a messaging service: a pool of numbers.
type Service struct {
	Account string
	Numbers []string
	// Campaign is the state of its A2P campaign, empty if there is none.
	Campaign string
	// StatusURL is told the statuses of texts that name no URL of their own.
	StatusURL string
}

// Fake is the stand-in. It is an http.Handler for the REST API, and safe for
// use by many goroutines at once.
type Fake struct {
	config  Config
	webhook *http.Client

	ctx    context.Context // ends at Close
	cancel context.CancelFunc

	lock     sync.Mutex
	idle     sync.Cond // woken when busy falls to 0
	busy     int       // texts that are on their way through their statuses
	closed   bool
	messages store
	dice     *mathrand.Rand
	optedOut map[pair]bool
	failing  map[string]int // by phone: the error code of every text to it
	replied  map[pair][]time.Time
	faults   []*Fault
	watchers map[string]map[chan struct{}]struct{}
}

// pair is one of our numbers and one phone.
type pair struct{ number, phone string }

// New makes a fake. Close ends what it has under way.
func New(c Config) *Fake {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Timeout <= 0 {
		c.Timeout = AnswerTimeout
	}
	if c.Progress == nil {
		c.Progress = []string{"sent", "delivered"}
	}
	if c.Transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DialContext = (&net.Dialer{Timeout: ConnectTimeout}).DialContext
		c.Transport = own
	}
	f := &Fake{
		config: c, optedOut: map[pair]bool{}, failing: map[string]int{}, replied: map[pair][]time.Time{},
		watchers: map[string]map[chan struct{}]struct{}{}, messages: newStore(),
		dice: mathrand.New(mathrand.NewPCG(c.Chaos.Seed, 0)), // #nosec G404 -- faults that repeat
		webhook: &http.Client{
			Transport: c.Transport, Timeout: c.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	f.idle.L = &f.lock
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Close stops the status callbacks that are under way and waits for them.
func (f *Fake) Close() {
	f.lock.Lock()
	f.closed = true
	f.lock.Unlock()
	f.cancel()
	f.Settle()
	f.webhook.CloseIdleConnections()
}

// Settle waits until every status callback that is under way has been posted.
func (f *Fake) Settle() {
	f.lock.Lock()
	defer f.lock.Unlock()
	for f.busy > 0 {
		f.idle.Wait()
	}
}

// Set changes how a number is set up, or adds it.
func (f *Fake) Set(number string, n Number) {
	f.lock.Lock()
	defer f.lock.Unlock()
	numbers := map[string]Number{number: n}
	for known, setup := range f.config.Numbers {
		if known != number {
			numbers[known] = setup
		}
	}
	f.config.Numbers = numbers
}

// number finds a number's setup and its account's token.
func (f *Fake) number(number string) (Number, string, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	n, ok := f.config.Numbers[number]
	if !ok {
		return Number{}, "", fmt.Errorf("%s is no number of this fake", number)
	}
	token, ok := f.config.Accounts[n.Account]
	if !ok || token == "" {
		return Number{}, "", fmt.Errorf("the account of %s has no auth token", number)
	}
	return n, token, nil
}

// sid makes an identifier: the prefix and 32 hexadecimal digits.
func (f *Fake) sid(prefix string) (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(f.config.Random, raw[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return prefix + hex.EncodeToString(raw[:]), nil
}
