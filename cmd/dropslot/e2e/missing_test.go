package e2e

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records"
	"dropslot/gateway/vault"
)

// missing tells which of the acknowledged pages are not, whole and under
// their names, in the records and in the vault.
func (h *house) missing(receipts []receipt) []string {
	h.t.Helper()
	ctx := h.t.Context()
	store, err := records.Open(ctx, "sqlite:"+h.path("data", "records.db"), records.Options{
		AuditKey: make([]byte, 32), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	defer store.Close()
	disk, err := vault.NewDisk(h.path("data", "vault"))
	if err != nil {
		h.t.Fatal(err)
	}
	var lost []string
	for _, r := range receipts {
		if err := check(ctx, store, disk, r); err != nil {
			lost = append(lost, fmt.Sprintf("page %s of %s is lost: %v", r.key, r.submission, err))
		}
	}
	return lost
}

func check(ctx context.Context, pages gateway.SubmissionRecords, blobs gateway.Vault, r receipt) error {
	page, err := pages.FindPage(ctx, r.submission, r.key)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	if page.Digest != r.digest || page.SealedBytes != r.length || !page.RemovedAt.IsZero() {
		return fmt.Errorf("the records tell of another page")
	}
	blob, err := blobs.Open(ctx, page.Blob)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	defer blob.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.NewSectionReader(blob, 0, blob.Size()))
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if n != r.length || gateway.Digest(sum.Sum(nil)) != r.digest {
		return fmt.Errorf("the vault holds other bytes")
	}
	return nil
}

// provesMissing proves that missing sees what it must see: a blob that is
// gone, one that is cut, and a page that the records do not know.
func (h *house) provesMissing(receipts []receipt) {
	h.t.Helper()
	if len(receipts) < 3 {
		h.t.Fatal("too few pages to prove anything")
	}
	sample := receipts[:3:3]
	blobs := h.blobsOf(sample[:2])
	if err := os.Remove(blobs[0]); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Truncate(blobs[1], sample[1].length-1); err != nil {
		h.t.Fatal(err)
	}
	sample[2].key = "never-sent-by-anybody"
	if lost := h.missing(sample); len(lost) != 3 {
		h.t.Errorf("three pages were destroyed, and these were found missing: %q", lost)
	}
}

// blobsOf gives the files in which the vault keeps pages.
func (h *house) blobsOf(receipts []receipt) []string {
	h.t.Helper()
	found := make([]string, len(receipts))
	store, err := records.Open(h.t.Context(), "sqlite:"+h.path("data", "records.db"), records.Options{
		AuditKey: make([]byte, 32), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	defer store.Close()
	for i, r := range receipts {
		page, err := store.FindPage(h.t.Context(), r.submission, r.key)
		if err != nil {
			h.t.Fatal(err)
		}
		found[i] = h.path("data", "vault", "objects", filepath.FromSlash(string(page.Blob)))
	}
	return found
}
