package main

import (
	"bufio"
	"bytes"
	"image"
	_ "image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
)

func TestMessagesAreSignedAsTwilioDoes(t *testing.T) {
	texts := newMessenger("http://127.0.0.1:8080", "127.0.0.1:9")
	senders := map[string]bool{}
	validator := client.NewRequestValidator(authToken)
	for range 50 {
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(texts.next())))
		if err != nil {
			t.Fatal(err)
		}
		if err := request.ParseForm(); err != nil {
			t.Fatal(err)
		}
		parameters := map[string]string{}
		for key, values := range request.PostForm {
			if len(values) != 1 {
				t.Errorf("%s is there %d times", key, len(values))
			}
			parameters[key] = values[0]
		}
		if !validator.Validate("http://127.0.0.1:8080/twilio/messages", parameters, request.Header.Get("X-Twilio-Signature")) {
			t.Fatal("Twilio's own validator refuses the signature")
		}
		senders[parameters["From"]] = true
	}
	if len(senders) != 50 {
		t.Errorf("50 texts came of %d senders", len(senders))
	}
}

func TestExchangeReadsBothKindsOfBodies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
		w.Header().Set("Location", "/there")
		w.WriteHeader(http.StatusSeeOther)
		_, _ = w.Write(body)
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte(" and more"))
		}
	}))
	defer server.Close()
	c, err := dial(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for range 2 { // the connection is kept
		for path, want := range map[string]string{"/plain": "hello", "/chunked": "hello and more"} {
			answer, err := c.exchange([]byte("POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"), []byte("hello"))
			if err != nil {
				t.Fatal(err)
			}
			if answer.Status != 303 || string(answer.Body) != want || answer.Location != "/there" ||
				len(answer.Cookies) != 1 || answer.Cookies[0] != "who=you" {
				t.Errorf("%s: %+v %q", path, answer, answer.Body)
			}
		}
	}
}

func TestRunStopsAtTheCount(t *testing.T) {
	var seen atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	work := func(int) worker {
		return func(c *connection) (int64, error) {
			_, err := c.exchange([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
			return 10, err
		}
	}
	r, err := run(address, plan{Connections: 4, Time: time.Minute, Count: 100}, work)
	if err != nil {
		t.Fatal(err)
	}
	if seen.Load() != 100 || len(r.Latencies) != 100 || r.Bytes != 1000 {
		t.Errorf("%d were served, %d measured, %d bytes", seen.Load(), len(r.Latencies), r.Bytes)
	}
}

func TestRatioComparesNeighbours(t *testing.T) {
	round := func(n int) result { return result{Took: time.Second, Latencies: make([]time.Duration, n)} }
	ours := series{rounds: []result{round(10), round(40), round(30)}}
	floor := series{rounds: []result{round(40), round(80), round(60)}}
	if got := ratio(&ours, &floor, result.perSecond); got != 0.5 {
		t.Errorf("got %v", got)
	}
}

func TestPictureIsAPageOfThreeMegabytes(t *testing.T) {
	encoded, err := picture()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(encoded); n < pageBytes*9/10 || n > pageBytes*11/10 {
		t.Errorf("%d bytes", n)
	}
	if _, format, err := image.DecodeConfig(bytes.NewReader(encoded)); err != nil || format != "jpeg" {
		t.Errorf("%s, %v", format, err)
	}
}
