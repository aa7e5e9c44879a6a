package twilio

import (
	"strings"
	"testing"

	"dropslot/gateway"
)

func TestReadStatus(t *testing.T) {
	c := testChannel(t)
	for status, state := range states {
		form := with(statusForm(), "MessageStatus", status)
		d, err := c.ReadStatus(signed("/twilio/status?text="+testID, form))
		want := gateway.Delivery{Text: testID, SID: testSID, State: state, At: testTime}
		if err != nil || d != want {
			t.Errorf("%s: got %+v, %v", status, d, err)
		}
	}
	form := with(statusForm(), "MessageStatus", "undelivered", "ErrorCode", "30007", "ErrorMessage", "Carrier violation", "RawDlrDoneDate", "2611220930")
	d, err := c.ReadStatus(signed("/twilio/status?sending="+testID, form))
	want := gateway.Delivery{Sending: testID, SID: testSID, State: gateway.DeliveryFailed, ErrorCode: 30007, At: testTime}
	if err != nil || d != want {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestReadStatusOfAMessagingService(t *testing.T) {
	c := testChannel(t)
	form := with(statusForm(), "MessagingServiceSid", "MG0000000000000000000000000000000a")
	d, err := c.ReadStatus(signed("/twilio/status", form))
	if want := (gateway.Delivery{SID: testSID, State: gateway.DeliveryDelivered, At: testTime}); err != nil || d != want {
		t.Errorf("got %+v, %v", d, err)
	}
	_, err = c.ReadStatus(post(testURL+"/twilio/status", form.Encode(), "forged"))
	wantCode(t, err, gateway.CodeForbidden)
	_, err = c.ReadStatus(signed("/twilio/status", with(form, "From", string(subNumber))))
	wantCode(t, err, gateway.CodeForbidden)
}

func TestReadStatusOfACall(t *testing.T) {
	c := testChannel(t)
	form := with(callForm(), "CallStatus", "completed", "CallDuration", "9")
	_, err := c.ReadStatus(signed("/twilio/status", form))
	wantCode(t, err, gateway.CodeNotFound)
	_, err = c.ReadStatus(post(testURL+"/twilio/status", form.Encode(), "forged"))
	wantCode(t, err, gateway.CodeForbidden)
	_, err = c.ReadStatus(signed("/twilio/status?text="+testID, form))
	wantCode(t, err, gateway.CodeForbidden)
}

func TestReadStatusRefuses(t *testing.T) {
	c := testChannel(t)
	for _, query := range []string{"?text=", "?text=x", "?text=" + strings.ToUpper(testID), "?other=" + testID, "?text=" + testID + "&sending=" + testID, "?text=" + testID + "&x=1"} {
		_, err := c.ReadStatus(signed("/twilio/status"+query, statusForm()))
		wantCode(t, err, gateway.CodeBadRequest)
	}
	for _, change := range [][]string{{"MessageStatus", "flying"}, {"MessageStatus", ""}, {"MessageSid", "x"}, {"ErrorCode", "3x"}} {
		_, err := c.ReadStatus(signed("/twilio/status?text="+testID, with(statusForm(), change...)))
		wantCode(t, err, gateway.CodeBadRequest)
	}
	// A signature for one text says nothing of another.
	other := "?text=" + testID[:25] + "a"
	_, err := c.ReadStatus(post(testURL+"/twilio/status"+other, statusForm().Encode(),
		signature(testToken, testURL+"/twilio/status?text="+testID, statusForm())))
	wantCode(t, err, gateway.CodeForbidden)
	// Nor may one account speak of another's texts.
	foreign := with(statusForm(), "AccountSid", subAccount)
	_, err = c.ReadStatus(post(testURL+"/twilio/status?text="+testID, foreign.Encode(),
		signature(subToken, testURL+"/twilio/status?text="+testID, foreign)))
	wantCode(t, err, gateway.CodeForbidden)
}

func TestReadCall(t *testing.T) {
	c := testChannel(t)
	number, err := c.ReadCall(signed("/twilio/voice", callForm()))
	if err != nil || number != testNumber {
		t.Errorf("got %s, %v", number, err)
	}
	_, err = c.ReadCall(signed("/twilio/voice", with(callForm(), "From", "anonymous", "Caller", "anonymous")))
	if err != nil {
		t.Errorf("a withheld number: %v", err)
	}
	_, err = c.ReadCall(signed("/twilio/voice", with(callForm(), "To", string(subNumber))))
	wantCode(t, err, gateway.CodeForbidden)
	_, err = c.ReadCall(signed("/twilio/voice", with(callForm(), "CallSid", testSID)))
	wantCode(t, err, gateway.CodeBadRequest)
}
