package twilio

import (
	"net/url"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"

	"dropslot/gateway"
)

// BenchmarkLibrary is the figure that BenchmarkReadMessage is held against:
// reading the form with net/url and twilio-go's validator on the same request.
func BenchmarkLibrary(b *testing.B) {
	body := []byte(messageForm().Encode())
	validator := client.NewRequestValidator(testToken)
	given := signature(testToken, testURL+"/twilio/messages", messageForm())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := url.ParseQuery(string(body)); err != nil || !validator.ValidateBody(testURL+"/twilio/messages", body, given) {
			b.Fatal("the library refuses it")
		}
	}
}

func BenchmarkReadMessage(b *testing.B) {
	c, err := NewChannel(Config{
		PublicURL: testURL, Accounts: map[string][]AuthToken{testAccount: {NewAuthToken(testToken)}},
		Numbers: map[gateway.Number]string{testNumber: testAccount},
	})
	if err != nil {
		b.Fatal(err)
	}
	body := messageForm().Encode()
	r := post(testURL+"/twilio/messages", body, signature(testToken, testURL+"/twilio/messages", messageForm()))
	reader := strings.NewReader(body)
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = noClose{reader}
		if _, err := c.ReadMessage(r); err != nil {
			b.Fatal(err)
		}
	}
}

type noClose struct{ *strings.Reader }

func (noClose) Close() error { return nil }
