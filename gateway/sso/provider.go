// Package sso speaks OpenID Connect with an organization's identity provider.
package sso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"dropslot/gateway"
)

var _ gateway.IdentityProvider = (*Provider)(nil)

// Config is how the desk is known at the provider.
type Config struct {
	Issuer       string // exactly as the provider writes it
	ClientID     string
	ClientSecret string
	RedirectURL  string // of the desk; registered at the provider
	GroupsClaim  string
	// What says that the provider asked for a second factor: one of these
	// methods (amr), one of these classes (acr), or the operator's word.
	AMR, ACR []string
	Trust    bool
	Now      func() time.Time
}

// Provider is an identity provider. What it says of itself is read at each
// sign-in: a desk starts without it, and sends nobody to one that is away.
type Provider struct {
	config Config
	client *http.Client

	read atomic.Pointer[reading] // the last that it said

	asking     sync.Mutex // held while the provider is asked
	failed     error      // of the last answer
	answeredAt time.Time
}

// reading is what the provider said of itself at a time; zero if it did not
// answer since.
type reading struct {
	*discovered
	at time.Time
}

const (
	patience  = 10 * time.Second // with one answer of the provider
	fresh     = time.Minute      // old at most: what serves while another asks
	mostBytes = 1 << 20          // of one answer
)

// New makes the provider; nothing is sent yet.
func New(c Config) *Provider {
	return &Provider{config: c, client: &http.Client{
		Timeout: patience, Transport: bounded{http.DefaultTransport},
		// A secret goes to no other place than the one that was named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// bounded reads no more of an answer than one may be long.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, mostBytes), answer.Body}
	}
	return answer, err
}

// discovered is what a provider says of itself.
type discovered struct {
	provider *oidc.Provider
	says     metadata
	raw      json.RawMessage
}

type metadata struct {
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Scopes        []string `json:"scopes_supported"`
	Claims        []string `json:"claims_supported"`
	SecretBy      []string `json:"token_endpoint_auth_methods_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	Classes       []string `json:"acr_values_supported"`
	NamesItself   bool     `json:"authorization_response_iss_parameter_supported"`
}

// discover gives what the provider says of itself now. Who comes while another
// asks takes the last answer, if that is fresh, or else shares the one to come:
// a provider that is slow keeps one person waiting, and not all behind them.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	asked := time.Now()
	if !p.asking.TryLock() {
		if last := p.read.Load(); last != nil && asked.Sub(last.at) < fresh {
			return last.discovered, nil
		}
		p.asking.Lock()
	}
	defer p.asking.Unlock()
	last := p.read.Load()
	if p.answeredAt.After(asked) {
		if p.failed != nil {
			return nil, p.failed
		}
		return last.discovered, nil
	}
	// The browser that asked first may leave; the others go on waiting.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	said, err := p.ask(ctx)
	p.failed, p.answeredAt = err, time.Now()
	if err != nil {
		if last != nil {
			p.read.Store(&reading{discovered: last.discovered})
		}
		return nil, err
	}
	if last != nil && bytes.Equal(last.raw, said.raw) {
		said = last.discovered // with the keys that were fetched before
	}
	p.read.Store(&reading{said, p.answeredAt})
	return said, nil
}

// lastDiscovered is what the provider said when a sign-in began. It waits for
// no other's question.
func (p *Provider) lastDiscovered(ctx context.Context) (*discovered, error) {
	if last := p.read.Load(); last != nil {
		return last.discovered, nil
	}
	return p.discover(ctx)
}

func (p *Provider) ask(ctx context.Context) (*discovered, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return nil, down("the provider calls itself " + strconv.Quote(mismatch.Discovered))
	}
	if err != nil {
		return nil, down("its /.well-known/openid-configuration cannot be read: " + kindOf(err))
	}
	found := &discovered{provider: provider}
	if err := errors.Join(provider.Claims(&found.says), provider.Claims(&found.raw)); err != nil {
		return nil, down("its /.well-known/openid-configuration is malformed")
	}
	return found, found.says.safe(p.config.Issuer)
}

// safe refuses a provider that has secrets sent in clear, or lacks an address.
func (m metadata) safe(issuer string) error {
	home, err := url.Parse(issuer)
	if err != nil {
		return down("the issuer is no address")
	}
	for name, address := range map[string]string{
		"authorization_endpoint": m.Authorization, "token_endpoint": m.Token, "jwks_uri": m.Keys, "userinfo_endpoint": m.UserInfo,
	} {
		if address == "" && name == "userinfo_endpoint" {
			continue
		}
		at, err := url.Parse(address)
		if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != home.Scheme {
			return down("its " + name + " is no https address")
		}
	}
	return nil
}

// oauth is the client of what the provider says of itself.
func (p *Provider) oauth(d *discovered) *oauth2.Config {
	endpoint := d.provider.Endpoint()
	// To try the one way and then the other would use a code up.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(d.says.SecretBy) > 0 && !slices.Contains(d.says.SecretBy, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	scopes := []string{oidc.ScopeOpenID}
	for _, scope := range []string{"profile", "email"} {
		if len(d.says.Scopes) == 0 || slices.Contains(d.says.Scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	if slices.Contains(d.says.Scopes, p.config.GroupsClaim) { // elsewhere an unknown scope is refused
		scopes = append(scopes, p.config.GroupsClaim)
	}
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, RedirectURL: p.config.RedirectURL,
		Endpoint: endpoint, Scopes: slices.Compact(scopes),
	}
}

// ceremony is what is kept of a sign-in between its two halves.
type ceremony struct {
	Nonce, Verifier string
	Earliest        int64 // Unix seconds; when the person must have shown who they are
}

// skew is how far the provider's clock may be off.
const skew = time.Minute

// Begin gives the address that a browser is sent to; see the port.
func (p *Provider) Begin(ctx context.Context, name string, maxAge time.Duration) (string, []byte, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", nil, err
	}
	kept := ceremony{
		Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), // 256 random bits each
		Earliest: p.config.Now().Add(-maxAge - skew).Unix(),
	}
	options := []oauth2.AuthCodeOption{
		oidc.Nonce(kept.Nonce), oauth2.S256ChallengeOption(kept.Verifier),
		oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(maxAge.Seconds()))),
	}
	if maxAge == 0 {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	if len(p.config.ACR) > 0 {
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(p.config.ACR, " ")))
	}
	state, err := json.Marshal(kept)
	return p.oauth(d).AuthCodeURL(name, options...), state, err
}

// refused and down never quote what the provider or a browser sent.
func refused(why string) error { return gateway.NewError(gateway.CodeSSO, errors.New(why)) }

func down(why string) error { return gateway.NewError(gateway.CodeSSODown, errors.New(why)) }

// kindOf names what kept an answer away, and nothing of the answer.
func kindOf(err error) string {
	e, ok := errors.AsType[*url.Error](err)
	switch {
	case !ok:
		return "the answer is not what it should be"
	case e.Timeout():
		return "no answer within " + patience.String()
	}
	return e.Err.Error() // of the network: a host and what is wrong with it
}
