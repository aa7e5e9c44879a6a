package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

// maxRedirects is how often a picture may be said to lie elsewhere; Twilio
// says it once.
const maxRedirects = 3

// maxErrorBody is what is read of an error in a picture's place.
const maxErrorBody = 64 << 10

// OpenMedia streams one picture; see the port. twilio-go reads answers whole,
// so the request is made here. Its address is built from checked SIDs: the
// MediaUrl of a webhook could name anybody's server, which would then be sent
// the account's credentials. The stream ends in an error when nothing comes
// for as long as one request may take.
func (c *Client) OpenMedia(ctx context.Context, account, message string, m gateway.TwilioMedia) (io.ReadCloser, error) {
	if err := checkMedia(account, message, m.SID); err != nil {
		return nil, err
	}
	place := *c.base
	place.Path = messagePath(account, message) + "/Media/" + m.SID
	err := errUnknownAccount
	for _, token := range c.config.Accounts[account] {
		var stream *mediaStream
		if stream, err = c.openMedia(ctx, &place, account, token, m.Type); err == nil {
			return stream, nil
		}
		if !gateway.Is(err, gateway.CodeForbidden) {
			break
		}
	}
	return nil, err
}

func (c *Client) openMedia(ctx context.Context, place *url.URL, account string, token AuthToken, kind string) (*mediaStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream := &mediaStream{patience: c.config.Timeout, timer: time.AfterFunc(c.config.Timeout, cancel), cancel: cancel}
	answer, err := c.fetch(ctx, place, account, token) //nolint:bodyclose // the stream closes it
	if err == nil {
		stream.body, stream.left = answer.Body, answer.ContentLength
		err = c.streamable(answer, kind)
	}
	if err != nil {
		_ = stream.Close()
		return nil, err
	}
	stream.timer.Stop()
	return stream, nil
}

// fetch gets the picture from where it lies, with the account's credentials
// for the REST API alone.
func (c *Client) fetch(ctx context.Context, place *url.URL, account string, token AuthToken) (*http.Response, error) {
	for hop := range maxRedirects + 1 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, place.String(), nil)
		if err != nil {
			return nil, c.elsewhere(0)
		}
		request.Header.Set("Accept-Encoding", "identity") // so that the length announced is the picture's
		if hop == 0 {
			request.SetBasicAuth(account, token.secret)
		}
		answer, err := c.config.Transport.RoundTrip(request)
		if err != nil {
			return nil, c.coded(&RestError{}, "")
		}
		if err := c.missing(answer, hop); err != nil {
			_ = answer.Body.Close()
			return nil, err
		}
		if !isRedirect(answer.StatusCode) {
			return answer, nil
		}
		_ = answer.Body.Close()
		next, err := place.Parse(answer.Header.Get("Location"))
		if err != nil || !c.keepsMedia(next) {
			return nil, c.elsewhere(answer.StatusCode)
		}
		place = next
	}
	return nil, c.elsewhere(http.StatusFound)
}

// missing reads an answer that there is no picture here. Only the REST API's
// own error says that of the picture: what a content network or a proxy says
// of an address tells nothing of the picture, nor of the credentials.
func (c *Client) missing(answer *http.Response, hop int) error {
	e := &RestError{Status: answer.StatusCode}
	switch status := answer.StatusCode; {
	case hop > 0 && (status == http.StatusForbidden || status == http.StatusUnauthorized):
		e.Reason = "the picture's address is not valid any more"
	case status != http.StatusNotFound:
		return nil
	case hop == 0 && errorCode(answer.Body) == codeNotFound:
		e.Code = codeNotFound
		return c.coded(e, "")
	default:
		e.Reason = "not by Twilio's own error"
	}
	return gateway.NewError(gateway.CodeUnavailable, e)
}

// errorCode reads Twilio's code from an error of its REST API; 0 if it is none.
func errorCode(body io.Reader) int {
	var answer struct {
		Code int `json:"code"`
	}
	if json.NewDecoder(io.LimitReader(body, maxErrorBody)).Decode(&answer) != nil {
		return 0
	}
	return answer.Code
}

func (c *Client) elsewhere(status int) error {
	return c.coded(&RestError{Status: status, Reason: "the picture lies at an address that is not Twilio's"}, "")
}

// streamable refuses an answer that is no picture, or whose end could not be
// told from a broken connection. Text where something else was listed tells
// what went wrong: taken for the picture it would be a file that cannot be
// kept, and the picture would be erased unseen.
func (c *Client) streamable(answer *http.Response, kind string) error {
	var reason string
	switch encoding := answer.Header.Get("Content-Encoding"); {
	case answer.StatusCode != http.StatusOK:
		return c.coded(&RestError{Status: answer.StatusCode}, answer.Header.Get("Retry-After"))
	case encoding != "" && encoding != "identity":
		reason = "the picture came in an encoding that was not asked for"
	case answer.ContentLength == 0, answer.ContentLength < 0 && answer.ProtoMajor < 2 && !slices.Contains(answer.TransferEncoding, "chunked"):
		reason = "the answer does not tell where the picture ends"
	case inPlaceOf(kind, answer.Header.Get("Content-Type")):
		reason = "a text came in the picture's place"
	default:
		return nil
	}
	return c.coded(&RestError{Status: answer.StatusCode, Reason: reason}, "")
}

// inPlaceOf tells whether an answer's type is that of a message about what was
// listed. A contact card is a text too, but never a page of HTML.
func inPlaceOf(listed, answered string) bool {
	listed, answered = mediaType(listed), mediaType(answered)
	return isTextual(answered) && !isTextual(listed) || answered == "text/html" && listed != answered
}

func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

func isTextual(kind string) bool {
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "application/xml"
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// keepsMedia tells whether an address is one of those that Twilio keeps media
// at: its own network, or its bucket at S3. A stand-in for Twilio on the same
// machine keeps them itself.
func (c *Client) keepsMedia(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	switch {
	case u.User != nil || u.Opaque != "" || slices.Contains(strings.Split(u.Path, "/"), ".."):
		return false
	case isLoopback(c.base.Hostname()):
		return u.Scheme == c.base.Scheme && host == strings.ToLower(c.base.Host)
	case u.Scheme != "https":
		return false
	}
	return strings.HasSuffix(host, ".twiliocdn.com") ||
		host == "s3-external-1.amazonaws.com" && strings.HasPrefix(u.Path, "/media.twiliocdn.com/")
}

// errBroken is how a stream ends that did not come whole. It is no
// io.ErrUnexpectedEOF: the file is not damaged, it can be fetched again.
var errBroken = gateway.NewError(gateway.CodeUnavailable, errors.New("the picture broke off on its way from Twilio"))

// mediaStream is a picture on its way: half of it must not pass for the whole.
type mediaStream struct {
	body     io.ReadCloser
	left     int64 // below 0: not announced
	patience time.Duration
	timer    *time.Timer // ends the request; runs while something is awaited
	cancel   context.CancelFunc
}

func (m *mediaStream) Read(p []byte) (int, error) {
	m.timer.Reset(m.patience)
	n, err := m.body.Read(p)
	m.timer.Stop()
	if m.left >= 0 {
		m.left = max(m.left-int64(n), 0)
	}
	if err != nil && (err != io.EOF || m.left > 0) {
		return n, errBroken
	}
	return n, err
}

func (m *mediaStream) Close() error {
	m.timer.Stop()
	m.cancel()
	if m.body == nil {
		return nil
	}
	return m.body.Close()
}
