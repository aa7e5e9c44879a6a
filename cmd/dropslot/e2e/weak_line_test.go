package e2e

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// weakLine stands between a phone and the house: slow, and it breaks. Only
// what the page sends by itself suffers; pages load as ever.
type weakLine struct {
	address string

	mutex    sync.Mutex
	rate     int           // bytes a second of all that is sent; 0: as fast as it goes
	every    int           // each so manieth request breaks; 0: none
	share    float64       // of a request that breaks in the middle, how much gets through; 0: half
	held     chan struct{} // open: pages wait here until it closes, or the phone gives up
	cut      bool          // nothing that is sent gets through
	requests int           // sent by the page's script
	broken   int
	pages    map[string]int // whole pages that the house was given, by Page-Id
}

func newWeakLine(t *testing.T, house string) *weakLine {
	t.Helper()
	line := &weakLine{pages: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: house})
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { line.carry(proxy, w, r) }),
		// Little is on its way at once, as on a line that is narrow all along.
		ConnState: func(connection net.Conn, state http.ConnState) {
			if tcp, ok := connection.(*net.TCPConn); ok && state == http.StateNew {
				_ = tcp.SetReadBuffer(4 << 10)
			}
		},
		ReadHeaderTimeout: time.Minute,
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line.address = listener.Addr().String()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { line.release(); server.Close() })
	return line
}

func (l *weakLine) set(change func(*weakLine)) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	change(l)
}

// hold lets no page arrive until release.
func (l *weakLine) hold() { l.set(func(l *weakLine) { l.held = make(chan struct{}) }) }
func (l *weakLine) release() {
	l.set(func(l *weakLine) {
		if l.held != nil {
			close(l.held)
			l.held = nil
		}
	})
}

// arrived gives how often each page was given to the house.
func (l *weakLine) arrived() map[string]int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	all := map[string]int{}
	for key, n := range l.pages {
		all[key] = n
	}
	return all
}

func (l *weakLine) carry(house http.Handler, w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		house.ServeHTTP(w, r)
		return
	}
	l.mutex.Lock()
	if l.cut {
		l.mutex.Unlock()
		panic(http.ErrAbortHandler)
	}
	l.requests++
	breaks := l.every > 0 && l.requests%l.every == 0
	if breaks {
		l.broken++
	}
	way := l.broken % 3
	middle := int64(cmp.Or(l.share, 0.5) * float64(r.ContentLength))
	body := &thinBody{source: r.Body, rate: l.rate}
	held := l.held
	l.mutex.Unlock()
	r.Body = body
	key := r.Header.Get("Page-Id")
	if key != "" && held != nil {
		whole, err := io.ReadAll(body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		select {
		case <-held:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		body.source = io.NopCloser(bytes.NewReader(whole))
	}
	switch {
	case breaks && way == 0: // in the middle
		_, _ = io.CopyN(io.Discard, body, middle)
		panic(http.ErrAbortHandler)
	case breaks && way == 1: // at a proxy on the way
		_, _ = io.Copy(io.Discard, body)
		http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
		return
	}
	if key != "" {
		body.end = func() { l.set(func(l *weakLine) { l.pages[key]++ }) }
	}
	if breaks { // its answer is lost
		house.ServeHTTP(nobody{}, r)
		panic(http.ErrAbortHandler)
	}
	house.ServeHTTP(w, r)
}

// thinBody is a body that comes at the rate of the line.
type thinBody struct {
	source io.ReadCloser
	rate   int
	end    func()
	begun  time.Time
	sent   int
}

func (n *thinBody) Read(p []byte) (int, error) {
	if n.rate > 0 {
		p = p[:min(len(p), max(1, n.rate/20))]
	}
	read, err := n.source.Read(p)
	if n.rate > 0 && read > 0 {
		if n.begun.IsZero() {
			n.begun = time.Now()
		}
		n.sent += read
		time.Sleep(time.Until(n.begun.Add(time.Duration(n.sent) * time.Second / time.Duration(n.rate))))
	}
	if err == io.EOF && n.end != nil {
		n.end()
		n.end = nil
	}
	return read, err
}

func (n *thinBody) Close() error { return n.source.Close() }

// nobody takes an answer that does not reach anyone.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) WriteHeader(int)             {}

// through makes the person's phone use the line, and lets its console complain
// of what the line breaks.
func (p *person) through(l *weakLine) {
	p.t.Helper()
	p.watch.hosts = append(p.watch.hosts, l.address)
	p.link = strings.Replace(p.link, p.town.public, l.address, 1)
	p.expects("net::ERR", "502", "404", "405")
}
