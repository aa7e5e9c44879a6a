package twilio

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

const testService = "MG0000000000000000000000000000000d"

// adminRig is a client at a fake that a test sets up.
func adminRig(t *testing.T, change func(*twiliotest.Config)) (*Client, *twiliotest.Fake) {
	t.Helper()
	c := twiliotest.Config{
		Accounts: map[string]string{testAccount: testToken, subAccount: subToken},
		Numbers: map[string]twiliotest.Number{
			string(testNumber): {Account: testAccount, MessageURL: "https://old.example/sms", MessageMethod: "GET", Application: "AP1"},
			string(subNumber):  {Account: subAccount, Verification: "TWILIO_APPROVED"},
		},
		Services: map[string]twiliotest.Service{testService: {Account: testAccount, Campaign: "VERIFIED"}},
		Progress: []string{}, Now: func() time.Time { return testTime },
	}
	if change != nil {
		change(&c)
	}
	fake := twiliotest.New(c)
	server := httptest.NewServer(fake)
	t.Cleanup(func() { fake.Close(); server.Close() })
	client, err := NewClient(ClientConfig{
		APIURL:   server.URL,
		Accounts: map[string][]AuthToken{testAccount: {NewAuthToken("rotated"), NewAuthToken(testToken)}, subAccount: {NewAuthToken("wrong")}},
		Numbers:  map[gateway.Number]string{testNumber: testAccount, subNumber: subAccount},
		Now:      func() time.Time { return testTime.Add(90 * time.Second) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, fake
}

func TestSetNumber(t *testing.T) {
	c, fake := adminRig(t, nil)
	before, err := c.IncomingNumber(t.Context(), testNumber)
	if err != nil || before.Setup.SMSURL != "https://old.example/sms" || !before.Setup.OtherMethod || !before.Setup.Application {
		t.Fatalf("before: %+v, %v", before, err)
	}
	want := NumberSetup{SMSURL: testURL + "/m#rc=2&rp=all", SMSFallbackURL: testURL + "/m", VoiceURL: testURL + "/v", StatusCallback: testURL + "/s"}
	if err := c.SetNumber(t.Context(), testNumber, before.SID, want); err != nil {
		t.Fatal(err)
	}
	if after, err := c.IncomingNumber(t.Context(), testNumber); err != nil || after.Setup != want {
		t.Errorf("after: %+v, %v", after, err)
	}
	wantCode(t, c.SetNumber(t.Context(), testNumber, "PN"+strings.Repeat("0", 32), want), gateway.CodeNotFound)
	fake.Set(string(testNumber), twiliotest.Number{Account: subAccount})
	_, err = c.IncomingNumber(t.Context(), testNumber)
	wantCode(t, err, gateway.CodeNotFound)
	_, err = c.IncomingNumber(t.Context(), subNumber)
	wantCode(t, err, gateway.CodeForbidden)
}

func TestAccountTellsTheSkew(t *testing.T) {
	c, fake := adminRig(t, nil)
	state, err := c.Account(t.Context(), testAccount)
	if err != nil || state.Status != "active" || state.Skew < 89*time.Second || state.Skew > 91*time.Second {
		t.Errorf("%+v, %v", state, err)
	}
	_, err = c.Account(t.Context(), subAccount)
	wantCode(t, err, gateway.CodeForbidden)
	fake.Break(twiliotest.Fault{Kind: twiliotest.Garbled, Times: 1})
	_, err = c.Account(t.Context(), testAccount)
	wantCode(t, err, gateway.CodeUnavailable)
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("Twilio's words: %v", err)
	}
}

func TestMediaGuard(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*twiliotest.Config)
		media  int
		want   MediaGuard
	}{
		"nothing to try it with": {nil, 0, MediaUnknown},
		"closed":                 {nil, 1, MediaGuarded},
		"open":                   {func(f *twiliotest.Config) { f.OpenMedia = true }, 1, MediaOpen},
		"closed at the network":  {func(f *twiliotest.Config) { f.RedirectMedia = true }, 1, MediaGuarded},
		"open at the network":    {func(f *twiliotest.Config) { f.OpenMedia, f.RedirectMedia = true, true }, 1, MediaOpen},
	} {
		c, fake := adminRig(t, test.change)
		for range 3 {
			in := twiliotest.Inbound{From: testPhone, To: string(testNumber), Body: "x"}
			for range test.media {
				in.Media = append(in.Media, twiliotest.Media{Content: []byte("GIF89a")})
			}
			if _, err := fake.Arrived(in); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := c.MediaGuard(t.Context(), testNumber); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestRegistration(t *testing.T) {
	const tollFreeNumber = "+18885550100"
	c, _ := adminRig(t, func(f *twiliotest.Config) {
		f.Numbers[tollFreeNumber] = twiliotest.Number{Account: testAccount, Verification: "IN_REVIEW"}
	})
	c.config.Numbers[tollFreeNumber] = testAccount
	c.config.Services = map[gateway.Number]string{testNumber: testService}
	for number, want := range map[gateway.Number]string{testNumber: "verified", tollFreeNumber: "in_review", subNumber: ""} {
		if got, err := c.Registration(t.Context(), number, twiliotest.NumberSID(string(number))); err != nil || got != want {
			t.Errorf("%s: %q, %v", number, got, err)
		}
	}
	if got, err := c.Registration(t.Context(), tollFreeNumber, twiliotest.NumberSID("+18885550101")); err != nil || got != "" {
		t.Errorf("another number's: %q, %v", got, err)
	}
	// Twilio's words are kept only if they are words of a state.
	for text, want := range map[string]string{"TWILIO_APPROVED": "twilio_approved", "call +15551230100": "", strings.Repeat("x", 41): ""} {
		if got := stateWord(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// An answer about another account is none, and no path is made of what is no SID.
func TestAdministrationRefusesWhatIsMalformed(t *testing.T) {
	for _, body := range []string{"{}", "null", `{"sid":"` + subAccount + `","status":"active"}`, "<html>"} {
		if _, err := served(t, answering(200, "application/json", body)).Account(t.Context(), testAccount); !gateway.Is(err, gateway.CodeUnavailable) {
			t.Errorf("%s: %v", body, err)
		}
	}
	c := served(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for _, bad := range []string{"", "PN", "PN/../../x", testSID} {
		wantCode(t, c.SetNumber(t.Context(), testNumber, bad, NumberSetup{}), gateway.CodeBadRequest)
	}
	_, err := c.Account(t.Context(), "AC/../x")
	wantCode(t, err, gateway.CodeForbidden)
}
