package sso_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
	"dropslot/gateway/sso"
	"dropslot/gateway/sso/ssotest"
)

const redirect = "https://desk.example.gov/login/sso/back"

// meddler stands between the desk and a real provider, and changes what a test
// wants changed: of what the desk asks, and of what the provider answers.
type meddler struct {
	*httptest.Server
	provider *ssotest.Provider
	asks     func(*http.Request)
	answers  func(path string, body []byte) []byte
}

// plain changes nothing any more.
func (m *meddler) plain() {
	m.asks, m.answers = func(*http.Request) {}, func(_ string, body []byte) []byte { return body }
}

func meddle(t *testing.T, o ssotest.Options) *meddler {
	t.Helper()
	m := &meddler{}
	m.plain()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: m.provider.Address})
			r.Out.Host = r.In.Host // the provider names itself by it
			r.Out.Header.Del("Accept-Encoding")
			m.asks(r.Out)
		},
		ModifyResponse: func(answer *http.Response) error {
			body, err := io.ReadAll(answer.Body)
			body = m.answers(answer.Request.URL.Path, body)
			answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			answer.Header.Del("Content-Length")
			return err
		},
	}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // a provider that is away is one of the tests
	m.Server = httptest.NewServer(proxy)
	t.Cleanup(m.Close)
	o.Issuer = m.URL
	o.Clients = []ssotest.Client{{ID: "desk", Secret: "a secret: of the desk", Redirect: redirect}, {ID: "wiki", Secret: "another", Redirect: redirect}}
	o.People = map[string]ssotest.Person{"ann": {
		Name: "Ann@example.gov", Groups: []string{"north", "all staff"}, AMR: []string{"pwd", "otp"}, ACR: "two-factor",
	}}
	m.provider = ssotest.Start(t, o)
	return m
}

// desk is one half of a sign-in, and the next.
type desk struct {
	*sso.Provider
	t   *testing.T
	now time.Time
}

func (m *meddler) desk(t *testing.T, change ...func(*sso.Config)) *desk {
	d := &desk{t: t, now: time.Now()}
	c := sso.Config{
		Issuer: m.URL, ClientID: "desk", ClientSecret: "a secret: of the desk", RedirectURL: redirect, GroupsClaim: "groups",
		AMR: []string{"otp", "hwk"}, Now: func() time.Time { return d.now },
	}
	for _, f := range change {
		f(&c)
	}
	d.Provider = sso.New(c)
	return d
}

func (d *desk) begin(maxAge time.Duration) (address string, state []byte) {
	d.t.Helper()
	address, state, err := d.Begin(d.t.Context(), "the-name-of-a-sign-in", maxAge)
	if err != nil {
		d.t.Fatal(err)
	}
	return address, state
}

func answerOf(q url.Values) gateway.IdentityAnswer {
	return gateway.IdentityAnswer{Code: q.Get("code"), Fault: q.Get("error"), Issuer: q.Get("iss")}
}

// signsIn goes all the way as Ann, in a browser that the provider does not know.
func (d *desk) signsIn() (gateway.Identity, error) {
	d.t.Helper()
	address, state := d.begin(15 * time.Minute)
	return d.Finish(d.t.Context(), state, answerOf(ssotest.NewBrowser(d.t).SignIn(address, "ann", redirect)))
}

func wantRefusal(t *testing.T, err error, code gateway.Code, words string) {
	t.Helper()
	if !gateway.Is(err, code) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want %s: %s", err, code, words)
	}
}

// changed is an address with one of its parameters changed, or taken out.
func changed(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get(name) == "" {
		t.Fatalf("%s is not asked for", name)
	}
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// TestSingleSignOn runs it all on two providers: starting one takes its time.
func TestSingleSignOn(t *testing.T) {
	inToken := meddle(t, ssotest.Options{InToken: true})
	apart := meddle(t, ssotest.Options{})
	for name, test := range map[string]func(*testing.T){
		"somebody signs in":              func(t *testing.T) { somebodySignsIn(t, inToken, apart) },
		"what the provider is asked for": func(t *testing.T) { whatTheProviderIsAskedFor(t, apart) },
		"refusals":                       func(t *testing.T) { refusals(t, inToken) },
		"another issuer":                 func(t *testing.T) { anotherIssuer(t, apart) },
		"a code works once":              func(t *testing.T) { aCodeWorksOnce(t, apart) },
		"the provider asks anew":         func(t *testing.T) { theProviderAsksAnew(t, inToken) },
		"second factor":                  func(t *testing.T) { secondFactor(t, inToken) },
		"what is missing":                func(t *testing.T) { whatIsMissing(t, apart) },
		"a provider that is slow":        func(t *testing.T) { aProviderThatIsSlow(t, apart) },
		"a provider that is away":        func(t *testing.T) { aProviderThatIsAway(t, apart) },
	} {
		inToken.plain()
		apart.plain()
		t.Run(name, test)
	}
}

func somebodySignsIn(t *testing.T, inToken, apart *meddler) {
	for name, m := range map[string]*meddler{"groups in the ID token": inToken, "groups at the userinfo_endpoint": apart} {
		t.Run(name, func(t *testing.T) {
			asked := map[string]int{}
			m.asks = func(r *http.Request) { asked[r.URL.Path]++ }
			got, err := m.desk(t).signsIn()
			if err != nil {
				t.Fatal(err)
			}
			want := gateway.Identity{Issuer: m.URL, Subject: "ann", Login: "Ann@example.gov", Groups: []string{"north", "all staff"}, SecondFactor: true}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if asked["/me"] > 0 != (m == apart) || asked["/token"] != 1 {
				t.Errorf("asked for %v", asked)
			}
		})
	}
}

// What is asked of the provider: nothing in clear that a code alone could be
// used with, and only scopes that it knows.
func whatTheProviderIsAskedFor(t *testing.T, m *meddler) {
	d := m.desk(t, func(c *sso.Config) { c.ACR = []string{"two-factor", "three"} })
	address, state := d.begin(0)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	challenge, nonce := q.Get("code_challenge"), q.Get("nonce")
	for _, random := range []string{"code_challenge", "nonce"} {
		q.Del(random)
	}
	want := url.Values{
		"response_type": {"code"}, "client_id": {"desk"}, "redirect_uri": {redirect}, "scope": {"openid profile email groups"},
		"state": {"the-name-of-a-sign-in"}, "code_challenge_method": {"S256"}, "max_age": {"0"}, "prompt": {"login"}, "acr_values": {"two-factor three"},
	}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Error(diff)
	}
	if len(challenge) != 43 || len(nonce) != 43 || strings.Contains(string(state), challenge) || strings.Contains(address, "secret") {
		t.Errorf("%s with %s kept", address, state)
	}
	if again, _ := d.begin(0); again == address {
		t.Error("two sign-ins are alike")
	}
}

// What must not be let in, each made by the provider itself or of what it made.
func refusals(t *testing.T, m *meddler) {
	for name, c := range map[string]struct {
		address func(t *testing.T, address string) string           // what the browser goes to instead
		asks    func(*http.Request)                                 // what the provider is asked instead
		token   func(header, payload, signature string) string      // what it answers instead
		answer  func(gateway.IdentityAnswer) gateway.IdentityAnswer // what the browser brings instead
		later   time.Duration                                       // by the desk's clock
		saysNo  bool
		words   string
	}{
		"a signature of nobody": {token: func(h, p, s string) string { return h + "." + p + "." + flip(s) }, words: "signature"},
		"a changed name":        {token: func(h, p, s string) string { return h + "." + swap(t, p, `"ann"`, `"bob"`) + "." + s }, words: "signature"},
		"no signature at all": {token: func(_, p, _ string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + p + "."
		}, words: "is none"},
		"another client's sign-in": {
			address: func(t *testing.T, a string) string { return changed(t, a, "client_id", "wiki") },
			asks: func(r *http.Request) {
				if r.URL.Path == "/token" {
					r.SetBasicAuth("wiki", "another")
				}
			}, words: "another client",
		},
		"another sign-in's nonce": {address: func(t *testing.T, a string) string { return changed(t, a, "nonce", "of-another-sign-in") }, words: "nonce differs"},
		"another sign-in's code": {
			address: func(t *testing.T, a string) string {
				return changed(t, a, "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
			}, words: "invalid_grant",
		},
		"an expired token":   {later: time.Hour + time.Second, words: "expired"},
		"the person says no": {saysNo: true, words: "access_denied"},
		"another issuer answers": {answer: func(a gateway.IdentityAnswer) gateway.IdentityAnswer {
			a.Issuer = "https://login.example.com"
			return a
		}, words: "another issuer"},
		"no issuer answers": {answer: func(a gateway.IdentityAnswer) gateway.IdentityAnswer { a.Issuer = ""; return a }, words: "another issuer"},
		"a code of nobody":  {answer: func(a gateway.IdentityAnswer) gateway.IdentityAnswer { a.Code = "made-up"; return a }, words: "invalid_grant"},
		"no code":           {answer: func(a gateway.IdentityAnswer) gateway.IdentityAnswer { a.Code = ""; return a }, words: "no code"},
		"a fault that holds a name": {
			answer: func(gateway.IdentityAnswer) gateway.IdentityAnswer {
				return gateway.IdentityAnswer{Fault: "Ann is not wanted", Issuer: m.URL}
			}, words: "no known fault",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := m.desk(t)
			m.plain()
			if c.asks != nil {
				m.asks = c.asks
			}
			if c.token != nil {
				m.answers = func(path string, body []byte) []byte { return withToken(t, path, body, c.token) }
			}
			address, state := d.begin(15 * time.Minute)
			if c.address != nil {
				address = c.address(t, address)
			}
			who := "ann"
			if c.saysNo {
				who = ""
			}
			answer := answerOf(ssotest.NewBrowser(t).SignIn(address, who, redirect))
			if c.answer != nil {
				answer = c.answer(answer)
			}
			d.now = d.now.Add(c.later)
			identity, err := d.Finish(t.Context(), state, answer)
			wantRefusal(t, err, gateway.CodeSSO, c.words)
			if identity.Subject != "" || strings.Contains(strings.ToLower(err.Error()), "ann") {
				t.Errorf("%+v: %v", identity, err)
			}
		})
	}
}

func flip(signature string) string {
	first := "A"
	if signature[0] == 'A' {
		first = "B"
	}
	return first + signature[1:]
}

func swap(t *testing.T, payload, old, replacement string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || !bytes.Contains(raw, []byte(old)) {
		t.Fatalf("%s: %v", raw, err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes.Replace(raw, []byte(old), []byte(replacement), 1))
}

// withToken changes the ID token of an answer.
func withToken(t *testing.T, path string, body []byte, change func(header, payload, signature string) string) []byte {
	t.Helper()
	if path != "/token" {
		return body
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(answer["id_token"].(string), ".")
	answer["id_token"] = change(parts[0], parts[1], parts[2])
	body, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// An ID token of another issuer, and a provider that is not whom it was taken for.
func anotherIssuer(t *testing.T, m *meddler) {
	elsewhere := strings.Replace(m.URL, "127.0.0.1", "localhost", 1)
	_, _, err := m.desk(t, func(c *sso.Config) { c.Issuer = elsewhere }).Begin(t.Context(), "x", 0)
	wantRefusal(t, err, gateway.CodeSSODown, "calls itself "+`"`+m.URL+`"`)
	m.answers = func(path string, body []byte) []byte { // it claims to be another
		if strings.HasPrefix(path, "/.well-known/") {
			body = bytes.ReplaceAll(body, []byte(m.URL), []byte(elsewhere))
			body = bytes.Replace(body, []byte(`"authorization_response_iss_parameter_supported":true`), []byte(`"x":0`), 1)
		}
		return body
	}
	d := m.desk(t, func(c *sso.Config) { c.Issuer = elsewhere })
	address, state := d.begin(15 * time.Minute)
	answer := answerOf(ssotest.NewBrowser(t).SignIn(strings.Replace(address, "localhost", "127.0.0.1", 1), "ann", redirect))
	answer.Issuer = ""
	_, err = d.Finish(t.Context(), state, answer)
	wantRefusal(t, err, gateway.CodeSSO, "of another issuer")
}

// A code is used once, and with its own sign-in alone.
func aCodeWorksOnce(t *testing.T, m *meddler) {
	d := m.desk(t)
	address, state := d.begin(15 * time.Minute)
	_, other := d.begin(15 * time.Minute)
	answer := answerOf(ssotest.NewBrowser(t).SignIn(address, "ann", redirect))
	if _, err := d.Finish(t.Context(), state, answer); err != nil {
		t.Fatal(err)
	}
	_, err := d.Finish(t.Context(), state, answer)
	wantRefusal(t, err, gateway.CodeSSO, "invalid_grant")
	answer = answerOf(ssotest.NewBrowser(t).SignIn(address, "ann", redirect))
	_, err = d.Finish(t.Context(), other, answer)
	wantRefusal(t, err, gateway.CodeSSO, "invalid_grant")
	_, err = d.Finish(t.Context(), []byte("{}"), answer)
	wantRefusal(t, err, gateway.CodeSSO, "cannot be read")
}

// Who showed themselves to the provider long ago does so again, and a provider
// that lets them off is not believed.
func theProviderAsksAnew(t *testing.T, m *meddler) {
	d, browser := m.desk(t), ssotest.NewBrowser(t)
	pass := func(maxAge time.Duration, asked int, change func(string) string) error {
		t.Helper()
		address, state := d.begin(maxAge)
		_, err := d.Finish(t.Context(), state, answerOf(browser.SignIn(change(address), "ann", redirect)))
		if browser.Asked != asked {
			t.Errorf("asked %d times, not %d", browser.Asked, asked)
		}
		return err
	}
	as := func(address string) string { return address }
	for n, maxAge := range []time.Duration{15 * time.Minute, 15 * time.Minute, 0, 0} {
		if err := pass(maxAge, []int{1, 1, 2, 3}[n], as); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
	// The person, or whoever sits at their desk, takes the question out of the address.
	d.now = d.now.Add(2 * time.Minute)
	unasked := func(address string) string {
		return changed(t, changed(t, address, "prompt", ""), "max_age", "900")
	}
	wantRefusal(t, pass(0, 3, unasked), gateway.CodeSSO, "too long ago")
	if err := pass(15*time.Minute, 3, as); err != nil {
		t.Error(err)
	}
	d.now = d.now.Add(15 * time.Minute)
	wantRefusal(t, pass(15*time.Minute, 3, as), gateway.CodeSSO, "too long ago")
}

// What counts as a second factor is what the operator says.
func secondFactor(t *testing.T, m *meddler) {
	for name, c := range map[string]struct {
		change func(*sso.Config)
		want   bool
	}{
		"its method":     {func(c *sso.Config) { c.AMR = []string{"otp"} }, true},
		"another method": {func(c *sso.Config) { c.AMR = []string{"hwk"} }, false},
		"its class":      {func(c *sso.Config) { c.AMR, c.ACR = nil, []string{"two-factor"} }, true},
		"another class":  {func(c *sso.Config) { c.AMR, c.ACR = nil, []string{"three"} }, false},
		"nothing":        {func(c *sso.Config) { c.AMR = nil }, false},
		"trust":          {func(c *sso.Config) { c.AMR, c.Trust = nil, true }, true},
	} {
		got, err := m.desk(t, c.change).signsIn()
		if err != nil || got.SecondFactor != c.want {
			t.Errorf("%s: %v %v", name, got.SecondFactor, err)
		}
	}
}

// A provider that is away is no fault of the person's, and one that comes back
// is found again.
func aProviderThatIsAway(t *testing.T, m *meddler) {
	m.provider.Stop()
	_, _, err := m.desk(t).Begin(t.Context(), "x", 0)
	wantRefusal(t, err, gateway.CodeSSODown, "")
	m.provider.Run()
	d := m.desk(t)
	address, state := d.begin(15 * time.Minute)
	answer := answerOf(ssotest.NewBrowser(t).SignIn(address, "ann", redirect))
	m.provider.Stop()
	_, err = d.Finish(t.Context(), state, answer)
	wantRefusal(t, err, gateway.CodeSSODown, "token_endpoint")
	wrong := m.desk(t, func(c *sso.Config) { c.ClientSecret = "old" })
	m.provider.Run()
	_, err = wrong.signsIn()
	wantRefusal(t, err, gateway.CodeSSO, "invalid_client")
}

// A provider that is slow to say what it is keeps the one waiting who asked,
// and nobody behind them.
func aProviderThatIsSlow(t *testing.T, m *meddler) {
	d := m.desk(t)
	address, state := d.begin(15 * time.Minute)
	answer := answerOf(ssotest.NewBrowser(t).SignIn(address, "ann", redirect))
	asked, answers, first := make(chan struct{}, 9), make(chan struct{}), make(chan error, 1)
	m.asks = func(r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/") {
			asked <- struct{}{}
			select {
			case <-answers:
			case <-r.Context().Done(): // whoever asked gave up
			}
		}
	}
	go func() {
		_, _, err := d.Begin(t.Context(), "slow", 0)
		first <- err
	}()
	<-asked
	if _, err := d.Finish(t.Context(), state, answer); err != nil {
		t.Error(err)
	}
	d.begin(0)
	select {
	case err := <-first:
		t.Errorf("they waited until that was over: %v", err)
	default:
	}
	close(answers)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// The operator is told of what the provider does not say that it can.
func whatIsMissing(t *testing.T, m *meddler) {
	if lacks, err := m.desk(t).Look(t.Context()); err != nil || len(lacks) != 0 {
		t.Errorf("%+v %v", lacks, err)
	}
	lacks, err := m.desk(t, func(c *sso.Config) { c.GroupsClaim, c.ACR = "roles", []string{"three"} }).Look(t.Context())
	if err != nil || len(lacks) != 2 || lacks[0].What != "names no claim roles" || lacks[1].Todo != "write one of those that it knows: two-factor" {
		t.Errorf("%+v %v", lacks, err)
	}
	m.answers = func(path string, body []byte) []byte {
		return bytes.Replace(body, []byte(`"token_endpoint":"http`), []byte(`"token_endpoint":"ftp`), 1)
	}
	_, err = m.desk(t).Look(t.Context())
	wantRefusal(t, err, gateway.CodeSSODown, "token_endpoint is no https address")
}
