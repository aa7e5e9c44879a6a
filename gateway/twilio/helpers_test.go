package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

const (
	testURL     = "https://docs.example.gov"
	testAccount = "AC0123456789abcdef0123456789abcdef"
	subAccount  = "ACfedcba9876543210fedcba9876543210"
	testToken   = "11111111111111111111111111111111"
	nextToken   = "22222222222222222222222222222222"
	subToken    = "33333333333333333333333333333333"
	testSID     = "SM0000000000000000000000000000000a"
	testNumber  = gateway.Number("+15551230100")
	subNumber   = gateway.Number("+15551230200")
	testPhone   = "+13125550142"
	testID      = "06fvt6d3kgq2b1e8s7mn0jc4h9"
)

var testTime = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

func testChannel(tb testing.TB) *Channel {
	tb.Helper()
	c, err := NewChannel(Config{
		PublicURL: testURL,
		Accounts: map[string][]AuthToken{
			testAccount: {NewAuthToken(nextToken), NewAuthToken(testToken)},
			subAccount:  {NewAuthToken(subToken)},
		},
		Numbers: map[gateway.Number]string{testNumber: testAccount, subNumber: subAccount},
		Now:     func() time.Time { return testTime },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// messageForm is what Twilio posts for a text from a US phone.
func messageForm() url.Values {
	return url.Values{
		"AccountSid": {testAccount}, "ApiVersion": {"2010-04-01"}, "Body": {"Hello, is this the office? ¿Sí? 👋"},
		"From": {testPhone}, "FromCity": {"CHICAGO"}, "FromCountry": {"US"}, "FromState": {"IL"}, "FromZip": {"60601"},
		"MessageSid": {testSID}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsMessageSid": {testSID}, "SmsSid": {testSID},
		"SmsStatus": {"received"}, "To": {string(testNumber)}, "ToCity": {""}, "ToCountry": {"US"}, "ToState": {""}, "ToZip": {""},
	}
}

func statusForm() url.Values {
	return url.Values{
		"AccountSid": {testAccount}, "ApiVersion": {"2010-04-01"}, "From": {string(testNumber)}, "MessageSid": {testSID},
		"MessageStatus": {"delivered"}, "SmsSid": {testSID}, "SmsStatus": {"delivered"}, "To": {testPhone},
	}
}

func callForm() url.Values {
	return url.Values{
		"AccountSid": {testAccount}, "ApiVersion": {"2010-04-01"}, "CallSid": {"CA0000000000000000000000000000000b"},
		"CallStatus": {"ringing"}, "Called": {string(testNumber)}, "Caller": {testPhone}, "CallerName": {"SMITH ANN"},
		"Direction": {"inbound"}, "From": {testPhone}, "To": {string(testNumber)},
	}
}

// signature is Twilio's own recipe, written down once more.
func signature(token, target string, form url.Values) string {
	var text strings.Builder
	text.WriteString(target)
	for _, key := range slices.Sorted(maps.Keys(form)) {
		text.WriteString(key + form.Get(key))
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post makes the request of a webhook. The target may be on any host.
func post(target, body, signature string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", signature)
	return r
}

// signed makes a webhook as Twilio would.
func signed(path string, form url.Values) *http.Request {
	return post(testURL+path, form.Encode(), signature(testToken, testURL+path, form))
}

func with(form url.Values, changes ...string) url.Values {
	form = maps.Clone(form)
	for i := 0; i < len(changes); i += 2 {
		form[changes[i]] = []string{changes[i+1]}
	}
	return form
}

func wantCode(t *testing.T, err error, code gateway.Code) {
	t.Helper()
	if !gateway.Is(err, code) {
		t.Errorf("got %v, want code %s", err, code)
	}
}
