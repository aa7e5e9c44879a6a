package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dropslot/gateway"
)

// Config is what the channel must know to trust a webhook.
type Config struct {
	// PublicURL is what Twilio signs, up to the path: https://docs.example.gov.
	// A request's own path and query are put after it.
	PublicURL string
	// Accounts gives each account's auth tokens by account SID: several while
	// a token is being replaced.
	Accounts map[string][]AuthToken
	// Numbers gives the account SID that each of the offices' numbers belongs to.
	Numbers map[gateway.Number]string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Channel reads webhooks and writes their answers. It is safe for use by many
// goroutines at once.
type Channel struct {
	bases    []string // the public URL in each form that Twilio may have signed
	accounts map[string]*account
	numbers  map[gateway.Number]*account
	regions  *regions
	now      func() time.Time
}

type account struct {
	sid     string
	signers []*signer
}

// The refusals. None says more than a stranger may know.
var (
	errMethod    = gateway.NewError(gateway.CodeForbidden, errors.New("a webhook is a POST of a form"))
	errAccount   = gateway.NewError(gateway.CodeForbidden, errors.New("the account is not configured"))
	errSignature = gateway.NewError(gateway.CodeForbidden, errors.New("the signature does not fit"))
	errNumber    = gateway.NewError(gateway.CodeForbidden, errors.New("the number is not one of the account's configured numbers"))
	errAmbiguous = gateway.NewError(gateway.CodeForbidden, errors.New("the signed text can be read in two ways"))
)

// badParameter refuses what Twilio signed and yet lacks a parameter or has a
// malformed one. The name is one of ours, never what was sent.
func badParameter(name string) error {
	return gateway.NewError(gateway.CodeBadRequest, errors.New("the parameter "+name+" is missing or malformed"))
}

// NewChannel checks the configuration and makes the channel.
func NewChannel(c Config) (*Channel, error) {
	bases, err := signedBases(c.PublicURL)
	if err != nil {
		return nil, err
	}
	if err := checkAccounts(c.Accounts, c.Numbers); err != nil {
		return nil, err
	}
	channel := &Channel{
		bases: bases, accounts: map[string]*account{}, numbers: map[gateway.Number]*account{},
		regions: newRegions(), now: c.Now,
	}
	if channel.now == nil {
		channel.now = time.Now
	}
	for sid, tokens := range c.Accounts {
		a := &account{sid: sid}
		for _, token := range tokens {
			a.signers = append(a.signers, newSigner(token))
		}
		channel.accounts[sid] = a
	}
	for number, sid := range c.Numbers {
		channel.numbers[number] = channel.accounts[sid]
	}
	return channel, nil
}

// checkAccounts finds what would make a check of signatures or a sending
// worthless: an account without a token, an empty token, a number of nobody.
func checkAccounts(accounts map[string][]AuthToken, numbers map[gateway.Number]string) error {
	for sid, tokens := range accounts {
		if !isSID([]byte(sid), "AC") {
			return fmt.Errorf("twilio account %q: an account SID is AC and 32 of 0-9a-f", sid)
		}
		if len(tokens) == 0 {
			return fmt.Errorf("twilio account %s: it has no auth token; write one", sid)
		}
		for _, token := range tokens {
			if token.secret == "" {
				return fmt.Errorf("twilio account %s: an auth token is empty; write it or leave it out", sid)
			}
		}
	}
	for number, sid := range numbers {
		if _, err := gateway.ParsePhone(string(number)); err != nil {
			return fmt.Errorf("number %q: write it as +15551230100", string(number))
		}
		if _, ok := accounts[sid]; !ok {
			return fmt.Errorf("number %s: its account %s has no auth tokens; write them", number, sid)
		}
	}
	return nil
}

// signedBases gives the URLs that a signature may begin with. Twilio signs
// some webhooks with the port and some without it, whether or not it is the
// scheme's own port, and its libraries accept both.
func signedBases(publicURL string) ([]string, error) {
	base := strings.TrimSuffix(publicURL, "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("public_url must look like https://docs.example.gov")
	}
	other := *u
	switch {
	case u.Port() != "":
		other.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	case u.Scheme == "https":
		other.Host += ":443"
	default:
		other.Host += ":80"
	}
	return []string{base, other.String()}, nil
}

// open reads the request's form and proves that Twilio signed it. The caller
// must close the form.
func (c *Channel) open(r *http.Request) (*form, *account, error) {
	if r.Method != http.MethodPost || !isForm(r.Header.Get("Content-Type")) {
		return nil, nil, errMethod
	}
	f := openForm()
	if err := f.read(r.Body, r.ContentLength); err != nil {
		f.close()
		return nil, nil, err
	}
	a, err := c.verify(r, f)
	if err != nil {
		f.close()
		return nil, nil, err
	}
	return f, a, nil
}

// number finds one of the account's configured numbers.
func (c *Channel) number(a *account, value []byte) (gateway.Number, error) {
	if owner, ok := c.numbers[gateway.Number(value)]; !ok || owner != a {
		return "", errNumber
	}
	return gateway.Number(value), nil
}

// isForm tells whether a Content-Type is that of a form. Parameters such as a
// charset are ignored; Twilio sends UTF-8.
func isForm(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}
