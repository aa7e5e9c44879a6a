package twilio

import (
	"bytes"
	"net/url"
	"slices"
	"testing"
)

// FuzzForm holds the form reader against net/url: what it takes, net/url reads
// alike, without a key that comes twice; and what it signs is sorted.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		messageForm().Encode(), "a=1&b=2", "a=%41+%2b", "a", "a=", "=a", "&", "", "a=1&a=2", "a=%4", "a=%zz", "a;b=c", "a=\xff", "9=1", "a=b=c",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		form := openForm()
		defer form.close()
		if form.read(bytes.NewReader(body), -1) != nil {
			return
		}
		want, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatalf("net/url refuses it: %v", err)
		}
		if len(want) != len(form.params) {
			t.Fatalf("%d parameters, net/url has %d", len(form.params), len(want))
		}
		var keys []string
		for i := range form.params {
			key := string(form.key(i))
			value, ok := form.value(key)
			if !ok || len(want[key]) != 1 || want[key][0] != string(value) {
				t.Fatalf("%q is %q, net/url has %q", key, value, want[key])
			}
			keys = append(keys, key)
		}
		if !slices.IsSorted(keys) {
			t.Fatalf("not sorted: %q", keys)
		}
	})
}

// FuzzSignature posts any body and any query under the signature of one honest
// request: only the same form under the same URL is taken.
func FuzzSignature(f *testing.F) {
	honest := messageForm()
	target := testURL + "/twilio/messages"
	given := signature(testToken, target, honest)
	f.Add(honest.Encode(), "", given)
	f.Add(honest.Encode()+"&MessageSid="+testSID, "", given)
	f.Add("", honest.Encode(), given)
	f.Add(honest.Encode(), "a=b", "")
	f.Add(with(honest, "Body", "From+15550001111FromA").Encode(), "", given)
	c := testChannel(f)
	want, err := c.ReadMessage(post(target, honest.Encode(), given))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, query, signature string) {
		r := post(target, body, signature)
		r.URL.RawQuery = query
		m, err := c.ReadMessage(r)
		if err == nil && (m != want || signature != given || query != "") {
			t.Fatalf("taken: body %q, query %q, signature %q", body, query, signature)
		}
		r = post(testURL+"/twilio/status", body, signature)
		r.URL.RawQuery = query
		if _, err := c.ReadStatus(r); err == nil {
			t.Fatalf("taken as a status: body %q, query %q", body, query)
		}
		if _, err := c.ReadCall(post(testURL+"/twilio/voice", body, signature)); err == nil {
			t.Fatalf("taken as a call: body %q", body)
		}
	})
}
