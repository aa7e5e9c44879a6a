package twilio

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"dropslot/gateway"
)

type parsed struct {
	XMLName  xml.Name `xml:"Response"`
	Messages []struct {
		Action string `xml:"action,attr"`
		Method string `xml:"method,attr"`
		Body   string `xml:",chardata"`
	} `xml:"Message"`
	Speeches []struct {
		Language string `xml:"language,attr"`
		Words    string `xml:",chardata"`
	} `xml:"Say"`
}

func parse(t *testing.T, answer []byte) parsed {
	t.Helper()
	var p parsed
	if err := xml.Unmarshal(answer, &p); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return p
}

func TestReply(t *testing.T) {
	c := testChannel(t)
	got := string(c.Reply("Hello & <you>", "/twilio/status?text="+testID))
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Response><Message action="/twilio/status?text=` + testID +
		`" method="POST">Hello &amp; &lt;you&gt;</Message></Response>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(c.Reply("", "/twilio/status")); got != `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Response/>" {
		t.Errorf("silence: %s", got)
	}
	for _, body := range []string{`<b>&"'</b>`, "two\nlines\tand a tab", "👋🏽 ¿Sí? 漢字", "]]>", "</Message></Response>"} {
		p := parse(t, c.Reply(body, `/x?a=1&b="2"`))
		if len(p.Messages) != 1 || p.Messages[0].Body != body || p.Messages[0].Action != `/x?a=1&b="2"` || p.Messages[0].Method != http.MethodPost {
			t.Errorf("%q became %+v", body, p.Messages)
		}
	}
	// What XML cannot hold is replaced, not sent on.
	if p := parse(t, c.Reply("a\x00b\xffc", "")); p.Messages[0].Body != "a�b�c" {
		t.Errorf("got %q", p.Messages[0].Body)
	}
}

func TestReplyKeepsTwiliosLimit(t *testing.T) {
	c := testChannel(t)
	for _, body := range []string{strings.Repeat("a", 1600), strings.Repeat("a", 2000), strings.Repeat("👋", 2000), "a" + strings.Repeat("👋", 2000), strings.Repeat("漢", 1601), strings.Repeat("&", 1600)} {
		answer := c.Reply(body, "/twilio/status?text="+testID)
		sent := parse(t, answer).Messages[0].Body
		if units := len(utf16.Encode([]rune(sent))); units > MaxBody || units < MaxBody-1 || !strings.HasPrefix(body, sent) {
			t.Errorf("%d units of %.10s were sent", units, body)
		}
		if len(answer) > maxTwiML {
			t.Errorf("the answer has %d bytes", len(answer))
		}
	}
}

func TestSay(t *testing.T) {
	c := testChannel(t)
	p := parse(t, c.Say([]gateway.Speech{
		{Language: "en", Words: "Text us & we answer."}, {Language: "es", Words: "Envíe un mensaje."},
		{Language: "es-US", Words: "x"}, {Language: "zh-Hans", Words: "漢"},
	}))
	want := []string{"en-US", "es-MX", "es-US", "zh-CN"}
	if len(p.Speeches) != 4 || p.Speeches[0].Words != "Text us & we answer." {
		t.Fatalf("got %+v", p.Speeches)
	}
	for i, locale := range want {
		if p.Speeches[i].Language != locale {
			t.Errorf("%s, want %s", p.Speeches[i].Language, locale)
		}
	}
	if p := parse(t, c.Say(nil)); len(p.Speeches) != 0 {
		t.Error("nothing to say was said")
	}
	long := gateway.Speech{Language: "en", Words: strings.Repeat("x", 30<<10)}
	if answer := c.Say([]gateway.Speech{long, long, long}); len(answer) > maxTwiML || len(parse(t, answer).Speeches) != 2 {
		t.Errorf("%d bytes", len(answer))
	}
}
