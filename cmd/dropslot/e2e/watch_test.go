package e2e

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// watch notes whom a window talks to and what its console complains of.
type watch struct {
	hosts []string

	mutex     sync.Mutex
	strangers []string // URLs of requests to anybody else
	said      []string
	expected  []string
	requests  int
}

func newWatch(hosts []string) *watch { return &watch{hosts: hosts} }

// event sees each event of the window, from its first one on.
func (s *watch) event(event any) {
	sent, ok := event.(*network.EventRequestWillBeSent)
	if !ok {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.requests++
	if !s.known(sent.Request.URL) {
		s.strangers = append(s.strangers, sent.Request.URL)
	}
}

// known tells whether a request stays with the hosts, or leaves the machine
// for nowhere: what a page made itself, and the browser's own PDF viewer.
func (s *watch) known(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch parsed.Scheme {
	case "blob", "data", "chrome", "chrome-extension", "chrome-error":
		return true
	}
	return slices.Contains(s.hosts, parsed.Host)
}

// console notes what the console says: exceptions, blocked scripts, breaches
// of the Content-Security-Policy, files that are not there.
func (s *watch) console(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range messages {
		if err != nil {
			return
		}
		s.mutex.Lock()
		s.said = append(s.said, message.Text+" "+message.URL)
		s.mutex.Unlock()
	}
}

func (s *watch) complaints() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.DeleteFunc(slices.Clone(s.said), func(line string) bool {
		return slices.ContainsFunc(s.expected, func(words string) bool { return strings.Contains(line, words) })
	})
}

// expects names words of a complaint that belongs to the test, such as the
// status of a refusal.
func (w *tab) expects(words ...string) {
	w.watch.mutex.Lock()
	defer w.watch.mutex.Unlock()
	w.watch.expected = append(w.watch.expected, words...)
}

// quiet fails if the window talked to a stranger or its console complained.
func (w *tab) quiet() {
	w.t.Helper()
	if said := w.watch.complaints(); len(said) > 0 {
		w.t.Errorf("%s: the console says:\n%s", w.name, strings.Join(said, "\n"))
	}
	w.watch.mutex.Lock()
	defer w.watch.mutex.Unlock()
	if len(w.watch.strangers) > 0 {
		w.t.Errorf("%s: the pages asked strangers:\n%s", w.name, strings.Join(w.watch.strangers, "\n"))
	}
	if w.watch.requests == 0 {
		w.t.Errorf("%s: no request was seen, so nobody watched", w.name)
	}
}

// answerDialogs says yes to whatever a page asks in a dialog.
func answerDialogs(window context.Context) {
	for _, err := range chromedp.Events(window, page.JavascriptDialogOpening) {
		if err != nil {
			return
		}
		// A window that closed meanwhile has no dialog any more.
		_, _ = chromedp.Call(window, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
}
