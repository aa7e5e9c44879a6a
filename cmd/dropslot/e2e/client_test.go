package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// client is a person's browser without a screen: what the pages' code sends,
// sent by the test itself.
type client struct {
	base   string // http://host:port
	from   string // network address that the proxy in front would name
	cookie string // name=value; empty until the first page set it
	send   string // /send/ID after the claim
	http   *http.Client
}

// transport keeps connections open, as browsers do.
func newTransport() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// errRefused is an answer that is none of those hoped for.
var errRefused = errors.New("refused")

// do sends one request and gives the answer's body.
func (c *client) do(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for key, values := range header {
		request.Header[key] = values
	}
	request.Header.Set("X-Forwarded-For", c.from)
	if c.cookie != "" {
		request.Header.Set("Cookie", c.cookie)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if set := response.Header.Get("Set-Cookie"); set != "" && err == nil {
		c.cookie, _, _ = strings.Cut(set, ";")
	}
	return response, content, err
}

// claim opens the link's page and presses its button.
func (c *client) claim(ctx context.Context, token string) error {
	response, _, err := c.do(ctx, http.MethodGet, "/c/"+token, nil, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || c.cookie == "" {
		return fmt.Errorf("the link's page: %w: %s", errRefused, response.Status)
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	response, _, err = c.do(ctx, http.MethodPost, "/c/"+token, form, nil)
	if err != nil {
		return err
	}
	where := response.Header.Get("Location")
	if response.StatusCode != http.StatusSeeOther || !strings.Contains(where, "/send/") {
		return fmt.Errorf("the claim: %w: %s", errRefused, response.Status)
	}
	c.send = where[strings.Index(where, "/send/"):]
	return nil
}

// upload sends sealed bytes under a key and gives the status of the answer.
func (c *client) upload(ctx context.Context, key, digest string, sealed []byte) (int, error) {
	response, _, err := c.do(ctx, http.MethodPost, c.send+"/pages", http.Header{
		"Content-Type": {"application/vnd.age"}, "Content-Digest": {digest}, "Page-Id": {key},
	}, sealed)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, nil
}

var lowercase = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// randomText is n random bytes as lowercase letters and digits.
func randomText(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return lowercase.EncodeToString(raw)
}

// randomAddress is one of the addresses set aside for measurements (RFC 2544).
func randomAddress() string {
	var raw [3]byte
	_, _ = rand.Read(raw[:])
	return fmt.Sprintf("198.%d.%d.%d", 18+raw[0]%2, raw[1], raw[2])
}
