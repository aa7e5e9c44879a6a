package main

import (
	"context"
	"errors"
	"io"
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

// holding is a Twilio of which the test holds some pictures back.
type holding struct {
	lock   sync.Mutex
	broken map[string]bool // media that are not served
	hidden map[string]bool // media that are not listed
	page   string          // what stands in a broken picture's place
	opened atomic.Int32    // pictures served
}

func (h *holding) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.lock.Lock()
		defer h.lock.Unlock()
		at := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		switch {
		case r.Method == http.MethodGet && h.broken[at]:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, h.page)
		case r.Method == http.MethodGet && at == "Media.json":
			h.list(w, r, next)
		default:
			if r.Method == http.MethodGet && strings.HasPrefix(at, "ME") {
				h.opened.Add(1)
			}
			next.ServeHTTP(w, r)
		}
	})
}

// list leaves out what is hidden.
func (h *holding) list(w http.ResponseWriter, r *http.Request, next http.Handler) {
	whole := httptest.NewRecorder()
	next.ServeHTTP(whole, r)
	body := whole.Body.String()
	for sid := range h.hidden {
		begin := strings.Index(body, `"sid":"`+sid)
		if begin < 0 {
			continue
		}
		begin = strings.LastIndexByte(body[:begin], '{')
		end := begin + strings.IndexByte(body[begin:], '}') + 1
		body = strings.NewReplacer("[,", "[", ",]", "]", ",,", ",").Replace(body[:begin] + body[end:])
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

func (h *holding) set(broken, hidden map[string]bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.broken, h.hidden = broken, hidden
}

// texted lets a client text pictures, some of which are held back.
func (h *holding) texted(t *testing.T, w *town, pictures int, held func(sids []string)) []string {
	t.Helper()
	var media []twiliotest.Media
	for i := range pictures {
		media = append(media, twiliotest.Media{Content: picture(t, uint8(10+20*i))})
	}
	e := w.text(client, "", media...)
	var sids []string
	for _, m := range e.Message.Media {
		sids = append(sids, m.SID)
	}
	held(sids)
	return sids
}

// work lets the worker work for a while, a turn each few minutes.
func (w *town) workFor(d, pause time.Duration) {
	w.t.Helper()
	for end := w.now().Add(d); w.now().Before(end); {
		w.work()
		w.wait(pause)
	}
}

// A picture that cannot be fetched takes none of its siblings with it: they are
// sealed once, and the client hears of all together, in the end.
func TestOnePictureThatFailsIsInNoOthersWay(t *testing.T) {
	h := &holding{page: "<html>"}
	w := newTown(t, h.over)
	sids := h.texted(t, w, 3, func(sids []string) { h.set(map[string]bool{sids[1]: true}, nil) })
	w.workFor(2*time.Hour, 5*time.Minute)
	if n := w.count("pages"); n != 2 {
		t.Fatalf("%d pages of the two that came", n)
	}
	if n := h.opened.Load(); n != 2 {
		t.Errorf("%d pictures were fetched, want each once", n)
	}
	if _, left := w.left(); left != 3 || w.count("sendings") != 0 {
		t.Errorf("%d pictures are left, %d texts tell of them: the collecting is not done", left, w.count("sendings"))
	}
	if n := w.count("audit WHERE action = 'page.received' AND outcome = 'done'"); n != 2 {
		t.Errorf("%d entries", n)
	}
	h.set(nil, nil)
	w.workFor(8*time.Hour, time.Hour)
	if _, left := w.left(); left != 0 || w.count("pages") != 3 || w.count("sendings WHERE occasion = 'photos-saved' AND count = 3") != 1 {
		t.Errorf("%d left of %v, %d pages, texts: %v", left, sids, w.count("pages"), w.ids("SELECT occasion FROM sendings"))
	}
}

// Given up, the others are there all the same, and the client hears of it.
func TestATextThatIsGivenUpKeepsWhatCame(t *testing.T) {
	h := &holding{page: "<html>"}
	w := newTown(t, h.over)
	h.texted(t, w, 3, func(sids []string) { h.set(map[string]bool{sids[1]: true}, nil) })
	w.workFor(16*24*time.Hour, 12*time.Hour)
	if w.count("texts WHERE step = 'dead'") != 1 || w.count("pages") != 2 || w.count("sendings WHERE occasion = 'photos-partly' AND count = 2") != 1 {
		t.Errorf("%v, %d pages, texts: %v", w.ids("SELECT step FROM texts"), w.count("pages"), w.ids("SELECT occasion FROM sendings"))
	}
	if _, left := w.left(); left != 3 {
		t.Errorf("%d pictures are left: what was not seen is not erased", left)
	}
}

// A proxy's page with the status 404 is not Twilio's word: a picture that the
// list names is never counted as gone.
func TestAListedPictureIsNeverGone(t *testing.T) {
	h := &holding{page: "<html>Not found</html>"}
	w := newTown(t, h.over)
	sids := h.texted(t, w, 1, func(sids []string) { h.set(map[string]bool{sids[0]: true}, nil) })
	w.workFor(26*time.Hour, 10*time.Minute)
	if _, left := w.left(); left != 1 || w.count("texts WHERE step = 'collect'") != 1 {
		t.Fatalf("%d left of %v", left, sids)
	}
	h.set(nil, nil)
	// Nor does Twilio's own error count of what it lists.
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.NotFoundYet, On: twiliotest.FetchMedia, Times: 3})
	w.workFor(10*24*time.Hour, 6*time.Hour)
	if _, left := w.left(); left != 0 || w.count("pages") != 1 {
		t.Errorf("%d left, %d pages, faults %v", left, w.count("pages"), w.ids("SELECT fault FROM texts"))
	}
}

// Twilio lists a picture only when the others are to be erased: it is fetched
// before anything of the text is.
func TestAPictureThatIsListedLateIsNotErasedUnseen(t *testing.T) {
	h := &holding{}
	w := newTown(t, h.over)
	sids := h.texted(t, w, 3, func(sids []string) { h.set(nil, map[string]bool{sids[2]: true}) })
	w.workFor(50*time.Minute, 2*time.Minute)
	if n := w.count("pages"); n != 2 {
		t.Fatalf("%d pages while the third is waited for", n)
	}
	// Nothing can be erased for now: the text stands at that step.
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.ServerError, On: twiliotest.DeleteMedia, Times: -1})
	w.workFor(time.Hour, 2*time.Minute)
	if w.count("texts WHERE step = 'erase' AND kept = 2 AND refused = 1") != 1 {
		t.Fatalf("steps: %v", w.ids("SELECT step || ' ' || fault FROM texts"))
	}
	h.set(nil, nil)
	w.fake.Mend(twiliotest.ServerError)
	w.workFor(12*time.Hour, 30*time.Minute)
	if _, left := w.left(); left != 0 || w.count("pages") != 3 {
		t.Errorf("%d left, %d pages of %v", left, w.count("pages"), sids)
	}
	if n := w.count("texts WHERE step = 'done' AND media = 'sealed' AND kept = 3 AND refused = 0"); n != 1 {
		t.Errorf("texts: %v", w.ids("SELECT media || kept || refused FROM texts"))
	}
}

// One that cannot be kept is known as such, and is erased with the others.
func TestARefusedPictureIsErasedWithTheOthers(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: []byte("BEGIN:VCARD"), Type: "text/vcard"}, twiliotest.Media{Content: picture(t, 3)})
	w.work()
	w.work()
	if _, left := w.left(); left != 0 || w.count("texts WHERE media = 'partly' AND kept = 1 AND refused = 1") != 1 {
		t.Errorf("%d left, %v", left, w.ids("SELECT media FROM texts"))
	}
	denied := w.ids("SELECT reason FROM audit WHERE action = 'page.received' AND outcome = 'denied'")
	if len(denied) != 1 || gateway.Code(denied[0]) != gateway.CodePageType {
		t.Errorf("denied: %v", denied)
	}
}

// A text whose pictures never came belongs nowhere when it is given up: its
// sender hears of it all the same.
func TestATextThatIsGivenUpIsTold(t *testing.T) {
	for _, submission := range []string{"submission", "''"} { // of a link that nobody opened, and none
		w := newTown(t, nil)
		w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
		w.fake.Break(twiliotest.Fault{Kind: twiliotest.ServerError, On: twiliotest.ListMedia, Times: -1})
		for w.wait(20 * 24 * time.Hour); w.count("texts WHERE step = 'collect'") > 0; w.wait(24 * time.Hour) {
			if _, err := w.db().ExecContext(t.Context(), "UPDATE texts SET submission = "+submission); err != nil {
				t.Fatal(err)
			}
			w.work()
		}
		w.work()
		if w.count("texts WHERE step = 'dead'") != 1 || w.count("sendings WHERE occasion = 'photo-not-kept'") != 1 || w.count("river_job WHERE kind = 'tell-photos'") != 1 {
			t.Errorf("%s: %v, texts: %v", submission, w.ids("SELECT step FROM texts"), w.ids("SELECT occasion FROM sendings"))
		}
	}
}

func TestPhotosOfNoSubmissionAreGivenUp(t *testing.T) {
	w := newTown(t, nil)
	given := &gateway.GiveUpError{}
	if err := w.sendings.TellPhotos(t.Context(), "0000000000000000000000000a"); !errors.As(err, &given) {
		t.Errorf("tried again: %v", err)
	}
}

// interrupted is a Twilio under which the time is over with some picture.
type interrupted struct {
	gateway.TwilioMessages
	left int
	stop func()
}

func (i *interrupted) OpenMedia(ctx context.Context, account, message string, m gateway.TwilioMedia) (io.ReadCloser, error) {
	if i.left--; i.left == 0 {
		i.stop()
	}
	return i.TwilioMessages.OpenMedia(ctx, account, message, m)
}

// A message that takes longer than one try goes on where the last one ended.
func TestALongMessageIsCollectedInSeveralTries(t *testing.T) {
	h := &holding{}
	w := newTown(t, h.over)
	h.texted(t, w, 5, func([]string) {})
	w.wait(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	twilio := w.channel.Twilio
	w.channel.Twilio = &interrupted{twilio, 3, stop}
	if err := w.channel.Run(ctx); err != nil {
		t.Fatal(err)
	}
	w.channel.Twilio = twilio
	if w.count("pages") != 2 || w.count("texts WHERE step = 'collect'") != 1 {
		t.Fatalf("%d pages, %v", w.count("pages"), w.ids("SELECT step FROM texts"))
	}
	w.wait(time.Hour)
	w.work()
	if _, left := w.left(); left != 0 || w.count("pages") != 5 || h.opened.Load() != 5 {
		t.Errorf("%d left, %d pages, %d fetched", left, w.count("pages"), h.opened.Load())
	}
}

// stopping is a Twilio under which the process is told to stop right after the
// last erasure.
type stopping struct {
	gateway.TwilioMessages
	stop func()
}

func (s stopping) EraseBody(ctx context.Context, account, message string) (gateway.Erasure, error) {
	defer s.stop()
	return s.TwilioMessages.EraseBody(ctx, account, message)
}

func TestAProofOutlivesTheWordToStop(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "hello", twiliotest.Media{Content: picture(t, 1)})
	w.wait(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	w.channel.Twilio = stopping{w.channel.Twilio, stop}
	if err := w.channel.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if n := w.count("audit WHERE action = 'twilio.erased'"); n != 2 || w.count("texts WHERE step = 'done'") != 1 {
		t.Errorf("%d proofs, %v", n, w.ids("SELECT step FROM texts"))
	}
}
