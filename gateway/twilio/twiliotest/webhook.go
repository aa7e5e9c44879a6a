package twiliotest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- Twilio signs with HMAC-SHA1
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Twilio's error codes of webhooks that fail.
const (
	errorConnect  = 11205 // no connection, or no answer in time
	errorStatus   = 11217 // 4xx or 5xx
	errorTwiML    = 12100 // the answer is no TwiML
	errorType     = 12300 // the answer is of a type that Twilio does not read
	errorOptedOut = 21610
	errorTooLong  = 21617
	errorLoop     = 14107 // too many replies to one phone
)

// maxTwiML bounds an answer, in bytes.
const maxTwiML = 64 << 10

// Attempt is one webhook that was posted, and its answer.
type Attempt struct {
	URL         string
	Status      int // 0: there was no answer
	ContentType string
	Body        []byte
	Err         error // why there was no answer
	failed      string
}

// Sign makes the X-Twilio-Signature of a form that is posted to a URL.
func Sign(token, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, target) // a hash never fails
	for _, key := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[key] {
			_, _ = io.WriteString(mac, key+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// retries are the connection overrides of a URL's fragment: how often a
// failed post is repeated (rc) and after which failures (rp).
type retries struct {
	count int
	after []string
}

// setup splits a webhook's URL into what is posted to and signed, and the
// overrides of its fragment.
func setup(target string) (string, retries, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return "", retries{}, fmt.Errorf("%q is no URL of a webhook", target)
	}
	r := retries{count: 1, after: []string{"ct"}}
	overrides, err := url.ParseQuery(u.Fragment)
	if err != nil {
		return "", retries{}, fmt.Errorf("overrides of %q: %w", target, err)
	}
	if rc := overrides.Get("rc"); rc != "" {
		if r.count, err = strconv.Atoi(rc); err != nil || r.count < 0 || r.count > 5 {
			return "", retries{}, fmt.Errorf("%q: rc is 0 to 5", target)
		}
	}
	if rp := overrides.Get("rp"); rp != "" {
		r.after = strings.Split(rp, ",")
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String(), r, nil
}

func (r retries) again(failure string) bool {
	return failure != "" && (slices.Contains(r.after, failure) || slices.Contains(r.after, "all"))
}

// call posts a webhook with its retries and then its fallback, and gives the
// attempts; the last one is what counts.
func (f *Fake) call(ctx context.Context, token, target, fallback string, form url.Values) ([]Attempt, error) {
	address, policy, err := setup(target)
	if err != nil {
		return nil, err
	}
	var attempts []Attempt
	var last Attempt
	for try := 0; ; try++ {
		last = f.post(ctx, token, address, form)
		attempts = append(attempts, last)
		if try >= policy.count || !policy.again(last.failed) {
			break
		}
	}
	if last.failed == "" || fallback == "" || ctx.Err() != nil {
		return attempts, ctx.Err()
	}
	second, _, err := setup(fallback)
	if err != nil {
		return attempts, err
	}
	form = maps.Clone(form)
	form.Set("ErrorCode", strconv.Itoa(last.code()))
	form.Set("ErrorUrl", address)
	return append(attempts, f.post(ctx, token, second, form)), ctx.Err()
}

// code is Twilio's name for a failure.
func (a Attempt) code() int {
	switch a.failed {
	case "":
		return 0
	case "4xx", "5xx":
		return errorStatus
	}
	return errorConnect
}

// post makes one request.
func (f *Fake) post(ctx context.Context, token, target string, form url.Values) Attempt {
	attempt := Attempt{URL: target}
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		attempt.Err, attempt.failed = err, "ct"
		return attempt
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("User-Agent", "TwilioProxy/1.1")
	r.Header.Set("X-Twilio-Signature", Sign(token, target, form))
	response, err := f.webhook.Do(r)
	if err == nil {
		attempt.Status, attempt.ContentType = response.StatusCode, response.Header.Get("Content-Type")
		attempt.Body, err = io.ReadAll(io.LimitReader(response.Body, maxTwiML+1))
		err = errors.Join(err, response.Body.Close())
	}
	attempt.Err = err
	switch {
	case err != nil && !written.Load():
		attempt.failed = "ct"
	case err != nil:
		attempt.failed = "rt"
	case attempt.Status >= 500:
		attempt.failed = "5xx"
	case attempt.Status >= 300: // Twilio follows redirections; nothing of ours redirects a webhook
		attempt.failed = "4xx"
	}
	return attempt
}
