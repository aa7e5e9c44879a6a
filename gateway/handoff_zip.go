package gateway

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// originWords say how a page came.
var originWords = map[Origin]string{
	OriginText:    "link texted to the client",
	OriginRequest: "link that a caseworker sent",
	OriginStaff:   "photographed by a caseworker at the counter",
	OriginCounter: "link shown to the client at the counter",
}

// ZIP is a package of originals that is ready to be written.
type ZIP struct {
	taken      *Package
	origins    map[LinkID]Origin
	transcript string
}

// ZIP makes a package of the originals of what was taken, with a manifest.
func (h *Handoff) ZIP(ctx context.Context, taken *Package, t Take) (*ZIP, error) {
	origins, err := h.Records.LinkOrigins(ctx, taken.Row.Submission.ID)
	if err != nil {
		return nil, err
	}
	z := &ZIP{taken: taken, origins: origins}
	if t.Transcript {
		z.transcript, err = h.transcript(ctx, taken)
	}
	return z, err
}

// Write writes the package. The manifest stands at its end, since it holds
// the digests of what passed.
func (z *ZIP) Write(ctx context.Context, w io.Writer) error {
	out := zip.NewWriter(w)
	rows := [][]string{{"file", "page", "label", "received", "came by", "sealed by", "bytes", "sha256"}}
	for _, p := range z.taken.Sheets {
		name := z.taken.fileName(p)
		size, digest, err := z.addPage(ctx, out, name, p)
		if err != nil {
			return err
		}
		rows = append(rows, []string{
			name, strconv.Itoa(p.Number), z.taken.label(p.Page), z.taken.local(p.ReceivedAt), z.cameBy(p.Page),
			string(p.Sealing), strconv.FormatInt(size, 10), digest,
		})
	}
	if z.transcript != "" {
		if err := z.addText(out, "transcript.txt", z.transcript); err != nil {
			return err
		}
	}
	var manifest strings.Builder
	if err := csv.NewWriter(&manifest).WriteAll(rows); err != nil {
		return err
	}
	if err := z.addText(out, "manifest.csv", manifest.String()); err != nil {
		return err
	}
	return out.Close()
}

func (z *ZIP) addPage(ctx context.Context, out *zip.Writer, name string, p PackedPage) (size int64, digest string, err error) {
	plain, err := z.taken.open(ctx, p.Page)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = plain.Close() }()
	entry, err := z.create(out, name, zip.Store, p.ReceivedAt) // pictures and PDFs do not get smaller
	if err != nil {
		return 0, "", err
	}
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(entry, sum), withContext(ctx, plain))
	return size, hex.EncodeToString(sum.Sum(nil)), err
}

func (z *ZIP) addText(out *zip.Writer, name, text string) error {
	entry, err := z.create(out, name, zip.Deflate, z.taken.desk.Now())
	if err == nil {
		_, err = io.WriteString(entry, text)
	}
	return err
}

func (z *ZIP) create(out *zip.Writer, name string, method uint16, at time.Time) (io.Writer, error) {
	return out.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: at.UTC()})
}

func (z *ZIP) cameBy(p Page) string {
	switch words, known := originWords[z.origins[p.Link]]; {
	case p.Text != "":
		return "picture texted by the client"
	case known:
		return words
	}
	return "unknown" // a reindex could not tell
}

// fileName names an original by its place and its label.
func (t *Package) fileName(p PackedPage) string {
	name := fmt.Sprintf("%02d", p.Number)
	if p.Label != "" {
		name += "-" + fileWord(p.Label)
	}
	if p.Kind.Extension == "" {
		return name + ".bin"
	}
	return name + p.Kind.Extension
}

func (t *Package) local(at time.Time) string {
	zone := t.Row.Office.Location
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format(time.RFC3339)
}

// withContext ends reading with the context: the browser went away.
func withContext(ctx context.Context, r io.Reader) io.Reader { return boundReader{ctx, r} }

type boundReader struct {
	ctx context.Context
	r   io.Reader
}

func (b boundReader) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}
