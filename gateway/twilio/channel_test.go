package twilio

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"dropslot/gateway"
)

func TestReadMessage(t *testing.T) {
	m, err := testChannel(t).ReadMessage(signed("/twilio/messages", with(messageForm(), "NumMedia", "2", "OptOutType", "HELP")))
	if err != nil {
		t.Fatal(err)
	}
	phone, _ := gateway.ParsePhone(testPhone)
	want := gateway.Message{
		AccountSID: testAccount, MessageSID: testSID, To: testNumber, From: phone, Sender: gateway.SenderPhone, Country: "US",
		Words: "Hello, is this the office? ¿Sí? 👋", MediaCount: 2, OptOutType: "HELP",
	}
	if m != want {
		t.Errorf("got %+v of other content than %+v", m, want)
	}
}

// What may vary in an honest request.
func TestReadMessageAccepts(t *testing.T) {
	c := testChannel(t)
	without := func(keys ...string) url.Values {
		form := messageForm()
		for _, key := range keys {
			delete(form, key)
		}
		return form
	}
	tests := map[string]*http.Request{
		"unknown parameters": signed("/twilio/messages", with(messageForm(), "Zebra", "x=1&y", "Aardvark", "", "DeliveryHint", "fast")),
		"few parameters":     signed("/twilio/messages", without("ApiVersion", "FromCity", "FromCountry", "FromState", "FromZip", "NumSegments", "SmsSid", "SmsStatus", "ToZip")),
		"a query in the URL": signed("/twilio/messages?office=north", messageForm()),
		"an empty body":      signed("/twilio/messages", with(messageForm(), "Body", "")),
		"a fallback": signed("/twilio/messages", with(messageForm(), "ErrorCode", "11200",
			"ErrorUrl", "https://docs.example.gov/twilio/messages")),
		"a messaging service": signed("/twilio/messages", with(messageForm(), "MessagingServiceSid", "MG0123456789abcdef0123456789abcdef")),
		"the next token":      post(testURL+"/twilio/messages", messageForm().Encode(), signature(nextToken, testURL+"/twilio/messages", messageForm())),
		"signed with a port":  post(testURL+"/twilio/messages", messageForm().Encode(), signature(testToken, testURL+":443/twilio/messages", messageForm())),
		"a Host of the proxy": post("http://127.0.0.1:8080/twilio/messages", messageForm().Encode(), signature(testToken, testURL+"/twilio/messages", messageForm())),
	}
	subaccount := with(messageForm(), "AccountSid", subAccount, "To", string(subNumber))
	tests["a subaccount"] = post(testURL+"/twilio/messages", subaccount.Encode(), signature(subToken, testURL+"/twilio/messages", subaccount))
	for name, r := range tests {
		m, err := c.ReadMessage(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name != "an empty body" && name != "unknown parameters" && m.Words != messageForm().Get("Body") {
			t.Errorf("%s: the words are not those of the body", name)
		}
	}
}

func TestReadMessageRefuses(t *testing.T) {
	c := testChannel(t)
	form := messageForm()
	target := testURL + "/twilio/messages"
	good := signature(testToken, target, form)
	change := func(do func(*http.Request)) *http.Request {
		r := post(target, form.Encode(), good)
		do(r)
		return r
	}
	badValue := func(changes ...string) *http.Request {
		return signed("/twilio/messages", with(form, changes...))
	}
	tests := map[string]struct {
		r    *http.Request
		code gateway.Code
	}{
		"no signature":            {change(func(r *http.Request) { r.Header.Del("X-Twilio-Signature") }), gateway.CodeForbidden},
		"an empty signature":      {post(target, form.Encode(), ""), gateway.CodeForbidden},
		"two signatures":          {change(func(r *http.Request) { r.Header.Add("X-Twilio-Signature", good) }), gateway.CodeForbidden},
		"signed by an empty key":  {post(target, form.Encode(), signature("", target, form)), gateway.CodeForbidden},
		"signed by a stranger":    {post(target, form.Encode(), signature("stranger", target, form)), gateway.CodeForbidden},
		"signed by a subaccount":  {post(target, form.Encode(), signature(subToken, target, form)), gateway.CodeForbidden},
		"signed for another path": {post(testURL+"/twilio/status", form.Encode(), good), gateway.CodeForbidden},
		"a slash more":            {post(target+"/", form.Encode(), good), gateway.CodeForbidden},
		"a query more":            {post(target+"?a=b", form.Encode(), good), gateway.CodeForbidden},
		"signed for another host": {post(target, form.Encode(), signature(testToken, "https://evil.example/twilio/messages", form)), gateway.CodeForbidden},
		"a host that is forwarded": {func() *http.Request {
			r := post("https://evil.example/twilio/messages", form.Encode(), signature(testToken, "https://evil.example/twilio/messages", form))
			r.Header.Set("X-Forwarded-Host", "evil.example")
			return r
		}(), gateway.CodeForbidden},
		"http instead of https": {post(target, form.Encode(), signature(testToken, "http://docs.example.gov/twilio/messages", form)), gateway.CodeForbidden},
		"a GET":                 {change(func(r *http.Request) { r.Method = http.MethodGet }), gateway.CodeForbidden},
		"a JSON post":           {change(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), gateway.CodeForbidden},
		"no type":               {change(func(r *http.Request) { r.Header.Del("Content-Type") }), gateway.CodeForbidden},
		"multipart":             {change(func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }), gateway.CodeForbidden},
		"an unknown account":    {badValue("AccountSid", "AC00000000000000000000000000000001"), gateway.CodeForbidden},
		"a stranger's number":   {badValue("To", "+15551239999"), gateway.CodeForbidden},
		"another account's":     {badValue("To", string(subNumber)), gateway.CodeForbidden},
		"a SID in capitals":     {badValue("MessageSid", strings.ToUpper(testSID)), gateway.CodeBadRequest},
		"a call's SID":          {badValue("MessageSid", "CA0000000000000000000000000000000a"), gateway.CodeBadRequest},
		"a short SID":           {badValue("MessageSid", "SM1"), gateway.CodeBadRequest},
		"media below zero":      {badValue("NumMedia", "-1"), gateway.CodeBadRequest},
		"media 00":              {badValue("NumMedia", "00"), gateway.CodeBadRequest},
		"media 1000":            {badValue("NumMedia", "1000"), gateway.CodeBadRequest},
		"no phone":              {badValue("From", "+0123456789"), gateway.CodeBadRequest},
		"From of nothing":       {badValue("From", ""), gateway.CodeBadRequest},
		"an odd opt-out":        {badValue("OptOutType", "STOPNOW"), gateway.CodeBadRequest},
		"no UTF-8":              {badValue("Body", "a\xff"), gateway.CodeBadRequest},
		"a body too large":      {badValue("Body", strings.Repeat("x", 64<<10)), gateway.CodeForbidden},
		"many parameters": {func() *http.Request {
			many := maps.Clone(form)
			for i := range 300 {
				many.Set(fmt.Sprintf("Extra%d", i), "")
			}
			return signed("/twilio/messages", many)
		}(), gateway.CodeForbidden},
	}
	for _, key := range []string{"AccountSid", "MessageSid", "From", "To", "NumMedia", "Body"} {
		short := maps.Clone(form)
		delete(short, key)
		code := gateway.CodeBadRequest
		if key == "To" || key == "AccountSid" {
			code = gateway.CodeForbidden
		}
		tests["without "+key] = struct {
			r    *http.Request
			code gateway.Code
		}{signed("/twilio/messages", short), code}
	}
	for name, test := range tests {
		m, err := c.ReadMessage(test.r)
		if !gateway.Is(err, test.code) {
			t.Errorf("%s: got %v, want %s", name, err, test.code)
		}
		if m != (gateway.Message{}) {
			t.Errorf("%s: a refused message has content", name)
		}
	}
}

// Nobody learns from a refusal what a request would have to look like before
// its signature was proven: whatever is wrong with an unsigned one, it is
// forbidden.
func TestUnsignedIsForbiddenWhateverItIs(t *testing.T) {
	c := testChannel(t)
	bodies := map[string]string{
		"an honest form": messageForm().Encode(), "nothing": "", "no form": "{}", "half an escape": "a=%4", "a semicolon": "a;b=c",
		"a key twice": "AccountSid=" + testAccount + "&AccountSid=" + testAccount, "an odd key": "9=1",
		"no account": "a=b", "a stranger's account": "AccountSid=AC1", "too large": "a=" + strings.Repeat("x", 65<<10),
		"a bad parameter": with(messageForm(), "MessageSid", "x").Encode(),
	}
	for name, body := range bodies {
		for _, given := range []string{"", "x", strings.Repeat("A", signatureLength)} {
			_, err := c.ReadMessage(post(testURL+"/twilio/messages", body, given))
			wantCode(t, err, gateway.CodeForbidden)
			for _, query := range []string{"", "?text=x", "?text=" + testID} {
				_, err = c.ReadStatus(post(testURL+"/twilio/status"+query, body, given))
				wantCode(t, err, gateway.CodeForbidden)
			}
			if _, err = c.ReadCall(post(testURL+"/twilio/voice", body, given)); !gateway.Is(err, gateway.CodeForbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	cut := post(testURL+"/twilio/messages", messageForm().Encode(), "")
	cut.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	_, err := c.ReadMessage(cut)
	wantCode(t, err, gateway.CodeForbidden)
}

func TestSenders(t *testing.T) {
	c := testChannel(t)
	tests := []struct {
		from, to string
		kind     gateway.SenderKind
		country  string
	}{
		{"+13125550142", "", gateway.SenderPhone, "US"},
		{"+14165550142", "", gateway.SenderPhone, "CA"},
		{"+18765550142", "", gateway.SenderPhone, "JM"},
		{"72345", "", gateway.SenderShortCode, ""},
		{"611", "", gateway.SenderShortCode, ""},
		{"BANK ALERT", "", gateway.SenderAlphanumeric, ""},
		{"whatsapp:+13125550142", "whatsapp:+15551230100", gateway.SenderChannel, ""},
		{"rcs:agent_1", "rcs:+15551230100", gateway.SenderChannel, ""},
		{"messenger:1234567", "", gateway.SenderChannel, ""},
	}
	for _, test := range tests {
		form := with(messageForm(), "From", test.from)
		if test.to != "" {
			form.Set("To", test.to)
		}
		m, err := c.ReadMessage(signed("/twilio/messages", form))
		if err != nil {
			t.Errorf("%s: %v", test.from, err)
			continue
		}
		if m.Sender != test.kind || m.Country != test.country || m.To != testNumber {
			t.Errorf("%s: got %s from %q to %s", test.from, m.Sender, m.Country, m.To)
		}
		if m.From.IsZero() != (test.kind != gateway.SenderPhone) {
			t.Errorf("%s: only a phone has a number that could be answered", test.from)
		}
	}
}

func TestNewChannelRefuses(t *testing.T) {
	good := func() Config {
		return Config{
			PublicURL: testURL, Accounts: map[string][]AuthToken{testAccount: {NewAuthToken(testToken)}},
			Numbers: map[gateway.Number]string{testNumber: testAccount},
		}
	}
	changes := map[string]func(*Config){
		"no URL":           func(c *Config) { c.PublicURL = "" },
		"no scheme":        func(c *Config) { c.PublicURL = "docs.example.gov" },
		"a query":          func(c *Config) { c.PublicURL += "?a=b" },
		"an empty token":   func(c *Config) { c.Accounts[testAccount] = []AuthToken{NewAuthToken(testToken), {}} },
		"no token":         func(c *Config) { c.Accounts[testAccount] = nil },
		"no account":       func(c *Config) { c.Accounts = nil },
		"an odd SID":       func(c *Config) { c.Accounts["AC1"] = []AuthToken{NewAuthToken(testToken)} },
		"an odd number":    func(c *Config) { c.Numbers["555"] = testAccount },
		"nobody's number":  func(c *Config) { c.Numbers["+15551230199"] = subAccount },
		"a fragment":       func(c *Config) { c.PublicURL += "#rc=2" },
		"user information": func(c *Config) { c.PublicURL = "https://user:pass@docs.example.gov" },
	}
	for name, change := range changes {
		c := good()
		change(&c)
		if _, err := NewChannel(c); err == nil {
			t.Errorf("%s was taken", name)
		} else if strings.Contains(err.Error(), testToken) {
			t.Errorf("%s: the token stands in the error", name)
		}
	}
	if _, err := NewChannel(good()); err != nil {
		t.Error(err)
	}
}

func TestTokenPrintsRedacted(t *testing.T) {
	token := NewAuthToken(testToken)
	text := fmt.Sprintf("%v %+v %#v %s %q %d %x %v", token, token, token, token, token, token, token, Config{Accounts: map[string][]AuthToken{"AC": {token}}})
	encoded, err := token.MarshalText()
	if strings.Contains(text+string(encoded), testToken[:8]) || err != nil {
		t.Error("the token was printed")
	}
}
