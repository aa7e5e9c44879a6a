package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
)

// page is one page ready to be sent, in each of the ways.
type page struct {
	plain  []byte
	sealed []byte
	digest string // Content-Digest of sealed (RFC 9530)
}

func makePage(h *house) (*page, error) {
	plain, err := picture()
	if err != nil {
		return nil, err
	}
	recipients, err := readRecipients(filepath.Join(h.folder, "data", "keys"))
	if err != nil {
		return nil, err
	}
	var sealed bytes.Buffer
	writer, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(plain); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(sealed.Bytes())
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	return &page{plain: plain, sealed: sealed.Bytes(), digest: digest}, nil
}

func readRecipients(folder string) ([]age.Recipient, error) {
	var all []age.Recipient
	for _, name := range []string{office + ".pub", office + "-recovery.pub"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		recipients, err := age.ParseRecipients(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, recipients...)
	}
	return all, nil
}

// way is one way of sending a page; request gives the pieces of the request.
type way struct {
	name    string
	aim     string
	request func(p *page, host string, s *session) [][]byte
}

var browserSealed = way{"browser-sealed", "0.85", func(p *page, host string, s *session) [][]byte {
	return [][]byte{fmt.Appendf(nil, "POST %s/pages HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Type: application/vnd.age\r\n"+
		"Content-Digest: %s\r\nPage-Id: %s\r\nContent-Length: %d\r\n\r\n",
		s.path, host, s.cookie, p.digest, rand.Text(), len(p.sealed)), p.sealed}
}}

const boundary = "----benchmark7MA4YWxkTrZu0gW"

var serverSealed = way{"server-sealed", "0.70", func(p *page, host string, s *session) [][]byte {
	head := fmt.Appendf(nil, "--%[1]s\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n%[2]s\r\n"+
		"--%[1]s\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nother\r\n"+
		"--%[1]s\r\nContent-Disposition: form-data; name=\"page\"; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n",
		boundary, rand.Text())
	end := []byte("\r\n--" + boundary + "--\r\n")
	return [][]byte{fmt.Appendf(nil, "POST %s/pages HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n"+
		"Content-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n",
		s.path, host, s.cookie, boundary, len(head)+len(p.plain)+len(end)), head, p.plain, end}
}}

var plainFloor = way{"floor", "", func(p *page, host string, _ *session) [][]byte {
	return [][]byte{fmt.Appendf(nil, "POST /upload HTTP/1.1\r\nHost: %s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n",
		host, len(p.plain)), p.plain}
}}

// uploadWorker sends the page again and again, changing sessions when a link
// is full; the floor has none.
func uploadWorker(w way, p *page, host string, sessions chan *session) func(int) worker {
	return func(int) worker {
		var own *session
		return func(c *connection) (int64, error) {
			if sessions != nil && (own == nil || own.left == 0) {
				select {
				case own = <-sessions:
				default:
					return 0, errors.New("no session is left")
				}
			}
			answer, err := c.exchange(w.request(p, host, own)...)
			if err != nil {
				return 0, err
			}
			// A form is answered with 303 to the page that tells how it went.
			stored := answer.Status == 201 || answer.Status == 303 && strings.Contains(answer.Location, "?ok=")
			if !stored {
				return 0, fmt.Errorf("a page was answered with %d %s: %.300s", answer.Status, answer.Location, answer.Body)
			}
			if own != nil {
				own.left--
			}
			return int64(len(p.plain)), nil
		}
	}
}

// uploads measures pages of 3 MB. Each way has an intake of its own at each
// number of connections, so that its peak memory is its own.
func uploads(ctx context.Context, h *house, o options, out io.Writer) error {
	floor, err := startFloor(ctx, h)
	if err != nil {
		return err
	}
	defer floor.stop()
	p, err := makePage(h)
	if err != nil {
		return err
	}
	table := newTable(out)
	defer table.Flush()
	fmt.Fprintf(table, "uploads of %.1f MB: connections\tway\tMB/s\tp50 ms\tp99 ms\tfloor MB/s\tratio\taim\tpeak MB\t\n",
		float64(len(p.plain))/1e6)
	for _, connections := range o.uploadConnections {
		if err := uploadsAt(ctx, h, o, connections, floor, p, table); err != nil {
			return err
		}
	}
	return nil
}

func uploadsAt(ctx context.Context, h *house, o options, connections int, floor *process, p *page, table io.Writer) error {
	ways := []way{browserSealed, serverSealed}
	intakes, sessions, ours := make([]*process, len(ways)), make([]chan *session, len(ways)), make([]series, len(ways))
	limits := plan{Connections: connections, Time: time.Minute, Count: int64(max(o.uploadCount, 4*connections))}
	for i := range ways {
		intake, err := h.startIntake(ctx)
		if err != nil {
			return err
		}
		defer intake.stop()
		need := (o.rounds + 1) * (int(limits.Count)/pagesPerLink + connections + 1)
		if sessions[i], err = makeSessions(h, intake, need); err != nil {
			return fmt.Errorf("%w\n%s", err, intake.said)
		}
		intakes[i] = intake
	}
	var floors series
	for round := range o.rounds + 1 {
		below, err := run(floor.address, limits, uploadWorker(plainFloor, p, floor.address, nil))
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		if round > 0 {
			floors.add(below)
		}
		for i, w := range ways {
			r, err := run(intakes[i].address, limits, uploadWorker(w, p, intakes[i].address, sessions[i]))
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", w.name, err, intakes[i].said)
			}
			if round > 0 {
				ours[i].add(r)
			}
		}
		for _, folder := range []string{"floor", "data/vault"} {
			if err := dropPages(filepath.Join(h.folder, folder)); err != nil {
				return err
			}
		}
	}
	for i, w := range ways {
		peak, err := intakes[i].peak()
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%d\t%s\t%.0f\t%s\t%s\t%.0f\t%.2f\t%s\t%.1f\t\n", connections, w.name,
			ours[i].median(result.megabytes), ms(ours[i].latency(50)), ms(ours[i].latency(99)),
			floors.median(result.megabytes), ratio(&ours[i], &floors, result.megabytes), w.aim, float64(peak)/1e6)
	}
	return nil
}

// dropPages removes the pages below a folder, so that the disk does not fill.
// Nothing in this benchmark reads them again.
func dropPages(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Size() < pageBytes/2 {
			return err
		}
		return os.Remove(path)
	})
}
