package web

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dropslot/gateway"
)

const pagesPath = "/send/0123456789abcdefghijklmnop/pages"

func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func (h *house) sendSealed(cookie, key, label, digest, content string) *httptest.ResponseRecorder {
	return h.ask(http.MethodPost, pagesPath, content, "Cookie", cookie, "Accept", "application/json",
		"Content-Type", "application/vnd.age", "Content-Digest", digest, "Page-Id", key, "Page-Label", label)
}

func TestSealedPages(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	big := strings.Repeat("x", int(bodyMost(h.pageBytes))+1)
	cases := []struct {
		name, key, label, digest, content string
		status                            int
		code                              string
	}{
		{"stored", pageKey, "pay-stub", digestOf("sealed"), "sealed", 201, ""},
		{"the same again", pageKey, "pay-stub", digestOf("sealed"), "sealed", 201, ""},
		{"another under its key", pageKey, "pay-stub", digestOf("other"), "other", 409, "page-conflict"},
		{"an unknown label", pageKey + "2", "passport", digestOf("b"), "b", 201, ""},
		{"several digests", pageKey + "3", "", "sha-512=:AAAA:, " + digestOf("c"), "c", 201, ""},
		{"changed on its way", pageKey + "4", "", digestOf("sent"), "came", 400, "page-digest"},
		{"no digest", pageKey + "5", "", "", "x", 400, "page-digest"},
		{"a digest of another length", pageKey + "5", "", "sha-256=:AAAA:", "x", 400, "page-digest"},
		{"an open digest", pageKey + "5", "", strings.TrimSuffix(digestOf("x"), ":"), "x", 400, "page-digest"},
		{"two digests", pageKey + "5", "", digestOf("x") + "," + digestOf("y"), "x", 400, "page-digest"},
		{"no key", "", "", digestOf("x"), "x", 400, "bad-request"},
		{"too big", pageKey + "6", "", digestOf(big), big, 413, "page-too-big"},
	}
	for _, c := range cases {
		w := h.sendSealed(cookie, c.key, c.label, c.digest, c.content)
		if w.Code != c.status || c.code != "" && !strings.Contains(w.Body.String(), `"code":"`+c.code+`"`) {
			t.Errorf("%s: %d %s, want %d %s", c.name, w.Code, w.Body, c.status, c.code)
		}
	}
	labels := ""
	for _, p := range h.pages {
		labels += p.Label + ";"
	}
	if labels != "pay-stub;;;" {
		t.Errorf("labels %q", labels)
	}
	if w := h.sendSealed("__Host-b="+strings.Repeat("a", 52), pageKey+"7", "", digestOf("x"), "x"); w.Code != 404 {
		t.Errorf("a stranger's page: %d", w.Code)
	}
}

// form makes a multipart body; the last field is the file.
func form(fields map[string]string, fileName, content string) (body, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		_ = w.WriteField(name, value) // a buffer takes everything
	}
	if fileName != "none" {
		part, _ := w.CreateFormFile("page", fileName)
		_, _ = io.WriteString(part, content)
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

const tinyJPEG = "\xff\xd8\xff\xe0 a picture"

func TestForms(t *testing.T) {
	ordinary := map[string]string{"key": pageKey, "label": "photo-id"}
	cases := []struct {
		name     string
		fields   map[string]string
		fileName string
		content  string
		outcome  string
	}{
		{"stored", ordinary, "scan.jpg", tinyJPEG, "ok=" + pageKey},
		{"sent twice", ordinary, "scan.jpg", tinyJPEG, "ok=" + pageKey},
		{"nothing chosen", ordinary, "", "", "problem=page-missing"},
		{"no file field", ordinary, "none", "", "problem=page-missing"},
		{"an empty file", map[string]string{"key": pageKey + "2"}, "scan.jpg", "", "problem=page-empty"},
		{"another type", map[string]string{"key": pageKey + "3"}, "scan.jpg", "<svg/>", "problem=page-type"},
		{"too big", map[string]string{"key": pageKey + "4"}, "scan.jpg", "\xff\xd8\xff" + strings.Repeat("x", 3<<20), "problem=page-too-big"},
		{"a bit too big", map[string]string{"key": pageKey + "4"}, "scan.jpg", "\xff\xd8\xff" + strings.Repeat("x", 1<<20), "problem=page-too-big"},
		{"a long field", map[string]string{"key": strings.Repeat("k", 300)}, "scan.jpg", tinyJPEG, "problem=bad-request"},
		{"no key", nil, "scan.jpg", tinyJPEG, "problem=bad-request"},
	}
	h := newHouse(t)
	cookie := h.claimed(t)
	for _, c := range cases {
		body, kind := form(c.fields, c.fileName, c.content)
		w := h.ask(http.MethodPost, pagesPath, body, "Cookie", cookie, "Content-Type", kind)
		want := "/send/" + string(submission) + "?" + c.outcome + "#status"
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%s: %d %s, want %s", c.name, w.Code, w.Header().Get("Location"), want)
		}
	}
	if len(h.pages) != 1 || h.pages[0].Label != "photo-id" || string(h.stored[pageKey]) != tinyJPEG {
		t.Errorf("pages %+v", h.pages)
	}
}

// A script that falls back to the server's sealing asks for JSON.
func TestFormForScript(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	body, kind := form(map[string]string{"key": pageKey}, "page", tinyJPEG)
	if w := h.ask(http.MethodPost, pagesPath, body, "Cookie", cookie, "Content-Type", kind, "Accept", "application/json"); w.Code != http.StatusCreated {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Half a page must not pass for a short one, wherever the connection broke.
func TestCutShort(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	body, kind := form(map[string]string{"key": pageKey, "label": "other"}, "scan.jpg", tinyJPEG)
	for cut := 0; cut < len(body)-4; cut++ {
		h.ask(http.MethodPost, pagesPath, body[:cut], "Cookie", cookie, "Content-Type", kind)
		if len(h.stored) > 0 {
			t.Fatalf("a body cut after %d of %d bytes was stored: %q", cut, len(body), h.stored[pageKey])
		}
	}
}

func TestUploadOverTime(t *testing.T) {
	h := newHouse(t)
	cookie := h.claimed(t)
	h.link.IdleAt = fakeNow
	body, kind := form(map[string]string{"key": pageKey}, "page", tinyJPEG)
	w := h.ask(http.MethodPost, pagesPath, body, "Cookie", cookie, "Content-Type", kind, "Accept", "application/json")
	if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "link-expired") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// pipes is a listener whose connections are pipes in memory: their deadlines
// run on a test's own clock.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error { close(p.closed); return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// phone is one connection to an intake whose server's own timeouts are far
// shorter than an upload takes.
func phone(t *testing.T, h *house) net.Conn {
	t.Helper()
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: h.handler, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }() // ends with the test
	ours, theirs := net.Pipe()
	listener.connections <- theirs
	t.Cleanup(func() {
		_ = ours.Close()
		_ = server.Close()
		time.Sleep(time.Second) // the server lingers for half of it
	})
	return ours
}

// upload posts a form piece by piece, one a second, and gives the answer.
func upload(t *testing.T, connection net.Conn, header string, body string, piece int) (int, string) {
	t.Helper()
	sent := make(chan struct{})
	defer func() {
		_ = connection.Close() // ends the sender
		<-sent
	}()
	go func() {
		defer close(sent)
		_, _ = io.WriteString(connection, "POST "+pagesPath+" HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n"+header+"\r\n")
		for len(body) > 0 {
			n := min(piece, len(body))
			if _, err := io.WriteString(connection, body[:n]); err != nil {
				return
			}
			body = body[n:]
			time.Sleep(time.Second)
		}
	}()
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(said)
}

func TestUploadsOverWeakSignal(t *testing.T) {
	page := tinyJPEG + strings.Repeat("x", 900<<10)
	body, kind := form(map[string]string{"key": pageKey}, "scan.jpg", page)
	big := strings.Replace(body, tinyJPEG, tinyJPEG+strings.Repeat("x", 8<<20), 1)
	whole := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	cases := []struct {
		name, length, body string
		piece              int // bytes a second
		status             int
		least, most        time.Duration
	}{
		{"50 kbit/s", whole, body, 6250, 201, 2 * time.Minute, 3 * time.Minute},
		{"silence in the middle", whole, body[:len(body)/2], 100 << 10, 400, DefaultStall, 2 * DefaultStall},
		{"a dribble", whole, body, 200, 400, DefaultStall, 4 * DefaultStall},
		{"too big, told beforehand", fmt.Sprintf("Content-Length: %d\r\n", len(big)), big, 1 << 20, 413, 0, time.Minute},
		{"too big, told by nobody", "Transfer-Encoding: chunked\r\n", chunked(big), 1 << 20, 413, 0, time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				cookie := h.claimed(t)
				begun := time.Now()
				status, said := upload(t, phone(t, h), "Cookie: "+cookie+"\r\nContent-Type: "+kind+"\r\n"+c.length, c.body, c.piece)
				if status != c.status {
					t.Errorf("%d %s, want %d", status, said, c.status)
				}
				if took := time.Since(begun); took < c.least || took > c.most {
					t.Errorf("it took %s, want between %s and %s", took, c.least, c.most)
				}
				if stored := string(h.stored[pageKey]); (stored == page) != (status == http.StatusCreated) || stored != "" && stored != page {
					t.Errorf("%d bytes are stored", len(stored))
				}
			})
		})
	}
}

func chunked(body string) string {
	var b strings.Builder
	w := httputil.NewChunkedWriter(&b)
	_, _ = io.WriteString(w, body)
	_ = w.Close()
	return b.String() + "\r\n"
}

// The flow sees that its reader failed and no more; the person is told why.
func TestSteadyBodyKeepsItsFault(t *testing.T) {
	b := &steadyBody{from: strings.NewReader("12345"), deadline: http.NewResponseController(httptest.NewRecorder()), begun: time.Now(), stall: time.Minute, most: 4}
	if _, err := io.ReadAll(b); !gateway.Is(err, gateway.CodePageTooBig) {
		t.Errorf("%v", err)
	}
	if _, err := b.Read(make([]byte, 1)); !gateway.Is(err, gateway.CodePageTooBig) {
		t.Errorf("afterwards: %v", err)
	}
}
