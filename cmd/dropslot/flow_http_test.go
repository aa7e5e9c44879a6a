package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/templates"
)

// The 201 was lost and the phone sends the whole page again, over a real
// connection: it must be heard out and answered, not cut off.
func TestARetryOfAStoredPageIsAnsweredOverARealConnection(t *testing.T) {
	r := newRig(t)
	pages, err := templates.LoadPages(r.texts)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := r.intake(pages, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	s, b := r.session(client)
	sealed := r.sealed(append(picture(t, 9), make([]byte, 16<<20)...))
	digest := sha256.Sum256(sealed)
	head := fmt.Appendf(nil, "POST /send/%s/pages HTTP/1.1\r\nHost: docs.example.gov\r\nCookie: %s=%s\r\n"+
		"Content-Type: application/vnd.age\r\nPage-Id: page-0000000000000001\r\nContent-Digest: sha-256=:%s:\r\nContent-Length: %d\r\n\r\n",
		s.Submission.ID, "__Host-b", b.Reveal(), base64.StdEncoding.EncodeToString(digest[:]), len(sealed))
	for try := range 2 {
		connection, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		for body := bytes.NewReader(append(bytes.Clone(head), sealed...)); body.Len() > 0; {
			piece := make([]byte, 64<<10)
			n, _ := body.Read(piece)
			if _, err := connection.Write(piece[:n]); err != nil {
				t.Fatalf("try %d was cut off: %v", try+1, err)
			}
		}
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil || answer.StatusCode != http.StatusCreated {
			t.Fatalf("try %d: %v, %v", try+1, answer, err)
		}
		_ = answer.Body.Close()
		_ = connection.Close()
	}
	if got := r.resume(s.Submission.ID, b); len(got.Pages) != 1 {
		t.Errorf("%d pages are stored, want 1", len(got.Pages))
	}
}
