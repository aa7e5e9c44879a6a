package twilio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer bounds what is read of an answer of the REST API, in bytes. A page
// of two hundred of the longest messages, each letter escaped, fits.
const maxAnswer = 4 << 20

// call is one request to the REST API. twilio-go has no contexts and drops
// headers and untyped bodies, so the call stands under its client as the
// RoundTripper, applies the context and notes what twilio-go does not tell.
type call struct {
	ctx  context.Context
	base *url.URL // scheme and host of the REST API
	next http.RoundTripper

	written    atomic.Bool // headers went out: the work may have been done
	status     int         // 0: no answer
	retryAfter string
	date       string // of Twilio's clock
}

var errAnswerTooLarge = errors.New("the answer is above 4 MiB")

// RoundTrip sends the request to the configured scheme and host, whatever
// region twilio-go took from the environment.
func (c *call) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := httptrace.WithClientTrace(c.ctx, &httptrace.ClientTrace{WroteHeaders: func() { c.written.Store(true) }})
	r = r.Clone(ctx)
	r.URL.Scheme, r.URL.Host, r.Host = c.base.Scheme, c.base.Host, ""
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	// The body is read here because twilio-go leaves it open after an error.
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errAnswerTooLarge
	}
	c.status, c.retryAfter, c.date = answer.StatusCode, answer.Header.Get("Retry-After"), answer.Header.Get("Date")
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// longestPause bounds a Retry-After: a clock that is wrong on either side must
// not keep a text for days.
const longestPause = time.Hour

// pause reads a Retry-After of seconds or a date; 0 if there is none.
func pause(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(longestPause/time.Second))) * time.Second // #nosec G115 -- bounded
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), longestPause)
	}
	return 0
}

// apiBase checks where the REST API is.
func apiBase(apiURL string) (*url.URL, error) {
	if apiURL == "" {
		apiURL = "https://api.twilio.com"
	}
	u, err := url.Parse(strings.TrimSuffix(apiURL, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		(u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("twilio.api_url must be a scheme and a host, such as https://api.twilio.com")
	}
	return u, nil
}

// isLoopback tells whether a host is this machine.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
