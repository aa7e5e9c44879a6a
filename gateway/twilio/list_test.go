package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// shelf is a Twilio that holds a list of messages and gives few a page.
type shelf struct {
	t        *testing.T
	size     int
	messages []map[string]any
	next     func(u *url.URL) any // makes another address of the next page
	asked    []url.Values
}

func (s *shelf) add(sid, from, to, body string, at time.Time) {
	direction := "outbound-api"
	if from != string(testNumber) {
		direction = "inbound"
	}
	s.messages = append(s.messages, map[string]any{
		"sid": sid, "account_sid": testAccount, "from": from, "to": to, "body": body, "direction": direction, "status": "sent",
		"num_media": "0", "date_created": at.Format(time.RFC1123Z), "date_sent": nil,
	})
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	s.asked = append(s.asked, query)
	if user, password, _ := r.BasicAuth(); user != testAccount || password != testToken || r.URL.Path != messagesPath(testAccount)+".json" {
		s.t.Errorf("%s was asked as %s", r.URL.Path, user)
	}
	begin, _ := strconv.Atoi(query.Get("Page"))
	end := min(begin+s.size, len(s.messages))
	answer := map[string]any{"messages": s.messages[begin:end], "next_page_uri": nil}
	if end < len(s.messages) {
		next := *r.URL
		query.Set("Page", strconv.Itoa(end))
		query.Set("PageToken", "PASM"+strconv.Itoa(end))
		next.RawQuery = query.Encode()
		answer["next_page_uri"] = next.String()
		if s.next != nil {
			answer["next_page_uri"] = s.next(&next)
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func sidOf(n int) string { return fmt.Sprintf("SM%032x", n) }

func sweep(t *testing.T, c *Client, since, until time.Time) ([]string, error) {
	t.Helper()
	var found []string
	err := c.List(t.Context(), testNumber, since, until, func(m gateway.TwilioMessage) error {
		found = append(found, m.SID)
		return nil
	})
	return found, err
}

// Each message between the two times is visited once, though pages overlap, it
// stands in both directions' lists, and Twilio's filter is a rough one.
func TestListVisitsEachMessageOnce(t *testing.T) {
	s := &shelf{t: t, size: 3}
	for n := range 20 {
		from, to := testPhone, string(testNumber)
		if n%2 == 1 {
			from, to = to, from
		}
		s.add(sidOf(n), from, to, "Canary", testTime.Add(-time.Duration(n)*time.Hour))
		if n%4 == 0 {
			s.messages = append(s.messages, s.messages[len(s.messages)-1])
		}
	}
	c := served(t, s.ServeHTTP)
	found, err := sweep(t, c, testTime.Add(-10*time.Hour), testTime)
	want := []string{}
	for n := 1; n <= 10; n++ {
		want = append(want, sidOf(n))
	}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("visited %v, %v", found, err)
	}
	first := s.asked[0]
	if first.Get("To") != string(testNumber) || first.Has("From") || first.Get("DateSent>") == "" || s.asked[len(s.asked)-1].Get("From") != string(testNumber) {
		t.Errorf("asked %v", s.asked)
	}
	stop := errors.New("stop")
	if err := c.List(t.Context(), testNumber, testTime.Add(-10*time.Hour), testTime, func(gateway.TwilioMessage) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a failing visit: %v", err)
	}
}

func TestListOnTheFake(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "Canary")
	sid, err := r.send(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	found, err := sweep(t, r.Client, in.CreatedAt.Add(-time.Minute), time.Now().Add(time.Minute))
	slices.Sort(found)
	want := []string{in.SID, sid}
	slices.Sort(want)
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("visited %v, %v", found, err)
	}
}

// The credentials follow no address that an answer names.
func TestAHostileNextPageIsRefused(t *testing.T) {
	for name, next := range map[string]func(*url.URL) any{
		"another host":        func(u *url.URL) any { return "https://evil.example" + u.RequestURI() },
		"without a scheme":    func(u *url.URL) any { return "//evil.example" + u.RequestURI() },
		"a name before it":    func(u *url.URL) any { return "//api.twilio.com@evil.example" + u.RequestURI() },
		"another account":     func(u *url.URL) any { return strings.Replace(u.RequestURI(), testAccount, subAccount, 1) },
		"another list":        func(u *url.URL) any { return strings.Replace(u.RequestURI(), "Messages", "Calls", 1) },
		"a way up":            func(u *url.URL) any { return "/x/.." + u.RequestURI() },
		"no place":            func(u *url.URL) any { return u.Path },
		"a place of its own":  func(u *url.URL) any { return u.Path + "?Page=1%26To=x" },
		"a token of its own":  func(u *url.URL) any { return u.Path + "?PageToken=a%26To=x" },
		"no address":          func(*url.URL) any { return ":" },
		"the same page again": func(u *url.URL) any { return u.Path + "?Page=1" },
		"no text":             func(*url.URL) any { return 7 },
	} {
		s := &shelf{t: t, size: 1, next: next}
		for n := range 3 {
			s.add(sidOf(n), testPhone, string(testNumber), "Canary", testTime)
		}
		c := served(t, s.ServeHTTP)
		_, err := sweep(t, c, testTime.Add(-time.Hour), testTime.Add(time.Hour))
		if !gateway.Is(err, gateway.CodeUnavailable) || len(s.asked) > longList {
			t.Errorf("%s: %v after %d requests", name, err, len(s.asked))
		}
		tellsNothing(t, err)
	}
}

// A long list goes on where a page failed; a short one is its caller's to try again.
func TestAPageThatFailsDoesNotEndALongList(t *testing.T) {
	s := &shelf{t: t, size: 10}
	for n := range 200 {
		s.add(sidOf(n), testPhone, string(testNumber), "Canary", testTime)
	}
	var asked int
	var pauses []time.Duration
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		switch asked++; asked % 4 {
		case 1:
			w.Header().Set("Retry-After", "3")
			answering(429, "application/json", `{"code":20429}`)(w, r)
		case 2:
			answering(500, "text/html", "<html>")(w, r)
		case 3:
			answering(404, "application/json", `{"code":20404}`)(w, r)
		default:
			s.ServeHTTP(w, r)
		}
	})
	c.config.Wait = func(_ context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return nil
	}
	found, err := sweep(t, c, testTime, testTime.Add(time.Hour))
	if err != nil || len(found) != 200 || pauses[0] != 3*time.Second || pauses[1] != time.Second {
		t.Errorf("%d visited, %v, pauses %v", len(found), err, pauses[:2])
	}
	asked = 0
	_, _, _, err = c.Find(t.Context(), gateway.OutgoingText{From: testNumber, To: phoneOf(t, testPhone), Body: "x"}, testTime)
	if !gateway.Is(err, gateway.CodeUnavailable) || asked != 1 {
		t.Errorf("a short list: %v after %d requests", err, asked)
	}
}

// A whole page of the longest messages is read.
func TestThePageOfTheLongestMessages(t *testing.T) {
	s := &shelf{t: t, size: pageSize}
	for n := range pageSize + 1 {
		s.add(sidOf(n), testPhone, string(testNumber), strings.Repeat("<", 1600), testTime) // six bytes each, escaped
	}
	found, err := sweep(t, served(t, s.ServeHTTP), testTime, testTime.Add(time.Hour))
	if err != nil || len(found) != pageSize+1 {
		t.Errorf("%d visited, %v", len(found), err)
	}
}

// A time that cannot be read must not hide a message from the daily look.
func TestAnUnreadableTimeIsAnError(t *testing.T) {
	s := &shelf{t: t, size: 3}
	s.add(sidOf(1), testPhone, string(testNumber), "Canary", testTime)
	s.messages[0]["date_created"] = "yesterday"
	_, err := sweep(t, served(t, s.ServeHTTP), testTime.Add(-time.Hour), testTime.Add(time.Hour))
	wantCode(t, err, gateway.CodeUnavailable)
}

// One that cannot be read is in no other's way, in neither direction's list.
func TestAnUnreadableMessageDoesNotEndAList(t *testing.T) {
	s := &shelf{t: t, size: 2}
	for n := range 5 {
		s.add(sidOf(n), testPhone, string(testNumber), "Canary", testTime)
	}
	s.messages[1]["sid"] = "SMnone"
	found, err := sweep(t, served(t, s.ServeHTTP), testTime.Add(-time.Hour), testTime.Add(time.Hour))
	wantCode(t, err, gateway.CodeUnavailable)
	if want := []string{sidOf(0), sidOf(2), sidOf(3), sidOf(4)}; !slices.Equal(found, want) {
		t.Errorf("visited %v", found)
	}
	_, _, found2, err := served(t, s.ServeHTTP).Find(t.Context(), gateway.OutgoingText{From: testNumber, To: phoneOf(t, testPhone), Body: "x"}, testTime)
	if wantCode(t, err, gateway.CodeUnavailable); found2 {
		t.Error("found what it cannot read")
	}
}

// The sender of what came in is told as the webhook tells it.
func TestListTellsTheSender(t *testing.T) {
	for from, want := range map[string]gateway.TwilioMessage{
		testPhone:        {Sender: gateway.SenderPhone, Phone: phoneOf(t, testPhone), Country: "US"},
		"+442071838750":  {Sender: gateway.SenderPhone, Phone: phoneOf(t, "+442071838750"), Country: "GB"},
		"262966":         {Sender: gateway.SenderShortCode},
		"Bank":           {Sender: gateway.SenderAlphanumeric},
		"whatsapp:+1312": {Sender: gateway.SenderChannel},
		"+nothing":       {Sender: gateway.SenderChannel},
		"":               {Sender: gateway.SenderChannel},
	} {
		s := &shelf{t: t, size: 2}
		s.add(sidOf(1), from, string(testNumber), "Canary", testTime)
		err := served(t, s.ServeHTTP).List(t.Context(), testNumber, testTime, testTime.Add(time.Hour), func(m gateway.TwilioMessage) error {
			if m.Sender != want.Sender || m.Phone != want.Phone || m.Country != want.Country {
				t.Errorf("%q is %s, %q", from, m.Sender, m.Country)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func TestFindAfterTheAnswerWasLost(t *testing.T) {
	since := time.Now().Add(-time.Second)
	for _, kind := range []twiliotest.Kind{twiliotest.Cut, twiliotest.Hang, twiliotest.Garbled, twiliotest.ServerError} {
		r := newRig(t, func(c *ClientConfig) { c.Timeout = 100 * time.Millisecond })
		r.fake.Break(twiliotest.Fault{Kind: kind, Times: 1})
		_, err := r.send(t.Context(), t)
		wantCode(t, err, gateway.CodeSendUnknown)
		sid, state, found, err := r.Find(t.Context(), r.text, since)
		out := r.fake.Outbox(testPhone)
		if err != nil || found != (len(out) == 1) {
			t.Fatalf("%s: %v, %v", kind, found, err)
		}
		if found && (sid != out[0].SID || state != gateway.DeliveryQueued) {
			t.Errorf("%s: found %s, %s", kind, sid, state)
		}
	}
}

func TestFindWantsExactlyThisText(t *testing.T) {
	other := "+13125550143"
	s := &shelf{t: t, size: 2}
	s.add(sidOf(1), testPhone, string(testNumber), "words", testTime)
	s.add(sidOf(2), string(testNumber), testPhone, "words and more", testTime)
	s.add(sidOf(3), string(testNumber), testPhone, "", testTime)
	s.add(sidOf(4), string(testNumber), testPhone, trialPrefix+"words", testTime.Add(-time.Minute))
	s.add(sidOf(5), string(testNumber), testPhone, "words", testTime.Add(-time.Hour))
	s.add(sidOf(6), string(testNumber), testPhone, "words", testTime.Add(-49*time.Hour))
	s.add(sidOf(7), string(testNumber), testPhone, "words", testTime.Add(-50*time.Hour))
	c := served(t, s.ServeHTTP)
	text := gateway.OutgoingText{From: testNumber, To: phoneOf(t, testPhone), Body: "words"}
	for since, want := range map[time.Duration]string{0: "", time.Minute: sidOf(4), 59 * time.Second: "", 2 * time.Hour: sidOf(4)} {
		sid, _, found, err := c.Find(t.Context(), text, testTime.Add(-since))
		if err != nil || sid != want || found != (want != "") {
			t.Errorf("since %v: %s %v, %v", since, sid, found, err)
		}
	}
	// Nor are years of texts read to find nothing.
	s.asked = nil
	if _, _, found, err := c.Find(t.Context(), gateway.OutgoingText{From: testNumber, To: phoneOf(t, testPhone), Body: "none"}, testTime); found || err != nil || len(s.asked) != 3 {
		t.Errorf("%v, %v after %d pages", found, err, len(s.asked))
	}
	if first := s.asked[0]; first.Get("From") != string(testNumber) || first.Get("To") != testPhone || first.Has("DateSent>") {
		t.Errorf("asked %v", first)
	}
	_, _, _, err := c.Find(t.Context(), gateway.OutgoingText{From: "+15551239999", To: phoneOf(t, other)}, testTime)
	wantCode(t, err, gateway.CodeBadRequest)
}
