package twilio

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

var jpegMedia = gateway.TwilioMedia{SID: testMedia, Type: "image/jpeg"}

// opened reads a picture to its end.
func opened(t *testing.T, c *Client) ([]byte, error) {
	t.Helper()
	body, err := c.OpenMedia(t.Context(), testAccount, testSID, jpegMedia)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func TestOpenMedia(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "papers", picture(7))
	body, err := r.OpenMedia(t.Context(), testAccount, in.SID, gateway.TwilioMedia{SID: in.Media[0].SID, Type: "image/jpeg"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil || !bytes.Equal(got, picture(7).Content) || body.Close() != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// elsewhere is a client of Twilio's own hosts over a network of our making.
func elsewhere(t *testing.T, answers map[string]http.HandlerFunc) *Client {
	t.Helper()
	r := newRig(t, func(c *ClientConfig) {
		c.APIURL = ""
		c.Transport = carrier(func(q *http.Request) (*http.Response, error) {
			authorized := q.Header.Get("Authorization") != ""
			if authorized != (q.URL.Host == "api.twilio.com") || q.URL.Scheme != "https" {
				t.Errorf("%s://%s was asked with credentials: %v", q.URL.Scheme, q.URL.Host, authorized)
			}
			answer, ok := answers[q.URL.Host]
			if !ok {
				t.Errorf("%s was asked", q.URL.Host)
				return nil, errors.New("no such host")
			}
			w := httptest.NewRecorder()
			answer(w, q)
			response := w.Result()
			response.ContentLength = int64(w.Body.Len())
			return response, nil
		})
	})
	return r.Client
}

func to(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func TestMediaAreFollowedToWhereTwilioKeepsThem(t *testing.T) {
	photo := answering(200, "image/jpeg", "picture")
	for _, place := range []string{
		"https://mms.twiliocdn.com/AC0/ME0?Expires=1&Signature=x", "https://media.twiliocdn.com/x", "https://MMS.TwilioCDN.com/x",
		"https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC0/x",
	} {
		c := elsewhere(t, map[string]http.HandlerFunc{
			"api.twilio.com": to(place), "mms.twiliocdn.com": photo, "media.twiliocdn.com": photo, "MMS.TwilioCDN.com": photo,
			"s3-external-1.amazonaws.com": photo,
		})
		if got, err := opened(t, c); err != nil || string(got) != "picture" {
			t.Errorf("%s: %q, %v", place, got, err)
		}
	}
	for _, place := range []string{
		"https://evil.example/x", "http://mms.twiliocdn.com/x", "https://mms.twiliocdn.com.evil.example/x", "https://eviltwiliocdn.com/x",
		"https://mms.twiliocdn.com:8443/x", "https://u:p@mms.twiliocdn.com/x", "https://mms.twiliocdn.com@evil.example/x",
		"https://s3-external-1.amazonaws.com/evil/x", "https://s3-external-1.amazonaws.com/media.twiliocdn.com/../evil/x",
		"https://s3-external-1.amazonaws.com/media.twiliocdn.com/%2e%2e/evil/x", "https://media.twiliocdn.com.s3.amazonaws.com/x",
		"https://api.twilio.com/2010-04-01/Accounts.json", "//evil.example/x", "/elsewhere", "file:///etc/passwd", "https:mms.twiliocdn.com", "", ":",
		"https://127.0.0.1/x", "https://169.254.169.254/latest",
	} {
		c := elsewhere(t, map[string]http.HandlerFunc{"api.twilio.com": to(place)})
		if _, err := opened(t, c); !gateway.Is(err, gateway.CodeUnavailable) {
			t.Errorf("%s: %v", place, err)
		}
	}
	// An address that has expired says nothing of our credentials, and one
	// that leads on and on is left.
	c := elsewhere(t, map[string]http.HandlerFunc{"api.twilio.com": to("https://mms.twiliocdn.com/x"), "mms.twiliocdn.com": answering(403, "text/xml", "")})
	_, err := opened(t, c)
	wantCode(t, err, gateway.CodeUnavailable)
	c = elsewhere(t, map[string]http.HandlerFunc{"api.twilio.com": to("https://mms.twiliocdn.com/x"), "mms.twiliocdn.com": to("https://mms.twiliocdn.com/x")})
	_, err = opened(t, c)
	wantCode(t, err, gateway.CodeUnavailable)
}

// A stand-in on this machine may redirect to itself and nowhere else.
func TestMediaOfAStandIn(t *testing.T) {
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cdn/x" {
			if r.Header.Get("Authorization") != "" {
				t.Error("the credentials were sent on")
			}
			answering(200, "image/jpeg", "picture")(w, r)
			return
		}
		to("/cdn/x")(w, r)
	})
	if got, err := opened(t, c); err != nil || string(got) != "picture" {
		t.Errorf("%q, %v", got, err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirection was followed") }))
	defer other.Close()
	for _, place := range []string{other.URL, "https://mms.twiliocdn.com/x"} {
		_, err := opened(t, served(t, to(place)))
		wantCode(t, err, gateway.CodeUnavailable)
	}
}

// A forged MediaUrl in a signed webhook leads nowhere: no address of a webhook
// is ever kept, let alone asked.
func TestAHostileMediaURLIsNeverRequested(t *testing.T) {
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the address of the webhook was asked") }))
	defer evil.Close()
	channel := testChannel(t)
	r := newRig(t, nil)
	in := r.textIn(t, "papers", picture(1))
	form := with(messageForm(), "MessageSid", in.SID, "SmsSid", in.SID, "SmsMessageSid", in.SID, "NumMedia", "1",
		"MediaUrl0", evil.URL+"/2010-04-01/Accounts/"+testAccount+"/Messages/"+in.SID+"/Media/"+testMedia, "MediaContentType0", "image/jpeg")
	m, err := channel.ReadMessage(signed("/twilio/messages", form))
	if err != nil || m.MediaCount != 1 {
		t.Fatal(err)
	}
	list, err := r.Media(t.Context(), m.AccountSID, m.MessageSID)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	body, err := r.OpenMedia(t.Context(), m.AccountSID, m.MessageSID, list[0])
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
}

// A picture that broke off on its way can be fetched again: taken for a
// damaged file it would be told as not kept, and erased.
func TestAStreamThatBreaksOffIsNoDamagedPicture(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before its length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "\xff\xd8\xff\xe0half a picture")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"between chunks": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "\xff\xd8\xff\xe0half a picture")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"in silence": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "\xff\xd8\xff\xe0half a picture")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		c := served(t, handler)
		c.config.Timeout = 200 * time.Millisecond
		body, err := c.OpenMedia(t.Context(), testAccount, testSID, jpegMedia)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, clean, err := gateway.CleanPage(body, 1<<20)
		if err == nil {
			_, err = io.Copy(io.Discard, clean)
		}
		_ = body.Close()
		if gateway.CodeOf(err) != gateway.CodeUnavailable || err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A transport may not notice that a body is short.
func TestTheAnnouncedLengthIsChecked(t *testing.T) {
	c := elsewhere(t, nil)
	c.config.Transport = carrier(func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 2, Header: http.Header{"Content-Type": {"image/jpeg"}}, ContentLength: 100,
			Body: io.NopCloser(strings.NewReader("short")),
		}, nil
	})
	got, err := opened(t, c)
	if string(got) != "short" || !gateway.Is(err, gateway.CodeUnavailable) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsNoPicture(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"a page of HTML": answering(200, "text/html; charset=utf-8", "<html>Something went wrong</html>"),
		"words":          answering(200, "text/plain", "Service Unavailable"),
		"JSON":           answering(200, "Application/JSON; charset=utf-8", `{"error":"try again"}`),
		"XML":            answering(200, "application/xml", "<Error/>"),
		"nothing":        answering(200, "image/jpeg", ""),
		"half of it":     answering(206, "image/jpeg", "pic"),
		"not modified":   answering(304, "", ""),
		"packed": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "identity" {
				t.Error("it was asked for packed")
			}
			w.Header().Set("Content-Encoding", "gzip")
			answering(200, "image/jpeg", "picture")(w, r)
		},
		"without an end": func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(connection, "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\nhalf a pict")
			_ = connection.Close()
		},
	} {
		if got, err := opened(t, served(t, handler)); !gateway.Is(err, gateway.CodeUnavailable) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// Unless it is what the sender sent.
	for listed, answered := range map[string]string{"text/html": "text/html", "text/x-vcard": "text/vcard; charset=utf-8"} {
		c := served(t, answering(200, answered, "BEGIN:VCARD"))
		body, err := c.OpenMedia(t.Context(), testAccount, testSID, gateway.TwilioMedia{SID: testMedia, Type: listed})
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
	}
	c := served(t, answering(200, "text/html", "<html>"))
	_, err := c.OpenMedia(t.Context(), testAccount, testSID, gateway.TwilioMedia{SID: testMedia, Type: "text/vcard"})
	wantCode(t, err, gateway.CodeUnavailable)
}

// That a picture is not there is Twilio's to say, in its own error.
func TestOnlyTwilioSaysThatAMediumIsNotThere(t *testing.T) {
	const own = `{"code":20404,"message":"The requested resource was not found","status":404}`
	for name, handler := range map[string]http.HandlerFunc{
		"a proxy's page":     answering(404, "text/html", "<html>Not found</html>"),
		"an error of XML":    answering(404, "application/xml", "<Error><Code>NoSuchKey</Code></Error>"),
		"another's JSON":     answering(404, "application/json", `{"error":"no such route"}`),
		"an endless error":   answering(404, "application/json", `{"message":"`+strings.Repeat("x", maxErrorBody)+`","code":20404}`),
		"an error cut short": answering(404, "application/json", own[:20]),
	} {
		_, err := opened(t, served(t, handler))
		if !gateway.Is(err, gateway.CodeUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := opened(t, served(t, answering(404, "application/json", own)))
	wantCode(t, err, gateway.CodeNotFound)
	// The content network's word is not Twilio's, whatever it looks like.
	c := elsewhere(t, map[string]http.HandlerFunc{"api.twilio.com": to("https://mms.twiliocdn.com/x"), "mms.twiliocdn.com": answering(404, "application/json", own)})
	_, err = opened(t, c)
	wantCode(t, err, gateway.CodeUnavailable)
}

func TestAMediumThatIsNotThereYet(t *testing.T) {
	r := newRig(t, nil)
	in := r.textIn(t, "papers", picture(1))
	r.fake.Break(twiliotest.Fault{Kind: twiliotest.NotFoundYet, On: twiliotest.FetchMedia, Times: 1})
	m := gateway.TwilioMedia{SID: in.Media[0].SID}
	_, err := r.OpenMedia(t.Context(), testAccount, in.SID, m)
	wantCode(t, err, gateway.CodeNotFound)
	if body, err := r.OpenMedia(t.Context(), testAccount, in.SID, m); err != nil {
		t.Error(err)
	} else {
		_ = body.Close()
	}
}

// Five megabytes pass through in little memory: all that is allocated on the
// way, by both ends, is counted.
func TestMediaAreNotHeldWhole(t *testing.T) {
	const size = 5 << 20
	piece := make([]byte, 32<<10)
	for i := range piece {
		piece[i] = byte(rand.Uint32())
	}
	c := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for range size / len(piece) {
			_, _ = w.Write(piece)
		}
	})
	hash := sha256.New()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body, err := c.OpenMedia(t.Context(), testAccount, testSID, jpegMedia)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{hash}, body, make([]byte, 64<<10))
	_ = body.Close()
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err != nil || n != size || allocated > 1<<20 {
		t.Errorf("%d bytes, %v; %d bytes of memory", n, err, allocated)
	}
}

// A slow picture is patient as long as something comes.
func TestASlowPictureIsReadToItsEnd(t *testing.T) {
	c := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Length", "10")
		for range 10 {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(120 * time.Millisecond)
		}
	})
	c.config.Timeout = time.Second
	if got, err := opened(t, c); err != nil || len(got) != 10 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
