package main

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"dropslot/config"
	"dropslot/gateway/twilio/twiliotest"
)

// What sync sets is what Twilio then does; a second look finds nothing to do,
// and a number that the account does not own is in no other's way.
func TestNumbersSync(t *testing.T) {
	const foreign = "+15551230177"
	fake := twiliotest.New(twiliotest.Config{
		Accounts: map[string]string{demoAccount: "0123456789abcdef"},
		Numbers: map[string]twiliotest.Number{
			demoNumber: {Account: demoAccount, MessageURL: "https://demo.twilio.com/welcome/sms/reply", VoiceMethod: "GET", Application: "AP00000000000000000000000000000001"},
		},
	})
	t.Cleanup(fake.Close)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	r := newRig(t)
	c := *r.config
	c.Twilio.AccountSID, c.Twilio.APIURL = demoAccount, server.URL
	sync := func(apply bool) (string, error) {
		t.Helper()
		twilio, err := twilioClient(&c)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = syncNumbers(t.Context(), &out, &c, twilio, apply)
		return out.String(), err
	}
	webhook := c.PublicURL + "/twilio/messages#rc=2&rp=all"
	for _, apply := range []bool{false, true} {
		out, err := sync(apply)
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		for _, want := range []string{"- https://demo.twilio.com/welcome/sms/reply", "+ " + webhook, c.PublicURL + "/twilio/status", "+ POST", "application"} {
			if !strings.Contains(out, want) {
				t.Errorf("apply %t: %s is missing in\n%s", apply, want, out)
			}
		}
		if strings.Contains(out, "Nothing was changed") == apply {
			t.Errorf("apply %t:\n%s", apply, out)
		}
	}
	if out, err := sync(false); err != nil || !strings.Contains(out, demoNumber+": as it should be") {
		t.Errorf("afterwards: %v\n%s", err, out)
	}
	c.Numbers = map[config.E164]*config.Number{demoNumber: c.Numbers[demoNumber], foreign: c.Numbers[demoNumber]}
	out, err := sync(true)
	if err == nil || !strings.Contains(out, foreign+": the account does not own this number: buy it") || !strings.Contains(out, demoNumber+": as it should be") {
		t.Errorf("a foreign number: %v\n%s", err, out)
	}
}
