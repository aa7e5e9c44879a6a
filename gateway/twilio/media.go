package twilio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"dropslot/gateway"
)

// OpenMedia streams one picture; see the port. twilio-go reads answers whole,
// so the request is made here. Its address is built from checked SIDs: the
// MediaUrl of a webhook could name anybody's server, which would then be sent
// the account's credentials.
func (c *Client) OpenMedia(ctx context.Context, account, message string, m gateway.TwilioMedia) (io.ReadCloser, error) {
	if err := checkMedia(account, message, m.SID); err != nil {
		return nil, err
	}
	var body io.ReadCloser
	err := error(gateway.NewError(gateway.CodeForbidden, errors.New("the account has no auth tokens")))
	for _, token := range c.config.Accounts[account] {
		body, err = c.openMedia(ctx, account, message, m, token)
		if !gateway.Is(err, gateway.CodeForbidden) {
			break
		}
	}
	return body, err
}

func (c *Client) openMedia(ctx context.Context, account, message string, m gateway.TwilioMedia, token AuthToken) (io.ReadCloser, error) {
	address := *c.base
	address.Path = "/2010-04-01/Accounts/" + account + "/Messages/" + message + "/Media/" + m.SID
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, gateway.NewError(gateway.CodeBadRequest, errShape)
	}
	request.SetBasicAuth(account, token.secret)
	answer, err := c.config.Transport.RoundTrip(request)
	if err == nil && isRedirect(answer.StatusCode) {
		_ = answer.Body.Close()
		answer, err = c.follow(ctx, answer)
	}
	if err != nil {
		return nil, c.coded(&RestError{}, "")
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, c.coded(&RestError{Status: answer.StatusCode}, answer.Header.Get("Retry-After"))
	}
	if isPage(answer.Header.Get("Content-Type")) && !isPage(m.Type) {
		_ = answer.Body.Close() // a page about something that went wrong is no picture
		return nil, c.coded(&RestError{Status: answer.StatusCode}, "")
	}
	return &mediaBody{body: answer.Body, left: answer.ContentLength}, nil
}

func isPage(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/html")
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

var errElsewhere = errors.New("the picture lies at an address that is not Twilio's")

// follow takes the one redirection to where Twilio keeps media, without the
// account's credentials.
func (c *Client) follow(ctx context.Context, answer *http.Response) (*http.Response, error) {
	place, err := c.base.Parse(answer.Header.Get("Location"))
	if err != nil || !c.keepsMedia(place) {
		return nil, errElsewhere
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place.String(), nil)
	if err != nil {
		return nil, errElsewhere
	}
	return c.config.Transport.RoundTrip(request)
}

// keepsMedia tells whether an address is one of those that Twilio keeps media
// at; a stand-in for Twilio keeps them itself.
func (c *Client) keepsMedia(u *url.URL) bool {
	switch {
	case u.User != nil:
		return false
	case u.Scheme == c.base.Scheme && u.Host == c.base.Host:
		return true
	case u.Scheme != "https" || u.Port() != "":
		return false
	case strings.HasSuffix(u.Hostname(), ".twiliocdn.com"):
		return true
	}
	return u.Hostname() == "s3-external-1.amazonaws.com" && strings.HasPrefix(u.Path, "/media.twiliocdn.com/")
}

// mediaBody ends in an error if it is shorter than was announced: half a
// picture must not pass for a whole one.
type mediaBody struct {
	body io.ReadCloser
	left int64 // below 0: not announced
}

func (m *mediaBody) Read(p []byte) (int, error) {
	n, err := m.body.Read(p)
	if m.left >= 0 {
		m.left -= int64(n)
		if err == io.EOF && m.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil && err != io.EOF {
		err = errBroken // not io.ErrUnexpectedEOF, which readers take for the end of a short file
	}
	return n, err
}

var errBroken = gateway.NewError(gateway.CodeUnavailable, errors.New("the stream of a picture broke off"))

func (m *mediaBody) Close() error { return m.body.Close() }
