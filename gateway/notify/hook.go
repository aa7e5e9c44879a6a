package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"dropslot/gateway"
)

// Hook is one address of the configuration and the secret that is shared with it.
type Hook struct {
	URL    string
	Secret []byte
}

// Poster posts to hooks as Standard Webhooks has it
// (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md):
// the headers webhook-id, webhook-timestamp and webhook-signature, which is
// "v1," and the base64 of HMAC-SHA-256 over "id.timestamp.body".
type Poster struct {
	hooks  map[gateway.NoticeTarget]Hook
	client *http.Client
	now    func() time.Time
}

var _ gateway.Poster = (*Poster)(nil)

// hookTime bounds one request.
const hookTime = 15 * time.Second

// NewPoster makes a Poster. Addresses come from the operator's file alone, and
// no answer leads anywhere else: redirects are not followed.
func NewPoster(hooks map[gateway.NoticeTarget]Hook, now func() time.Time) *Poster {
	return &Poster{hooks: hooks, now: now, client: &http.Client{
		Timeout:       hookTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post posts one message, signed for this moment.
func (p *Poster) Post(ctx context.Context, office gateway.OfficeID, name, id string, body []byte) error {
	hook, known := p.hooks[gateway.HookTarget(office, name)]
	if !known {
		return &gateway.NotTaken{Final: true, Err: errors.New("the configuration does not name this webhook any more")}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return &gateway.NotTaken{Final: true, Err: errors.New("the webhook's address is none")}
	}
	timestamp := strconv.FormatInt(p.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Dropslot")
	request.Header.Set("webhook-id", id)
	request.Header.Set("webhook-timestamp", timestamp)
	request.Header.Set("webhook-signature", "v1,"+Sign(hook.Secret, id, timestamp, body))
	response, err := p.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the address may hold a token of the operator's
		}
		return fmt.Errorf("post to the webhook: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return nil
	case response.StatusCode == http.StatusGone: // the receiver wants no more of them, says the specification
		return &gateway.NotTaken{Final: true, Err: errors.New("the webhook is gone (410)")}
	}
	return fmt.Errorf("the webhook answered %d", response.StatusCode)
}

// Sign gives the signature of a message, without its version.
func Sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
