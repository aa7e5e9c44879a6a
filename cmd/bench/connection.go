package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// connection is one keep-alive HTTP/1.1 connection. It does far less than
// net/http's client does, because the load generator shares the processor
// with what it measures.
type connection struct {
	raw    net.Conn
	reader *bufio.Reader
}

// response is what was answered. Body and the header's values are only valid
// until the next exchange.
type response struct {
	Status   int
	Location string
	Cookies  []string // name=value
	Body     []byte
}

// exchangeTimeout bounds one request with its answer.
const exchangeTimeout = 30 * time.Second

func dial(address string) (*connection, error) {
	raw, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &connection{raw: raw, reader: bufio.NewReaderSize(raw, 16<<10)}, nil
}

func (c *connection) close() { c.raw.Close() }

// exchange sends the pieces of one request and reads the answer.
func (c *connection) exchange(pieces ...[]byte) (response, error) {
	if err := c.raw.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return response{}, err
	}
	buffers := net.Buffers(pieces)
	if _, err := buffers.WriteTo(c.raw); err != nil {
		return response{}, fmt.Errorf("send: %w", err)
	}
	return c.read()
}

func (c *connection) read() (response, error) {
	var answer response
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return answer, fmt.Errorf("read status: %w", err)
	}
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return answer, errors.New("no status line")
	}
	if answer.Status, err = strconv.Atoi(string(fields[1])); err != nil {
		return answer, fmt.Errorf("read status: %w", err)
	}
	length, chunked := int64(0), false
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return answer, fmt.Errorf("read header: %w", err)
		}
		name, value, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		if !found {
			break
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return answer, fmt.Errorf("read length: %w", err)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("Location")):
			answer.Location = string(value)
		case bytes.EqualFold(name, []byte("Set-Cookie")):
			pair, _, _ := bytes.Cut(value, []byte(";"))
			answer.Cookies = append(answer.Cookies, string(pair))
		}
	}
	switch {
	case chunked:
		// The chunked reader leaves the empty line after the last chunk.
		if answer.Body, err = io.ReadAll(httputil.NewChunkedReader(c.reader)); err == nil {
			_, err = c.reader.ReadSlice('\n')
		}
	case length > 0:
		answer.Body = make([]byte, length)
		_, err = io.ReadFull(c.reader, answer.Body)
	}
	if err != nil {
		return answer, fmt.Errorf("read body: %w", err)
	}
	return answer, nil
}
