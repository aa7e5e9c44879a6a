package linkstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"syscall"

	"github.com/redis/go-redis/v9"

	"dropslot/gateway"
)

// failure makes the error of an act that Redis did not do. It repeats nothing
// that Redis or the library wrote beyond the first word of a reply: their
// texts hold addresses, users, keys and arguments.
func failure(act string, err error) error {
	return gateway.NewError(gateway.CodeUnavailable, fmt.Errorf("redis: %s: %w", act, cause(err)))
}

// The first word of an error reply, by the Redis protocol.
var replyWord = regexp.MustCompile(`^[A-Z]{2,20}\b`)

// #nosec G101 -- words about passwords; none of them is one
var replies = map[string]string{
	"NOAUTH":    "it asks for a password; put it into the redis url",
	"WRONGPASS": "it does not accept the user or password of the redis url",
	"NOPERM":    "this user may not run a command that Dropslot needs",
	"OOM":       "its memory is full; raise maxmemory",
	"READONLY":  "it is a replica and takes no writes; use redis+sentinel:// or the master's address",
	"LOADING":   "it is still loading its data",
	"MISCONF":   "it cannot save to its disk and takes no writes",
	"MOVED":     "it is a cluster; use redis+cluster://",
}

func cause(err error) error {
	var reply redis.Error
	var network net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &reply):
		word := replyWord.FindString(reply.Error())
		if advice := replies[word]; advice != "" {
			return errors.New(advice + " (" + word + ")")
		}
		return errors.New("it answered with an error " + word)
	case errors.As(err, &certificate):
		return errors.New("its TLS certificate was not accepted")
	case errors.As(err, &name):
		return errors.New("its host name was not found")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection was refused; is it running?")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrPoolTimeout),
		errors.As(err, &network) && network.Timeout():
		return context.DeadlineExceeded
	case errors.Is(err, io.EOF):
		return errors.New("it closed the connection")
	}
	return errors.New("it is out of reach")
}
