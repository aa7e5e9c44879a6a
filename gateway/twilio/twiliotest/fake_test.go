package twiliotest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dropslot/gateway/twilio/twiliotest"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = "11111111111111111111111111111111"
	number  = "+15551230100"
	phone   = "+13125550142"
)

// site is the application that the fake calls: it answers as a test tells it
// and notes what it was sent.
type site struct {
	*httptest.Server
	lock   sync.Mutex
	posts  []url.Values
	paths  []string
	answer func(w http.ResponseWriter, path string, form url.Values)
}

func newSite(t *testing.T) *site {
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if want := twiliotest.Sign(token, s.URL+r.URL.String(), r.PostForm); r.Header.Get("X-Twilio-Signature") != want {
			t.Errorf("%s is not signed as Twilio signs", r.URL.Path)
		}
		s.lock.Lock()
		s.posts, s.paths = append(s.posts, r.PostForm), append(s.paths, r.URL.Path)
		s.lock.Unlock()
		if s.answer != nil {
			s.answer(w, r.URL.Path, r.PostForm)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// received gives what was posted to a path.
func (s *site) received(path string) []url.Values {
	s.lock.Lock()
	defer s.lock.Unlock()
	var found []url.Values
	for i, form := range s.posts {
		if s.paths[i] == path {
			found = append(found, form)
		}
	}
	return found
}

func newFake(t *testing.T, s *site, change func(*twiliotest.Config, *twiliotest.Number)) *twiliotest.Fake {
	n := twiliotest.Number{Account: account, MessageURL: s.URL + "/messages", VoiceURL: s.URL + "/voice"}
	c := twiliotest.Config{Accounts: map[string]string{account: token}}
	if change != nil {
		change(&c, &n)
	}
	c.Numbers = map[string]twiliotest.Number{number: n}
	f := twiliotest.New(c)
	t.Cleanup(f.Close)
	return f
}

func twiml(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, `<?xml version="1.0"?><Response>`+body+`</Response>`)
}

func text(t *testing.T, f *twiliotest.Fake, body string, media ...twiliotest.Media) twiliotest.Exchange {
	t.Helper()
	e, err := f.Text(t.Context(), twiliotest.Inbound{From: phone, To: number, Body: body, Media: media})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// rest calls the REST API as the account.
func rest(t *testing.T, f *twiliotest.Fake, method, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, "https://api.twilio.com/2010-04-01/Accounts/"+account+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(account, token)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	var value map[string]any
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
			t.Fatal(err)
		}
	}
	return w.Code, value
}

func TestAnswerReachesThePhone(t *testing.T) {
	s := newSite(t)
	s.answer = func(w http.ResponseWriter, path string, _ url.Values) {
		if path == "/messages" {
			twiml(w, `<Message action="/status?text=1" method="POST">Hello &amp; welcome 👋</Message>`)
		}
	}
	f := newFake(t, s, nil)
	changed, stop := f.Watch(phone)
	defer stop()
	e := text(t, f, "hi")
	f.Settle()
	<-changed
	out := f.Outbox(phone)
	if len(out) != 1 || out[0].Body != "Hello & welcome 👋" || out[0].Status != "delivered" || out[0].SID != e.Replies[0].SID {
		t.Fatalf("the phone got %+v", out)
	}
	var statuses []string
	for _, form := range s.received("/status") {
		if form.Get("MessageSid") != out[0].SID || form.Get("To") != phone {
			t.Errorf("a status of another message: %v", form)
		}
		statuses = append(statuses, form.Get("MessageStatus"))
	}
	if !slices.Equal(statuses, []string{"sent", "delivered"}) {
		t.Errorf("statuses: %v", statuses)
	}
	if thread := f.Thread(phone); len(thread) != 2 || thread[0].Body != "hi" {
		t.Errorf("the thread: %+v", thread)
	}
}

func TestAgainKeepsTheSID(t *testing.T) {
	s := newSite(t)
	f := newFake(t, s, nil)
	e := text(t, f, "hi")
	if _, err := f.Again(t.Context(), e.Message.SID); err != nil {
		t.Fatal(err)
	}
	f.Break(twiliotest.Fault{Kind: twiliotest.DuplicateWebhook, Times: 1})
	twice := text(t, f, "again")
	if len(twice.Attempts) != 2 {
		t.Errorf("%d attempts", len(twice.Attempts))
	}
	posts := s.received("/messages")
	if len(posts) != 4 || posts[0].Get("MessageSid") != posts[1].Get("MessageSid") || posts[2].Get("MessageSid") != posts[3].Get("MessageSid") {
		t.Errorf("posts: %v", posts)
	}
}

func TestKeywords(t *testing.T) {
	s := newSite(t)
	s.answer = func(w http.ResponseWriter, _ string, _ url.Values) { twiml(w, "<Message>robot</Message>") }
	f := newFake(t, s, func(c *twiliotest.Config, _ *twiliotest.Number) { c.AdvancedOptOut = true })
	e := text(t, f, " Stop ")
	if e.ErrorCode != 21610 || len(e.Replies) != 0 || !f.OptedOut(number, phone) {
		t.Errorf("after STOP: %+v", e)
	}
	if posts := s.received("/messages"); len(posts) != 1 || posts[0].Get("OptOutType") != "STOP" {
		t.Errorf("the webhook of STOP: %v", posts)
	}
	send := url.Values{"From": {number}, "To": {phone}, "Body": {"x"}}
	if code, answer := rest(t, f, http.MethodPost, "/Messages.json", send); code != 400 || answer["code"] != 21610.0 {
		t.Errorf("sending after STOP: %d %v", code, answer)
	}
	text(t, f, "START")
	if code, _ := rest(t, f, http.MethodPost, "/Messages.json", send); code != 201 {
		t.Errorf("sending after START: %d", code)
	}
	f.Settle()
	if out := f.Outbox(phone); len(out) != 4 || !strings.Contains(out[0].Body, "unsubscribed") {
		t.Errorf("the phone got %d texts", len(out))
	}
}

func TestRetriesAndFallback(t *testing.T) {
	tests := map[string]struct {
		fragment, fallback string
		status             int
		posts, fallbacks   int
	}{
		"nothing configured":   {"", "", 503, 1, 0},
		"a fallback":           {"", "/fallback", 503, 1, 1},
		"retried":              {"#rc=2&rp=5xx", "", 503, 3, 0},
		"retried, then fallen": {"#rc=1&rp=all", "/fallback", 403, 2, 1},
		"not this kind":        {"#rc=3&rp=4xx", "", 500, 1, 0},
		"well":                 {"#rc=3&rp=all", "/fallback", 200, 1, 0},
	}
	for name, test := range tests {
		s := newSite(t)
		s.answer = func(w http.ResponseWriter, path string, _ url.Values) {
			if path == "/messages" {
				w.WriteHeader(test.status)
				return
			}
			twiml(w, "<Message>from the fallback</Message>")
		}
		f := newFake(t, s, func(_ *twiliotest.Config, n *twiliotest.Number) {
			n.MessageURL += test.fragment
			if test.fallback != "" {
				n.FallbackURL = s.URL + test.fallback
			}
		})
		e := text(t, f, "hi")
		fallen := s.received("/fallback")
		if got := len(s.received("/messages")); got != test.posts || len(fallen) != test.fallbacks {
			t.Errorf("%s: %d posts, %d to the fallback", name, got, len(fallen))
		}
		if test.fallbacks > 0 && (fallen[0].Get("ErrorCode") == "" || fallen[0].Get("ErrorUrl") != s.URL+"/messages" || len(e.Replies) != 1) {
			t.Errorf("%s: the fallback got %v and sent %d", name, fallen[0], len(e.Replies))
		}
	}
}

func TestOddAnswers(t *testing.T) {
	var body, kind string
	s := newSite(t)
	s.answer = func(w http.ResponseWriter, _ string, _ url.Values) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
	f := newFake(t, s, nil)
	tests := []struct {
		kind, body string
		code, sent int
	}{
		{"text/xml", "<Response/>", 0, 0},
		{"text/plain; charset=UTF-8", "Service Unavailable", 0, 1}, // as the real one: it texts it
		{"application/json", `{"message":"x"}`, 12300, 0},
		{"text/xml", "<Response><Message>", 12100, 0},
		{"text/xml", "<Response><Message>" + strings.Repeat("x", 1601) + "</Message></Response>", 21617, 0},
	}
	for _, test := range tests {
		kind, body = test.kind, test.body
		if e := text(t, f, "hi"); e.ErrorCode != test.code || len(e.Replies) != test.sent {
			t.Errorf("%s %.30s: error %d, %d sent", test.kind, test.body, e.ErrorCode, len(e.Replies))
		}
	}
}

func TestCall(t *testing.T) {
	s := newSite(t)
	s.answer = func(w http.ResponseWriter, _ string, _ url.Values) {
		twiml(w, `<Say language="en-US">Please text us.</Say><Say language="es-MX">Envíe un mensaje.</Say>`)
	}
	c, err := newFake(t, s, nil).Call(t.Context(), phone, number)
	if err != nil {
		t.Fatal(err)
	}
	want := []twiliotest.Said{{Language: "en-US", Words: "Please text us."}, {Language: "es-MX", Words: "Envíe un mensaje."}}
	if !slices.Equal(c.Heard, want) || s.received("/voice")[0].Get("CallSid") != c.SID {
		t.Errorf("heard %+v", c.Heard)
	}
}

func TestUndelivered(t *testing.T) {
	s := newSite(t)
	f := newFake(t, s, nil)
	f.FailTo(phone, 30007)
	status, _ := rest(t, f, http.MethodPost, "/Messages.json", url.Values{"From": {number}, "To": {phone}, "Body": {"x"}, "StatusCallback": {s.URL + "/status"}})
	f.Settle()
	posts := s.received("/status")
	if status != 201 || len(posts) != 2 || posts[1].Get("MessageStatus") != "undelivered" || posts[1].Get("ErrorCode") != "30007" {
		t.Errorf("%d, statuses %v", status, posts)
	}
}

// A webhook that is never answered is given up, and Close does not hang.
func TestUnansweredWebhook(t *testing.T) {
	s := newSite(t)
	release := make(chan struct{})
	s.answer = func(http.ResponseWriter, string, url.Values) { <-release }
	f := newFake(t, s, func(c *twiliotest.Config, _ *twiliotest.Number) { c.Timeout = 20 * time.Millisecond })
	e := text(t, f, "hi")
	close(release)
	if e.ErrorCode != 11205 || e.Last().Err == nil {
		t.Errorf("%+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Text(ctx, twiliotest.Inbound{From: phone, To: number, Body: "x"}); err == nil {
		t.Error("a canceled text arrived")
	}
}

func TestLoopIsStopped(t *testing.T) {
	s := newSite(t)
	s.answer = func(w http.ResponseWriter, _ string, _ url.Values) { twiml(w, "<Message>robot</Message>") }
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	f := newFake(t, s, func(c *twiliotest.Config, _ *twiliotest.Number) { c.Now = func() time.Time { return now } })
	for i := range 31 {
		if e := text(t, f, "hi"); (e.ErrorCode == 14107) != (i == 30) {
			t.Errorf("text %d: error %d", i, e.ErrorCode)
		}
	}
}
