package ssotest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Browser is one at the provider: it keeps the provider's cookies.
type Browser struct {
	tb     testing.TB
	client *http.Client
	Asked  int // how often a page asked who is there
}

// NewBrowser gives one that the provider has never seen.
func NewBrowser(tb testing.TB) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Browser{tb: tb, client: &http.Client{
		Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// SignIn goes to an address of the provider's as somebody, and gives what the
// provider sends the browser back to redirect with. With no name the person
// says no.
func (b *Browser) SignIn(address, who, redirect string) url.Values {
	b.tb.Helper()
	at, err := url.Parse(address)
	if err != nil {
		b.tb.Fatal(err)
	}
	answer := b.do(http.MethodGet, at, nil)
	for range 10 {
		switch to := answer.to; {
		case to != nil && strings.HasPrefix(to.String(), redirect+"?"):
			return to.Query()
		case to != nil:
			at = to
			answer = b.do(http.MethodGet, at, nil)
		case answer.status == http.StatusOK:
			b.Asked++
			form := url.Values{"who": {who}}
			if who == "" {
				form.Set("never", "1")
			}
			answer = b.do(http.MethodPost, at, form)
		default:
			b.tb.Fatalf("the provider answers %d", answer.status)
		}
	}
	b.tb.Fatal("the provider leads nowhere")
	return nil
}

// step is what one answer says: where it leads, or that it is a page.
type step struct {
	status int
	to     *url.URL
}

func (b *Browser) do(method string, at *url.URL, form url.Values) step {
	b.tb.Helper()
	request, err := http.NewRequestWithContext(b.tb.Context(), method, at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.client.Do(request)
	if err != nil {
		b.tb.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	to, _ := answer.Location() // a page leads nowhere
	return step{answer.StatusCode, to}
}
