package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"testing"

	"filippo.io/age"

	"dropslot/gateway"
)

// sealedPage is a page as a browser sends it.
type sealedPage struct {
	plain  []byte
	sealed []byte
	digest gateway.Digest
	header string // Content-Digest (RFC 9530)
}

// sealPage seals plain bytes to the office's recipients.
func sealPage(t *testing.T, h *house, plain []byte) sealedPage {
	t.Helper()
	var recipients []age.Recipient
	for _, name := range []string{"north.pub", "north-recovery.pub"} {
		text, err := os.ReadFile(h.path("data", "keys", name))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := age.ParseRecipients(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		recipients = append(recipients, parsed...)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(sealed.Bytes())
	return sealedPage{
		plain: plain, sealed: sealed.Bytes(), digest: digest,
		header: "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":",
	}
}

// sealedPages are pages of sizes between one and many pieces of the disk.
func sealedPages(t *testing.T, h *house) []sealedPage {
	t.Helper()
	var all []sealedPage
	for _, kilobytes := range []int{3, 40, 64, 65, 130, 400} {
		plain := make([]byte, kilobytes<<10)
		_, _ = rand.Read(plain)
		all = append(all, sealPage(t, h, append([]byte("%PDF-1.7\n"), plain...)))
	}
	return all
}
