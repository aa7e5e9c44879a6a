package twilio

import (
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dropslot/gateway"
)

// TestMalleable posts forms whose parameters were cut up anew, so that the
// signature of an honest request still fits.
func TestMalleable(t *testing.T) {
	c := testChannel(t)
	honest := with(messageForm(), "Body", "hello DEAR office")
	cut := func(change func(url.Values)) string {
		form := maps.Clone(honest)
		change(form)
		return form.Encode()
	}
	tests := map[string]string{
		"a repeated parameter":         honest.Encode() + "&MessageSid=" + testSID,
		"a repeated unknown parameter": honest.Encode() + "&Zebra=1&Zebra=1",
		"a repetition with a new SID":  honest.Encode() + "&MessageSid=SM0000000000000000000000000000000f",
		"one parameter swallows the next": cut(func(f url.Values) {
			f.Set("MessageSid", testSID+"NumMedia0")
			f.Del("NumMedia")
		}),
		"the body swallows From": cut(func(f url.Values) {
			f.Set("Body", f.Get("Body")+"From"+f.Get("From"))
			f.Del("From")
		}),
		"From swallows its city": cut(func(f url.Values) {
			f.Set("From", f.Get("From")+"FromCity"+f.Get("FromCity"))
			f.Del("FromCity")
		}),
		"From loses its end": cut(func(f url.Values) {
			f.Set("From", f.Get("From")[:8])
			f.Set(honest.Get("From")[8:], "")
		}),
		"To swallows its city": cut(func(f url.Values) {
			f.Set("To", f.Get("To")+"ToCity")
			f.Del("ToCity")
		}),
		"the account moves into the URL": cut(func(f url.Values) { f.Del("AccountSid") }),
		"a bare ampersand":               honest.Encode() + "&",
		"an empty pair":                  "&" + honest.Encode(),
		"a key without a value":          honest.Encode() + "&Zebra",
		"no key":                         honest.Encode() + "&=x",
		"half an escape":                 honest.Encode() + "&Zebra=%4",
		"an escape of other letters":     honest.Encode() + "&Zebra=%zz",
		"a semicolon":                    strings.Replace(honest.Encode(), "&", ";", 1),
		"an empty body":                  "",
	}
	for name, body := range tests {
		target := testURL + "/twilio/messages"
		given := signature(testToken, target, honest)
		if _, err := c.ReadMessage(post(target, body, given)); err == nil {
			t.Errorf("%s: taken", name)
		}
		// Nor does a signature over exactly what is posted help a bad form.
		if parsed, err := url.ParseQuery(body); err == nil {
			_, err := c.ReadMessage(post(target, body, signature(testToken, target, parsed)))
			if err == nil && !strings.HasPrefix(name, "a bare") && !strings.HasPrefix(name, "an empty pair") && name != "To swallows its city" {
				t.Errorf("%s: taken when signed", name)
			}
		}
	}
}

// A part of the body that is made a parameter of its own is still read as
// what it was: words.
func TestSplitBodyMeansTheSame(t *testing.T) {
	c := testChannel(t)
	honest := with(messageForm(), "Body", "STOP DEAR office")
	split := with(honest, "Body", "STOP ", "DEAR", " office")
	target := testURL + "/twilio/messages"
	given := signature(testToken, target, honest)
	if given != signature(testToken, target, split) {
		t.Fatal("the two forms are not signed alike: the test tests nothing")
	}
	want, err := c.ReadMessage(post(target, honest.Encode(), given))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ReadMessage(post(target, split.Encode(), given))
	if err != nil || got != want || got.Keyword() != gateway.KeywordNone {
		t.Errorf("got keyword %q, %v", got.Keyword(), err)
	}
}

// What people write may hold the names of parameters. Read two ways, such a
// text would let them choose who it came from.
func TestAmbiguousTexts(t *testing.T) {
	c := testChannel(t)
	refused := []string{
		"hi From+15550001111FromA",
		"From+15550001111",
	}
	for _, body := range refused {
		_, err := c.ReadMessage(signed("/twilio/messages", with(messageForm(), "Body", body)))
		wantCode(t, err, gateway.CodeForbidden)
	}
	taken := []string{
		"From: my sister", "I am from +1 312 555 0142", "To+15551230200 please", "MessageSid NumMedia1 OptOutTypeSTOP", "Body of evidence",
		"ErrorCode 5", "AccountSid", "FromCity", "a&b=c;d%e+f",
	}
	for _, body := range taken {
		m, err := c.ReadMessage(signed("/twilio/messages", with(messageForm(), "Body", body)))
		if err != nil || m.Words != body {
			t.Errorf("%q: %v", body, err)
		}
	}
	m, err := c.ReadMessage(signed("/twilio/messages", with(messageForm(), "Body", "see ErrorCode11200 please")))
	if err != nil || m.Words != "see " {
		t.Errorf("what reads like the end of the body: %v", err)
	}
	hostile := []map[string]string{
		{"ProfileName": "xTo+15551230200ToA"},
		{"ProfileName": "xOptOutTypeSTOP"},
		{"FromCity": "xMessageSidSM0000000000000000000000000000000fMessageSie"},
		{"AZ": "AccountSid" + testAccount},
		{"Betatext": "From+15550001111FromA"},
	}
	for _, changes := range hostile {
		form := messageForm()
		for key, value := range changes {
			form.Set(key, value)
		}
		_, err := c.ReadMessage(signed("/twilio/messages", form))
		wantCode(t, err, gateway.CodeForbidden)
	}
	_, err = c.ReadCall(signed("/twilio/voice", with(callForm(), "CallerName", "xTo+15551230100ToZ")))
	wantCode(t, err, gateway.CodeForbidden)
}

// resplit cuts the signed text of a form anew at random: into keys in the
// order that is signed, so that the same signature fits.
func resplit(random *rand.Rand, text string, keys []string) (url.Values, bool) {
	// Places where a key of ours begins, and some where a new one might.
	type cut struct{ start, middle int }
	var cuts []cut
	for start := 0; start < len(text); start++ {
		for _, key := range keys {
			if strings.HasPrefix(text[start:], key) && random.IntN(8) > 0 {
				cuts = append(cuts, cut{start, start + len(key)})
			}
		}
		if random.IntN(40) == 0 {
			cuts = append(cuts, cut{start, min(start+1+random.IntN(8), len(text))})
		}
	}
	form := url.Values{}
	last, lastKey := cut{-1, 0}, ""
	for _, c := range cuts {
		key := text[c.start:c.middle]
		if last.start < 0 && c.start > 0 {
			return nil, false
		}
		if last.start >= 0 && (c.start < last.middle || key <= lastKey || random.IntN(10) == 0) {
			continue
		}
		if last.start >= 0 {
			form.Set(lastKey, text[last.middle:c.start])
		}
		last, lastKey = c, key
	}
	if last.start < 0 {
		return nil, false
	}
	form.Set(lastKey, text[last.middle:])
	return form, true
}

// TestResplit takes honest texts full of names of parameters, cuts their
// signed text anew in many ways, and wants every taken reading to mean what
// the honest one meant, or the honest one to be refused too.
func TestResplit(t *testing.T) {
	c := testChannel(t)
	random := rand.New(rand.NewPCG(5, 6))
	pieces := []string{
		"From+15550001111", "From12345", "FromA", "To+15551230100", "To+15551230200", "ToA", "MessageSid" + testSID, "NumMedia0", "NumMedia9",
		"OptOutTypeSTOP", "Body", "STOP", "ErrorCode11200", "ErrorUrlhttps://x", "DEAR", "FromCity", " ", "x", "AccountSid" + testAccount, "7",
	}
	target := testURL + "/twilio/messages"
	var tried, taken int
	for range 400 {
		write := func() string {
			var text strings.Builder
			for range random.IntN(8) {
				text.WriteString(pieces[random.IntN(len(pieces))])
			}
			return text.String()
		}
		honest := with(messageForm(), "Body", write())
		if random.IntN(3) == 0 {
			honest.Set("ProfileName", write())
		}
		switch random.IntN(4) {
		case 0:
			honest = with(honest, "ErrorCode", "11200", "ErrorUrl", "https://docs.example.gov/x")
		case 1:
			for _, key := range []string{"FromCity", "FromCountry", "FromState", "FromZip", "SmsSid", "SmsMessageSid", "SmsStatus"} {
				delete(honest, key)
			}
		case 2:
			honest.Set("From", "12345")
		}
		given := signature(testToken, target, honest)
		want, honestErr := c.ReadMessage(post(target, honest.Encode(), given))
		var text strings.Builder
		keys := slices.Sorted(maps.Keys(honest))
		for _, key := range keys {
			text.WriteString(key + honest.Get(key))
		}
		for range 20 {
			form, ok := resplit(random, text.String(), append(keys, "FromA", "ToA", "OptOutType", "ErrorCode", "ErrorUrl", "DEAR"))
			if !ok || signature(testToken, target, form) != given {
				continue
			}
			tried++
			got, err := c.ReadMessage(post(target, form.Encode(), given))
			if err != nil {
				continue
			}
			taken++
			if got.Sender != gateway.SenderPhone && want.Sender != gateway.SenderPhone {
				got.Sender = want.Sender // neither is answered
			}
			if honestErr != nil || got != want {
				t.Fatalf("the signature of\n%v\nalso let pass\n%v\n%v", honest, form, honestErr)
			}
		}
	}
	t.Logf("%d readings tried, %d taken, each with the same meaning", tried, taken)
	if tried < 3000 || taken == 0 {
		t.Error("too few readings were tried: the test tests nothing")
	}
}
