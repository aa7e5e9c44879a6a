package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// serial makes every message and every sender of one run distinct.
var serial atomic.Int64

// text is one SMS on its way to the office.
type text struct {
	sid, from, words string
}

// newText is a text of somebody who never wrote before.
func newText(words string) text {
	n := serial.Add(1)
	return text{sid: fmt.Sprintf("SM%032x", n), from: fmt.Sprintf("+1312%07d", 2_000_000+n), words: words}
}

// post posts the text as Twilio does.
func (c *client) post(ctx context.Context, public string, t text) (*http.Response, []byte, error) {
	form := url.Values{
		"MessageSid": {t.sid}, "SmsSid": {t.sid}, "SmsMessageSid": {t.sid}, "AccountSid": {accountSID},
		"From": {t.from}, "To": {ourNumber}, "Body": {t.words}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"FromCountry": {"US"}, "ToCountry": {"US"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
	}
	const path = "/twilio/messages"
	return c.do(ctx, http.MethodPost, path, http.Header{
		"Content-Type":       {"application/x-www-form-urlencoded"},
		"X-Twilio-Signature": {sign("http://"+public+path, form)},
	}, []byte(form.Encode()))
}

// deliver posts the text and gives the words of the answer; "" is silence.
func (c *client) deliver(ctx context.Context, public string, t text) (string, error) {
	response, content, err := c.post(ctx, public, t)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the text: %w: %s", errRefused, response.Status)
	}
	var answer struct {
		Message string `xml:"Message"`
	}
	if err := xml.Unmarshal(content, &answer); err != nil {
		return "", fmt.Errorf("the answer's TwiML: %w", err)
	}
	return answer.Message, nil
}

// sign is Twilio's signature of a form: HMAC-SHA-1 of the URL and of each key
// with its value, in the order of the keys.
func sign(address string, form url.Values) string {
	keys := make([]string, 0, len(form))
	for key := range form {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	mac := hmac.New(sha1.New, []byte(authToken))
	mac.Write([]byte(address))
	for _, key := range keys {
		mac.Write([]byte(key + form.Get(key)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// tokenIn finds the token of the link in an answer.
func tokenIn(answer string) (string, error) {
	_, rest, found := strings.Cut(answer, "/c/")
	if !found || len(rest) < 26 {
		return "", fmt.Errorf("no link in the answer: %q", answer)
	}
	return rest[:26], nil
}
