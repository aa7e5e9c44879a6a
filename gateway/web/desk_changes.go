package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Changes tells open lists that something changed, in whichever process.
type Changes interface {
	// Count gives a number that grows with each change of lists of these offices.
	Count(ctx context.Context, offices []gateway.OfficeID) (int64, error)
	// Listen gives a channel that holds something once the count is another than
	// the one seen, and is closed when the process stops.
	Listen(offices []gateway.OfficeID, seen int64) (changed <-chan struct{}, end func())
}

const (
	// streamBeat is how often a stream says that it lives, and asks whether its
	// person is still signed in.
	streamBeat = 15 * time.Second
	// streamLife ends a stream: the page opens the next one.
	streamLife = 10 * time.Minute
)

const (
	// streamsOfSession bounds the streams of one session: tabs that a person has open.
	streamsOfSession = 12
	// streamsMost bounds those of a process: each holds a connection.
	streamsMost = 5000
)

// streams counts the open streams.
type streams struct {
	mu  sync.Mutex
	all int
	of  map[gateway.SessionID]int
}

// enter takes a place, if there is one.
func (s *streams) enter(session gateway.SessionID) (leave func(), room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= streamsMost || s.of[session] >= streamsOfSession {
		return nil, false
	}
	if s.of == nil {
		s.of = map[gateway.SessionID]int{}
	}
	s.all++
	s.of[session]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.of[session]--; s.of[session] == 0 {
			delete(s.of, session)
		}
	}, true
}

// changes is a stream of server-sent events. An event says that something
// changed and nothing else: the page fetches its rows as ever, with permission
// and audit.
func (d *desk) changes(c echo.Context) error {
	leave, room := d.streams.enter(sessionOf(c).id)
	if !room {
		return gateway.NewError(gateway.CodeTooManyTries, nil)
	}
	defer leave()
	seen, err := strconv.ParseInt(cmp.Or(c.QueryParam("since"), "0"), 10, 64)
	if err != nil {
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	offices := actor(c).Staff.OfficesWith(gateway.RightPapers)
	changed, end := d.Changes.Listen(offices, seen)
	defer end()
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // a proxy in front would keep the events
	c.Response().WriteHeader(http.StatusOK)
	d.count(c, http.StatusOK, "")
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	over := time.NewTimer(streamLife)
	defer over.Stop()
	say := streamOf(c)
	if say("retry: 3000\n\n") != nil {
		return nil
	}
	for {
		words := ": still here\n\n"
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-over.C:
			return nil
		case _, running := <-changed:
			if !running {
				return nil
			}
			words = "event: changed\ndata: \n\n"
		case <-beat.C:
			// Who signed out, or lost the account, is told nothing more. With other
			// offices the page asks for a stream of these.
			staff, _, err := d.signedIn(c, true)
			if err != nil || !slices.Equal(staff.OfficesWith(gateway.RightPapers), offices) {
				return nil
			}
		}
		if say(words) != nil {
			return nil
		}
	}
}

// streamOf writes to a browser that may be gone: a write has little time. Not
// every connection has deadlines (those of tests have none).
func streamOf(c echo.Context) func(words string) error {
	control := http.NewResponseController(c.Response())
	return func(words string) error {
		_ = control.SetWriteDeadline(time.Now().Add(2 * streamBeat))
		if _, err := fmt.Fprint(c.Response(), words); err != nil {
			return err
		}
		return control.Flush()
	}
}
