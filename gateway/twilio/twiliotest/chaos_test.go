package twiliotest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropslot/gateway/twilio/twiliotest"
)

const base = "/2010-04-01/Accounts/" + account

// ask makes a request over a real connection; it follows no redirection.
func ask(t *testing.T, target string, signedIn bool) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if signedIn {
		r.SetBasicAuth(account, token)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	return answer, body, err
}

func TestBodyCutEndsBeforeItsLength(t *testing.T) {
	f := newFake(t, newSite(t), nil)
	server := httptest.NewServer(f)
	defer server.Close()
	e := text(t, f, "", twiliotest.Media{Content: []byte(strings.Repeat("x", 100_000))})
	f.Break(twiliotest.Fault{Kind: twiliotest.BodyCut, Times: 1})
	target := server.URL + base + "/Messages/" + e.Message.SID + "/Media/" + e.Message.Media[0].SID
	answer, body, err := ask(t, target, true)
	if !errors.Is(err, io.ErrUnexpectedEOF) || answer.ContentLength != 100_000 || len(body) >= 100_000 {
		t.Errorf("%d of %d bytes: %v", len(body), answer.ContentLength, err)
	}
	if _, body, err = ask(t, target, true); err != nil || len(body) != 100_000 {
		t.Errorf("the next time: %d bytes, %v", len(body), err)
	}
}

func TestMediaAtTheContentNetwork(t *testing.T) {
	f := newFake(t, newSite(t), func(c *twiliotest.Config, _ *twiliotest.Number) { c.RedirectMedia = true })
	server := httptest.NewServer(f)
	defer server.Close()
	e := text(t, f, "", twiliotest.Media{Content: []byte("GIF89a")})
	target := server.URL + base + "/Messages/" + e.Message.SID + "/Media/" + e.Message.Media[0].SID
	if answer, _, err := ask(t, target, false); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger: %v, %v", answer, err)
	}
	answer, _, err := ask(t, target, true)
	if err != nil || answer.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("the account: %v, %v", answer, err)
	}
	place := answer.Header.Get("Location")
	if answer, body, err := ask(t, place, false); err != nil || answer.StatusCode != http.StatusOK || string(body) != "GIF89a" {
		t.Errorf("the content network: %q, %v", body, err)
	}
	if answer, _, _ := ask(t, place, true); answer.StatusCode != http.StatusForbidden {
		t.Errorf("with the account's password, which it must not be shown: %d", answer.StatusCode)
	}
	if answer, _, _ := ask(t, place[:len(place)-1]+"_", false); answer.StatusCode != http.StatusForbidden {
		t.Errorf("with a guessed key: %d", answer.StatusCode)
	}
}

func TestOpenMediaAreServedToStrangers(t *testing.T) {
	f := newFake(t, newSite(t), func(c *twiliotest.Config, _ *twiliotest.Number) { c.OpenMedia = true })
	server := httptest.NewServer(f)
	defer server.Close()
	e := text(t, f, "", twiliotest.Media{Content: []byte("GIF89a")})
	target := server.URL + base + "/Messages/" + e.Message.SID
	if answer, body, err := ask(t, target+"/Media/"+e.Message.Media[0].SID, false); err != nil || answer.StatusCode != http.StatusOK || string(body) != "GIF89a" {
		t.Errorf("%q, %v", body, err)
	}
	if answer, _, err := ask(t, target+".json", false); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("the message itself is open too: %v, %v", answer, err)
	}
}

func TestMediaAndMessagesArePaged(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	f := newFake(t, newSite(t), func(c *twiliotest.Config, _ *twiliotest.Number) { c.Now = func() time.Time { return now } })
	var many []twiliotest.Media
	for range 12 {
		many = append(many, twiliotest.Media{Content: []byte("GIF89a")})
	}
	e := text(t, f, "0", many...)
	if got := pages(t, f, "/Messages/"+e.Message.SID+"/Media.json?PageSize=5", "media_list", nil); len(got) != 12 {
		t.Errorf("%d media are listed", len(got))
	}
	for i := range 6 {
		now = now.Add(24 * time.Hour)
		text(t, f, strconv.Itoa(i+1))
	}
	for query, want := range map[string]string{
		"":                                       "6543210",
		"&From=" + url.QueryEscape(phone):        "6543210",
		"&To=" + url.QueryEscape(phone):          "",
		"&From=" + url.QueryEscape("+447700900"): "",
		"&DateSent%3E=2026-11-25":                "6543",
		"&DateSent%3C=2026-11-25":                "3210",
		"&DateSent=2026-11-25":                   "3",
		"&DateSent%3E=2026-11-24T09:00:00Z&DateSent%3C=2026-11-25T08:59:59Z": "2",
	} {
		got := ""
		for _, m := range pages(t, f, "/Messages.json?PageSize=2"+query, "messages", nil) {
			got += m["body"].(string)
		}
		if got != want {
			t.Errorf("%s lists %q, want %q", query, got, want)
		}
	}
	// Erasing what is listed leaves nothing out.
	seen := 0
	pages(t, f, "/Messages.json?PageSize=2", "messages", func(m map[string]any) {
		seen++
		if status, _ := rest(t, f, http.MethodDelete, "/Messages/"+m["sid"].(string)+".json", nil); status != http.StatusNoContent {
			t.Errorf("delete: %d", status)
		}
	})
	if bodies, media := f.Held(); seen != 7 || bodies != 0 || media != 0 {
		t.Errorf("%d seen, %d bodies and %d media left", seen, bodies, media)
	}
}

// pages turns all pages of a list.
func pages(t *testing.T, f *twiliotest.Fake, path, list string, each func(map[string]any)) (all []map[string]any) {
	t.Helper()
	for path != "" {
		status, answer := rest(t, f, http.MethodGet, path, nil)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
		for _, one := range answer[list].([]any) {
			all = append(all, one.(map[string]any))
			if each != nil {
				each(one.(map[string]any))
			}
		}
		next, _ := answer["next_page_uri"].(string)
		path = strings.TrimPrefix(next, base)
	}
	return all
}

func TestMessagingService(t *testing.T) {
	const service = "MG0123456789abcdef0123456789abcdef"
	s := newSite(t)
	f := newFake(t, s, func(c *twiliotest.Config, _ *twiliotest.Number) {
		c.Services = map[string]twiliotest.Service{service: {Account: account, Numbers: []string{number}, StatusURL: s.URL + "/service"}}
	})
	status, m := rest(t, f, http.MethodPost, "/Messages.json", url.Values{"MessagingServiceSid": {service}, "To": {phone}, "Body": {"x"}})
	if status != http.StatusCreated || m["from"] != number || m["messaging_service_sid"] != service {
		t.Errorf("%d %v", status, m)
	}
	f.Settle()
	if posts := s.received("/service"); len(posts) != 2 || posts[0].Get("MessagingServiceSid") != service || posts[0].Get("MessageSid") != m["sid"] {
		t.Errorf("the service's callbacks: %v", posts)
	}
	status, m = rest(t, f, http.MethodPost, "/Messages.json", url.Values{"MessagingServiceSid": {"MG" + strings.Repeat("0", 32)}, "To": {phone}, "Body": {"x"}})
	if status != http.StatusBadRequest || m["code"] != 21701.0 {
		t.Errorf("an unknown service: %d %v", status, m)
	}
}

// Tens of thousands of texts are worked in seconds while every kind of fault
// falls, and a client that keeps trying erases all of them.
func TestChaosIsSurvivedByTryingAgain(t *testing.T) {
	const texts = 20_000
	f := newFake(t, newSite(t), func(c *twiliotest.Config, n *twiliotest.Number) {
		c.Chaos = twiliotest.Chaos{Seed: 7, Odds: twiliotest.Everything(0.02), Slow: time.Microsecond, Hang: time.Microsecond}
		c.Progress = []string{}
	})
	sids := make([]string, texts)
	for i := range sids {
		m, err := f.Arrived(twiliotest.Inbound{From: "+1312555" + strconv.Itoa(1000+i%9000), To: number, Body: "x", Media: []twiliotest.Media{{Content: []byte("GIF89a")}}})
		if err != nil {
			t.Fatal(err)
		}
		sids[i] = m.SID
	}
	if bodies, media := f.Held(); bodies != texts || media != texts {
		t.Fatalf("%d bodies, %d media", bodies, media)
	}
	var odd int
	for _, sid := range sids {
		for status := 0; status != http.StatusNoContent && status != http.StatusNotFound; {
			if status = erase(f, sid); status != http.StatusNoContent {
				odd++
			}
		}
	}
	if bodies, media := f.Held(); bodies != 0 || media != 0 || odd < texts/20 || odd > texts/4 {
		t.Errorf("%d bodies and %d media left after %d faults", bodies, media, odd)
	}
	f.Calm()
}

// erase gives the status of one try; 0 if the connection broke.
func erase(f *twiliotest.Fake, sid string) int {
	defer func() { _ = recover() }() // http.ErrAbortHandler: the connection breaks
	r := httptest.NewRequest(http.MethodDelete, "https://api.twilio.com"+base+"/Messages/"+sid+".json", nil)
	r.SetBasicAuth(account, token)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Code
}
