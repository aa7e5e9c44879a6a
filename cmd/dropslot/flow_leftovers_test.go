package main

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway/twilio/twiliotest"
)

// lost is a text whose webhook never arrives.
func (w *town) lost(from, words string, media ...twiliotest.Media) {
	w.t.Helper()
	w.down.Store(true)
	defer w.down.Store(false)
	w.text(from, words, media...)
}

// look is the daily look at Twilio, some hours later, and the work that it makes.
func (w *town) look() {
	w.t.Helper()
	w.wait(3 * time.Hour)
	if err := w.leftovers.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.work()
}

// What came last counts, though it comes to light in another order; of what
// cannot be told apart, silence.
func TestAdoptedKeywords(t *testing.T) {
	for name, test := range map[string]struct {
		texts func(w *town)
		out   int
	}{
		"a lost STOP from abroad":         {func(w *town) { w.lost("+442071838750", "STOP") }, 1},
		"a lost STOP":                     {func(w *town) { w.lost(client, "STOP") }, 1},
		"a lost STOP before a START":      {func(w *town) { w.lost(client, "Stop"); w.text(client, "START") }, 0},
		"a lost START before a STOP":      {func(w *town) { w.lost(client, "start"); w.text(client, "STOP") }, 1},
		"a lost STOP after a START":       {func(w *town) { w.text(client, "START"); w.wait(time.Minute); w.lost(client, "STOP") }, 1},
		"a lost START before a lost STOP": {func(w *town) { w.lost(client, "START"); w.wait(time.Minute); w.lost(client, "STOP") }, 1},
		"a lost STOP before a lost START": {func(w *town) { w.lost(client, "STOP"); w.wait(time.Minute); w.lost(client, "START") }, 0},
		"a STOP before a lost START":      {func(w *town) { w.text(client, "STOP"); w.wait(time.Minute); w.lost(client, "START") }, 0},
		"a lost START found before a STOP": {func(w *town) {
			w.lost(client, "START")
			w.look()
			w.text(client, "STOP")
		}, 1},
		"two lost STOPs around a lost START": {func(w *town) {
			w.lost(client, "STOP")
			w.wait(time.Minute)
			w.lost(client, "START")
			w.wait(time.Minute)
			w.lost(client, "STOP")
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, nil)
			test.texts(w)
			w.look()
			if n := w.count("senders WHERE opted_out_at > 0"); n != test.out {
				t.Errorf("%d opted out, want %d", n, test.out)
			}
			if n := w.count("texts WHERE words <> 'not-kept'"); n != 0 {
				t.Errorf("%d keywords are kept", n)
			}
		})
	}
}

// Who would not be answered has nothing kept, webhook or not.
func TestAdoptedFromWhomNobodyAnswers(t *testing.T) {
	w := newTown(t, nil)
	w.lost("+442071838750", "hello", twiliotest.Media{Content: picture(t, 1)})
	w.lost(demoNumber, "hello")
	w.lost("262966", "Your code is 1234")
	w.look()
	if w.count("texts WHERE reason = 'country' AND media = 'not-kept'") != 1 || w.count("texts WHERE reason = 'short-code'") != 1 || w.count("pages")+w.count("notes") != 0 {
		t.Errorf("adopted as %v", w.ids("SELECT reason || ' ' || media || ' ' || words FROM texts"))
	}
	if w.count("texts WHERE reason = 'own-number'") != 1 {
		t.Errorf("a number of ours: %v", w.ids("SELECT reason FROM texts"))
	}
	if words, media := w.left(); words+media != 0 {
		t.Errorf("%d words and %d pictures are left", words, media)
	}
}

func TestAdoptedPicturesAreToldOfToNobody(t *testing.T) {
	w := newTown(t, nil)
	w.lost(client, "my papers", twiliotest.Media{Content: picture(t, 1)})
	for range 3 {
		w.look()
	}
	if w.count("pages") != 1 || w.count("sendings") != 0 || len(w.fake.Outbox(client)) != 0 {
		t.Errorf("%d pages; texted %v", w.count("pages"), w.ids("SELECT occasion FROM sendings"))
	}
}

// Pictures that are proven to be erased are not listed each day anew.
func TestProofSparesTheMediaList(t *testing.T) {
	var lists atomic.Int64
	w := newTown(t, func(to http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/Media.json") {
				lists.Add(1)
			}
			to.ServeHTTP(out, r)
		})
	})
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	w.fake.Settle()
	w.work()
	for day, want := range []int64{1, 0, 0} {
		before := lists.Load()
		w.look()
		if n := lists.Load() - before; n != want {
			t.Errorf("look %d: %d lists of media", day, n)
		}
		w.wait(48 * time.Hour)
	}
}
