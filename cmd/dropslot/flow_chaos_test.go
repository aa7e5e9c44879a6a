package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

// chaos lets a REST API misbehave in every way that Twilio's was seen to, at
// random: before the work (refusals), after it (lost answers), and instead of
// it (early not-founds, redirected deletions). It never lies about what is done.
func chaos(rate float64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rand.Float64() > rate { // #nosec G404 -- no secret
				next.ServeHTTP(w, r)
				return
			}
			misbehave(w, r, next)
		})
	}
}

func misbehave(w http.ResponseWriter, r *http.Request, next http.Handler) {
	listing, fetching := strings.HasSuffix(r.URL.Path, "/Media.json"), r.Method == http.MethodGet
	write := func(status int, contentType, body string) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	switch n := rand.IntN(8); { // #nosec G404
	case n == 0:
		w.Header().Set("Retry-After", "1")
		write(http.StatusTooManyRequests, "application/json", `{"code":20429,"message":"Too Many Requests","status":429}`)
	case n == 1:
		write(http.StatusInternalServerError, "text/html", "<html><body>Oops</body></html>")
	case n == 2: // the work is done, the connection breaks
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case n == 3 && r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/Messages.json"):
		write(http.StatusBadRequest, "application/json", `{"code":20009,"message":"Resource not complete","status":400}`)
	case n == 4 && r.Method == http.MethodDelete:
		w.Header().Set("Location", "/elsewhere")
		write(http.StatusTemporaryRedirect, "text/html", "")
	case n == 5 && r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNotModified)
	case n == 6 && listing:
		write(http.StatusOK, "application/json", `{"media_list":[],"next_page_uri":null}`)
	case n == 6 && fetching && strings.Contains(r.URL.Path, "/Media/"): // a picture that breaks off
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		w.Header().Set("Content-Length", fmt.Sprint(whole.Body.Len()))
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	case n == 7 && fetching:
		write(http.StatusNotFound, "application/json", `{"code":20404,"message":"The requested resource was not found","status":404}`)
	default: // the work is done, the answer is garbled
		next.ServeHTTP(httptest.NewRecorder(), r)
		write(http.StatusOK, "text/html", "<html>")
	}
}

// onePixel is a picture that no other is like.
func onePixel(n int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 1, 1))
	img.SetRGBA(0, 0, color.RGBA{R: uint8(n), G: uint8(n >> 8), B: uint8(n >> 16), A: 255})
	var out bytes.Buffer
	_ = png.Encode(&out, img) // a buffer never fails
	return out.Bytes()
}

// Ten thousand texts, a third of them with one to twelve pictures, some of
// whose webhooks come twice or never, past a Twilio that misbehaves in one of
// ten requests: in the end nothing is left there, every picture is one page,
// and each text of ours went out at most once.
func TestNothingIsLeftAtTwilioAndNothingIsLost(t *testing.T) {
	texts := 10_000
	if testing.Short() || raceDetector {
		texts = 300
	}
	w := newTown(t, chaos(0.1))
	w.spendFreely()
	var sent count
	w.manyText(texts/2, 0, &sent)
	w.down.Store(true) // for a while no webhook arrives
	w.manyText(texts/100, 10_000_000, &sent)
	w.down.Store(false)
	w.manyText(texts-texts/2, 5_000_000, &sent)
	w.fake.Settle()

	began := time.Now()
	turns := 0
	for ; turns < 400 && len(w.fake.Left()) > 0; turns++ {
		w.work()
		if turns%20 == 19 {
			w.tolerate(w.leftovers.Run(t.Context()))
		}
		w.wait(10 * time.Minute)
	}
	words, media := w.left()
	unknown := w.count("sendings WHERE state = 'unknown'")
	t.Logf("%d texts, %d pictures: %d words and %d pictures left after %d turns (%s); %d sends of %d unknown, %d rows dead",
		texts, sent.pictures.Load(), words, media, turns, time.Since(began).Round(time.Second), unknown, w.count("sendings"),
		w.count("texts WHERE step = 'dead'"))
	if words+media != 0 {
		t.Errorf("%d words and %d pictures are left at Twilio", words, media)
		for _, m := range w.fake.Left() {
			t.Logf("%s %s of %s: %v %v", m.Direction, m.SID, m.CreatedAt,
				w.ids("SELECT step || ' ' || tries || ' ' || fault FROM texts WHERE message_sid = '"+m.SID+"'"),
				w.ids("SELECT step || ' ' || tries || ' ' || fault FROM outgoing WHERE sid = '"+m.SID+"'"))
		}
	}
	if n := int64(w.count("pages")); n != sent.pictures.Load() {
		t.Errorf("%d pages of %d pictures", n, sent.pictures.Load())
	}
	if n := w.count("(SELECT page_key FROM pages GROUP BY page_key HAVING COUNT(*) > 1) AS twice"); n != 0 {
		t.Errorf("%d pictures were sealed twice", n)
	}
	if n := int64(w.count("notes")); n != sent.words.Load() {
		t.Errorf("%d notes of %d texts with words", n, sent.words.Load())
	}
	w.sentOnce()
	w.pagesOpen(50)
}

// count is what was texted.
type count struct{ pictures, words atomic.Int64 }

// manyText lets as many people text, sixteen at once; first keeps them apart
// from others. A third send pictures, and Twilio says every tenth text twice.
func (w *town) manyText(people, first int, sent *count) {
	var all sync.WaitGroup
	next := make(chan int)
	for range 16 {
		all.Go(func() {
			for n := range next {
				in := twiliotest.Inbound{From: fmt.Sprintf("+1312%07d", 2_000_000+(first+n)%7_999_999), To: demoNumber, Body: "papers of mine"}
				if n%3 == 0 {
					for i := range 1 + n%12 {
						in.Media = append(in.Media, twiliotest.Media{Content: onePixel((first+n)*16 + i)})
					}
				}
				if n%5 == 0 && len(in.Media) > 0 {
					in.Body = ""
				} else {
					sent.words.Add(1)
				}
				sent.pictures.Add(int64(len(in.Media)))
				e, err := w.fake.Text(w.t.Context(), in)
				if err == nil && n%10 == 0 {
					_, err = w.fake.Again(w.t.Context(), e.Message.SID)
				}
				if err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	for n := range people {
		next <- n
	}
	close(next)
	all.Wait()
}

// sentOnce checks that no text of ours went out twice.
func (w *town) sentOnce() {
	w.t.Helper()
	if n := w.count("(SELECT sending FROM outgoing WHERE sending <> '' GROUP BY sending HAVING COUNT(*) > 1) AS twice"); n != 0 {
		w.t.Errorf("%d texts of ours went out twice", n)
	}
	if api, rows := w.fromAPI(), w.count("sendings"); api > rows {
		w.t.Errorf("%d texts went out for %d sendings", api, rows)
	}
}

func (w *town) fromAPI() (n int) {
	for _, m := range w.fake.All() {
		if m.Direction == twiliotest.FromAPI {
			n++
		}
	}
	return n
}

// pagesOpen opens some pages at the desk: each is a whole picture.
func (w *town) pagesOpen(most int) {
	w.t.Helper()
	for _, id := range w.ids("SELECT id FROM pages LIMIT " + fmt.Sprint(most)) {
		page, err := w.desk.OpenPage(w.t.Context(), staffOf(demoOffice), gateway.PageID(id), false)
		if err != nil {
			w.t.Fatal(err)
		}
		_, err = png.Decode(page.Content)
		_ = page.Close()
		if err != nil {
			w.t.Fatalf("a page is no whole picture: %v", err)
		}
	}
}
