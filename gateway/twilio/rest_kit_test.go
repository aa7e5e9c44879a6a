package twilio

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// textIn lets a phone text the rig's number. Nobody answers the webhook.
func (r *rig) textIn(t *testing.T, words string, media ...twiliotest.Media) twiliotest.Message {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, silence)
	}))
	defer site.Close()
	r.fake.Set(string(testNumber), twiliotest.Number{Account: testAccount, MessageURL: site.URL})
	e, err := r.fake.Text(t.Context(), twiliotest.Inbound{From: testPhone, To: string(testNumber), Body: words, Media: media})
	if err != nil {
		t.Fatal(err)
	}
	return e.Message
}

func picture(n int) twiliotest.Media {
	return twiliotest.Media{Type: "image/jpeg", Content: fmt.Appendf(nil, "\xff\xd8\xff\xe0picture %d", n)}
}

// served is a client whose Twilio is a handler.
func served(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	return newRig(t, func(c *ClientConfig) {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		c.APIURL, c.Timeout = server.URL, 5*time.Second
	}).Client
}

// answering is a handler that answers everything alike.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// carrier is a RoundTripper of a function.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

const testMedia = "ME0000000000000000000000000000000b"

// operations are all that is asked of what lies at Twilio.
var operations = map[string]func(context.Context, *Client, string, string) error{
	"message": func(ctx context.Context, c *Client, message, _ string) error {
		_, err := c.Message(ctx, testAccount, message)
		return err
	},
	"media": func(ctx context.Context, c *Client, message, _ string) error {
		_, err := c.Media(ctx, testAccount, message)
		return err
	},
	"open media": func(ctx context.Context, c *Client, message, media string) error {
		body, err := c.OpenMedia(ctx, testAccount, message, gateway.TwilioMedia{SID: media, Type: "image/jpeg"})
		if err == nil {
			_, err = io.Copy(io.Discard, body)
			_ = body.Close()
		}
		return err
	},
	"erase media": func(ctx context.Context, c *Client, message, media string) error {
		_, err := c.EraseMedia(ctx, testAccount, message, media)
		return err
	},
	"erase body": func(ctx context.Context, c *Client, message, _ string) error {
		_, err := c.EraseBody(ctx, testAccount, message)
		return err
	},
	"list": func(ctx context.Context, c *Client, _, _ string) error {
		return c.List(ctx, testNumber, testTime.Add(-time.Hour), testTime.Add(time.Hour), func(gateway.TwilioMessage) error { return nil })
	},
	"find": func(ctx context.Context, c *Client, _, _ string) error {
		phone, err := gateway.ParsePhone(testPhone)
		if err != nil {
			return err
		}
		_, _, _, err = c.Find(ctx, gateway.OutgoingText{From: testNumber, To: phone, Body: "Canary"}, testTime)
		return err
	},
}

// tellsNothing checks that an error holds nothing of a person or a secret.
func tellsNothing(t *testing.T, err error) {
	t.Helper()
	told := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, secret := range []string{testPhone, testPhone[1:], testToken, "Canary", subToken} {
		if strings.Contains(told, secret) {
			t.Errorf("the error tells %s: %s", secret, told)
		}
	}
}
