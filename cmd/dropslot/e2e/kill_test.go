package e2e

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway"
)

// kills is how often the intake dies under load: 500 times, or as often as
// DROPSLOT_KILLS says, for a try by hand.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("DROPSLOT_KILLS")
	if text == "" {
		return 500
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("DROPSLOT_KILLS is no count of kills: %q", text)
	}
	return n
}

// receipt is one page that the intake said it has.
type receipt struct {
	submission gateway.SubmissionID
	key        gateway.PageKey
	digest     gateway.Digest
	length     int64
}

// siege is people who send pages to an intake that is killed again and again.
type siege struct {
	t       *testing.T
	house   *house
	http    *http.Client
	pages   []sealedPage
	up      *signal
	closing atomic.Bool
	answers chan struct{} // one for each receipt

	mutex    sync.Mutex
	receipts []receipt
	refusals []string
}

// TestKilledIntakeLosesNoAcknowledgedPage kills the intake with kill -9, 500
// times, while pages arrive. Whatever was acknowledged must be in the vault
// and in the records at the end; whoever got no answer asks again and must
// get one. A page whose row or object was lost to a kill would be acknowledged
// to the one who asks again, and so be found missing too.
//
// A sync that is left out is not seen here, because the system outlives the
// process: the vault's test of power cuts is for that.
func TestKilledIntakeLosesNoAcknowledgedPage(t *testing.T) {
	t.Parallel() // next to the weak line, which needs no processor
	kills := kills(t)
	h := newHouse(t, nowhere)
	s := newSiege(t, h)
	s.run(binary, kills)
	lost := h.missing(s.receipts)
	t.Logf("%d kills, %d pages acknowledged, %d lost", kills, len(s.receipts), len(lost))
	for _, complaint := range append(lost, s.refusals...) {
		t.Error(complaint)
	}
	if len(s.receipts) < kills {
		t.Errorf("only %d pages were acknowledged: that is no load", len(s.receipts))
	}
	h.opensSome(s, 20)
	h.command("", "audit", "verify", "-c", h.config) // one chain for each life
	h.provesMissing(s.receipts)
}

// nowhere stands for Twilio's API where a test sends no text through it.
const nowhere = "http://127.0.0.1:9"

// opensSome opens some of the acknowledged pages as somebody does who has the
// vault and the office's key alone, and compares them with what was sent.
func (h *house) opensSome(s *siege, most int) {
	h.t.Helper()
	plain := map[gateway.Digest][]byte{}
	for _, page := range s.pages {
		plain[page.digest] = page.plain
	}
	sample := make([]receipt, 0, most)
	for _, i := range rand.Perm(len(s.receipts))[:min(most, len(s.receipts))] {
		sample = append(sample, s.receipts[i])
	}
	papers := h.path("papers")
	args := []string{"open", "-i", h.path("data", "keys", "north.key"), "--out", papers}
	files := h.blobsOf(sample)
	h.command("", append(args, files...)...)
	for i, r := range sample {
		name := strings.TrimSuffix(filepath.Base(files[i]), ".age") + ".pdf"
		opened, err := os.ReadFile(filepath.Join(papers, name))
		if err != nil {
			h.t.Error(err)
		} else if !bytes.Equal(opened, plain[r.digest]) {
			h.t.Errorf("page %s opens as something else than was sent", r.key)
		}
	}
}

func newSiege(t *testing.T, h *house) *siege {
	t.Helper()
	return &siege{
		t: t, house: h, http: newTransport(), pages: sealedPages(t, h), up: newSignal(),
		answers: make(chan struct{}, 1<<16),
	}
}

const senders = 6

// run kills the binary as often as told while senders send, lets it live at
// last until every sender has its answer, and stops it.
func (s *siege) run(program string, kills int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	var wait sync.WaitGroup
	for range senders {
		wait.Go(func() { s.send(ctx) })
	}
	for range kills {
		p := s.revive(ctx, program)
		s.mayLive(ctx, p)
		s.up.lower()
		p.kill()
	}
	last := s.revive(ctx, program)
	s.closing.Store(true)
	wait.Wait()
	last.stop()
	if err := ctx.Err(); err != nil {
		s.t.Fatalf("the siege took too long: %v\n%s", err, tailOf(s.house.said))
	}
}

// revive starts the intake and tells the senders.
func (s *siege) revive(ctx context.Context, program string) *process {
	s.t.Helper()
	p := s.house.launch(program, "intake")
	p.listening(s.t, s.house.public)
	s.up.raise()
	return p
}

// mayLive lets the intake acknowledge some pages, then a moment more, so that
// the kill falls anywhere into the next ones.
func (s *siege) mayLive(ctx context.Context, p *process) {
	s.t.Helper()
	for range 1 + rand.IntN(12) {
		select {
		case <-s.answers:
		case <-p.done:
			s.t.Fatalf("the intake ended by itself:\n%s", tailOf(s.house.said))
		case <-ctx.Done():
			s.t.Fatalf("no page was acknowledged any more:\n%s", tailOf(s.house.said))
		}
	}
	timer := time.NewTimer(time.Duration(rand.IntN(15_000)) * time.Microsecond)
	defer timer.Stop()
	<-timer.C
}

// send is one sender after the other: texts, claims, sends pages until the
// link is nearly full, and asks again whenever the line breaks.
func (s *siege) send(ctx context.Context) {
	for ctx.Err() == nil && !s.closing.Load() {
		c := &client{base: "http://" + s.house.public, from: randomAddress(), http: s.http}
		message := newText("Hello")
		var token string
		if !s.insist(ctx, "text", func() error {
			answer, err := c.deliver(ctx, s.house.public, message)
			if err == nil {
				token, err = tokenIn(answer)
			}
			return err
		}) || !s.insist(ctx, "claim", func() error { return c.claim(ctx, token) }) {
			return
		}
		for n := 0; n < 36 && ctx.Err() == nil && !s.closing.Load(); n++ {
			if !s.sendPage(ctx, c) {
				return
			}
		}
	}
}

func (s *siege) sendPage(ctx context.Context, c *client) bool {
	page := s.pages[rand.IntN(len(s.pages))]
	key := randomText(20)
	if !s.insist(ctx, "page", func() error {
		status, err := c.upload(ctx, key, page.header, page.sealed)
		if err == nil && status != http.StatusCreated {
			err = errors.Join(errRefused, errors.New("page: "+strconv.Itoa(status)))
		}
		return err
	}) {
		return false
	}
	s.mutex.Lock()
	s.receipts = append(s.receipts, receipt{
		submission: gateway.SubmissionID(filepath.Base(c.send)), key: gateway.PageKey(key),
		digest: page.digest, length: int64(len(page.sealed)),
	})
	s.mutex.Unlock()
	select {
	case s.answers <- struct{}{}:
	default:
	}
	return true
}

// insist tries until it works. A broken line is what this is about; a refusal
// is a fault, unless it says that the intake is just not able.
func (s *siege) insist(ctx context.Context, what string, try func() error) bool {
	for ctx.Err() == nil {
		if !s.up.wait(ctx) {
			return false
		}
		err := try()
		if err == nil {
			return true
		}
		if errors.Is(err, errRefused) && !strings.Contains(err.Error(), "503") {
			s.mutex.Lock()
			s.refusals = append(s.refusals, what+": "+err.Error())
			s.mutex.Unlock()
			return false
		}
	}
	return false
}

// signal tells many whether something is up.
type signal struct {
	mutex sync.Mutex
	gate  chan struct{} // closed while up
	open  bool
}

func newSignal() *signal { return &signal{gate: make(chan struct{})} }

func (g *signal) raise() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if !g.open {
		close(g.gate)
		g.open = true
	}
}

func (g *signal) lower() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.open {
		g.gate = make(chan struct{})
		g.open = false
	}
}

func (g *signal) wait(ctx context.Context) bool {
	g.mutex.Lock()
	gate := g.gate
	g.mutex.Unlock()
	select {
	case <-gate:
		return true
	case <-ctx.Done():
		return false
	}
}

// tailOf is the end of what was said.
func tailOf(said *transcript) string {
	text := said.String()
	return text[max(0, len(text)-4000):]
}
