package twiliotest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"dropslot/gateway/twilio/twiliotest"
)

func TestMediaUntilDeleted(t *testing.T) {
	s := newSite(t)
	f := newFake(t, s, nil)
	picture := twiliotest.Media{Content: []byte("\xff\xd8\xff\xe0picture")}
	var many []twiliotest.Media
	for range 12 {
		many = append(many, picture)
	}
	e := text(t, f, "papers", many...)
	form := s.received("/messages")[0]
	if form.Get("NumMedia") != "10" || form.Get("MediaContentType9") != "image/jpeg" || form.Has("MediaUrl10") || !strings.HasPrefix(form.Get("MessageSid"), "MM") {
		t.Errorf("the webhook: %v", form)
	}
	base := "/Messages/" + e.Message.SID
	_, list := rest(t, f, http.MethodGet, base+"/Media.json", nil)
	if media := list["media_list"].([]any); len(media) != 12 {
		t.Errorf("%d media are listed", len(media))
	}
	address := form.Get("MediaUrl3")
	r := httptest.NewRequest(http.MethodGet, address, nil)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("without a password: %d", w.Code)
	}
	r.SetBasicAuth(account, token)
	w = httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), picture.Content) || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("the picture: %d, %d bytes", w.Code, w.Body.Len())
	}
	if code, _ := rest(t, f, http.MethodDelete, strings.TrimPrefix(address, "https://api.twilio.com/2010-04-01/Accounts/"+account), nil); code != http.StatusNoContent {
		t.Errorf("delete one: %d", code)
	}
	if code, _ := rest(t, f, http.MethodPost, base+".json", url.Values{"Body": {""}}); code != http.StatusOK {
		t.Errorf("redact: %d", code)
	}
	if left := f.Left(); len(left) != 1 || left[0].Body != "" || len(left[0].Media) != 11 {
		t.Errorf("left: %+v", left)
	}
	if code, _ := rest(t, f, http.MethodDelete, base+".json", nil); code != http.StatusNoContent || len(f.Left()) != 0 {
		t.Errorf("delete all: %d, left %d", code, len(f.Left()))
	}
	if code, answer := rest(t, f, http.MethodGet, base+".json", nil); code != http.StatusNotFound || answer["code"] != 20404.0 {
		t.Errorf("afterwards: %d", code)
	}
}

func TestRESTChecks(t *testing.T) {
	f := newFake(t, newSite(t), func(c *twiliotest.Config, _ *twiliotest.Number) { c.Progress = []string{} })
	tests := map[string]struct {
		from, to, body string
		code           float64
	}{
		"no phone":   {number, "555", "x", 21211},
		"not ours":   {"+15551239999", phone, "x", 21660},
		"no words":   {number, phone, "", 21602},
		"too long":   {number, phone, strings.Repeat("x", 1601), 21617},
		"itself":     {number, number, "x", 21266},
		"all right":  {number, phone, "x", 0},
		"and again":  {number, phone, "y", 0},
		"third text": {number, phone, "z", 0},
	}
	for name, test := range tests {
		status, answer := rest(t, f, http.MethodPost, "/Messages.json", url.Values{"From": {test.from}, "To": {test.to}, "Body": {test.body}})
		if test.code == 0 && status != http.StatusCreated || test.code != 0 && answer["code"] != test.code {
			t.Errorf("%s: %d %v", name, status, answer["code"])
		}
	}
	// A text on its way can neither be redacted nor deleted.
	sid := f.Outbox(phone)[0].SID
	if code, answer := rest(t, f, http.MethodDelete, "/Messages/"+sid+".json", nil); code != http.StatusConflict || answer["code"] != 20009.0 {
		t.Errorf("delete on its way: %d %v", code, answer)
	}
	if err := f.SetStatus(sid, "delivered", 0); err != nil {
		t.Fatal(err)
	}
	if code, _ := rest(t, f, http.MethodDelete, "/Messages/"+sid+".json", nil); code != http.StatusNoContent {
		t.Errorf("delete afterwards: %d", code)
	}
	_, first := rest(t, f, http.MethodGet, "/Messages.json?PageSize=1&To="+url.QueryEscape(phone), nil)
	next, _ := first["next_page_uri"].(string)
	_, second := rest(t, f, http.MethodGet, strings.TrimPrefix(next, "/2010-04-01/Accounts/"+account), nil)
	if next == "" || len(second["messages"].([]any)) != 1 || second["next_page_uri"] != nil {
		t.Errorf("pages: %v then %v", first, second)
	}
}

func TestFaults(t *testing.T) {
	f := newFake(t, newSite(t), nil)
	send := url.Values{"From": {number}, "To": {phone}, "Body": {"x"}}
	e := text(t, f, "papers", twiliotest.Media{Content: []byte("GIF89a")})
	base := "/Messages/" + e.Message.SID
	tests := []struct {
		fault        twiliotest.Fault
		method, path string
		status       int
		code         float64
	}{
		{twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: 2 * time.Second}, http.MethodPost, "/Messages.json", 429, 20429},
		{twiliotest.Fault{Kind: twiliotest.ServerError}, http.MethodPost, "/Messages.json", 500, 0},
		{twiliotest.Fault{Kind: twiliotest.Garbled}, http.MethodPost, "/Messages.json", 200, 0},
		{twiliotest.Fault{Kind: twiliotest.Slow, Delay: time.Millisecond}, http.MethodPost, "/Messages.json", 201, 0},
		{twiliotest.Fault{Kind: twiliotest.NotFinal}, http.MethodDelete, base + ".json", 409, 20009},
		{twiliotest.Fault{Kind: twiliotest.NotFoundYet}, http.MethodGet, base + "/Media.json", 404, 20404},
		{twiliotest.Fault{Kind: twiliotest.DeleteRedirected}, http.MethodDelete, base + ".json", 307, 0},
		{twiliotest.Fault{Kind: twiliotest.DeleteNotModified}, http.MethodDelete, base + ".json", 304, 0},
	}
	for _, test := range tests {
		test.fault.Times = 1
		f.Break(test.fault)
		status, answer := rest(t, f, test.method, test.path, send)
		if status != test.status || test.code != 0 && answer["code"] != test.code {
			t.Errorf("%s: %d %v", test.fault.Kind, status, answer["code"])
		}
	}
	f.Break(twiliotest.Fault{Kind: twiliotest.NoMediaYet, Times: -1})
	for try, want := range []int{0, 0, 1} {
		if try == 2 {
			f.Mend(twiliotest.NoMediaYet)
		}
		_, list := rest(t, f, http.MethodGet, base+"/Media.json", nil)
		if media := list["media_list"].([]any); len(media) != want {
			t.Errorf("try %d: %d media are listed, want %d", try, len(media), want)
		}
	}
}
