package linkstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Options tell where Redis is.
type Options struct {
	// URL takes one of these forms; user, password, database and ports may
	// be left out, and whatever is special in a password is percent-encoded:
	//
	//	redis://user:password@host:6379/0
	//	redis+sentinel://user:password@host:26379,host:26379/master/0?sentinel_user=...&sentinel_password=...
	//	redis+cluster://user:password@host:6379,host:6379
	//
	// With rediss instead of redis the connection is encrypted by TLS.
	URL string
}

// A caller must be able to answer within 2 seconds that Redis is out of
// reach, so every call ends after patience, whatever is retried within it.
const (
	patience     = 1200 * time.Millisecond
	dialTimeout  = 500 * time.Millisecond
	replyTimeout = 500 * time.Millisecond
	retries      = 1
	minBackoff   = 8 * time.Millisecond
	maxBackoff   = 50 * time.Millisecond
	// Requests and answers are a few hundred bytes; the library's 32 KiB for
	// each would cost 64 KiB a connection.
	connectionBuffer = 4 << 10
	connections      = 32 // a node; one more caller waits for a free one
)

// Open makes a client. It connects on first use, so a Redis that is down is
// no error here. The errors never repeat the URL, which may hold a password.
func Open(_ context.Context, o Options) (redis.UniversalClient, error) {
	options, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	options.DialTimeout = dialTimeout
	options.DialerRetries = 1 // attempts in all
	options.ReadTimeout = replyTimeout
	options.WriteTimeout = replyTimeout
	options.PoolTimeout = replyTimeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = retries
	options.MinRetryBackoff = minBackoff
	options.MaxRetryBackoff = maxBackoff
	options.PoolSize = connections
	options.ReadBufferSize = connectionBuffer
	options.WriteBufferSize = connectionBuffer
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	// The library would write to stderr past the program's log, with
	// addresses; every failure reaches the caller as an error anyway.
	logging.Disable()
	return redis.NewUniversalClient(options), nil
}
