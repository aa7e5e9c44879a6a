package web

import (
	"bytes"
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
					"ETag":                         "", "Last-Modified": "",
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
	r := httptest.NewRequest(http.MethodGet, pageURL(h.pages[0].ID, 1), nil)
	r.Header.Set("Range", "bytes=5-14")
	answer := b.do(r)
	wantStatus(t, answer, http.StatusPartialContent)
	if !bytes.Equal(answer.Body.Bytes(), content[5:15]) {
		t.Errorf("got %q", answer.Body)
	}
	r = httptest.NewRequest(http.MethodGet, pageURL(h.pages[0].ID, 1), nil)
	r.Header.Set("Range", "bytes=999999-")
	wantStatus(t, b.do(r), http.StatusRequestedRangeNotSatisfiable)
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
