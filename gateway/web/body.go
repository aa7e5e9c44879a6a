package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

const (
	// leastRate ends a sender that only dribbles: a phone with hardly any
	// signal (50 kbit/s) brings three times as much.
	leastRate = 2 << 10 // bytes a second, on average after the first Stall

	// What is left of a refused body is read up to here, so that the browser
	// reads the answer and not a broken connection.
	drainBytes = 80 << 20
	drainTime  = time.Minute

	// A stranger is heard out so far: a photograph as the page's script sends
	// it, over a fair signal. Whoever's session is gone then reads so.
	strangerBytes = 4 << 20
	strangerTime  = 15 * time.Second
)

// steadyBody reads a request's body as long as bytes keep arriving: each
// progress moves the connection's deadlines. Deadlines of connections are
// times of the machine's clock, so this one place reads it itself.
type steadyBody struct {
	from     io.Reader
	deadline *http.ResponseController
	begun    time.Time
	moved    time.Time // when the deadlines were last set
	stall    time.Duration
	total    int64
	most     int64
	fault    error // why the body could not be read to its end; nil so far
	ended    bool
}

func newSteadyBody(c echo.Context, most int64, stall time.Duration) *steadyBody {
	b := &steadyBody{
		from: c.Request().Body, deadline: http.NewResponseController(c.Response()),
		begun: time.Now(), stall: stall, most: most,
	}
	b.extend()
	return b
}

// extend gives the sender time for its next bytes and the answer time to
// leave. Not every connection has deadlines (those of tests have none).
func (b *steadyBody) extend() {
	b.moved = time.Now()
	silence := b.moved.Add(b.stall)
	onAverage := b.begun.Add(2*b.stall + time.Duration(b.total/leastRate)*time.Second)
	if onAverage.Before(silence) {
		silence = onAverage
	}
	_ = b.deadline.SetReadDeadline(silence)
	_ = b.deadline.SetWriteDeadline(b.moved.Add(2 * b.stall))
}

func (b *steadyBody) Read(p []byte) (int, error) {
	if b.fault != nil {
		return 0, b.fault
	}
	n, err := b.from.Read(p)
	b.total += int64(n)
	if time.Since(b.moved) > b.stall/16 {
		b.extend()
	}
	switch {
	case b.total > b.most:
		b.fault = gateway.NewError(gateway.CodePageTooBig, nil)
		return 0, b.fault
	case errors.Is(err, io.EOF):
		b.ended = true
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.fault = gateway.NewError(gateway.CodeBadRequest, errors.New("the sender fell silent"))
		return n, b.fault
	case err != nil:
		b.fault = errCutShort
		return n, b.fault
	}
	return n, nil
}

// drain reads on, bounded in bytes and time, and keeps nothing. After a
// connection that broke or fell silent there is nothing to hear.
func (b *steadyBody) drain() {
	if b.ended || b.fault != nil && !gateway.Is(b.fault, gateway.CodePageTooBig) {
		return
	}
	hearOut(b.deadline, b.from, drainBytes, drainTime, b.stall)
}

// hearStranger drains a body that no session was found for, within small
// bounds: anybody can send one.
func hearStranger(c echo.Context) {
	hearOut(http.NewResponseController(c.Response()), c.Request().Body, strangerBytes, strangerTime, strangerTime)
}

func hearOut(deadline *http.ResponseController, from io.Reader, most int64, listen, answer time.Duration) {
	_ = deadline.SetReadDeadline(time.Now().Add(listen))
	_, _ = io.CopyN(io.Discard, from, most) // whatever ends it, the answer follows
	_ = deadline.SetWriteDeadline(time.Now().Add(answer))
}
