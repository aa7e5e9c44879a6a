package web

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dropslot/gateway"
)

func TestPageBytesByWhatTheyAre(t *testing.T) {
	bomb := pngPage(4, 4)
	copy(bomb[16:], "\x00\x00\xff\xff\x00\x00\xff\xff") // says 65535 x 65535
	for name, test := range map[string]struct {
		content     []byte
		kind        string
		disposition string
		extension   string
	}{
		"JPEG":              {jpegPage(8, 8), "image/jpeg", "inline", ".jpg"},
		"PNG":               {pngPage(8, 8), "image/png", "inline", ".png"},
		"PDF":               {pdfPage("x"), "application/pdf", "inline", ".pdf"},
		"HEIC":              {heicPage, "application/octet-stream", "attachment", ".heic"},
		"SVG":               {svgPage, "application/octet-stream", "attachment", ".bin"},
		"HTML":              {htmlPage, "application/octet-stream", "attachment", ".bin"},
		"too many pixels":   {bomb, "application/octet-stream", "attachment", ".png"},
		"a script":          {[]byte("alert(1)"), "application/octet-stream", "attachment", ".bin"},
		"HTML behind a PDF": {append([]byte("<!doctype html>"), pdfPage("x")...), "application/octet-stream", "attachment", ".bin"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newDeskHouse(t)
			s := h.addSubmission("north", markup, "+15551230142", []byte("first"), test.content)
			b := h.signedIn(t, "ana")
			for _, url := range []string{pageURL(h.pages[1].ID, 2), originalURL(h.pages[1].ID, 2)} {
				answer := b.get(url)
				wantStatus(t, answer, http.StatusOK)
				got := answer.Header()
				disposition := test.disposition
				if strings.Contains(url, "/original") {
					disposition = "attachment"
				}
				for name, want := range map[string]string{
					"Content-Type":                 test.kind,
					"Content-Disposition":          disposition + "; filename=page-" + s.ID.Reference() + "-2" + test.extension,
					"X-Content-Type-Options":       "nosniff",
					"Content-Security-Policy":      pagePolicy,
					"X-Frame-Options":              "SAMEORIGIN",
					"Cache-Control":                "no-store",
					"Cross-Origin-Resource-Policy": "same-origin",
					"Last-Modified":                "",
				} {
					if got.Get(name) != want {
						t.Errorf("%s: %s is %q, want %q", url, name, got.Get(name), want)
					}
				}
				if !bytes.Equal(answer.Body.Bytes(), test.content) {
					t.Error("the bytes differ")
				}
			}
		})
	}
}

func TestPagePolicyAllowsNoScript(t *testing.T) {
	if !strings.HasPrefix(pagePolicy, "sandbox;") || !strings.Contains(pagePolicy, "default-src 'none'") {
		t.Errorf("policy %q", pagePolicy)
	}
	for _, never := range []string{"allow-", "script-src", "connect-src", "form-action", "data:", "blob:"} {
		if strings.Contains(pagePolicy, never) {
			t.Errorf("the policy holds %s", never)
		}
	}
}

func TestPageRanges(t *testing.T) {
	h := newDeskHouse(t)
	content := pdfPage("ranges")
	h.addSubmission("north", "", "+15551230142", content)
	b := h.signedIn(t, "ana")
	url := pageURL(h.pages[0].ID, 1)
	tag := b.get(url).Header().Get("ETag")
	if len(tag) < 10 || strings.HasPrefix(tag, "W/") {
		t.Fatalf("no strong ETag: %q", tag)
	}
	ask := func(headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, url, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		h.audit = nil
		answer := b.do(r)
		if len(h.audit) != 1 || h.audit[0].Action != gateway.ActionPageViewed {
			t.Errorf("%v: audit %+v", headers, h.audit)
		}
		return answer
	}
	part := func(answer *httptest.ResponseRecorder, want []byte) {
		t.Helper()
		wantStatus(t, answer, http.StatusPartialContent)
		if !bytes.Equal(answer.Body.Bytes(), want) || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("got %q with %v", answer.Body, answer.Header())
		}
	}
	part(ask("Range", "bytes=5-14"), content[5:15])
	part(ask("Range", "bytes=-7"), content[len(content)-7:])
	part(ask("Range", "bytes=5-14", "If-Range", tag), content[5:15])
	// What was begun of something else is sent whole, and never "not modified".
	for _, headers := range [][]string{
		{"Range", "bytes=5-14", "If-Range", `"another"`},
		{"If-None-Match", tag}, {"If-Match", `"another"`}, {"If-Modified-Since", "Tue, 03 Nov 2099 20:41:00 GMT"},
	} {
		answer := ask(headers...)
		wantStatus(t, answer, http.StatusOK)
		if !bytes.Equal(answer.Body.Bytes(), content) {
			t.Errorf("%v: got %d bytes", headers, answer.Body.Len())
		}
	}
	wantStatus(t, ask("Range", "bytes=999999-"), http.StatusRequestedRangeNotSatisfiable)

	several := ask("Range", "bytes=0-3,8-11")
	wantStatus(t, several, http.StatusPartialContent)
	kind, params, err := mime.ParseMediaType(several.Header().Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" {
		t.Fatalf("several ranges are %q", several.Header().Get("Content-Type"))
	}
	parts := multipart.NewReader(several.Body, params["boundary"])
	for _, want := range [][]byte{content[0:4], content[8:12]} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(got, want) || p.Header.Get("Content-Type") != "application/pdf" {
			t.Errorf("part %q of %q, %v", got, p.Header.Get("Content-Type"), err)
		}
	}
}

// The audit row comes before the first byte, tells view from download, and
// names the address that the connection came from.
func TestPageAudit(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	b.header.Set("X-Forwarded-For", "203.0.113.9") // nobody trusted says so
	id := h.pages[0].ID
	for action, url := range map[gateway.Action]string{
		gateway.ActionPageViewed: pageURL(id, 1), gateway.ActionPageDownloaded: originalURL(id, 1),
	} {
		h.audit = nil
		b.get(url)
		if len(h.audit) != 1 || h.audit[0].Action != action || h.audit[0].From != "192.0.2.1" || h.audit[0].Object != "page:"+string(id) {
			t.Errorf("%s: audit %+v", url, h.audit)
		}
	}
	h.auditErr = http.ErrHandlerTimeout
	answer := b.get(pageURL(id, 1))
	wantStatus(t, answer, http.StatusServiceUnavailable)
	if bytes.Contains(answer.Body.Bytes(), jpegPage(8, 8)[:4]) {
		t.Error("bytes without an audit row")
	}
}

func TestAddressIsTheTrustedProxysWord(t *testing.T) {
	h := newDeskHouse(t)
	h.parts.TrustedProxies = append(h.parts.TrustedProxies, trustedProxy)
	h.build(t)
	for _, test := range []struct{ remote, forwarded, want string }{
		{"10.1.2.3:999", "203.0.113.9", "203.0.113.9"},
		{"10.1.2.3:999", "198.51.100.7, 203.0.113.9, 10.9.9.9", "203.0.113.9"}, // the client's own claim is not believed
		{"192.0.2.50:999", "203.0.113.9", "192.0.2.50"},
		{"127.0.0.1:999", "203.0.113.9", "127.0.0.1"}, // loopback is not trusted by itself
	} {
		b := h.signedIn(t, "ana")
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.remote
		r.Header.Set("X-Forwarded-For", test.forwarded)
		h.audit = nil
		b.do(r)
		if len(h.audit) != 1 || h.audit[0].From != test.want {
			t.Errorf("%+v: audit %+v", test, h.audit)
		}
	}
}

func TestDamagedPageIsNotShown(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	blob := h.pages[0].Blob
	h.blobs[blob] = append([]byte(nil), h.blobs[blob]...)
	h.blobs[blob][20] ^= 1
	answer := h.signedIn(t, "ana").get(pageURL(h.pages[0].ID, 1))
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "damaged")
	if got := answer.Header(); got.Get("Content-Disposition") != "" || got.Get("Content-Security-Policy") != deskPolicy {
		t.Errorf("headers of the page are left: %v", got)
	}
}
