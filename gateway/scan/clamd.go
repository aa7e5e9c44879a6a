// Package scan has pages looked through by ClamAV's clamd, over its own
// protocol (clamd(8), INSTREAM).
package scan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"dropslot/gateway"
)

var _ gateway.Scanner = (*Clamd)(nil)

// Clamd is one scanner.
type Clamd struct{ network, address string }

// New takes the address as the configuration writes it: unix:PATH or
// tcp:HOST:PORT.
func New(address string) (*Clamd, error) {
	network, where, found := strings.Cut(address, ":")
	if !found || where == "" || network != "unix" && network != "tcp" {
		return nil, errors.New("write unix:PATH or tcp:HOST:PORT")
	}
	return &Clamd{network, where}, nil
}

const (
	// patience bounds one scan, the wait for a scanner that starts included.
	patience = 2 * time.Minute
	// piece is what is sent at once.
	piece = 64 << 10
	// answerMost bounds what is read of an answer.
	answerMost = 4 << 10
)

// Scan sends the content and reads the verdict; see the port.
func (c *Clamd) Scan(ctx context.Context, content io.Reader) error {
	answer, err := c.ask(ctx, "zINSTREAM\x00", content)
	if err != nil {
		return err
	}
	return verdict(answer)
}

// Ping asks whether the scanner is there.
func (c *Clamd) Ping(ctx context.Context) error {
	answer, err := c.ask(ctx, "zPING\x00", nil)
	if err == nil && answer != "PONG" {
		err = down(errors.New("it does not answer like clamd"))
	}
	return err
}

// Most tells how large a file the scanner looks through, to a piece, up to what
// is wanted. What it looks through is empty bytes.
func (c *Clamd) Most(ctx context.Context, wanted int64) (int64, error) {
	takes := func(size int64) (bool, error) {
		err := c.Scan(ctx, io.LimitReader(zeros{}, size))
		if gateway.Is(err, gateway.CodeNotScanned) {
			return false, nil
		}
		return err == nil, err
	}
	if all, err := takes(wanted); all || err != nil {
		return wanted, err
	}
	least, most := int64(0), wanted/piece // in pieces: it takes the one and not the other
	for least+1 < most {
		middle := (least + most) / 2
		fits, err := takes(middle * piece)
		switch {
		case err != nil:
			return 0, err
		case fits:
			least = middle
		default:
			most = middle
		}
	}
	return least * piece, nil
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// verdict reads an answer. Only one is clean, and a file that clamd did not
// look through to its end is none: it says "size limit exceeded", or, with
// AlertExceedsMax, that it found a limit exceeded.
func verdict(answer string) error {
	switch {
	case answer == "stream: OK":
		return nil
	case strings.Contains(answer, "size limit exceeded"), strings.Contains(answer, "Heuristics.Limits.Exceeded"):
		return gateway.NewError(gateway.CodeNotScanned, nil)
	case strings.HasSuffix(answer, " FOUND"):
		return gateway.NewError(gateway.CodeInfected, nil)
	}
	return down(errors.New("an answer that is no verdict"))
}

func down(err error) error { return gateway.NewError(gateway.CodeScanner, err) }

func (c *Clamd) ask(ctx context.Context, command string, content io.Reader) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", down(err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(conn, command); err != nil {
		return "", down(err)
	}
	var sending error
	if content != nil {
		var reading error
		if sending, reading = send(conn, content); reading != nil {
			return "", reading
		}
	}
	// A scanner that has seen enough answers and hangs up while it is sent more.
	answer, err := io.ReadAll(io.LimitReader(conn, answerMost))
	text := strings.TrimRight(string(answer), "\x00\n")
	switch {
	case text != "":
		return text, nil
	case sending != nil:
		return "", down(sending)
	case err != nil:
		return "", down(err)
	}
	return "", down(errors.New("no answer"))
}

// send writes the content in chunks, each behind its length, and a length of
// zero behind all.
func send(conn net.Conn, content io.Reader) (sending, reading error) {
	chunk := make([]byte, 4+piece)
	for {
		n, err := io.ReadFull(content, chunk[4:])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("read what is to be scanned: %w", err)
		}
		last := err != nil
		if n > 0 {
			binary.BigEndian.PutUint32(chunk, uint32(n)) // #nosec G115 -- at most piece
			if _, err := conn.Write(chunk[:4+n]); err != nil {
				return err, nil
			}
		}
		if last {
			_, err := conn.Write(make([]byte, 4))
			return err, nil
		}
	}
}
