package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const races = 5

// twoBrowsers tap the button of one link at once: one gets in, the other is
// told kindly and reads nothing of what the first one sends.
func twoBrowsers(w *town) {
	first := w.newPerson("Ana")
	second := first.otherPhone("Ben")
	for range races {
		// A phone that never wrote before, so that nobody is kept waiting.
		sender := w.newPhone()
		first.phone = sender
		first.asks("Hi, where do I send my papers?")
		second.link = first.link
		winner, loser := raceFor(w, first, second)
		winner.inside()
		submission := winner.submission()
		loser.reads("page.problem.link-taken")
		loser.reads("errors.link-taken")
		loser.expects("409", "404")
		loser.visit("http://" + w.public + "/send/" + submission)
		loser.reads("page.problem.not-found")
		if strings.Contains(loser.shown(), say(w.t, "en", "page.send.pages")) {
			w.t.Error("the loser reads what the winner sent")
		}
	}
	first.expects("409", "404")
}

// raceFor lets both tap at once and tells who got in.
func raceFor(w *town, first, second *person) (winner, loser *person) {
	w.t.Helper()
	runners := []*person{first, second}
	for _, runner := range runners {
		runner.visit(runner.link)
		runner.visible("main form button")
	}
	var wait sync.WaitGroup
	faults := make([]error, len(runners))
	for i, runner := range runners {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(runner.context, stepTimeout)
			defer cancel()
			faults[i] = chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button")),
				chromedp.WaitNotPresent(chromedp.CSS(".steps")))
		})
	}
	wait.Wait()
	if err := errors.Join(faults...); err != nil {
		w.t.Fatalf("the race: %v", err)
	}
	in := map[bool][]*person{}
	for _, runner := range runners {
		inside := strings.Contains(runner.location(), "/send/")
		in[inside] = append(in[inside], runner)
	}
	if len(in[true]) != 1 {
		w.t.Fatalf("%d browsers got in\n%s\n%s", len(in[true]), first.state(), second.state())
	}
	return in[true][0], in[false][0]
}

// answerLost is a claim whose answer never arrives: the server bound the link
// to the browser, and the browser does not know.
func answerLost(w *town) {
	kim := w.newPerson("Kim")
	kim.asks("Hello, I want to send a letter")
	kim.visit(kim.link)
	kim.visible("main form button")
	// The same browser's claim, by a line that breaks before the answer.
	line := &client{base: "http://" + w.public, from: "127.0.0.1", http: newTransport(), cookie: "__Host-b=" + kim.cookie("__Host-b")}
	path := strings.TrimPrefix(kim.link, line.base)
	response, _, err := line.do(w.t.Context(), http.MethodPost, path, nil, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if response.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("the claim whose answer is dropped: %s", response.Status)
	}
	kim.click("main form button")
	kim.inside()
	kim.photographs("")

	lee := w.newPerson("Lee")
	lee.asks("Hello, I want to send a letter")
	lee.visit(lee.link)
	lee.expects("ERR_CONNECTION_RESET")
	broken := lee.losesAnswers(http.MethodPost)
	lee.click("main form button")
	select {
	case <-broken:
	case <-w.t.Context().Done():
	}
	lee.visit(lee.link) // tapped in the text again
	lee.reads("page.link.mine")
	lee.enters()
	lee.photographs("")

	late := lee.otherPhone("somebody with the same link")
	late.expects("409")
	late.visit(lee.link)
	late.reads("page.problem.link-taken")
}

// losesAnswers breaks the connection under the next answer to a method, after
// the server has done its work. The channel closes when it did.
func (w *tab) losesAnswers(method string) <-chan struct{} {
	w.t.Helper()
	lost := make(chan struct{})
	paused := chromedp.Events(w.context, fetch.RequestPaused)
	w.do("watch the answers", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, fetch.Enable, fetch.EnableParams{
			Patterns: []*fetch.RequestPattern{{URLPattern: "*", RequestStage: fetch.RequestStageResponse}},
		})
		return err
	}))
	go func() {
		for event, err := range paused {
			if err != nil {
				return
			}
			if event.Request.Method != method {
				_, _ = chromedp.Call(w.context, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: event.RequestID})
				continue
			}
			_, _ = chromedp.Call(w.context, fetch.FailRequest, fetch.FailRequestParams{
				RequestID: event.RequestID, ErrorReason: network.ErrorReasonConnectionReset,
			})
			_, _ = chromedp.Call(w.context, fetch.Disable, cdp.Empty{})
			close(lost)
			return
		}
	}()
	return lost
}

// bots are what fetches a link before a person taps it.
var bots = []string{
	"facebookexternalhit/1.1 Facebot Twitterbot/1.0", // iMessage says this
	"WhatsApp/2.23.20.0", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
	"Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)", "TelegramBot (like TwitterBot)",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
}

const previews = 50

// previewsFirst lets bots fetch a link with GET and HEAD, with cookies and
// without, before the person taps: nothing is used up.
func previewsFirst(w *town) {
	pat := w.newPerson("Pat")
	pat.asks("Hi, please send me the link")
	var bot *client
	for n := range previews {
		if bot == nil || n%4 != 3 { // every fourth comes back with its cookie
			bot = &client{base: "http://" + w.public, from: randomAddress(), http: newTransport()}
		}
		method := []string{http.MethodGet, http.MethodHead}[n%2]
		header := http.Header{"User-Agent": {bots[n%len(bots)]}, "Accept": {"text/html"}}
		if n%5 == 0 {
			header.Set("Sec-Purpose", "prefetch;prerender")
		}
		response, content, err := bot.do(w.t.Context(), method, strings.TrimPrefix(pat.link, bot.base), header, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		if response.StatusCode != http.StatusOK {
			w.t.Fatalf("preview %d: %s", n, response.Status)
		}
		if method == http.MethodHead && len(content) > 0 {
			w.t.Errorf("preview %d: an answer to HEAD has a body", n)
		}
		if bot.cookie == "" {
			w.t.Errorf("preview %d got no cookie to claim with", n)
		}
	}
	pat.enters()
	pat.photographs("photo-id")
	pat.isDone("")
	pat.reads("page.receipt.pages", "count", "1")
}
