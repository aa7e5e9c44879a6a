package main

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
)

// session is a claimed link: a path that takes pages, and the cookie that may
// send there.
type session struct {
	path   string // /send/ID
	cookie string // name=value
	left   int    // pages that the link still takes
}

// pagesPerLink is the product's limit for one link.
const pagesPerLink = 40

var cookieEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newBrowser gives a cookie like the one that the product sets, and a network
// address to come from: a real intake stands behind a proxy and sees many.
func newBrowser(name string) (cookie, address string) {
	var secret [32]byte
	rand.Read(secret[:]) // never fails, says its documentation
	return name + "=" + cookieEncoding.EncodeToString(secret[:]),
		fmt.Sprintf("198.%d.%d.%d", 18+secret[0]%2, secret[1], secret[2])
}

// cookieName asks the page of a link which cookie it keeps.
func cookieName(intake *process, token string) (string, error) {
	c, err := dial(intake.address)
	if err != nil {
		return "", err
	}
	defer c.close()
	answer, err := c.exchange(fmt.Appendf(nil, "GET /c/%s HTTP/1.1\r\nHost: %s\r\n\r\n", token, intake.address))
	if err != nil {
		return "", err
	}
	if answer.Status != 200 || len(answer.Cookies) != 1 {
		return "", fmt.Errorf("the page of a link: status %d, %d cookies", answer.Status, len(answer.Cookies))
	}
	name, _, _ := strings.Cut(answer.Cookies[0], "=")
	return name, nil
}

// claim presses the button of a link in a new browser.
func claim(c *connection, host, cookieName, token string) (*session, error) {
	cookie, address := newBrowser(cookieName)
	answer, err := c.exchange(fmt.Appendf(nil, "POST /c/%s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nX-Forwarded-For: %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n", token, host, cookie, address))
	if err != nil {
		return nil, err
	}
	path := answer.Location
	if at := strings.Index(path, "/send/"); at >= 0 {
		path = path[at:]
	}
	if answer.Status != 303 || !strings.HasPrefix(path, "/send/") {
		return nil, fmt.Errorf("a claim was answered with %d: %.300s", answer.Status, answer.Body)
	}
	return &session{path: path, cookie: cookie, left: pagesPerLink}, nil
}

// makeSessions claims as many new links.
func makeSessions(h *house, intake *process, count int) (chan *session, error) {
	tokens, err := makeTokens(h, intake, count)
	if err != nil {
		return nil, err
	}
	name, err := cookieName(intake, tokens[0])
	if err != nil {
		return nil, err
	}
	sessions, waiting := make(chan *session, count), hand(tokens)
	p := plan{Connections: min(16, count), Time: time.Minute, Count: int64(count)}
	_, err = run(intake.address, p, claimWorker(intake.address, name, waiting, func(s *session) { sessions <- s }))
	if err != nil {
		return nil, err
	}
	if len(sessions) < count {
		return nil, errors.New("too few links were claimed in time")
	}
	return sessions, nil
}

// hand puts tokens where workers take them from.
func hand(tokens []string) chan string {
	waiting := make(chan string, len(tokens))
	for _, token := range tokens {
		waiting <- token
	}
	return waiting
}

func claimWorker(host, cookieName string, tokens chan string, claimed func(*session)) func(int) worker {
	return func(int) worker {
		return func(c *connection) (int64, error) {
			select {
			case token := <-tokens:
				s, err := claim(c, host, cookieName, token)
				if err != nil {
					return 0, err
				}
				if claimed != nil {
					claimed(s)
				}
				return 0, nil
			default:
				return 0, errors.New("no token is left")
			}
		}
	}
}
